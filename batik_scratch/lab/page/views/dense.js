// A dense unit as a sum of contributions, forwards, and its gradient as products, backwards.

import { largest } from "../draw.js";
import { t } from "../language.js";
import { choice, h, head, layerName, link, number } from "../parts.js";
import { busiestUnit } from "../upwards.js";
import { HERE, upward } from "./upward.js";
import { named, upTo } from "./window.js";

const SHOWN = 12; // contributions that are written out

export function dense(lab) {
  const layer = lab.current;
  const n = lab.network.place(layer.name);
  const unit = lab.channel;
  const x = lab.trace.activations[n].data;
  const units = layer.output_shape[0];
  const dy = lab.trace.gradients[n + 1].data[unit];
  const names =
    units === lab.network.classNames.length && n === lab.network.walk.length - 1 ? lab.network.classNames : null;
  const terms = [...x]
    .map((value, d) => ({ d, value, w: layer.params.kernel.data[d * units + unit] }))
    .map((term) => ({ ...term, product: term.value * term.w, dw: term.value * dy }))
    .sort((a, b) => Math.abs(b.product) - Math.abs(a.product));
  const asked = /^\d+$/.test(lab.spot) && Number(lab.spot) < terms.length ? Number(lab.spot) : null;
  const shown = terms.slice(0, SHOWN);
  if (asked !== null && !shown.some(({ d }) => d === asked)) shown.push(terms.find(({ d }) => d === asked));
  const rest = terms.filter((term) => !shown.includes(term)).reduce((sum, { product }) => sum + product, 0);
  const bias = layer.params.bias.data[unit];
  const total = terms.reduce((sum, { product }) => sum + product, 0) + bias;
  const most = largest(terms.map(({ product }) => product)) || 1;
  const denses = lab.network.layers.filter(({ type }) => type === "Dense");
  const unitNames = upTo(units).map(([key, text]) => [key, names ? `${text} ${names[key]}` : text]);
  const above = upward(lab);
  const root = h(
    "section",
    {},
    head("dense", [
      ["batik_scratch/ops/dense.py", "forward_plain"],
      ["batik_scratch/nn/layers/dense.py", "Dense"],
    ]),
    h("div", { id: HERE }, controls(), asked === null ? null : answer(), above.root),
    h("h3", {}, t("dense_table", { shown: shown.length, count: terms.length })),
    h(
      "div",
      { class: "scroll-x", tabindex: 0, role: "group", "aria-label": t("dense_title") },
      h("table", { class: "contributions" }, h("thead", {}, headRow()), h("tbody", {}, shown.map(row))),
    ),
    h(
      "p",
      { class: "sum" },
      ...[`${t("sum_of_shown")} `, number("shown-sum", total - rest - bias)],
      ...[` + ${t("other_terms", { count: terms.length - shown.length })} `, number("rest", rest)],
      ...[` + ${t("bias")} `, number("bias", bias), " = Y ", h("strong", {}, number("output", total))],
    ),
    h("p", { class: "sum" }, "dY ", number("dy", dy), " = db ", number("db", lab.trace.grads[n].bias.data[unit])),
    h("p", { class: "note" }, t("dense_note", { layer: layerName(layer) })),
  );

  function controls() {
    const toLayer = (name) => {
      const chosen = denses.find((one) => one.name === name);
      lab.go({ layer: name, channel: busiestUnit(lab, chosen), spot: "" });
    };
    return h(
      "div",
      { class: "controls" },
      choice("layer", t("layer"), named(denses), layer.name, toLayer),
      choice("unit", t("unit"), unitNames, unit, (value) => lab.go({ channel: Number(value) })),
    );
  }

  // In a sentence what this unit sent to the input that is asked about.
  function answer() {
    const sent = number("asked-sent", layer.params.kernel.data[asked * units + unit] * dy);
    const total = number("asked-dx", lab.trace.gradients[n].data[asked]);
    const text = t("asked_unit", { name: origin(lab, n, asked) });
    const most = busiestUnit(lab, layer, asked);
    const other =
      most === unit ? [] : [" ", link(lab, t("sends_most", { unit: most }), { channel: most }, { id: "sends-most" })];
    return h("p", { class: "verdict", role: "status" }, `${text} `, sent, `${t("asked_of")} `, total, ".", other);
  }

  function headRow() {
    const texts = [t("dense_input"), "x", "w", "x·w", "", "dW = x·dY", "w·dY"];
    return h(
      "tr",
      {},
      texts.map((text) => (text ? h("th", { scope: "col" }, text) : h("td", {}))),
    );
  }

  function row({ d, value, w, product, dw }) {
    const width = `${(50 * Math.abs(product)) / most}%`;
    const side = product < 0 ? { right: "50%", width } : { left: "50%", width };
    return h(
      "tr",
      { class: d === asked ? "asked" : "" },
      h("th", { scope: "row" }, origin(lab, n, d)),
      h("td", {}, number("x", value)),
      h("td", {}, number("w", w)),
      h("td", {}, number("product", product)),
      h("td", { class: "bar-cell" }, h("span", { class: `bar both ${product < 0 ? "minus" : ""}`, style: side })),
      h("td", {}, number("dw", dw)),
      h("td", {}, number("back", w * dy)),
    );
  }
  return { root, update: above.update };
}

// Where feature d comes from: a place of a map if the features were flattened, else a unit.
function origin(lab, n, d) {
  const below = lab.network.layers.slice(0, n).reverse();
  const passing = ["Dropout", "ReLU"];
  const flatten = below.find(({ type }) => !passing.includes(type));
  if (flatten?.type !== "Flatten") return `${t("unit")} ${d}`;
  const [, width, channels] = flatten.input_shape;
  const place = Math.floor(d / channels);
  return t("from_map", { c: d % channels, row: Math.floor(place / width), column: place % width });
}
