// The four arrays of a layer without weights, X, Y, dY and dX, looked at together.

import { asBlock, channelOf, largest, paintMap } from "../draw.js";
import { t } from "../language.js";
import { PlaceMap, figure, h, number } from "../parts.js";

// Four maps of one channel, or blocks of a row of numbers, which are pointed at together.
export function four(lab, arrays, onplace) {
  const flat = arrays.y.shape.length === 1;
  const map = (array) => (flat ? asBlock(array) : channelOf(array, lab.channel));
  const made = Object.entries({ x: "X", y: "Y", dy: "dY", dx: "dX" }).map(([key, name]) => {
    const values = map(arrays[key]);
    const placed = new PlaceMap(`${name} ${t(`four_${key}`)}`, {
      height: values.shape[0],
      width: values.shape[1],
      onpoint: (row, column) => lab.go({ spot: onplace(key, row, column) }),
    });
    paintMap(placed.canvas, values, key === "x" || key === "y" ? largest(arrays.x.data) : largest(arrays.dx.data));
    return { key, values, placed, figure: figure(`${name}: ${t(`four_${key}`)}`, placed.root) };
  });
  return Object.fromEntries(made.map((one) => [one.key, one]));
}

export function readings(names) {
  const shown = Object.fromEntries(names.map((name) => [name, number(name, 0)]));
  return { shown, root: h("p", { class: "sum" }, ...names.flatMap((name) => [`${name} = `, shown[name], "  "])) };
}

export function same(key, row, column) {
  return `${row},${column}`;
}
