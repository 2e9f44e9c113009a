// From the gradient at the pixels to the overlay of the paper's Fig. 11: the package's pure functions, one by one.

import { zeros } from "./engine.js";

const BLUE = [30, 110, 255]; // RGB

// (H, W, C) -> (H, W): the largest absolute value of the channels
export function maxAbs(gradient) {
  const [height, width, channels] = gradient.shape;
  const map = zeros([height, width]);
  gradient.data.forEach((g, n) => {
    const place = Math.floor(n / channels);
    map.data[place] = Math.max(map.data[place], Math.abs(g));
  });
  return map;
}

// NumPy's percentile, linear between the neighbours
export function percentile(data, share) {
  const sorted = Float64Array.from(data).sort();
  const place = (share / 100) * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (place - below);
}

// (H, W) -> (H, W) in [0, 1]; what is above the percentile becomes 1, a constant map becomes zeros
export function normalise(map, share = 99) {
  const low = map.data.reduce((a, b) => Math.min(a, b), Infinity);
  const peak = map.data.reduce((a, b) => Math.max(a, b), -Infinity);
  const high = percentile(map.data, share);
  const span = (high > low ? high : peak) - low;
  const scaled = map.data.map((value) => (span > 0 ? Math.min((value - low) / span, 1) : 0));
  return { shape: map.shape, data: scaled, high, low };
}

// out = (1 - w) image + w blue,  w = strength map: pixels in [0, 1] (H, W, 3) -> the same
export function overlay(image, map, strength = 0.8) {
  const mixed = zeros(image.shape);
  image.data.forEach((value, n) => {
    const w = strength * map.data[Math.floor(n / 3)];
    mixed.data[n] = (1 - w) * value + (w * BLUE[n % 3]) / 255;
  });
  return mixed;
}
