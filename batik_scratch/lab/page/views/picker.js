// Where a reader chooses the number to nudge: a pixel or a weight.

import { largest, paintImage } from "../draw.js";
import { t } from "../language.js";
import { Grid, PlaceMap, button, choice, counter, figure, h } from "../parts.js";
import { fits } from "../state.js";
import { slice, upTo } from "./window.js";

export function picker(lab, one) {
  const layers = lab.network.layers.filter((layer) => fits(layer, "nudge"));
  const options = [["input", t("a_pixel")], ...layers.map(({ name }) => [name, name])];
  const fields = [
    choice("layer", t("nudge_what"), options, lab.layer, (layer) => lab.go({ layer, channel: 0, spot: "" })),
  ];
  if (one.pixel) return h("div", {}, h("div", { class: "controls" }, fields, colourField(lab)), pixelMap(lab));
  const layer = lab.current;
  const units = layer.output_shape.at(-1);
  fields.push(
    choice("unit", t(layer.type === "Dense" ? "unit" : "filter"), upTo(units), lab.channel, (value) =>
      lab.go({ channel: Number(value) }),
    ),
  );
  if (layer.type === "Dense") {
    const inputs = layer.params.kernel.shape[0];
    fields.push(
      counter("feature", t("dense_input"), Number(lab.spot.split(",")[0]) || 0, inputs, (d) =>
        lab.go({ spot: `${d}` }),
      ),
    );
    fields.push(biasButton(lab));
    return h("div", { class: "controls" }, fields);
  }
  return h(
    "div",
    {},
    h("div", { class: "controls" }, fields, channelField(lab, layer), biasButton(lab)),
    kernelGrid(lab, layer),
  );
}

function biasButton(lab) {
  return button(t("bias"), () => lab.go({ spot: "bias" }), { id: "bias", "aria-pressed": lab.spot === "bias" });
}

function colourField(lab) {
  const options = ["R", "G", "B"].map((name, c) => [c, name]);
  return choice("channel", t("channel"), options, lab.channel, (value) => lab.go({ channel: Number(value) }));
}

function pixelMap(lab) {
  const { x } = lab.picture;
  const onpoint = (row, column) => lab.go({ spot: `${row},${column}` });
  const map = new PlaceMap(t("choose_pixel"), { height: x.shape[0], width: x.shape[1], onpoint });
  map.root.id = "pixel-map";
  paintImage(map.canvas, x);
  map.mark(...lab.place(x.shape[0], x.shape[1]));
  return figure(t("choose_pixel"), map.root);
}

function channelField(lab, layer) {
  const [u, v, c] = lab.spot === "bias" ? [0, 0, 0] : lab.spot.split(",").map((part) => Number(part) || 0);
  const channels = layer.params.kernel.shape[2];
  return choice("channel", t("channel"), upTo(channels), c ?? 0, (value) =>
    lab.go({ spot: `${u},${v ?? 0},${value}` }),
  );
}

function kernelGrid(lab, layer) {
  const [kh, kw, channels] = layer.params.kernel.shape;
  const [u, v, c] = lab.spot === "bias" ? [-1, -1, 0] : lab.spot.split(",").map((part) => Number(part) || 0);
  const channel = Math.min(c ?? 0, channels - 1);
  const grid = new Grid(kh, kw, t("kernel")).fill(
    slice(layer.params.kernel, channel, lab.channel),
    largest(layer.params.kernel.data),
  );
  grid.root.removeAttribute("role");
  grid.root.setAttribute("role", "group");
  grid.cells.forEach((cell, n) => {
    const place = [Math.floor(n / kw), n % kw];
    const chosen = place[0] === u && place[1] === (v ?? 0);
    const press = h(
      "button",
      {
        type: "button",
        id: `weight-${place.join("-")}`,
        class: `cell ${chosen ? "winner" : ""}`,
        "aria-label": `${cell.textContent}, ${t("weight")} ${place.join(", ")}`,
        "aria-pressed": chosen,
        style: { background: cell.style.background, color: cell.style.color },
        onclick: () => lab.go({ spot: `${place.join(",")},${channel}` }),
      },
      cell.textContent,
    );
    cell.replaceWith(press);
  });
  return figure(t("choose_weight", { channel }), grid.root);
}
