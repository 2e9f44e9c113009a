// The one number that is nudged, a weight or a pixel: its value, its gradient, and the loss if it were another.

import { crossEntropy } from "../engine.js";
import { t } from "../language.js";

// The number that is nudged: { name, pixel, channel, get, set, gradient, lossAt, keep }; channel of a pixel
export function subject(lab) {
  const pixel = lab.layer === "input";
  const { x } = lab.picture;
  const { array, index, first, gradient, name, channel } = pixel ? pixelOf(lab) : weightOf(lab);
  const { trace } = lab;
  return {
    ...{ pixel, name, gradient, channel },
    get: () => array[index],
    set: (value) => (array[index] = value),
    keep: () => (pixel ? lab.pixelsChanged() : lab.weightsChanged()),
    lossAt(value) {
      const before = array[index];
      array[index] = value;
      const up = lab.network.forward(x, {}, pixel ? null : trace, first);
      array[index] = before;
      return { loss: crossEntropy(up.logits, trace.label).value, decisions: decisions(lab.network, up, first) };
    },
  };
}

function pixelOf(lab) {
  const { x } = lab.picture;
  const c = lab.channel < 3 ? lab.channel : 0;
  const [i, j] = lab.place(x.shape[0], x.shape[1]);
  const index = (i * x.shape[1] + j) * 3 + c;
  const name = t("pixel_name", { row: i, column: j, channel: ["R", "G", "B"][c] });
  return { array: x.data, index, first: 0, gradient: () => lab.trace.gradients[0].data[index], name, channel: c };
}

function weightOf(lab) {
  const layer = lab.current;
  const first = lab.network.place(layer.name);
  const { key, at, words } = weightAt(layer, lab.channel, lab.spot);
  const gradient = () => lab.trace.grads[first][key].data[at];
  return { array: layer.params[key].data, index: at, first, gradient, name: `${layer.name} ${key} ${words}` };
}

// The place of a weight in its array, from "u,v,c" of filter f, "d" of unit f, or "bias".
export function weightAt(layer, f, spot) {
  const { shape } = layer.params.kernel;
  if (spot === "bias") return { key: "bias", at: f, words: `[${f}]` };
  const wanted = spot.split(",").map((part) => Number(part) || 0);
  const axes = shape.slice(0, -1).map((count, axis) => Math.min(Math.max(wanted[axis] ?? 0, 0), count - 1));
  const at = axes.reduce((place, value, axis) => place * shape[axis] + value, 0) * shape.at(-1) + f;
  return { key: "kernel", at, words: `[${[...axes, f].join(", ")}]` };
}

// Gates and winners above layer `first`: where they change, the loss has a kink.
function decisions(network, { kept }, first) {
  return network.walk.slice(first).flatMap(({ type }, n) => {
    if (type === "ReLU" || type === "LeakyReLU") return [kept[first + n].x.data.map((value) => (value > 0 ? 1 : 0))];
    return type === "MaxPooling2D" ? [kept[first + n].winner] : [];
  });
}

export function differing(one, other) {
  return one.reduce(
    (sum, row, n) => sum + row.reduce((count, value, k) => count + (value !== other[n][k] ? 1 : 0), 0),
    0,
  );
}
