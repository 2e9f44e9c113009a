// The weights and biases whose change would change the loss most, of all layers: links that nudge them.

import { t } from "../language.js";
import { placeIn } from "../network.js";
import { largestOf } from "../ranking.js";
import { button, h, number } from "../parts.js";
import { fits } from "../state.js";
import { weightAt } from "./subject.js";

const SHOWN = 10;

// The list; the row of the number that is nudged now, `one`, is marked. A press leads to `mover`, an element's id.
export function strongest(lab, one, mover) {
  const parameters = lab.network.parameters().filter(({ layer }) => fits(layer, "nudge"));
  const gradients = parameters.map(({ place, key }) => lab.trace.grads[place][key].data);
  const rows = largestOf(gradients, SHOWN).map(({ n, at, value: g }) => {
    const { layer, key, value } = parameters[n];
    const units = layer.params[key].shape.at(-1);
    const spot =
      key === "bias" ? "bias" : placeIn(Math.floor(at / units), layer.params.kernel.shape.slice(0, -1)).join(",");
    const { words } = weightAt(layer, at % units, spot);
    const pressed = one.name === `${layer.name} ${key} ${words}`;
    const go = () => lab.travel({ layer: layer.name, channel: at % units, spot }, { to: mover, stay: true });
    const press = button(`${layer.name} ${key} `, go, { class: "quiet", "aria-pressed": pressed });
    press.append(h("span", { class: "place" }, words));
    return h(
      "tr",
      {},
      h("td", {}, press),
      h("td", {}, number("weight", value.data[at])),
      h("td", {}, number("gradient", g)),
      h("td", {}, t(g > 0 ? "make_smaller" : "make_larger")),
    );
  });
  const header = ["weight_or_bias", "nudge_value", "gradient", "to_lower_loss"].map((key) =>
    h("th", { scope: "col" }, t(key)),
  );
  const title = t("strongest_title", { count: SHOWN });
  return h(
    "div",
    { class: "strongest" },
    h("h3", { id: "strongest", tabindex: -1 }, title),
    h("p", { class: "note" }, t("strongest_note")),
    h(
      "div",
      { class: "scroll-x", tabindex: 0, role: "group", "aria-label": title },
      h("table", {}, h("thead", {}, h("tr", {}, header)), h("tbody", {}, rows)),
    ),
    h("p", { class: "note" }, t("brackets")),
  );
}
