// A convolution, backwards: the gradient at a place goes to the window's pixels, and to the kernel.

import { zeros } from "../engine.js";
import { channelOf, largest, num, paintMap } from "../draw.js";
import { t } from "../language.js";
import { Grid, PlaceMap, aim, choice, figure, h, head, number, setNumber } from "../parts.js";
import { sentTo } from "../upwards.js";
import { HERE, twoGradients, upward } from "./upward.js";
import { controls, convolution, slice, upTo, windowValues } from "./window.js";

const CARDS = 25; // senders that are written out, the strongest first

export function backward(lab) {
  const conv = convolution(lab, "backward");
  const { kernel, kh, kw, channels, height, width, strides, dy, dx, grads, pads } = conv;
  const f = lab.channel;
  const control = controls(lab, conv, "backward");
  const dySlice = channelOf(dy, f);
  const gradient = new PlaceMap(t("dy_map"), {
    height,
    width,
    onpoint: (i, j) => lab.go({ spot: `${i},${j}`, pixel: null }),
  });
  paintMap(gradient.canvas, dySlice);
  const [inputHeight, inputWidth] = dx.shape;
  const choosePixel = (row, column) => lab.go({ pixel: `${row},${column},${channelOfInput(lab, channels)}` });
  const [soFar, complete] = ["dx_so_far", "dx_complete"].map(
    (name) => new PlaceMap(t(name), { height: inputHeight, width: inputWidth, onpoint: choosePixel }),
  );
  const here = number("dy", 0);
  const grids = Object.fromEntries(
    ["kernel", "to_dx", "window", "to_dw", "dw_so_far", "dw_complete"].map((name) => [name, new Grid(kh, kw, t(name))]),
  );
  const biasSoFar = number("db-so-far", 0);
  const sender = senders(lab, conv);
  const above = upward(lab);
  const asked = h("div", { class: "asked", role: "status" });
  const collected = new SoFar(conv, f);
  const scales = { kernel: largest(kernel.data), x: largest(conv.x.data), dx: largest(dx.data) };
  let painted = {};
  const channelField = choice("channel", t("channel"), upTo(channels), channelOfInput(lab, channels), (value) => {
    lab.backwardChannel = Number(value);
    lab.go({ pixel: lab.pixel && [...lab.pixel.split(",").slice(0, 2), value].join(",") });
  });
  const equation = (...parts) => h("div", { class: "equation" }, parts);
  const root = h(
    "section",
    {},
    head("backward", [
      ["batik_scratch/ops/conv_loops.py", "backward"],
      ["batik_scratch/ops/im2col.py", "col2im"],
      ["batik_scratch/nn/layers/conv.py", "Conv2D"],
    ]),
    h("div", { id: HERE }, control.root, asked, above.root),
    h(
      "div",
      { class: "panels" },
      figure(`${t("dy_map")}, ${t("filter")} ${f}`, gradient.root, h("p", { class: "sum" }, "dY = ", here)),
      h(
        "div",
        { class: "ways" },
        h("div", { class: "controls" }, channelField),
        h("h3", {}, t("to_pixels_title")),
        equation("dY ×", figure(t("kernel"), grids.kernel.root), "=", figure(t("to_dx"), grids.to_dx.root)),
        h("p", { class: "note" }, t("to_pixels_note")),
        h("h3", {}, t("to_kernel_title")),
        equation("dY ×", figure(t("window"), grids.window.root), "=", figure(t("to_dw"), grids.to_dw.root)),
        equation(figure(t("dw_so_far"), grids.dw_so_far.root), "→", figure(t("dw_complete"), grids.dw_complete.root)),
        h(
          "p",
          { class: "sum" },
          `db ${t("so_far")} `,
          biasSoFar,
          ` → ${t("complete")} `,
          number("db", grads.bias.data[f]),
        ),
      ),
      h("div", { class: "pair" }, figure(t("dx_so_far"), soFar.root), figure(t("dx_complete"), complete.root)),
    ),
    sender.root,
  );

  const view = {
    root,
    update() {
      const [i, j] = lab.place(height, width);
      const g = dySlice.data[i * width + j];
      const c = channelOfInput(lab, channels);
      const field = channelField.querySelector("select");
      if (field.value !== String(c)) field.value = c;
      control.update(i, j);
      gradient.mark(i, j);
      setNumber(here, g);
      const weights = slice(kernel, c, f);
      const values = windowValues(conv, i, j, c);
      grids.kernel.fill(weights, scales.kernel);
      grids.to_dx.fill(
        weights.map((w) => w * g),
        scales.dx,
      );
      grids.window.fill(values, scales.x);
      const dwScale = largest(slice(grads.kernel, c, f));
      grids.to_dw.fill(
        values.map((value) => value * g),
        dwScale,
      );
      const partial = collected.upTo(c, i, j);
      grids.dw_so_far.fill(partial.dw, dwScale);
      grids.dw_complete.fill(slice(grads.kernel, c, f), dwScale);
      setNumber(biasSoFar, partial.db);
      if (c !== painted.c) {
        painted = { c, scale: largest(channelOf(dx, c).data) };
        paintMap(complete.canvas, channelOf(dx, c), painted.scale);
      }
      paintMap(soFar.canvas, partial.dx, painted.scale);
      const corner = [i * strides[0] - pads[0][0], j * strides[1] - pads[1][0]];
      const pixel = pixelOf(lab, conv, corner);
      soFar.mark(corner[0], corner[1], kh, kw, pixel);
      complete.mark(pixel[0], pixel[1]);
      const answers = sentTo(lab, conv.n, [...pixel, c]);
      sender.update([...pixel, c], answers);
      above.update();
      asked.replaceChildren(...(lab.pixel ? answer(lab, conv, [...pixel, c], [i, j], g) : []));
    },
  };
  return view;
}

