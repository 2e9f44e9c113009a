// Upwards, against the way of the gradient: from a number inside the network to the one that sent it most.
//
//   senderOf(lab, n, at)   who that is for number `at` of layer n's output (n = -1: the picture), and the view that shows it
//   placeOf(lab)           the n and `at` that the current view looks at

import { blockWidth } from "./draw.js";
import { padsOf } from "./layers.js";
import { placeIn } from "./network.js";

const NOWHERE = { extra: "", spot: "", channel: 0, pixel: null };

// { layer, place, go }: place as [row, column, channel] or [unit]; `go` is what lab.travel takes. Without `go`: nobody.
export function senderOf(lab, n, at) {
  const { walk } = lab.network;
  if (n + 1 === walk.length) return { place: [at], go: { ...NOWHERE, view: "softmax", extra: `${at}` } };
  const layer = walk[n + 1];
  if (layer.type === "Dropout") return { through: layer, ...senderOf(lab, n + 1, at) }; // it changes nothing at rest
  const place = placeIn(at, layer.input_shape);
  const to = (view, channel, spot, pixel = null) => ({ ...NOWHERE, view, layer: layer.name, channel, spot, pixel });
  if (layer.type === "Conv2D") {
    const { best } = sentTo(lab, n + 1, place);
    if (!best) return { layer };
    const go = to("backward", best.f, `${best.i},${best.j}`, place.join(","));
    return { layer, place: [best.i, best.j, best.f], go };
  }
  if (layer.type === "Dense") {
    const unit = busiestUnit(lab, layer, at);
    return { layer, place: [unit], go: to("dense", unit, `${at}`) };
  }
  if (layer.type === "Flatten") return { layer, place, go: to("gates", 0, place.join(",")) };
  if (layer.type.endsWith("Pooling2D")) return pooled(lab, n + 1, place, to);
  if (place.length === 3) return { layer, place, go: to("gates", place[2], `${place[0]},${place[1]}`) };
  const wide = blockWidth(layer.output_shape[0]);
  return { layer, place: [at], go: to("gates", 0, `${Math.floor(at / wide)},${at % wide}`) };
}

// The pooling window that a place sent its value to: the one it won, or of means the one that sends most.
function pooled(lab, n, [row, column, c], to) {
  const layer = lab.network.walk[n];
  if (layer.type === "GlobalAveragePooling2D") return { layer, place: [c], go: to("gates", c, "") };
  const dy = lab.trace.gradients[n + 1];
  const { winner, shape } = lab.trace.kept[n];
  const [[top], [left]] = padsOf(layer);
  const own = winner && ((row + top) * shape[1] + column + left) * shape[2] + c;
  const windows = windowsOver(layer, [row, column]).map(([i, j]) => {
    const out = (i * dy.shape[1] + j) * dy.shape[2] + c;
    return { i, j, sent: winner && winner[out] !== own ? 0 : Math.abs(dy.data[out]), won: winner?.[out] === own };
  });
  const [best] = windows.sort((a, b) => b.won - a.won || b.sent - a.sent);
  return best ? { layer, place: [best.i, best.j, c], go: to("gates", c, `${best.i},${best.j}`) } : { layer };
}

// What the places of a convolution, layer n, sent to one number of its input: [{ i, j, u, v, value }] of all filters
// together, the largest first, and of single filters the largest, `best` { i, j, f, term }.
export function sentTo(lab, n, [p, q, c]) {
  const layer = lab.network.layers[n];
  const { kernel } = layer.params;
  const [, kw, channels, filters] = kernel.shape;
  const dy = lab.trace.gradients[n + 1];
  const pads = padsOf(layer);
  let best = null;
  const sent = windowsOver(layer, [p, q]).map(([i, j]) => {
    const u = p + pads[0][0] - i * layer.config.strides[0];
    const v = q + pads[1][0] - j * layer.config.strides[1];
    let value = 0;
    for (let f = 0; f < filters; f++) {
      const term =
        dy.data[(i * dy.shape[1] + j) * filters + f] * kernel.data[((u * kw + v) * channels + c) * filters + f];
      value += term;
      if (!best || Math.abs(term) > Math.abs(best.term)) best = { i, j, f, term };
    }
    return { i, j, u, v, value };
  });
  return { sent: sent.sort((a, b) => Math.abs(b.value) - Math.abs(a.value)), best };
}

// The places of the output whose window lies over this place of the input.
function windowsOver(layer, place) {
  const size = layer.config.kernel_size ?? layer.config.pool_size;
  const [rows, columns] = place.map((value, axis) => {
    const inside = value + padsOf(layer)[axis][0];
    const stride = layer.config.strides[axis];
    const first = Math.max(Math.ceil((inside - size[axis] + 1) / stride), 0);
    const last = Math.min(Math.floor(inside / stride), layer.output_shape[axis] - 1);
    return Array.from({ length: Math.max(last - first + 1, 0) }, (_, n) => first + n);
  });
  return rows.flatMap((i) => columns.map((j) => [i, j]));
}

// The unit of a dense layer that sends most: to input number d, or without one to all its inputs together.
export function busiestUnit(lab, layer, d = null) {
  const dy = lab.trace.gradients[lab.network.place(layer.name) + 1].data;
  const kernel = layer.params.kernel.data;
  const sizes = Float64Array.from(dy, (g, u) => {
    if (d !== null) return Math.abs(g * kernel[d * dy.length + u]);
    let sum = 0;
    for (let at = u; at < kernel.length; at += dy.length) sum += Math.abs(kernel[at]);
    return Math.abs(g) * sum;
  });
  return sizes.reduce((best, size, u) => (size > sizes[best] ? u : best), 0);
}

// Where the current view stands, or null if it is at no single number.
export function placeOf(lab) {
  const layer = lab.current;
  const n = lab.network.place(layer.name);
  const shape = layer.output_shape;
  if (layer.type === "Dropout") return null;
  if (layer.type === "Dense" || layer.type === "GlobalAveragePooling2D") return { n, at: lab.channel };
  if (layer.type === "Flatten") {
    const [height, width, channels] = layer.input_shape;
    const [i, j] = lab.place(height, width);
    const c = Math.min(Math.max(Number(lab.spot.split(",")[2] ?? 0) || 0, 0), channels - 1);
    return { n, at: (i * width + j) * channels + c };
  }
  if (shape.length === 3) {
    const [i, j] = lab.place(shape[0], shape[1]);
    return { n, at: (i * shape[1] + j) * shape[2] + lab.channel };
  }
  const wide = blockWidth(shape[0]);
  const [i, j] = lab.place(Math.ceil(shape[0] / wide), wide);
  return { n, at: Math.min(i * wide + j, shape[0] - 1) };
}
