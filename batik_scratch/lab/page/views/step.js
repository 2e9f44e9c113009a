// One step of SGD or Adam on this picture: what becomes of the weights with the largest gradients, and of the loss.

import { adam, sgd, zeros } from "../engine.js";
import { num } from "../draw.js";
import { t } from "../language.js";
import { button, choice, h, head, number, slider } from "../parts.js";
import { chart } from "../chart.js";
import { placeIn } from "../network.js";
import { largestOf } from "../ranking.js";

const SHOWN = 8; // weights in the table
const METHODS = { sgd: "SGD", adam: "Adam" };
const RATES = { sgd: 0.01, adam: 0.001 }; // the package's defaults

export function step(lab) {
  lab.steps ??= fresh("sgd");
  const state = lab.steps;
  const result = h("div", { class: "result", role: "status" });
  const table = h("div", {});
  const plot = h("div", { class: "plot" });

  function take() {
    const { network } = lab;
    const before = lab.trace;
    const parameters = network.parameters();
    if (!state.losses.length || state.image !== lab.image)
      Object.assign(state, { losses: [before.loss], image: lab.image });
    state.memory ??= parameters.map(({ value }) => ({ m: zeros(value.shape), v: zeros(value.shape) }));
    state.t++;
    const watched = largestGradients(parameters, before);
    state.rows = watched.map(({ n, at, g }) => ({ n, at, g, before: parameters[n].value.data[at] }));
    parameters.forEach(({ place, key, value }, n) => {
      const g = before.grads[place][key];
      const { m, v } = state.memory[n];
      const after = state.method === "adam" ? adam(value, g, m, v, state.rate, state.t) : sgd(value, g, state.rate);
      value.data.set(after.data);
    });
    for (const row of state.rows) {
      row.after = parameters[row.n].value.data[row.at];
      row.m = state.memory[row.n].m.data[row.at];
      row.v = state.memory[row.n].v.data[row.at];
      row.name = nameOf(parameters[row.n], row.at);
    }
    state.before = before.loss;
    lab.weightsChanged(); // computes the loss after, and draws this view again
  }

  function show() {
    if (!state.rows) {
      result.replaceChildren(h("p", { class: "verdict" }, t("step_not_yet")));
      table.replaceChildren(weightsTable(nextRows(lab), state.method, false));
      return;
    }
    const loss = lab.trace.loss;
    if (state.losses.length === state.t) state.losses.push(loss);
    const words = t(loss < state.before ? "step_fell" : loss === state.before ? "step_same" : "step_rose");
    result.replaceChildren(
      h(
        "p",
        { class: "verdict" },
        ...[`${t("loss")} `, number("before", state.before), " → ", number("after", loss), `. ${words}`],
      ),
    );
    table.replaceChildren(weightsTable(state.rows, state.method, true));
    if (state.losses.length > 1) {
      const points = state.losses.map((value, n) => [n, value]);
      plot.replaceChildren(
        chart({
          ...{ label: t("step_chart"), xLabel: t("steps"), yLabel: t("loss") },
          series: [{ name: "", className: "curve", points, dots: true }],
        }),
      );
    }
  }

  const again = () => lab.resetWeights(fresh(state.method, state.rate));
  const options = Object.entries(METHODS);
  const rateSlider = slider(
    "rate",
    t("learning_rate"),
    { min: -4, max: 1, step: 0.25, value: Math.log10(state.rate) },
    (value) => (state.rate = 10 ** value),
    (value) => num(10 ** value, 3),
  );
  const root = h(
    "section",
    {},
    head("step", [
      ["batik_scratch/nn/optimizers.py", "Adam"],
      ["batik_scratch/ops/adam.py", "update_plain"],
    ]),
    h(
      "div",
      { class: "controls" },
      choice("method", t("optimiser"), options, state.method, (method) => {
        lab.resetWeights(fresh(method));
      }),
      rateSlider,
      button(t("take_a_step"), take, { id: "take-step", class: "primary" }),
      button(t("begin_again"), again, { id: "begin-again" }),
      h("span", { class: "sum" }, `${t("steps_taken")} `, number("t", state.t, 1)),
    ),
    result,
    h("h3", {}, t("step_table", { count: SHOWN })),
    h("div", { class: "panels" }, table, plot),
  );
  show();
  return { root, update() {} };
}

// No step taken: `losses` after each step, the optimiser's memory, and the rows of the last step's table.
function fresh(method, rate = RATES[method]) {
  return { method, rate, t: 0, memory: null, losses: [], rows: null, before: null };
}

function largestGradients(parameters, trace) {
  const gradients = parameters.map(({ place, key }) => trace.grads[place][key].data);
  return largestOf(gradients, SHOWN).map(({ n, at, value }) => ({ n, at, g: value }));
}

function nameOf({ layer, key, value }, at) {
  return `${layer.name} ${key} [${placeIn(at, value.shape).join(", ")}]`;
}

function nextRows(lab) {
  const parameters = lab.network.parameters();
  return largestGradients(parameters, lab.trace).map(({ n, at, g }) => ({
    g,
    name: nameOf(parameters[n], at),
    before: parameters[n].value.data[at],
  }));
}

function weightsTable(rows, method, taken) {
  const names = ["weight", "before", "gradient", ...(method === "adam" ? ["m", "v"] : []), "change", "after"];
  const texts = names.map((name) => (name === "m" || name === "v" ? name : t(`step_${name}`)));
  const cells = (row) => {
    const memory = method === "adam" ? [row.m, row.v] : [];
    return [row.before, row.g, ...memory, row.after - row.before, row.after];
  };
  const kinds = names.slice(1).map((name) => `step-${name}`);
  return h(
    "div",
    { class: "scroll-x", tabindex: 0, role: "group", "aria-label": t("step_title") },
    h(
      "table",
      {},
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          texts.map((text) => h("th", { scope: "col" }, text)),
        ),
      ),
      h(
        "tbody",
        {},
        rows.map((row) =>
          h(
            "tr",
            {},
            h("th", { scope: "row" }, row.name),
            cells(row).map((value, n) => h("td", {}, taken || n < 2 ? number(kinds[n], value) : "–")),
          ),
        ),
      ),
    ),
  );
}