// The channel of the input that is looked at: that of the number that is asked about, else the one chosen here before.
function channelOfInput(lab, channels) {
  const wanted = Number(lab.pixel?.split(",")[2] ?? lab.backwardChannel ?? 0);
  return Number.isInteger(wanted) && wanted >= 0 ? Math.min(wanted, channels - 1) : 0;
}

// In a sentence what this place and filter sent to the number that is asked about.
function answer(lab, { n, kernel, kh, kw, dx, strides, pads }, [p, q, c], [i, j], g) {
  const [u, v] = [p + pads[0][0] - i * strides[0], q + pads[1][0] - j * strides[1]];
  const saw = u >= 0 && v >= 0 && u < kh && v < kw;
  const total = dx.data[(p * dx.shape[1] + q) * dx.shape[2] + c];
  const [, , channels, filters] = kernel.shape;
  const sent = saw ? g * kernel.data[((u * kw + v) * channels + c) * filters + lab.channel] : 0;
  const all = h(
    "button",
    { type: "button", class: "quiet", id: "all-senders", onclick: showSenders },
    t("all_senders"),
  );
  return [
    h(
      "p",
      { class: "verdict" },
      ...[
        `${t("asked", { name: inputName(n, [p, q, c]) })} `,
        number("asked-sent", sent),
        `${t("asked_of")} `,
        number("asked-dx", total),
        ". ",
      ],
      all,
    ),
    ...(n === 0 && dx.shape[2] === 3 ? [twoGradients(lab, [p, q, c])] : []),
  ];
}

// A place of the input of layer n; the picture's channels have names.
function inputName(n, [p, q, c]) {
  return t("asked_name", { p, q, c }) + (n === 0 ? ` (${t("colours").split(" ")[c]})` : "");
}

function showSenders() {
  const title = document.getElementById("who");
  title.scrollIntoView();
  title.focus({ preventScroll: true });
}

// The pixel that is asked about: the one that was chosen, else the middle of the window.
function pixelOf(lab, { kh, kw, dx }, corner) {
  const wanted = lab.pixel?.split(",").map(Number) ?? [corner[0] + (kh >> 1), corner[1] + (kw >> 1)];
  return wanted.map((value, axis) => Math.min(Math.max(value || 0, 0), dx.shape[axis] - 1));
}

