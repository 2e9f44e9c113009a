// Which pixels mattered: the gradient that arrives at the pixels, and the overlay made of it, one step after another.

import { channelOf, largest, paintGrey, paintImage, paintMap } from "../draw.js";
import { t } from "../language.js";
import { PlaceMap, button, choice, figure, h, head, number, setNumber, slider } from "../parts.js";
import { maxAbs, normalise, overlay } from "../saliency.js";
import { senderOf } from "../upwards.js";
import { MOVER } from "./nudge.js";
import { HERE } from "./upward.js";

export function saliency(lab) {
  const { x } = lab.picture;
  const [height, width] = x.shape;
  const gradient = lab.ofTheLogit;
  const strongest = maxAbs(gradient);
  const shares = { percentile: lab.percentile ?? 99, strength: lab.strength ?? 0.8 };
  let spot = pixelOf(lab, strongest);

  const onpoint = (row, column) => {
    spot = [row, column];
    lab.extra = spot.join(",");
    lab.go({});
  };
  const made = (name, paint) => {
    const map = new PlaceMap(t(name), { height, width, onpoint });
    paint?.(map.canvas);
    return { map, figure: figure(t(name), map.root) };
  };
  const maps = {
    photo: made("the_picture", (canvas) => paintImage(canvas, x)),
    r: made("gradient_r", (canvas) => paintMap(canvas, channelOf(gradient, 0), largest(gradient.data))),
    g: made("gradient_g", (canvas) => paintMap(canvas, channelOf(gradient, 1), largest(gradient.data))),
    b: made("gradient_b", (canvas) => paintMap(canvas, channelOf(gradient, 2), largest(gradient.data))),
    abs: made("max_abs", (canvas) => paintGrey(canvas, normalise(strongest, 100))),
    shade: made("normalised"),
    overlay: made("overlay"),
  };
  const names = ["R", "G", "B", "abs", "map", "ceiling"];
  const numbers = Object.fromEntries(names.map((name) => [name, number(name, 0)]));
  const place = h("strong", {});
  const verdict = h("p", { class: "verdict", role: "status" });
  let shade = null;
  let strongestChannel = 0;

  function drawOverlay() {
    shade = normalise(strongest, shares.percentile);
    paintGrey(maps.shade.map.canvas, shade);
    paintImage(maps.overlay.map.canvas, overlay(x, shade, shares.strength));
    setNumber(numbers.ceiling, shade.high);
    read();
  }

  function read() {
    const [i, j] = spot;
    const n = i * width + j;
    for (const { map } of Object.values(maps)) map.mark(i, j);
    ["R", "G", "B"].forEach((name, c) => setNumber(numbers[name], gradient.data[n * 3 + c]));
    setNumber(numbers.abs, strongest.data[n]);
    setNumber(numbers.map, shade.data[n]);
    place.textContent = t("at_place", { row: i, column: j });
    const rank = strongest.data.reduce((count, value) => count + (value > strongest.data[n] ? 1 : 0), 0) + 1;
    const c = (strongestChannel = [0, 1, 2].reduce(
      (best, k) => (Math.abs(gradient.data[n * 3 + k]) > Math.abs(gradient.data[n * 3 + best]) ? k : best),
      0,
    ));
    const g = gradient.data[n * 3 + c];
    const change = { channel: ["R", "G", "B"][c], change: (g * 0.1).toPrecision(2).replace("-", "−") };
    const name = lab.network.classNames[lab.explained];
    verdict.textContent = t("pixel_verdict", { rank, count: strongest.data.length, name, ...change });
  }

  // both ways go on with the colour that matters most, and to the place that sent it most
  const nudgeIt = () =>
    lab.travel(
      { view: "nudge", layer: "input", channel: strongestChannel, spot: spot.join(","), extra: "", pixel: null },
      { to: MOVER, stay: true },
    );
  const whoSent = () => {
    const { go } = senderOf(lab, -1, (spot[0] * width + spot[1]) * 3 + strongestChannel);
    if (go) lab.travel(go, { to: HERE });
  };
  const share = (key, label, range, told) =>
    slider(
      key,
      t(label),
      { ...range, value: shares[key] },
      (value) => {
        shares[key] = lab[key] = value;
        drawOverlay();
      },
      told,
    );
  const classes = lab.network.classNames.map((name, u) => [u, name]);
  const line = (label, ...what) => h("tr", {}, h("th", { scope: "row" }, label), h("td", {}, what));
  const plainly = (name) => t(name).replace(/^\d\. /, ""); // without the step's number
  const ways = [
    button(t("who_sent"), whoSent, { id: "who-sent" }),
    button(t("nudge_this_pixel"), nudgeIt, { id: "nudge-pixel" }),
  ];
  const root = h(
    "section",
    {},
    head("saliency", [
      ["batik_scratch/saliency/gradient.py", "Gradient"],
      ["batik_scratch/nn/explaining.py", "gradient_at"],
      ["batik_scratch/saliency/postprocess.py", "normalise"],
      ["batik_scratch/saliency/overlay.py", "overlay"],
    ]),
    h(
      "div",
      { class: "controls" },
      choice("explained", t("explained_class"), classes, lab.explained, (value) => lab.go({ target: Number(value) })),
      share("percentile", "percentile", { min: 50, max: 100, step: 0.5 }, (value) => `${value}`),
      share("strength", "strength", { min: 0, max: 1, step: 0.05 }, (value) => `${value}`),
    ),
    h(
      "div",
      { class: "pipeline" },
      ...[maps.photo.figure, maps.r.figure, maps.g.figure, maps.b.figure],
      ...[maps.abs.figure, maps.shade.figure, maps.overlay.figure],
      h(
        "div",
        { class: "pixel" },
        h("h3", {}, t("this_pixel"), " ", place),
        h("p", { class: "note" }, t("from_zero")),
        verdict,
        h(
          "table",
          {},
          h("tbody", {}, [
            line("∂S/∂R", numbers.R),
            line("∂S/∂G", numbers.G),
            line("∂S/∂B", numbers.B),
            line(plainly("max_abs"), numbers.abs),
            line(t("ceiling"), numbers.ceiling),
            line(plainly("normalised"), numbers.map),
          ]),
        ),
        h("div", { class: "controls" }, ways),
        h("p", { class: "note" }, t("then_of_the_loss")),
      ),
    ),
  );
  drawOverlay();
  // a link to another pixel, opened in this page
  function update() {
    spot = pixelOf(lab, strongest);
    read();
  }
  return { root, update };
}

// The pixel of the address, else the one with the largest gradient.
function pixelOf(lab, map) {
  const [height, width] = map.shape;
  const parts = lab.extra.split(",").map(Number);
  if (parts.length === 2 && parts.every(Number.isInteger)) {
    return [Math.min(Math.max(parts[0], 0), height - 1), Math.min(Math.max(parts[1], 0), width - 1)];
  }
  const best = map.data.reduce((top, value, n) => (value > map.data[top] ? n : top), 0);
  return [Math.floor(best / width), best % width];
}
