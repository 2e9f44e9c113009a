// The arithmetic of the network, forwards and backwards, for one image: the package's formulas under its names.
//
// An array is { shape, data }, data a Float64Array in C order. Axis letters are the package's: H height, W width,
// C channels in, F filters, K = kh kw C, D features, U units. dy is the upstream gradient, dx the downstream one.

export function zeros(shape) {
  return { shape: [...shape], data: new Float64Array(shape.reduce((product, n) => product * n, 1)) };
}

export function like(x, each) {
  return { shape: [...x.shape], data: Float64Array.from(x.data, each) };
}

// ---------------------------------------------------------------- convolution

// Lines of zeros before and after, so that ceil(n / s) windows fit; an odd one goes after.
export function samePadding(n, k, s) {
  const total = Math.max((Math.ceil(n / s) - 1) * s + k - n, 0);
  return [Math.floor(total / 2), total - Math.floor(total / 2)];
}

// x (H, W, C) with `value` around it; pads is [[top, bottom], [left, right]].
export function pad(x, pads, value = 0) {
  const [[top, bottom], [left, right]] = pads;
  const [height, width, channels] = x.shape;
  const padded = zeros([height + top + bottom, width + left + right, channels]);
  if (value !== 0) padded.data.fill(value);
  for (let i = 0; i < height; i++) {
    const row = x.data.subarray(i * width * channels, (i + 1) * width * channels);
    padded.data.set(row, ((i + top) * padded.shape[1] + left) * channels);
  }
  return padded;
}

// The adjoint of pad: what fell outside of the image is dropped.
export function crop(dx, pads) {
  const [[top, bottom], [left, right]] = pads;
  const [height, width, channels] = dx.shape;
  const inner = zeros([height - top - bottom, width - left - right, channels]);
  const length = inner.shape[1] * channels;
  for (let i = 0; i < inner.shape[0]; i++) {
    const start = ((i + top) * width + left) * channels;
    inner.data.set(dx.data.subarray(start, start + length), i * length);
  }
  return inner;
}

export function windowCount(n, k, s) {
  return Math.max(Math.floor((n - k) / s) + 1, 0);
}

// Y[i,j,f] = b[f] + sum_{u,v,c} X[i*sh+u, j*sw+v, c] W[u,v,c,f]
export function conv2d(x, kernel, bias, [sh, sw]) {
  const [height, width, channels] = x.shape;
  const [kh, kw, , filters] = kernel.shape;
  const y = zeros([windowCount(height, kh, sh), windowCount(width, kw, sw), filters]);
  let out = 0;
  for (let i = 0; i < y.shape[0]; i++) {
    for (let j = 0; j < y.shape[1]; j++, out += filters) {
      for (let f = 0; f < filters; f++) y.data[out + f] = bias.data[f];
      for (let u = 0, k = 0; u < kh; u++) {
        const row = ((i * sh + u) * width + j * sw) * channels;
        for (let vc = 0; vc < kw * channels; vc++, k += filters) {
          const value = x.data[row + vc];
          for (let f = 0; f < filters; f++) y.data[out + f] += value * kernel.data[k + f];
        }
      }
    }
  }
  return y;
}

// dW[u,v,c,f] = sum_{i,j} X[i*sh+u, j*sw+v, c] dY[i,j,f];  db[f] = sum_{i,j} dY[i,j,f]
// dX: every dY[i,j,f] W[u,v,c,f] added back to the pixel that it came from
export function conv2dBackward(x, kernel, dy, [sh, sw]) {
  const [, width, channels] = x.shape;
  const [kh, kw, , filters] = kernel.shape;
  const [dx, dkernel, dbias] = [zeros(x.shape), zeros(kernel.shape), zeros([filters])];
  let out = 0;
  for (let i = 0; i < dy.shape[0]; i++) {
    for (let j = 0; j < dy.shape[1]; j++, out += filters) {
      for (let f = 0; f < filters; f++) dbias.data[f] += dy.data[out + f];
      for (let u = 0, k = 0; u < kh; u++) {
        const row = ((i * sh + u) * width + j * sw) * channels;
        for (let vc = 0; vc < kw * channels; vc++, k += filters) {
          const value = x.data[row + vc];
          let back = 0;
          for (let f = 0; f < filters; f++) {
            const g = dy.data[out + f];
            dkernel.data[k + f] += value * g;
            back += g * kernel.data[k + f];
          }
          dx.data[row + vc] += back;
        }
      }
    }
  }
  return { dx, dkernel, dbias };
}

// ---------------------------------------------------------------- ReLU and pooling

// Y = max(X, 0)
export function relu(x) {
  return like(x, (value) => Math.max(value, 0));
}

