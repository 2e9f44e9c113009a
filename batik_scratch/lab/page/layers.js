// Every layer of the package as two functions of one image.
//
//   forward(layer, x, how)            { y, kept }; how.masks may hold a dropout mask under the layer's name
//   backward(layer, kept, dy)         { dx, grads }, grads { kernel, bias } or {}
//
// The formulas of engine.js are those that the lab shows; the others stand here, so that any network of the package
// can be looked at. A normalisation is what it is when the network is asked, not trained: its statistics are constants.

import {
  conv2d,
  conv2dBackward,
  crop,
  dense,
  denseBackward,
  dropout,
  like,
  maxpool,
  maxpoolBackward,
  pad,
  relu,
  reluBackward,
  samePadding,
  softmax,
  windowCount,
  zeros,
} from "./engine.js";

export function padsOf(layer) {
  if (layer.config.padding !== "same") {
    return [
      [0, 0],
      [0, 0],
    ];
  }
  const size = layer.config.kernel_size ?? layer.config.pool_size;
  return [0, 1].map((axis) => samePadding(layer.input_shape[axis], size[axis], layer.config.strides[axis]));
}

// A layer that works on each value alone: f(x) forwards, slope(x, y) times dy backwards.
function elementwise(f, slope) {
  return {
    forward: (layer, x) => {
      const y = like(x, (value) => f(value, layer.config));
      return { y, kept: { x, y } };
    },
    backward: (layer, { x, y }, dy) => ({
      dx: like(dy, (g, n) => g * slope(x.data[n], y.data[n], layer.config)),
      grads: {},
    }),
  };
}

// Each place's share of the windows' means: 1 / (places of the window that lie in the image).
function averageWindows(layer, visit) {
  const pads = padsOf(layer);
  const [[top], [left]] = pads;
  const [height, width, channels] = layer.input_shape;
  const [[ph, pw], [sh, sw]] = [layer.config.pool_size, layer.config.strides];
  const [oh, ow] = [
    windowCount(height + pads[0][0] + pads[0][1], ph, sh),
    windowCount(width + pads[1][0] + pads[1][1], pw, sw),
  ];
  for (let i = 0; i < oh; i++) {
    for (let j = 0; j < ow; j++) {
      const inside = [];
      for (let u = i * sh - top; u < i * sh - top + ph; u++) {
        for (let v = j * sw - left; v < j * sw - left + pw; v++) {
          if (u >= 0 && v >= 0 && u < height && v < width) inside.push((u * width + v) * channels);
        }
      }
      for (const place of inside) {
        for (let c = 0; c < channels; c++) visit((i * ow + j) * channels + c, place + c, 1 / inside.length);
      }
    }
  }
}

function mean(data) {
  return data.reduce((a, b) => a + b, 0) / data.length;
}

const sigmoid = (x) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)));

