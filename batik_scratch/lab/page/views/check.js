// The gradient check: the slope of the backward pass beside that of two forward passes, a little to both sides.

import { num } from "../draw.js";
import { t } from "../language.js";
import { h, number, setNumber, slider } from "../parts.js";
import { differing } from "./subject.js";

export function check(lab, one) {
  const start = one.get();
  const slope = one.gradient();
  let step = lab.h ?? 1e-5;
  const names = ["difference", "relative", "flips"];
  const figures = Object.fromEntries(names.map((name) => [name, number(name, 0)]));
  const verdict = h("p", { class: "verdict", role: "status" });

  function measure() {
    const [above, below] = [one.lossAt(start + step), one.lossAt(start - step)];
    const difference = (above.loss - below.loss) / (2 * step);
    const relative = Math.abs(slope - difference) / Math.max(Math.abs(slope), Math.abs(difference), 1e-12);
    const flips = differing(above.decisions, below.decisions);
    setNumber(figures.difference, difference, 7);
    setNumber(figures.relative, relative, 2);
    setNumber(figures.flips, flips);
    verdict.textContent = t(flips ? "nudge_kink" : relative < 1e-4 ? "nudge_agrees" : "nudge_differs");
  }

  const powers = slider(
    "h",
    "h",
    { min: -7, max: 0, step: 0.5, value: Math.log10(step) },
    (v) => {
      step = lab.h = 10 ** v;
      measure();
    },
    (v) => num(10 ** v, 3),
  );
  const line = (key, ...what) => h("tr", {}, h("th", { scope: "row" }, t(key)), h("td", {}, what));
  measure();
  return h(
    "div",
    { class: "check" },
    h("h3", {}, t("check_title")),
    h(
      "table",
      {},
      h("tbody", {}, [
        line("nudge_value", number("value", start)),
        line("nudge_loss", number("loss", lab.trace.loss)),
        line("nudge_backprop", number("backprop", slope, 7)),
        line("nudge_difference", figures.difference),
        line("nudge_relative", figures.relative),
        line("nudge_flips", figures.flips),
      ]),
    ),
    verdict,
    h("div", { class: "controls" }, powers),
  );
}
