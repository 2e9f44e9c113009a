// "Follow it upwards": the line in a view that leads to the place above from which the gradient came.

import { num } from "../draw.js";
import { t } from "../language.js";
import { aim, h, number } from "../parts.js";
import { placeOf, senderOf } from "../upwards.js";

export const HERE = "here"; // the id of the part of a view that says where one is, and with it the way upwards

// { root, update }: a link from where the view stands; update after the place has moved.
export function upward(lab) {
  const why = h("span", {});
  const way = h("a", { id: "upwards" });
  const root = h("p", { class: "upwards" }, why, " ", way);
  return {
    root,
    update() {
      const here = placeOf(lab);
      root.hidden = !here;
      if (!here) return;
      const above = senderOf(lab, here.n, here.at);
      const dy = lab.trace.gradients[here.n + 1].data[here.at];
      way.hidden = !above.go;
      if (!above.go) {
        why.textContent = t("up_nobody", { layer: above.layer.name });
        return;
      }
      const words = above.layer ? (dy === 0 ? "up_zero" : "up_from") : "up_loss";
      why.textContent = t(words, { dy: num(dy), layer: above.layer?.name });
      if (above.through) why.textContent += ` ${t("up_through", { layer: above.through.name })}`;
      way.textContent = t("up_link", { where: whereIs(lab, above) });
      aim(way, lab, above.go, { to: HERE });
    },
  };
}

// "conv2d_1, filter 3, row 10, column 12", in the page's language.
export function whereIs(lab, { layer, place, go }) {
  if (!layer) return t("up_top", { name: lab.network.classNames[place[0]] });
  if (go.view === "backward")
    return t("at_filter", { layer: layer.name, row: place[0], column: place[1], f: place[2] });
  if (place.length === 3) {
    return `${layer.name}, ${t("from_map", { row: place[0], column: place[1], c: place[2] })}`;
  }
  return t("at_unit", { layer: layer.name, unit: place[0] });
}

// Saliency's gradient is of a class's logit, that of all other views of the loss: both of one number of the picture.
export function twoGradients(lab, [row, column, c]) {
  const at = (row * lab.network.inputShape[1] + column) * lab.network.inputShape[2] + c;
  const name = lab.network.classNames[lab.explained];
  const colour = t("colours").split(" ")[c];
  return h(
    "p",
    { class: "note two-gradients" },
    ...[t("here_of_the_loss", { colour }), " ", number("of-the-loss", lab.trace.gradients[0].data[at])],
    ...[". ", t("there_of_the_logit", { name }), " ", number("of-the-logit", lab.ofTheLogit.data[at]), "."],
  );
}
