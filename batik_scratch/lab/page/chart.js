// Lines in a frame with axes, as SVG: of the nudge, of steps, of epochs.

import { num } from "./draw.js";
import { h } from "./parts.js";

const [WIDTH, HEIGHT] = [560, 300];
const FRAME = { left: 82, right: 16, top: 12, bottom: 44 };

// series: [{ name, className, points: [[x, y], ...], dots }]; marks: [{ x, y, className }]
export function chart({ label, xLabel, yLabel, series, marks = [], xRange, yRange }) {
  const points = series.flatMap((one) => one.points).filter(([, y]) => Number.isFinite(y));
  const [x0, x1] = xRange ?? extent(points.map(([x]) => x));
  const [y0, y1] = yRange ?? padded(extent(points.map(([, y]) => y)));
  const px = (x) => FRAME.left + ((x - x0) / (x1 - x0 || 1)) * (WIDTH - FRAME.left - FRAME.right);
  const py = (y) => HEIGHT - FRAME.bottom - ((y - y0) / (y1 - y0 || 1)) * (HEIGHT - FRAME.top - FRAME.bottom);
  const path = (one) =>
    one.points
      .filter(([, y]) => Number.isFinite(y))
      .map(([x, y], n) => `${n ? "L" : "M"}${px(x).toFixed(2)} ${py(y).toFixed(2)}`)
      .join("");
  const svg = h("svg:svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label });
  for (const y of ticks(y0, y1)) {
    svg.append(
      h("svg:line", { class: "rule", x1: FRAME.left, x2: WIDTH - FRAME.right, y1: py(y), y2: py(y) }),
      h("svg:text", { x: FRAME.left - 6, y: py(y) + 4, "text-anchor": "end" }, tickText(y)),
    );
  }
  for (const x of ticks(x0, x1)) {
    svg.append(h("svg:text", { x: px(x), y: HEIGHT - FRAME.bottom + 16, "text-anchor": "middle" }, tickText(x)));
  }
  // a window of the frame's size: what leaves it is cut off there, and lines keep their slope
  const [left, top] = [FRAME.left, FRAME.top - 4];
  const [width, height] = [WIDTH - FRAME.right - left, HEIGHT - FRAME.bottom + 4 - top];
  const inside = h("svg:svg", { x: left, y: top, width, height, viewBox: `${left} ${top} ${width} ${height}` });
  svg.append(inside);
  for (const one of series) {
    inside.append(h("svg:path", { class: `line ${one.className}`, d: path(one), fill: "none" }));
    if (one.dots) for (const [x, y] of one.points) svg.append(dot(px(x), clamp(py(y)), one.className, 3));
  }
  for (const { x, y, className } of marks) {
    if (y === undefined) {
      svg.append(
        h("svg:line", { class: `mark ${className}`, x1: px(x), x2: px(x), y1: FRAME.top, y2: HEIGHT - FRAME.bottom }),
      );
    } else {
      svg.append(dot(px(x), clamp(py(y)), className, 5));
    }
  }
  const middle = (HEIGHT - FRAME.bottom) / 2;
  svg.append(
    h("svg:text", { x: (WIDTH + FRAME.left) / 2, y: HEIGHT - 8, "text-anchor": "middle" }, xLabel),
    h("svg:text", { transform: `rotate(-90 12 ${middle})`, x: 12, y: middle, "text-anchor": "middle" }, yLabel),
  );
  const keys = series
    .filter(({ name }) => name)
    .map(({ name, className }) => h("span", { class: `key ${className}` }, name));
  return h("div", { class: "chart-frame" }, svg, h("p", { class: "keys" }, keys));

  function clamp(y) {
    return Math.min(Math.max(y, FRAME.top - 4), HEIGHT - FRAME.bottom + 4);
  }
}

// Round numbers between low and high, about five: steps of 1, 2 or 5 times a power of ten.
function ticks(low, high) {
  const rough = (high - low || 1) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((size) => size >= rough);
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  return Array.from({ length: Math.max(count, 0) }, (_, n) => (first + n) * step);
}

function tickText(value) {
  return num(Number(value.toPrecision(4)))
    .replace(/(\.\d*?)0+(?=e|$)/, "$1")
    .replace(/\.(?=e|$)/, "");
}

function dot(x, y, className, r) {
  return h("svg:circle", { class: `dot ${className}`, cx: x, cy: y, r });
}

function extent(values) {
  return values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
}

function padded([low, high]) {
  const room = (high - low || Math.abs(high) || 1) * 0.06;
  return [low - room, high + room];
}
