// What the views are put together from: elements, numbers, little grids, maps that can be pointed at, sliders.

import { inks, largest, num } from "./draw.js";
import { t } from "./language.js";

// h("p", { class: "lead", onclick }, "text", element, ...)
export function h(tag, props = {}, ...children) {
  const element = tag.startsWith("svg:")
    ? document.createElementNS("http://www.w3.org/2000/svg", tag.slice(4))
    : document.createElement(tag);
  for (const [key, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || (value === false && !key.startsWith("aria-"))) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "style") Object.assign(element.style, value);
    else element.setAttribute(key, value === true && !key.startsWith("aria-") ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

// A number that a reader reads rounded, and a test in full.
export function number(name, value, digits) {
  const element = h("output", { class: "num", "data-name": name });
  setNumber(element, value, digits);
  return element;
}

export function setNumber(element, value, digits) {
  element.textContent = num(value, digits);
  element.dataset.value = String(value);
}

export function canvas(label, className = "map") {
  return h("canvas", { class: className, role: "img", "aria-label": label });
}

export function figure(caption, ...children) {
  return h("figure", {}, h("figcaption", {}, caption), ...children);
}

export function button(text, onclick, props = {}) {
  return h("button", { type: "button", onclick, ...props }, text);
}

// A link to another place of the page: an address that can be copied, and the browser's button leads back from it.
export function link(lab, text, changes, props = {}) {
  const element = h("a", { ...props }, text);
  aim(element, lab, changes);
  return element;
}

// Let a link lead to another place; `landing` as lab.travel takes it.
export function aim(element, lab, changes, landing = {}) {
  element.href = lab.addressOf(changes);
  element.onclick = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a new tab, as with any link
    event.preventDefault();
    lab.travel(changes, landing);
  };
}

// A labelled <select>; options are [value, text].
export function choice(id, label, options, value, onchange) {
  const select = h(
    "select",
    { id, onchange: () => onchange(select.value) },
    options.map(([key, text]) => h("option", { value: key, selected: String(key) === String(value) }, text)),
  );
  return h("span", { class: "field" }, h("label", { for: id }, label), select);
}

// A labelled number from 0 to most - 1. Without spinning buttons of its own it would not work by touch.
export function counter(id, label, value, most, onchange) {
  const input = h("input", { id, type: "number", min: 0, max: most - 1, value, inputmode: "numeric" });
  input.addEventListener("input", () => {
    const wanted = Number(input.value);
    if (input.value !== "" && Number.isInteger(wanted) && wanted >= 0 && wanted < most) onchange(wanted);
  });
  return h("span", { class: "field" }, h("label", { for: id }, label), input);
}

export function slider(id, label, { min, max, step, value }, oninput, told = (v) => num(v)) {
  const shown = h("output", { for: id, class: "num" }, told(value));
  const input = h("input", {
    ...{ id, type: "range", min, max, step, value },
    oninput: () => {
      shown.textContent = told(Number(input.value));
      oninput(Number(input.value));
    },
  });
  return h("span", { class: "field wide" }, h("label", { for: id }, label), input, shown);
}

// A grid of numbers (rows, columns), coloured; `fill` changes them without building anything.
export class Grid {
  constructor(rows, columns, label) {
    this.numbers = rows * columns <= 49; // more do not fit
    this.cells = Array.from({ length: rows * columns }, () => h("span", { class: "cell" }));
    this.root = h(
      "span",
      {
        class: `grid${this.numbers ? "" : " tiny"}`,
        role: "img",
        "aria-label": label,
        style: { gridTemplateColumns: `repeat(${columns}, auto)` },
      },
      this.cells,
    );
  }

  fill(values, scale = largest(values), digits = 3) {
    this.cells.forEach((cell, n) => {
      const ink = inks(values[n], scale);
      cell.style.background = ink.background;
      cell.style.color = ink.color;
      if (this.numbers) cell.textContent = num(values[n], digits);
      cell.dataset.value = String(values[n]);
    });
    return this;
  }
}

// A map that can be pointed at and walked over with the arrow keys; a box marks a place.
export class PlaceMap {
  constructor(label, { height, width, onpoint }) {
    this.height = height;
    this.width = width;
    this.canvas = h("canvas", { class: "map", "aria-hidden": "true" });
    this.box = h("span", { class: "box", "aria-hidden": "true" });
    this.label = label;
    this.root = h(
      "div",
      { class: "place-map", role: "application", tabindex: 0, "aria-label": label },
      this.canvas,
      this.box,
    );
    this.onpoint = onpoint;
    this.root.addEventListener("pointerdown", (event) => {
      this.root.setPointerCapture(event.pointerId);
      this.point(event);
    });
    this.root.addEventListener("pointermove", (event) => event.buttons && this.point(event));
    this.root.addEventListener("keydown", (event) => this.key(event));
  }

  point(event) {
    const frame = this.canvas.getBoundingClientRect();
    const at = (position, size, count) => Math.min(Math.max(Math.floor((position / size) * count), 0), count - 1);
    this.move(
      at(event.clientY - frame.top, frame.height, this.height),
      at(event.clientX - frame.left, frame.width, this.width),
    );
  }

  key(event) {
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!steps || !this.at) return;
    event.preventDefault();
    const many = event.shiftKey ? 5 : 1;
    const inside = (value, count) => Math.min(Math.max(value, 0), count - 1);
    this.move(inside(this.at[0] + many * steps[0], this.height), inside(this.at[1] + many * steps[1], this.width));
  }

  move(row, column) {
    this.onpoint(row, column);
  }

  // The box around rows and columns from (row, column) on; `at` is where the arrow keys walk from.
  mark(row, column, rows = 1, columns = 1, at = [row, column]) {
    this.at = at;
    Object.assign(this.box.style, {
      top: `${(100 * row) / this.height}%`,
      left: `${(100 * column) / this.width}%`,
      height: `${(100 * rows) / this.height}%`,
      width: `${(100 * columns) / this.width}%`,
    });
    this.root.setAttribute("aria-label", `${this.label}, ${t("at_place", { row: at[0], column: at[1] })}`);
  }
}

// Play and stop: calls `step` about `rate` times a second until it returns false.
export class Player {
  constructor(step, rate = 12) {
    this.step = step;
    this.rate = rate;
    this.root = button(t("play"), () => (this.running ? this.stop() : this.start()), { class: "play" });
  }

  start() {
    this.running = true;
    this.root.textContent = t("pause");
    let last = performance.now();
    const frame = (now) => {
      if (!this.running || !this.root.isConnected) return;
      if (now - last >= 1000 / this.rate) {
        last = now;
        if (this.step() === false) return this.stop();
      }
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  stop() {
    this.running = false;
    this.root.textContent = t("play");
  }
}

// The head of a view: what it shows in a sentence, the formula, and where the package does it.
export function head(view, sources, values = {}) {
  const formulas = t(`${view}_formula`, values).split(/ {4,}/);
  const files = sources.map(([file, name]) => h("code", {}, `${file}: ${name}`));
  return h(
    "header",
    { class: "view-head" },
    h("h2", { tabindex: -1 }, t(`${view}_title`, values)),
    h("p", { class: "sentence" }, t(`${view}_sentence`, values)),
    h(
      "p",
      { class: "formula" },
      // a space between them, for who copies or hears the line; a narrow page breaks there first
      h("code", {}, ...formulas.flatMap((one) => [h("span", {}, one), " "]).slice(0, -1)),
    ),
    h("p", { class: "source" }, `${t("in_the_package")} `, files),
  );
}

export function layerName(layer) {
  return `${layer.name} (${layer.output_shape.join("×")})`;
}
