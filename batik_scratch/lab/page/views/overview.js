// The whole network for one picture: a column for each layer, a square for each map or unit.

import { asBlock, blockWidth, channelOf, inks, largest, paintImage, paintMap } from "../draw.js";
import { t } from "../language.js";
import { button, canvas, h, head, link, number } from "../parts.js";
import { edgesInto } from "../edges.js";
import { viewOf } from "../state.js";

const QUESTIONS = ["saliency", "nudge", "step", "forward", "backward", "gates", "dense", "softmax", "time"];
const SHOWN = 16; // maps of a layer, before somebody asks for all
const UNITS = 24; // more numbers than these are drawn as one block

export function overview(lab) {
  const backwards = lab.extra === "gradients";
  const arrays = backwards ? lab.trace.gradients : lab.up.activations;
  const svg = h("svg:svg", { class: "edges", "aria-hidden": "true" });
  const info = h("div", { class: "info", "aria-live": "polite", id: "overview-info" }, h("p", {}, t("overview_hint")));
  const columns = [];
  const columnOf = (n) => {
    const column = makeColumn(lab, n, arrays[n], (c, element) => show(n, c, element));
    columns[n] = column;
    return column.root;
  };
  const all = lab.network.layers.map((_, n) => columnOf(n + 1));
  const row = h("div", { class: "columns" }, columnOf(0), all);
  row.addEventListener("keydown", (event) => walk(event, columns));

  function show(n, c, element) {
    svg.replaceChildren();
    describe(lab, info, n, c, arrays[n]);
    const layer = lab.network.layers[n - 1];
    if (!layer) return;
    const frame = wrap.getBoundingClientRect();
    const end = middle(element, frame, "in");
    const edges = edgesInto(layer, c, lab.up.activations[n - 1]);
    if (["Conv2D", "Dense"].includes(layer.type)) info.append(strongestEdges(layer, edges));
    for (const { from, weight, share } of edges) {
      const start = columns[n - 1].pointOf(from, frame);
      if (!start) continue;
      const colour = inks(weight < 0 ? -1 : 1, 1).background;
      const line = { x1: start[0], y1: start[1], x2: end[0], y2: end[1], stroke: colour };
      svg.append(h("svg:line", { ...line, "stroke-width": 0.6 + 3.4 * share, "stroke-opacity": 0.25 + 0.75 * share }));
    }
  }

  const wrap = h("div", { class: "network" }, row, svg);
  const modes = [
    ["", t("activations")],
    ["gradients", t("gradients")],
  ].map(([extra, text]) => {
    const on = (extra === "gradients") === backwards;
    return button(text, () => lab.go({ extra }), { "aria-pressed": on, class: on ? "on" : "", id: `mode-${extra}` });
  });
  return {
    root: h(
      "section",
      {},
      head("overview", [
        ["batik_scratch/nn/trace.py", "record"],
        ["batik_scratch/nn/network.py", "Network"],
      ]),
      questions(lab),
      h("div", { class: "controls", role: "group", "aria-label": t("what_is_shown") }, modes),
      h("p", { class: "note" }, backwards ? t("overview_gradients") : t("overview_activations")),
      wrap,
      info,
      outcome(lab),
    ),
    update() {},
  };
}

// What a newcomer may want to know, with a link to the view that answers it.
function questions(lab) {
  const item = (view) => h("li", {}, link(lab, t(`question_${view}`), lab.seenLast(view)), ` (${t(`tab_${view}`)})`);
  return h(
    "nav",
    { class: "questions", "aria-label": t("questions") },
    h("h3", {}, t("questions")),
    h("ul", {}, QUESTIONS.map(item)),
  );
}

function makeColumn(lab, n, array, onshow) {
  const layer = lab.network.layers[n - 1];
  const name = layer?.name ?? t("input");
  const shape = layer?.output_shape ?? lab.network.inputShape;
  const title = h(
    "p",
    { class: "column-title" },
    h("strong", {}, name.replaceAll("_", "\u200b_")),
    h("span", {}, shape.join("×")),
  );
  const elements = array ? squares(lab, n, layer, array) : [h("span", { class: "none" }, t("no_gradient_here"))];
  const maps = h("div", { class: "maps" }, elements);
  elements.forEach((element, position) => {
    if (!array) return;
    element.tabIndex = position === 0 ? 0 : -1;
    const c = Number(element.dataset.channel);
    for (const event of ["pointerenter", "focus"]) element.addEventListener(event, () => onshow(c, element));
  });
  const root = h("div", { class: "column", role: "group", "aria-label": `${name} ${shape.join("×")}` }, title, maps);
  return {
    root,
    elements,
    pointOf(index, frame) {
      const own = elements.find((element) => Number(element.dataset.channel) === index);
      if (own) return middle(own, frame, "out");
      const block = elements.find((element) => element.dataset.block);
      return block ? insideBlock(block, index, frame) : null;
    },
  };
}

function squares(lab, n, layer, array) {
  if (array.shape.length === 3) return maps(lab, n, layer, array);
  if (array.data.length > UNITS) {
    const block = canvas(t("block_of", { count: array.data.length }), "map block");
    paintMap(block, asBlock(array));
    return [
      square(lab, layer, 0, t("block_of", { count: array.data.length }), block, { "data-block": array.data.length }),
    ];
  }
  const names = array.data.length === lab.network.classNames.length && layer ? lab.network.classNames : null;
  const last = n === lab.network.layers.length;
  return [...array.data].map((value, c) => {
    const cell = h("span", { class: "unit", style: inks(value, largest(array.data)) });
    const shown = last
      ? [cell, h("span", { class: "unit-name" }, names?.[c] ?? c), number(`unit${c}`, value, 3)]
      : [cell];
    const label = last ? null : `${t("unit")} ${c}: ${value.toPrecision(4)}`; // the last ones say it themselves
    return square(lab, layer, c, label, shown, { class: last ? "last" : "" });
  });
}

