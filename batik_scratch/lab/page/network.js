// A network as the page holds it: layers in a row, one image forwards, one gradient backwards, all of it kept.

import { crossEntropy, like, softmax } from "./engine.js";
import { LAYERS } from "./layers.js";

// An array from the page's data: base64 of little-endian numbers, to float64.
export function unpack({ dtype, shape, data }) {
  const letters = atob(data);
  const bytes = new Uint8Array(letters.length);
  for (let n = 0; n < bytes.length; n++) bytes[n] = letters.charCodeAt(n);
  const Kind = { float32: Float32Array, float64: Float64Array, uint8: Uint8Array }[dtype];
  return { shape, data: Float64Array.from(new Kind(bytes.buffer)) };
}

// The axes' indices of the number at `index` of an array of this shape.
export function placeIn(index, shape) {
  const places = [];
  for (const count of [...shape].reverse()) {
    places.unshift(index % count);
    index = Math.floor(index / count);
  }
  return places;
}

export class Network {
  constructor({ layers, input_shape, class_names }) {
    this.inputShape = input_shape;
    this.classNames = class_names;
    this.layers = layers.map((layer) => ({
      ...layer,
      params: Object.fromEntries(Object.entries(layer.params).map(([key, value]) => [key, unpack(value)])),
    }));
    this.endsInSoftmax = this.layers.at(-1).type === "Softmax";
    this.walk = this.endsInSoftmax ? this.layers.slice(0, -1) : this.layers; // up to the logits
  }

  place(name) {
    return this.layers.findIndex((layer) => layer.name === name);
  }

  // Every layer's output, from layer number `first` on; activations[0] is the input, activations[n + 1] layer n's.
  forward(x, how = {}, before = null, first = 0) {
    const activations = before ? before.activations.slice(0, first + 1) : [x];
    const kept = before ? before.kept.slice(0, first) : [];
    for (const layer of this.walk.slice(first)) {
      const done = LAYERS[layer.type].forward(layer, activations.at(-1), how);
      activations.push(done.y);
      kept.push(done.kept);
    }
    const logits = activations.at(-1);
    const p = softmax(logits);
    if (this.endsInSoftmax) activations.push(p);
    return { activations, kept, logits, p };
  }

  // d score / d activation for every entry of `activations` up to the logits, and d score / d parameter by layer;
  // dlogits is where it begins.
  backward({ kept }, dlogits) {
    const gradients = new Array(this.walk.length + 1);
    const grads = new Array(this.walk.length);
    gradients[this.walk.length] = dlogits;
    for (let n = this.walk.length - 1; n >= 0; n--) {
      const done = LAYERS[this.walk[n].type].backward(this.walk[n], kept[n], gradients[n + 1]);
      gradients[n] = done.dx;
      grads[n] = done.grads;
    }
    return { gradients, grads };
  }

  // Forwards and backwards for the loss of one label.
  trace(x, label, how = {}) {
    const up = this.forward(x, how);
    const { value, dz } = crossEntropy(up.logits, label);
    return { ...up, label, loss: value, ...this.backward(up, dz) };
  }

  // d logit of a class / d pixels (H, W, C)
  inputGradient(up, target) {
    const onehot = like(up.logits, (_, u) => (u === target ? 1 : 0));
    return this.backward(up, onehot).gradients[0];
  }

  // Every parameter, [{ layer, key, value }], in the package's order; those without a gradient are left out if `trained`.
  parameters(trained = true) {
    return this.layers.flatMap((layer, place) =>
      Object.entries(layer.params)
        .filter(([key]) => !trained || !layer.not_trained.includes(key))
        .map(([key, value]) => ({ layer, place, key, value })),
    );
  }

  // Take all weights from one row of numbers, as the recorded epochs hold them.
  take(row) {
    let start = 0;
    for (const { value } of this.parameters(false)) {
      value.data.set(row.subarray(start, start + value.data.length));
      start += value.data.length;
    }
  }

  copyOfWeights() {
    const arrays = this.parameters(false).map(({ value }) => value.data);
    const copy = new Float64Array(arrays.reduce((sum, data) => sum + data.length, 0));
    let start = 0;
    for (const data of arrays) {
      copy.set(data, start);
      start += data.length;
    }
    return copy;
  }
}
