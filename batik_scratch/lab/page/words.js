// The words that a view uses and a newcomer may not know: under its head, folded, each explained in a sentence or two.

import { t } from "./language.js";
import { h } from "./parts.js";

const WORDS = {
  overview: ["logit", "loss", "map", "jacobian"],
  forward: ["xy", "kernel", "map", "bias", "im2col"],
  backward: ["xy", "kernel", "map", "bias", "loss"],
  gates: ["gate", "winner", "xy", "map"],
  dense: ["xy", "unit", "bias", "logit"],
  softmax: ["logit", "softmax", "loss", "p_minus_y"],
  nudge: ["bias", "difference", "kink", "loss"],
  step: ["rate", "memory", "loss"],
  time: ["epoch", "validation", "confusion", "map"],
  saliency: ["logit", "map", "percentile", "loss"],
};

export const words = { open: false }; // stays as the reader left it

export function wordList(view) {
  const keys = WORDS[view];
  const names = keys.map((key) => t(`word_${key}`));
  const pairs = keys.flatMap((key, n) => [h("dt", {}, names[n]), h("dd", {}, t(`means_${key}`))]);
  const list = h(
    "details",
    { class: "words", id: "words", open: words.open },
    h("summary", {}, `${t("words")} ${names.join(" · ")}`),
    h("dl", {}, pairs),
  );
  list.addEventListener("toggle", () => (words.open = list.open));
  return list;
}
