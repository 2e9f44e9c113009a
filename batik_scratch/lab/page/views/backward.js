// A convolution, backwards: the gradient at a place goes to the window's pixels, and to the kernel.

import { zeros } from "../engine.js";
import { channelOf, largest, num, paintMap } from "../draw.js";
import { t } from "../language.js";
import { Grid, PlaceMap, choice, figure, h, head, number, setNumber } from "../parts.js";
import { controls, convolution, slice, upTo, windowValues } from "./window.js";

export function backward(lab) {
  const conv = convolution(lab);
  const { kernel, kh, kw, channels, height, width, strides, dy, dx, grads, pads } = conv;
  const f = lab.channel;
  const control = controls(lab, conv, "backward");
  let c = Math.min(lab.backwardChannel ?? 0, channels - 1);
  const dySlice = channelOf(dy, f);
  const gradient = new PlaceMap(t("dy_map"), {
    height,
    width,
    onpoint: (i, j) => lab.go({ spot: `${i},${j}`, pixel: null }),
  });
  paintMap(gradient.canvas, dySlice);
  const [inputHeight, inputWidth] = dx.shape;
  const choosePixel = (row, column) => lab.go({ pixel: `${row},${column}` });
  const [soFar, complete] = ["dx_so_far", "dx_complete"].map(
    (name) => new PlaceMap(t(name), { height: inputHeight, width: inputWidth, onpoint: choosePixel }),
  );
  const here = number("dy", 0);
  const grids = Object.fromEntries(
    ["kernel", "to_dx", "window", "to_dw", "dw_so_far", "dw_complete"].map((name) => [name, new Grid(kh, kw, t(name))]),
  );
  const biasSoFar = number("db-so-far", 0);
  const sender = senders(conv);
  const channelField = choice("channel", t("channel"), upTo(channels), c, (value) => {
    c = lab.backwardChannel = Number(value);
    view.update();
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
    control.root,
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
      control.update(i, j);
      gradient.mark(i, j);
      setNumber(here, g);
      const weights = slice(kernel, c, f);
      const values = windowValues(conv, i, j, c);
      grids.kernel.fill(weights, largest(kernel.data));
      grids.to_dx.fill(
        weights.map((w) => w * g),
        largest(dx.data),
      );
      grids.window.fill(values, largest(conv.x.data));
      const dwScale = largest(slice(grads.kernel, c, f));
      grids.to_dw.fill(
        values.map((value) => value * g),
        dwScale,
      );
      const partial = upToHere(conv, c, f, i, j);
      grids.dw_so_far.fill(partial.dw, dwScale);
      grids.dw_complete.fill(slice(grads.kernel, c, f), dwScale);
      setNumber(biasSoFar, partial.db);
      const scale = largest(channelOf(dx, c).data);
      paintMap(soFar.canvas, partial.dx, scale);
      paintMap(complete.canvas, channelOf(dx, c), scale);
      const corner = [i * strides[0] - pads[0][0], j * strides[1] - pads[1][0]];
      const pixel = pixelOf(lab, conv, corner);
      soFar.mark(corner[0], corner[1], kh, kw, pixel);
      complete.mark(pixel[0], pixel[1]);
      sender.update(pixel[0], pixel[1], c, (place) => lab.go({ spot: place, channel: f, pixel: pixel.join(",") }));
    },
  };
  return view;
}

// The pixel that is asked about: the one that was chosen, else the middle of the window.
function pixelOf(lab, { kh, kw, dx }, corner) {
  const wanted = lab.pixel?.split(",").map(Number) ?? [corner[0] + (kh >> 1), corner[1] + (kw >> 1)];
  return wanted.map((value, axis) => Math.min(Math.max(value || 0, 0), dx.shape[axis] - 1));
}

// What the places up to (i, j), in reading order, have sent: dX of channel c by all filters; dW and db of filter f.
function upToHere({ x, kernel, dy, dx, kh, kw, channels, filters, width, strides, pads }, c, f, i, j) {
  const sum = zeros([dx.shape[0], dx.shape[1]]);
  const dw = new Float64Array(kh * kw);
  let db = 0;
  for (let place = 0; place <= i * width + j; place++) {
    const [row, column] = [Math.floor(place / width) * strides[0], (place % width) * strides[1]];
    const g = dy.data[place * filters + f];
    db += g;
    for (let u = 0; u < kh; u++) {
      for (let v = 0; v < kw; v++) {
        dw[u * kw + v] += x.data[((row + u) * x.shape[1] + column + v) * channels + c] * g;
        const [p, q] = [row + u - pads[0][0], column + v - pads[1][0]];
        if (p < 0 || q < 0 || p >= dx.shape[0] || q >= dx.shape[1]) continue;
        let back = 0;
        const k = ((u * kw + v) * channels + c) * filters;
        for (let n = 0; n < filters; n++) back += dy.data[place * filters + n] * kernel.data[k + n];
        sum.data[p * dx.shape[1] + q] += back;
      }
    }
  }
  return { dx: sum, dw, db };
}

// "Who sent gradient to this pixel": all places whose window saw it, and what each of them sent.
function senders(conv) {
  const { kernel, dy, dx, kh, kw, channels, filters, height, width, strides, pads } = conv;
  const title = h("h3", {});
  const list = h("div", { class: "senders", role: "list" });
  const strongest = h("p", { class: "note" });
  const sum = number("pixel-sum", 0);
  const dxHere = number("pixel-dx", 0);
  return {
    root: h(
      "div",
      { class: "who" },
      title,
      h("p", { class: "note" }, t("who_note")),
      list,
      h("p", { class: "sum" }, `${t("their_sum")} `, sum, " = dX ", dxHere),
      strongest,
    ),
    update(p, q, c, onplace) {
      title.textContent = t("who_title", { p, q, c });
      const sent = [];
      const terms = [];
      for (let u = 0; u < kh; u++) {
        for (let v = 0; v < kw; v++) {
          const [i, j] = [(p + pads[0][0] - u) / strides[0], (q + pads[1][0] - v) / strides[1]];
          if (!Number.isInteger(i) || !Number.isInteger(j) || i < 0 || j < 0 || i >= height || j >= width) continue;
          let value = 0;
          for (let n = 0; n < filters; n++) {
            const term =
              dy.data[(i * width + j) * filters + n] * kernel.data[((u * kw + v) * channels + c) * filters + n];
            value += term;
            terms.push({ i, j, n, term });
          }
          sent.push({ i, j, u, v, value });
        }
      }
      sent.sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
      list.replaceChildren(
        ...sent.slice(0, 25).map((one) => senderCard(one, largest(sent.map((s) => s.value)), onplace)),
      );
      setNumber(
        sum,
        sent.reduce((all, one) => all + one.value, 0),
      );
      setNumber(dxHere, dx.data[(p * dx.shape[1] + q) * channels + c]);
      const best = terms.sort((a, b) => Math.abs(b.term) - Math.abs(a.term))[0];
      strongest.textContent = best ? t("strongest_sender", { ...best, filter: best.n, term: num(best.term) }) : "";
    },
  };
}

function senderCard({ i, j, u, v, value }, scale, onplace) {
  const grid = new Grid(1, 1, t("sent")).fill([value], scale);
  const text = t("sender", { i, j, u, v });
  const go = h("button", { type: "button", class: "quiet", onclick: () => onplace(`${i},${j}`) }, text);
  return h("div", { class: "sender", role: "listitem" }, grid.root, go);
}
