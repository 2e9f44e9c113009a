// What both convolution views share: the window at a place, the kernel's slices, and the row of controls.

import { channelOf } from "../draw.js";
import { pad } from "../engine.js";
import { t } from "../language.js";
import { padsOf } from "../layers.js";
import { Player, button, choice, counter, h, layerName } from "../parts.js";

// The place of a channel with the largest value, or backwards the largest gradient, as an address says it.
function strongest(lab, layer, view) {
  const array = (view === "forward" ? lab.trace.activations : lab.trace.gradients)[lab.network.place(layer.name) + 1];
  const { data } = channelOf(array, lab.channel);
  const best = data.reduce((top, value, n) => (Math.abs(value) > Math.abs(data[top]) ? n : top), 0);
  return `${Math.floor(best / layer.output_shape[1])},${best % layer.output_shape[1]}`;
}

// The convolution that is looked at: arrays, sizes, and the current place (i, j) of its output.
export function convolution(lab, view) {
  const layer = lab.current;
  if (lab.spot === "") lab.spot = strongest(lab, layer, view); // a place where there is something to see
  const n = lab.network.place(layer.name);
  const x = pad(lab.trace.activations[n], padsOf(layer));
  const [kh, kw, channels, filters] = layer.params.kernel.shape;
  const [height, width] = layer.output_shape;
  return {
    ...{ layer, n, x, kh, kw, channels, filters, height, width },
    kernel: layer.params.kernel,
    strides: layer.config.strides,
    pads: padsOf(layer),
    y: lab.trace.activations[n + 1],
    dy: lab.trace.gradients[n + 1],
    dx: lab.trace.gradients[n],
    grads: lab.trace.grads[n],
  };
}

// X[i*sh+u, j*sw+v, c] for all u, v
export function windowValues({ x, kh, kw, strides }, i, j, c) {
  const [, width, channels] = x.shape;
  const values = new Float64Array(kh * kw);
  for (let u = 0; u < kh; u++) {
    for (let v = 0; v < kw; v++) {
      values[u * kw + v] = x.data[((i * strides[0] + u) * width + j * strides[1] + v) * channels + c];
    }
  }
  return values;
}

// W[u,v,c,f] for all u, v, of a kernel or of its gradient
export function slice(kernel, c, f) {
  const [kh, kw, channels, filters] = kernel.shape;
  return Float64Array.from({ length: kh * kw }, (_, uv) => kernel.data[(uv * channels + c) * filters + f]);
}

export function controls(lab, { layer, height, width, filters }, view) {
  const convolutions = lab.network.layers.filter(({ type }) => type === "Conv2D");
  const other = view === "forward" ? "backward" : "forward";
  const player = new Player(() => {
    const [row, column] = lab.place(height, width);
    const next = row * width + column + 1;
    if (next >= height * width) return lab.go({ spot: "0,0" });
    return lab.go({ spot: `${Math.floor(next / width)},${next % width}` });
  });
  const go = (changes) => lab.go({ pixel: null, ...changes });
  const [row, column] = lab.place(height, width);
  const fields = {
    row: counter("row", t("row"), row, height, (value) => go({ spot: `${value},${lab.place(height, width)[1]}` })),
    column: counter("column", t("column"), column, width, (value) =>
      go({ spot: `${lab.place(height, width)[0]},${value}` }),
    ),
  };
  const root = h(
    "div",
    { class: "controls" },
    choice("layer", t("layer"), named(convolutions), layer.name, (name) => go({ layer: name, channel: 0, spot: "" })),
    choice("filter", t("filter"), upTo(filters), lab.channel, (value) => go({ channel: Number(value) })),
    fields.row,
    fields.column,
    player.root,
    button(t("strongest_place"), () => go({ spot: strongest(lab, layer, view) }), { id: "strongest-place" }),
    button(t(`to_${other}`), () => lab.go({ view: other }), { id: "other-way" }),
  );
  const update = (i, j) => {
    for (const [field, value] of [
      [fields.row, i],
      [fields.column, j],
    ]) {
      const input = field.querySelector("input");
      if (input !== document.activeElement || input.value === "") input.value = value;
    }
  };
  return { root, update };
}

export function named(layers) {
  return layers.map((layer) => [layer.name, layerName(layer)]);
}

export function upTo(count) {
  return Array.from({ length: count }, (_, n) => [n, String(n)]);
}