function maps(lab, n, layer, array) {
  const scale = largest(array.data);
  const whole = lab.shownWhole ?? {};
  const count = array.shape[2];
  const shown = whole[n] || count <= SHOWN + 1 ? count : SHOWN;
  const made = Array.from({ length: shown }, (_, c) => {
    const map = canvas(`${t("map")} ${c}`);
    paintMap(map, channelOf(array, c), scale);
    return square(lab, layer, c, `${layer?.name ?? t("input")}, ${t("map")} ${c}`, map);
  });
  if (!layer && lab.extra !== "gradients") {
    const photo = canvas(lab.picture.name);
    paintImage(photo, lab.picture.x);
    made.unshift(square(lab, null, -1, lab.picture.name, photo));
  }
  if (shown < count) {
    const more = button(t("more_maps", { count: count - shown }), () => {
      lab.shownWhole = { ...whole, [n]: true };
      lab.touch();
    });
    more.dataset.channel = -2;
    made.push(more);
  }
  return made;
}

function square(lab, layer, c, label, content, props = {}) {
  const open = () => layer && lab.go({ view: viewOf(layer), layer: layer.name, channel: Math.max(c, 0), spot: "" });
  return button(content, open, {
    "aria-label": label,
    "data-channel": c,
    ...props,
    class: `square ${props.class ?? ""}`,
  });
}

function middle(element, frame, side) {
  const own = element.getBoundingClientRect();
  const stacked = getComputedStyle(element.closest(".columns")).flexDirection === "column";
  if (stacked) return [own.left + own.width / 2 - frame.left, (side === "in" ? own.top : own.bottom) - frame.top];
  return [(side === "in" ? own.left : own.right) - frame.left, own.top + own.height / 2 - frame.top];
}

function insideBlock(block, index, frame) {
  const own = block.querySelector("canvas").getBoundingClientRect();
  const width = blockWidth(Number(block.dataset.block));
  const height = Math.ceil(Number(block.dataset.block) / width);
  const row = Math.floor(index / width);
  const column = index % width;
  return [
    own.left - frame.left + ((column + 0.5) / width) * own.width,
    own.top - frame.top + ((row + 0.5) / height) * own.height,
  ];
}

function describe(lab, info, n, c, array) {
  const layer = lab.network.layers[n - 1];
  const name = layer ? layer.name : t("input");
  const data = array.shape.length === 3 && c >= 0 ? channelOf(array, c).data : array.data;
  const values = array.shape.length === 1 && array.data.length <= UNITS ? data.slice(c, c + 1) : data;
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const extreme = (pick) => values.reduce((a, b) => pick(a, b));
  info.replaceChildren(
    h("p", {}, h("strong", {}, `${name} ${c >= 0 ? c : ""}`), ` · ${t(`what_${layer?.type ?? "input"}`)}`),
    h(
      "p",
      { class: "numbers" },
      ...[`${t("smallest")} `, number("min", extreme(Math.min)), ` · ${t("mean")} `, number("mean", mean)],
      ...[` · ${t("largest")} `, number("max", extreme(Math.max))],
    ),
  );
}

// The three widest lines in numbers: of a convolution a kernel's length with its sum's sign, of a unit weight times input.
function strongestEdges(layer, edges) {
  const best = [...edges].sort((a, b) => b.share - a.share).slice(0, 3);
  const kind = t(layer.type === "Dense" ? "edges_of_unit" : "edges_of_map");
  const parts = best.flatMap(({ from, weight }, n) => [n ? ", " : " ", `${from} (`, number("edge", weight, 3), ")"]);
  return h("p", {}, kind, parts);
}

function outcome(lab) {
  const names = lab.network.classNames;
  const rows = names.map((name, u) => {
    const p = lab.up.p.data[u];
    return h(
      "tr",
      { class: u === lab.label ? "right" : "" },
      h("th", { scope: "row" }, name, u === lab.label ? ` (${t("counted_as_right")})` : ""),
      h("td", {}, number(`logit${u}`, lab.up.logits.data[u])),
      h("td", {}, number(`p${u}`, p)),
      h("td", { class: "bar-cell" }, h("span", { class: "bar", style: { width: `${100 * p}%` } })),
    );
  });
  return h(
    "div",
    { class: "outcome scroll-x", tabindex: 0, role: "group", "aria-label": t("probability") },
    h("table", {}, h("thead", {}, headRow([t("class"), "logit", t("probability"), ""])), h("tbody", {}, rows)),
    h("p", {}, `${t("loss")} `, number("loss", lab.trace.loss), ` = −log p(${names[lab.label]})`),
  );
}

function headRow(texts) {
  const cells = texts.map((text) => (text ? h("th", { scope: "col" }, text) : h("td", {})));
  return h("tr", {}, cells);
}

// Arrow keys: up and down within a column, left and right between columns.
function walk(event, columns) {
  const steps = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key];
  const here = event.target.closest(".square, .maps > button");
  if (!steps || !here) return;
  event.preventDefault();
  const column = columns.findIndex(({ elements }) => elements.includes(here));
  const position = columns[column].elements.indexOf(here);
  const next = columns[column + steps[0]] ?? columns[column];
  const element = next.elements[Math.min(Math.max(position + steps[1], 0), next.elements.length - 1)];
  element.focus?.();
}