// dX = dY where X > 0, else 0: the gate belongs to the input; at X = 0 it is shut
export function reluBackward(x, dy) {
  return like(dy, (g, n) => (x.data[n] > 0 ? g : 0));
}

// Y[i,j,c] = max_{u,v} X[i*sh+u, j*sw+v, c]; winner is the place in X's data of the first of the largest
export function maxpool(x, [ph, pw], [sh, sw]) {
  const [height, width, channels] = x.shape;
  const y = zeros([windowCount(height, ph, sh), windowCount(width, pw, sw), channels]);
  const winner = new Int32Array(y.data.length);
  let out = 0;
  for (let i = 0; i < y.shape[0]; i++) {
    for (let j = 0; j < y.shape[1]; j++) {
      for (let c = 0; c < channels; c++, out++) {
        let best = (i * sh * width + j * sw) * channels + c;
        for (let u = 0; u < ph; u++) {
          for (let v = 0; v < pw; v++) {
            const place = ((i * sh + u) * width + j * sw + v) * channels + c;
            if (x.data[place] > x.data[best]) best = place;
          }
        }
        winner[out] = best;
        y.data[out] = x.data[best];
      }
    }
  }
  return { y, winner };
}

// dX = dY added at the place of each window's winner, 0 elsewhere
export function maxpoolBackward(winner, dy, shape) {
  const dx = zeros(shape);
  for (let n = 0; n < winner.length; n++) dx.data[winner[n]] += dy.data[n];
  return dx;
}

// ---------------------------------------------------------------- dense, dropout

// Y = X W + b, with x (D,) and kernel (D, U)
export function dense(x, kernel, bias) {
  const [features, units] = kernel.shape;
  const y = { shape: [units], data: Float64Array.from(bias.data) };
  for (let d = 0; d < features; d++) {
    for (let u = 0; u < units; u++) y.data[u] += x.data[d] * kernel.data[d * units + u];
  }
  return y;
}

// dW = X' dY;  db = dY;  dX = dY W'
export function denseBackward(x, kernel, dy) {
  const [features, units] = kernel.shape;
  const [dx, dkernel] = [zeros([features]), zeros(kernel.shape)];
  for (let d = 0; d < features; d++) {
    for (let u = 0; u < units; u++) {
      dkernel.data[d * units + u] = x.data[d] * dy.data[u];
      dx.data[d] += dy.data[u] * kernel.data[d * units + u];
    }
  }
  return { dx, dkernel, dbias: like(dy, (g) => g) };
}

// Y = X M, with M = 0 where a unit is off, else 1 / (1 - rate); the backward pass is the same product
export function dropout(x, mask) {
  return like(x, (value, n) => value * mask[n]);
}

export function drawMask(length, rate, random) {
  return Float64Array.from({ length }, () => (random() < rate ? 0 : 1 / (1 - rate)));
}

// ---------------------------------------------------------------- softmax, cross-entropy

// P_j = exp(Z_j) / sum_k exp(Z_k), from Z - max(Z) so that nothing overflows
export function softmax(z) {
  const top = z.data.reduce((a, b) => Math.max(a, b), -Infinity);
  const powers = like(z, (value) => Math.exp(value - top));
  const sum = powers.data.reduce((a, b) => a + b, 0);
  return like(powers, (value) => value / sum);
}

// L = -log P[y] and its gradient at the logits, dZ = P - onehot(y)
export function crossEntropy(z, label) {
  const top = z.data.reduce((a, b) => Math.max(a, b), -Infinity);
  const sum = z.data.reduce((a, b) => a + Math.exp(b - top), 0);
  const value = Math.log(sum) - (z.data[label] - top);
  return { value, dz: like(softmax(z), (p, u) => p - (u === label ? 1 : 0)) };
}

// ---------------------------------------------------------------- optimisers

// w -= lr g
export function sgd(w, g, rate) {
  return like(w, (value, n) => value - rate * g.data[n]);
}

// m += (g - m)(1 - beta_1);  v += (g g - v)(1 - beta_2);  w -= alpha m / (sqrt(v) + epsilon)
// alpha = lr sqrt(1 - beta_2^t) / (1 - beta_1^t), t counts the steps from 1; m and v are changed in place
export function adam(w, g, m, v, rate, t, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7) {
  const alpha = (rate * Math.sqrt(1 - beta2 ** t)) / (1 - beta1 ** t);
  return like(w, (value, n) => {
    m.data[n] += (g.data[n] - m.data[n]) * (1 - beta1);
    v.data[n] += (g.data[n] * g.data[n] - v.data[n]) * (1 - beta2);
    return value - (alpha * m.data[n]) / (Math.sqrt(v.data[n]) + epsilon);
  });
}
