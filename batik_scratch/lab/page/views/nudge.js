// One weight or one pixel, changed: the loss as a curve of that number alone, and its tangent from the backward pass.

import { chart } from "../chart.js";
import { num } from "../draw.js";
import { t } from "../language.js";
import { button, h, head, number, setNumber, slider } from "../parts.js";
import { check } from "./check.js";
import { picker } from "./picker.js";
import { subject } from "./subject.js";
import { twoGradients } from "./upward.js";
import { strongest } from "./weights.js";

const POINTS = [11, 61]; // of the curve: as many as can be computed in PATIENCE
const PATIENCE = 600; // milliseconds
const REACHES = { min: -2, max: 1.5, step: 0.25 }; // powers of ten, of the curve's way to both sides
export const MOVER = "mover"; // the id of the panel with the number, its slider and its curve

export function nudge(lab) {
  const one = subject(lab);
  const [i, j] = lab.place(lab.network.inputShape[0], lab.network.inputShape[1]);
  const toList = () => {
    const title = document.getElementById("strongest");
    title.scrollIntoView();
    title.focus({ preventScroll: true });
  };
  const root = h(
    "section",
    {},
    head("nudge", [
      ["batik_scratch/nn/gradcheck/numeric.py", "central_difference"],
      ["batik_scratch/nn/gradcheck/model.py", "check_model"],
    ]),
    h("p", { class: "to-list" }, button(t("to_strongest"), toList, { class: "quiet", id: "to-strongest" })),
    h(
      "div",
      { class: "nudging" },
      h("div", {}, mover(lab, one), one.pixel ? twoGradients(lab, [i, j, one.channel]) : null),
      strongest(lab, one, MOVER),
      h("div", {}, h("h3", {}, t("choose_another")), picker(lab, one)),
      check(lab, one),
    ),
  );
  return { root, update() {} };
}

// The panel in which the number is moved: its name, where the loss falls, slider and box, the curve, and what was kept.
function mover(lab, one) {
  const start = one.get();
  const slope = one.gradient();
  let reach = lab.reach ?? 1;
  let moved = start;
  let known = {};
  const plot = h("div", { class: "plot" });
  const newLoss = number("new-loss", lab.trace.loss);
  const verdict = h("span", {});

  function curve() {
    if (known.reach !== reach) {
      const count = pointsFor(() => one.lossAt(start));
      const xs = Array.from({ length: count }, (_, n) => start + reach * ((2 * n) / (count - 1) - 1));
      known = { reach, points: xs.map((x) => [x, one.lossAt(x).loss]) };
    }
    return known.points;
  }

  function draw() {
    const points = curve();
    const tangent = [start - reach, start + reach].map((x) => [x, lab.trace.loss + slope * (x - start)]);
    const ys = points.map(([, y]) => y);
    const [low, high] = [Math.min(...ys), Math.max(...ys)];
    const room = Math.max(high - low, 1e-9 * Math.abs(high), 1e-12) * 0.25;
    const { loss } = one.lossAt(moved);
    setNumber(newLoss, loss);
    const words = loss < lab.trace.loss ? "nudge_fell" : loss > lab.trace.loss ? "nudge_rose" : "nudge_same";
    verdict.textContent = moved === start ? "" : t(words);
    plot.replaceChildren(
      chart({
        label: t("nudge_chart", { name: one.name }),
        xLabel: one.name,
        yLabel: t("loss"),
        yRange: [low - room, high + room],
        series: [
          { name: t("loss"), className: "curve", points },
          { name: t("tangent"), className: "tangent", points: tangent },
        ],
        marks: [
          { x: start, y: lab.trace.loss, className: "start" },
          { x: moved, y: loss, className: "moved" },
        ],
      }),
    );
  }

  // Put the number somewhere on the curve, whichever hand moved it.
  function moveTo(value) {
    moved = Math.min(Math.max(value, start - reach), start + reach);
    const input = change.querySelector("input");
    Object.assign(input, { min: start - reach, max: start + reach, value: moved });
    change.querySelector("output").textContent = num(moved);
    typed.value = Number(moved.toPrecision(5));
    draw();
  }

  // A number that was typed and lies outside makes the curve wider, as far as that goes.
  function take() {
    const wanted = Number(typed.value);
    if (typed.value === "" || !Number.isFinite(wanted)) return moveTo(moved);
    const power = Math.ceil(Math.log10(Math.abs(wanted - start) || 1e-9) / REACHES.step) * REACHES.step;
    if (10 ** power > reach) widen(Math.min(power, REACHES.max));
    moveTo(wanted);
  }

  function widen(power) {
    reach = lab.reach = 10 ** power;
    reaches.querySelector("input").value = power;
    reaches.querySelector("output").textContent = asReach(power);
  }

  function keep() {
    if (moved === start) return;
    const { loss } = one.lossAt(moved);
    const { name, pixel } = one;
    const kept = { name, pixel, from: start, to: moved, before: lab.trace.loss, after: loss, of: lab.picture.name };
    lab.kept = [kept, ...lab.kept];
    one.set(moved);
    one.keep();
  }

  const way = { min: start - reach, max: start + reach, step: "any", value: start };
  const change = slider("moved", t("nudge_move", { name: one.name }), way, moveTo);
  const typed = h("input", { type: "number", id: "typed", step: "any", onchange: take });
  const asReach = (v) => `±${num(10 ** v, 3)}`;
  const reaches = slider(
    "reach",
    t("nudge_reach"),
    { ...REACHES, value: Math.log10(reach) },
    (v) => {
      reach = lab.reach = 10 ** v;
      moveTo(moved);
    },
    asReach,
  );
  const where = slope > 0 ? "falls_down" : slope < 0 ? "falls_up" : "falls_nowhere";
  moveTo(start);
  return h(
    "div",
    { id: MOVER },
    h("h3", { id: "nudge-name", tabindex: -1 }, one.name),
    h("p", { id: "which-way" }, t(where)),
    h(
      "div",
      { class: "controls" },
      change,
      h("span", { class: "field" }, h("label", { for: "typed" }, t("or_type")), typed),
    ),
    plot,
    h(
      "p",
      { class: "sum", role: "status" },
      ...[`${t("loss")} `, number("old-loss", lab.trace.loss), " → ", newLoss, " ", verdict],
    ),
    h("div", { class: "controls" }, button(t("nudge_keep"), keep, { id: "keep" }), reaches),
    lab.kept.length ? keptList(lab) : null,
  );
}

// What was kept, the last first, with the loss before and after it.
function keptList(lab) {
  const items = lab.kept.map(({ name, from, to, before, after, of }) =>
    h(
      "li",
      {},
      ...[t("kept_number", { name, from: num(from), to: num(to) }), " ", t("kept_loss", { of }), " "],
      ...[number("kept-before", before), " → ", number("kept-after", after)],
    ),
  );
  return h("div", { class: "kept" }, h("h3", {}, t("kept_title")), h("ol", {}, items));
}

function pointsFor(work) {
  const begun = performance.now();
  work();
  const affordable = Math.floor(PATIENCE / Math.max(performance.now() - begun, 0.1));
  return Math.min(Math.max(affordable, POINTS[0]), POINTS[1]) | 1; // odd: one of them is where the number is now
}
