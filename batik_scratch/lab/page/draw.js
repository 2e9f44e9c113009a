// Colours and canvases. Negative is blue, zero is white, positive is orange: told apart without red and green.

const NEGATIVE = [24, 84, 160];
const POSITIVE = [196, 84, 6];

export function largest(data) {
  let most = 0;
  for (const value of data) if (Number.isFinite(value)) most = Math.max(most, Math.abs(value));
  return most;
}

// One channel of x (H, W, C) as (H, W).
export function channelOf(x, c) {
  const [height, width, channels] = x.shape;
  const map = { shape: [height, width], data: new Float64Array(height * width) };
  for (let n = 0; n < map.data.length; n++) map.data[n] = x.data[n * channels + c];
  return map;
}

export function rgb(value, scale) {
  const share = scale > 0 && Number.isFinite(value) ? Math.min(Math.abs(value) / scale, 1) : 0;
  const end = value < 0 ? NEGATIVE : POSITIVE;
  return end.map((part) => Math.round(255 + (part - 255) * share));
}

// Background and ink of a cell that holds a number: black or white, by which there is more contrast (WCAG 2.2's measure).
export function inks(value, scale) {
  const colour = rgb(value, scale);
  const [r, g, b] = colour.map((part) => (part <= 10 ? part / 3294.6 : ((part / 255 + 0.055) / 1.055) ** 2.4));
  const light = 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
  return { background: `rgb(${colour.join(" ")})`, color: 1.05 / light > light / 0.05 ? "#fff" : "#000" };
}

function paint(canvas, height, width, colourAt) {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(width, height);
  for (let n = 0; n < height * width; n++) {
    const [r, g, b] = colourAt(n);
    pixels.data[4 * n] = r;
    pixels.data[4 * n + 1] = g;
    pixels.data[4 * n + 2] = b;
    pixels.data[4 * n + 3] = 255;
  }
  context.putImageData(pixels, 0, 0);
}

// A map (H, W), signed; `scale` is the value of the full colour.
export function paintMap(canvas, map, scale = largest(map.data)) {
  paint(canvas, map.shape[0], map.shape[1], (n) => rgb(map.data[n], scale));
}

// A picture (H, W, 3) with values in [0, 1].
export function paintImage(canvas, x) {
  paint(canvas, x.shape[0], x.shape[1], (n) => [0, 1, 2].map((c) => Math.round(255 * x.data[3 * n + c])));
}

// A map in [0, 1] from black over white.
export function paintGrey(canvas, map) {
  paint(canvas, map.shape[0], map.shape[1], (n) => new Array(3).fill(Math.round(255 * map.data[n])));
}

// True and false: open is orange, shut is grey.
export function paintGate(canvas, map) {
  paint(canvas, map.shape[0], map.shape[1], (n) => (map.data[n] ? POSITIVE : [208, 208, 214]));
}

// A row of numbers is drawn as a block of lines this long: as square as it goes.
export function blockWidth(length) {
  return Math.ceil(Math.sqrt(length));
}

export function asBlock({ data }) {
  const width = blockWidth(data.length);
  const height = Math.ceil(data.length / width);
  const block = { shape: [height, width], data: new Float64Array(height * width) };
  block.data.set(data);
  return block;
}

// A number as it is read: four digits, with a true minus.
export function num(value, digits = 4) {
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value).replace("-", "−");
  const size = Math.abs(value);
  const text = size !== 0 && (size < 1e-3 || size >= 1e5) ? value.toExponential(digits - 2) : short(value, digits);
  return text.replace("-", "−").replace("e-", "e−").replace("e+", "e");
}

function short(value, digits) {
  const power = Math.max(Math.floor(Math.log10(Math.abs(value))), -3);
  return value.toFixed(Math.max(0, digits - 1 - (power < 0 ? power + 1 : power)));
}
