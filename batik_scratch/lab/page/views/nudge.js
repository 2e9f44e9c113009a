// One weight or one pixel, changed: the loss as a curve of that number alone, its tangent from the backward pass, and
// the central difference. A gradient check that can be seen.

import { chart } from "../chart.js";
import { num } from "../draw.js";
import { t } from "../language.js";
import { button, h, head, number, setNumber, slider } from "../parts.js";
import { picker, strongest } from "./picker.js";
import { differing, subject } from "./subject.js";

const POINTS = [11, 61]; // of the curve: as many as can be computed in PATIENCE
const PATIENCE = 600; // milliseconds

export function nudge(lab) {
  const one = subject(lab);
  const reach = { value: lab.reach ?? 1, h: lab.h ?? 1e-5 };
  const start = one.get();
  const figures = Object.fromEntries(
    ["value", "loss", "backprop", "difference", "relative", "flips", "new-loss"].map((name) => [name, number(name, 0)]),
  );
  const plot = h("div", { class: "plot" });
  const verdict = h("p", { class: "verdict", role: "status" });
  let moved = start;

  const at = (value) => one.lossAt(value);
  const measure = () => {
    const [above, below] = [at(start + reach.h), at(start - reach.h)];
    const difference = (above.loss - below.loss) / (2 * reach.h);
    const slope = one.gradient();
    const relative = Math.abs(slope - difference) / Math.max(Math.abs(slope), Math.abs(difference), 1e-12);
    setNumber(figures.value, start);
    setNumber(figures.loss, lab.trace.loss);
    setNumber(figures.backprop, slope, 7);
    setNumber(figures.difference, difference, 7);
    setNumber(figures.relative, relative, 2);
    const flips = differing(above.decisions, below.decisions);
    setNumber(figures.flips, flips);
    verdict.textContent = t(flips ? "nudge_kink" : relative < 1e-4 ? "nudge_agrees" : "nudge_differs");
  };
  let known = {};
  const curveOf = (width) => {
    if (known.width !== width) {
      const count = pointsFor(() => at(start));
      const xs = Array.from({ length: count }, (_, n) => start + width * ((2 * n) / (count - 1) - 1));
      known = { width, curve: xs.map((x) => [x, at(x).loss]) };
    }
    return known.curve;
  };
  const drawPlot = () => {
    const slope = one.gradient();
    const curve = curveOf(reach.value);
    const ends = [start - reach.value, start + reach.value];
    const tangent = ends.map((x) => [x, lab.trace.loss + slope * (x - start)]);
    const ys = curve.map(([, y]) => y);
    const [low, high] = [Math.min(...ys), Math.max(...ys)];
    const room = Math.max(high - low, 1e-9 * Math.abs(high), 1e-12) * 0.25;
    const movedLoss = at(moved).loss;
    setNumber(figures["new-loss"], movedLoss);
    plot.replaceChildren(
      chart({
        label: t("nudge_chart", { name: one.name }),
        xLabel: one.name,
        yLabel: t("loss"),
        yRange: [low - room, high + room],
        series: [
          { name: t("loss"), className: "curve", points: curve },
          { name: t("tangent"), className: "tangent", points: tangent },
        ],
        marks: [
          { x: start, y: lab.trace.loss, className: "start" },
          { x: moved, y: movedLoss, className: "moved" },
        ],
      }),
    );
  };
  const change = slider(
    "moved",
    t("nudge_move"),
    { min: start - reach.value, max: start + reach.value, step: "any", value: start },
    (value) => {
      moved = value;
      drawPlot();
    },
  );
  const redraw = () => {
    measure();
    drawPlot();
  };
  const powers = slider(
    "h",
    "h",
    { min: -7, max: 0, step: 0.5, value: Math.log10(reach.h) },
    (v) => {
      reach.h = lab.h = 10 ** v;
      measure();
    },
    (v) => num(10 ** v, 3),
  );
  const reaches = slider(
    "reach",
    t("nudge_reach"),
    { min: -2, max: 1.5, step: 0.25, value: Math.log10(reach.value) },
    (v) => {
      reach.value = lab.reach = 10 ** v;
      const input = change.querySelector("input");
      [input.min, input.max] = [start - reach.value, start + reach.value];
      drawPlot();
    },
    (v) => `±${num(10 ** v, 3)}`,
  );
  const keep = button(
    t("nudge_keep"),
    () => {
      one.set(moved);
      one.keep();
    },
    { id: "keep" },
  );
  redraw();

  const line = (key, ...what) => h("tr", {}, h("th", { scope: "row" }, t(key)), h("td", {}, what));
  const root = h(
    "section",
    {},
    head("nudge", [
      ["batik_scratch/nn/gradcheck/numeric.py", "central_difference"],
      ["batik_scratch/nn/gradcheck/model.py", "check_model"],
    ]),
    picker(lab, one),
    h("h3", { id: "nudge-name" }, one.name),
    h(
      "div",
      { class: "panels" },
      plot,
      h(
        "div",
        { class: "readout" },
        h(
          "table",
          {},
          h("tbody", {}, [
            line("nudge_value", figures.value),
            line("nudge_loss", figures.loss),
            line("nudge_backprop", figures.backprop),
            line("nudge_difference", figures.difference),
            line("nudge_relative", figures.relative),
            line("nudge_flips", figures.flips),
          ]),
        ),
        verdict,
        h("div", { class: "controls" }, powers, reaches, change),
        h("p", { class: "sum" }, `${t("nudge_new_loss")} `, figures["new-loss"], " ", keep),
      ),
    ),
    strongest(lab),
  );
  return { root, update() {} };
}

function pointsFor(work) {
  const begun = performance.now();
  work();
  const affordable = Math.floor(PATIENCE / Math.max(performance.now() - begun, 0.1));
  return Math.min(Math.max(affordable, POINTS[0]), POINTS[1]) | 1; // odd: one of them is where the number is now
}