// What the places up to (i, j), in reading order, have sent: dX of channel c by all filters; dW and db of filter f.
// It goes on from where it was, and begins again only when it has to go back.
class SoFar {
  constructor(conv, f) {
    Object.assign(this, { conv, f, place: Infinity });
  }

  upTo(c, i, j) {
    const { dx, kh, kw, width } = this.conv;
    const last = i * width + j;
    if (c !== this.c || last < this.place) {
      Object.assign(this, {
        c,
        place: -1,
        dx: zeros([dx.shape[0], dx.shape[1]]),
        dw: new Float64Array(kh * kw),
        db: 0,
      });
    }
    while (this.place < last) this.add(++this.place);
    return this;
  }

  add(place) {
    const { x, kernel, dy, dx, kh, kw, channels, filters, width, strides, pads } = this.conv;
    const row = Math.floor(place / width) * strides[0];
    const column = (place % width) * strides[1];
    const g = dy.data[place * filters + this.f];
    this.db += g;
    for (let u = 0; u < kh; u++) {
      for (let v = 0; v < kw; v++) {
        this.dw[u * kw + v] += x.data[((row + u) * x.shape[1] + column + v) * channels + this.c] * g;
        const p = row + u - pads[0][0];
        const q = column + v - pads[1][0];
        if (p < 0 || q < 0 || p >= dx.shape[0] || q >= dx.shape[1]) continue;
        let back = 0;
        const k = ((u * kw + v) * channels + this.c) * filters;
        for (let n = 0; n < filters; n++) back += dy.data[place * filters + n] * kernel.data[k + n];
        this.dx.data[p * dx.shape[1] + q] += back;
      }
    }
  }
}

// "Who sent gradient to this number": all places whose window saw it, what each of them sent, and the strongest filter.
function senders(lab, conv) {
  const title = h("h3", { id: "who", tabindex: -1 });
  const list = h("div", { class: "senders", role: "list" });
  const strongest = h("a", { id: "strongest-sender" });
  const cards = [];
  const sum = number("pixel-sum", 0);
  const dxHere = number("pixel-dx", 0);
  return {
    root: h(
      "div",
      { class: "who" },
      title,
      h("p", { class: "note" }, t("who_note")),
      h("p", { class: "sum" }, strongest),
      list,
      h("p", { class: "sum" }, `${t("their_sum")} `, sum, " = dX ", dxHere),
    ),
    update(asked, { sent, best }) {
      const [p, q, c] = asked;
      title.textContent = t("who_title", { name: inputName(conv.n, asked) });
      const scale = largest(sent.map((one) => one.value));
      const to = (changes) => ({ ...changes, pixel: asked.join(",") });
      sent
        .slice(0, CARDS)
        .forEach((one, n) => (cards[n] ??= senderCard()).show(one, scale, (spot) => lab.go(to({ spot }))));
      list.replaceChildren(...cards.slice(0, sent.length).map((card) => card.root));
      const total = sent.reduce((all, one) => all + one.value, 0);
      setNumber(sum, total);
      setNumber(dxHere, conv.dx.data[(p * conv.dx.shape[1] + q) * conv.channels + c]);
      strongest.hidden = !best;
      if (!best) return;
      strongest.textContent = t("strongest_sender", { ...best, filter: best.f, term: num(best.term) });
      aim(strongest, lab, to({ channel: best.f, spot: `${best.i},${best.j}` }), { to: HERE });
    },
  };
}

function senderCard() {
  const grid = new Grid(1, 1, t("sent"));
  const go = h("button", { type: "button", class: "quiet" });
  return {
    root: h("div", { class: "sender", role: "listitem" }, grid.root, go),
    show({ i, j, u, v, value }, scale, onplace) {
      grid.fill([value], scale);
      go.textContent = t("sender", { i, j, u, v });
      go.onclick = () => onplace(`${i},${j}`);
    },
  };
}
