// Logits as sliders: what softmax and cross-entropy make of them, and p - y, with which the way back begins.

import { crossEntropy, softmax as probabilities } from "../engine.js";
import { num } from "../draw.js";
import { t } from "../language.js";
import { button, h, head, number, setNumber } from "../parts.js";
import { HERE } from "./upward.js";

const REACH = 6; // a slider's way to both sides

export function softmax(lab) {
  const names = lab.network.classNames;
  const start = Float64Array.from(lab.up.logits.data);
  const z = { shape: [names.length], data: Float64Array.from(start) };
  const loss = number("loss", 0);
  const asked = lab.extra === "" ? null : Number(lab.extra); // the class from which a gradient was followed upwards
  const rows = names.map((name, u) => {
    const shown = h("output", { class: "num", for: `logit-${u}`, "data-name": `z${u}` });
    const input = h("input", {
      ...{ type: "range", id: `logit-${u}`, step: "any", min: start[u] - REACH, max: start[u] + REACH },
      value: start[u],
      oninput: () => {
        z.data[u] = Number(input.value);
        show();
      },
    });
    const cells = ["p", "y", "dz"].map((key) => number(`${key}${u}`, 0));
    const bar = h("span", { class: "bar" });
    const element = h(
      "tr",
      { class: [u === lab.label && "right", u === asked && "asked"].filter(Boolean).join(" ") },
      h("th", { scope: "row" }, h("label", { for: `logit-${u}` }, name)),
      h("td", {}, input, shown),
      h("td", {}, cells[0]),
      h("td", { class: "bar-cell" }, bar),
      h("td", {}, cells[1]),
      h("td", {}, cells[2]),
    );
    return { element, shown, input, cells, bar };
  });

  function show() {
    const p = probabilities(z);
    const { value, dz } = crossEntropy(z, lab.label);
    rows.forEach(({ shown, cells, bar }, u) => {
      shown.textContent = num(z.data[u]);
      shown.dataset.value = String(z.data[u]);
      setNumber(cells[0], p.data[u]);
      setNumber(cells[1], u === lab.label ? 1 : 0, 1);
      setNumber(cells[2], dz.data[u]);
      bar.style.width = `${100 * p.data[u]}%`;
    });
    setNumber(loss, value);
  }

  const reset = button(
    t("back_to_network"),
    () => {
      z.data.set(start);
      rows.forEach(({ input }, u) => (input.value = start[u]));
      show();
    },
    { id: "reset-logits" },
  );
  const texts = [t("class"), t("logit"), "p", "", "y", "p − y"];
  const header = h(
    "tr",
    {},
    texts.map((text) => (text ? h("th", { scope: "col" }, text) : h("td", {}))),
  );
  const root = h(
    "section",
    {},
    head("softmax", [
      ["batik_scratch/nn/losses.py", "SparseCategoricalCrossentropy"],
      ["batik_scratch/nn/layers/activations.py", "softmax"],
    ]),
    names[asked] ? h("p", { class: "verdict", id: HERE }, t("top_reached", { name: names[asked] })) : null,
    h("div", { class: "controls" }, reset),
    h(
      "div",
      { class: "scroll-x", tabindex: 0, role: "group", "aria-label": t("softmax_title") },
      h(
        "table",
        { class: "logits" },
        h("thead", {}, header),
        h(
          "tbody",
          {},
          rows.map(({ element }) => element),
        ),
      ),
    ),
    h("p", { class: "sum" }, `${t("loss")} = −log p(${names[lab.label]}) = `, h("strong", {}, loss)),
    h("p", { class: "note" }, t("softmax_note")),
  );
  show();
  return { root, update() {} };
}