export const LAYERS = {
  Conv2D: {
    forward: (layer, x) => {
      const padded = pad(x, padsOf(layer));
      return { y: conv2d(padded, layer.params.kernel, layer.params.bias, layer.config.strides), kept: { padded } };
    },
    backward: (layer, { padded }, dy) => {
      const { dx, dkernel, dbias } = conv2dBackward(padded, layer.params.kernel, dy, layer.config.strides);
      return { dx: crop(dx, padsOf(layer)), grads: { kernel: dkernel, bias: dbias } };
    },
  },
  ReLU: {
    forward: (layer, x) => ({ y: relu(x), kept: { x } }),
    backward: (layer, { x }, dy) => ({ dx: reluBackward(x, dy), grads: {} }),
  },
  MaxPooling2D: {
    forward: (layer, x) => {
      const padded = pad(x, padsOf(layer), -Infinity);
      const { y, winner } = maxpool(padded, layer.config.pool_size, layer.config.strides);
      return { y, kept: { winner, shape: padded.shape } };
    },
    backward: (layer, { winner, shape }, dy) => ({
      dx: crop(maxpoolBackward(winner, dy, shape), padsOf(layer)),
      grads: {},
    }),
  },
  Flatten: {
    forward: (layer, x) => ({ y: { shape: [x.data.length], data: x.data }, kept: { shape: x.shape } }),
    backward: (layer, { shape }, dy) => ({ dx: { shape, data: dy.data }, grads: {} }),
  },
  Dropout: {
    forward: (layer, x, how) => {
      const mask = how.masks?.[layer.name];
      return { y: mask ? dropout(x, mask) : x, kept: { mask } };
    },
    backward: (layer, { mask }, dy) => ({ dx: mask ? dropout(dy, mask) : dy, grads: {} }),
  },
  Dense: {
    forward: (layer, x) => ({ y: dense(x, layer.params.kernel, layer.params.bias), kept: { x } }),
    backward: (layer, { x }, dy) => {
      const { dx, dkernel, dbias } = denseBackward(x, layer.params.kernel, dy);
      return { dx, grads: { kernel: dkernel, bias: dbias } };
    },
  },
  Softmax: {
    forward: (layer, x) => {
      const p = softmax(x);
      return { y: p, kept: { p } };
    },
    // dZ = P (dP - sum_j dP_j P_j)
    backward: (layer, { p }, dy) => {
      const along = dy.data.reduce((sum, g, u) => sum + g * p.data[u], 0);
      return { dx: like(dy, (g, u) => p.data[u] * (g - along)), grads: {} };
    },
  },
  GlobalAveragePooling2D: {
    forward: (layer, x) => {
      const y = zeros([x.shape[2]]);
      const places = x.shape[0] * x.shape[1];
      for (let n = 0; n < x.data.length; n++) y.data[n % y.data.length] += x.data[n] / places;
      return { y, kept: {} };
    },
    backward: (layer, kept, dy) => {
      const [height, width, channels] = layer.input_shape;
      return { dx: like(zeros(layer.input_shape), (_, n) => dy.data[n % channels] / (height * width)), grads: {} };
    },
  },
  AveragePooling2D: {
    forward: (layer, x) => {
      const y = zeros(layer.output_shape);
      averageWindows(layer, (out, place, share) => (y.data[out] += x.data[place] * share));
      return { y, kept: {} };
    },
    backward: (layer, kept, dy) => {
      const dx = zeros(layer.input_shape);
      averageWindows(layer, (out, place, share) => (dx.data[place] += dy.data[out] * share));
      return { dx, grads: {} };
    },
  },
  // n = (x - moving_mean) / s,  y = gamma n + beta,  dx = gamma dy / s
  BatchNormalization: {
    forward: (layer, x) => {
      const { gamma, beta, moving_mean: mu, moving_variance: variance } = layer.params;
      const channels = gamma.data.length;
      const scale = like(variance, (v) => 1 / Math.sqrt(v + layer.config.epsilon));
      const normal = like(x, (value, n) => (value - mu.data[n % channels]) * scale.data[n % channels]);
      const y = like(normal, (value, n) => gamma.data[n % channels] * value + beta.data[n % channels]);
      return { y, kept: { normal, scale } };
    },
    backward: (layer, { normal, scale }, dy) => {
      const { gamma } = layer.params;
      const channels = gamma.data.length;
      const grads = { gamma: zeros([channels]), beta: zeros([channels]) };
      dy.data.forEach((g, n) => {
        grads.gamma.data[n % channels] += g * normal.data[n];
        grads.beta.data[n % channels] += g;
      });
      return { dx: like(dy, (g, n) => g * gamma.data[n % channels] * scale.data[n % channels]), grads };
    },
  },
  // y = (x - mean) / s,  dx = (dy - mean(dy) - y mean(dy y)) / s
  Standardization: {
    forward: (layer, x) => {
      const mu = mean(x.data);
      const s = Math.sqrt(mean(x.data.map((value) => (value - mu) ** 2)) + layer.config.epsilon);
      const y = like(x, (value) => (value - mu) / s);
      return { y, kept: { y, s } };
    },
    backward: (layer, { y, s }, dy) => {
      const [level, along] = [mean(dy.data), mean(dy.data.map((g, n) => g * y.data[n]))];
      return { dx: like(dy, (g, n) => (g - level - y.data[n] * along) / s), grads: {} };
    },
  },
  Absolute: elementwise(Math.abs, (x) => Math.sign(x)),
  LeakyReLU: elementwise(
    (x, { negative_slope: slope }) => (x > 0 ? x : x * slope),
    (x, y, { negative_slope: slope }) => (x > 0 ? 1 : slope),
  ),
  Log: elementwise(
    (x, { epsilon }) => Math.log(x + epsilon),
    (x, y, { epsilon }) => 1 / (x + epsilon),
  ),
  Rescaling: elementwise(
    (x, { scale, offset }) => x * scale + offset,
    (x, y, { scale }) => scale,
  ),
  Sigmoid: elementwise(sigmoid, (x, y) => y * (1 - y)),
  Tanh: elementwise(Math.tanh, (x, y) => 1 - y * y),
};
