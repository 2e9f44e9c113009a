// A convolution, forwards: the window slides, its pixels meet the kernel, and everything is added up.

import { channelOf, largest, paintMap } from "../draw.js";
import { t } from "../language.js";
import { Grid, PlaceMap, canvas, figure, h, head, number, setNumber } from "../parts.js";
import { controls, convolution, slice, windowValues } from "./window.js";

const ROWS = 16; // channels whose products are written out

export function forward(lab) {
  const conv = convolution(lab, "forward");
  const { x, y, kernel, kh, kw, channels, height, width, strides } = conv;
  const f = lab.channel;
  const control = controls(lab, conv, "forward");
  const point = (row, column) => lab.go({ spot: `${row},${column}` });
  let shownChannel = 0;

  const input = new PlaceMap(t("input_map"), {
    height: x.shape[0],
    width: x.shape[1],
    onpoint: (row, column) =>
      point(
        Math.min(Math.floor(Math.max(row - Math.floor(kh / 2), 0) / strides[0]), height - 1),
        Math.min(Math.floor(Math.max(column - Math.floor(kw / 2), 0) / strides[1]), width - 1),
      ),
  });
  walkInOutput(input, lab, conv, point);
  const output = new PlaceMap(t("output_map"), { height, width, onpoint: point });
  paintMap(output.canvas, channelOf(y, f));
  const inputCaption = h("span", {});
  const showChannel = (c) => {
    shownChannel = c;
    paintMap(input.canvas, channelOf(x, c), largest(x.data));
    inputCaption.textContent = `${t("input_map")}, ${t("channel")} ${c}`;
  };
  showChannel(0);

  const rows = Array.from({ length: Math.min(channels, ROWS) }, () => productRow(kh, kw, (c) => showChannel(c)));
  const rest = h("p", { class: "note", hidden: channels <= ROWS });
  const total = number("sum", 0);
  const bias = number("bias", conv.layer.params.bias.data[f]);
  const out = number("output", 0);
  const [valueScale, kernelScale] = [largest(x.data), largest(kernel.data)];
  const matrix = matrices(conv, f);

  const root = h(
    "section",
    {},
    head("forward", [
      ["batik_scratch/ops/conv_loops.py", "forward"],
      ["batik_scratch/ops/im2col.py", "im2col"],
      ["batik_scratch/nn/layers/conv.py", "Conv2D"],
    ]),
    control.root,
    h(
      "div",
      { class: "panels forward-panels" },
      figure(inputCaption, input.root, h("p", { class: "note" }, t("drag_hint"))),
      h(
        "div",
        { class: "products" },
        h("h3", {}, t("products_title")),
        h(
          "div",
          { class: "scroll", tabindex: 0, role: "group", "aria-label": t("products_title") },
          rows.map((r) => r.root),
        ),
        rest,
        h(
          "p",
          { class: "sum" },
          ...[`${t("all_channels")} `, total, ` + ${t("bias")} `, bias, " = ", h("strong", {}, out)],
        ),
      ),
      figure(`${t("output_map")}, ${t("filter")} ${f}`, output.root),
    ),
    matrix.root,
  );

  return {
    root,
    update() {
      const [i, j] = lab.place(height, width);
      control.update(i, j);
      input.mark(i * strides[0], j * strides[1], kh, kw, [i, j]);
      output.mark(i, j);
      const parts = Array.from({ length: channels }, (_, c) => {
        const values = windowValues(conv, i, j, c);
        const weights = slice(kernel, c, f);
        const products = values.map((value, n) => value * weights[n]);
        return { c, values, weights, products, sum: products.reduce((a, b) => a + b, 0) };
      });
      const shown =
        channels <= ROWS ? parts : [...parts].sort((a, b) => Math.abs(b.sum) - Math.abs(a.sum)).slice(0, ROWS);
      const productScale = largest(parts.flatMap(({ products }) => [...products]));
      shown.forEach((part, n) => rows[n].show(part, valueScale, kernelScale, productScale));
      const sum = parts.reduce((all, part) => all + part.sum, 0);
      if (channels > ROWS) {
        const left = sum - shown.reduce((all, part) => all + part.sum, 0);
        rest.replaceChildren(t("other_channels", { count: channels - ROWS }), " ", number("rest", left));
      }
      setNumber(total, sum);
      setNumber(out, sum + conv.layer.params.bias.data[f]);
      matrix.update(i, j, sum + conv.layer.params.bias.data[f]);
      if (shownChannel >= channels) showChannel(0);
    },
  };
}

// On the input the arrow keys move the window, not the finger: places are those of the output.
function walkInOutput(input, lab, { height, width }, point) {
  input.key = (event) => {
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!steps) return;
    event.preventDefault();
    const [i, j] = lab.place(height, width);
    const many = event.shiftKey ? 5 : 1;
    const inside = (value, count) => Math.min(Math.max(value, 0), count - 1);
    point(inside(i + many * steps[0], height), inside(j + many * steps[1], width));
  };
}

function productRow(kh, kw, onchoose) {
  const [values, weights, products] = ["window", "kernel", "products"].map((name) => new Grid(kh, kw, t(name)));
  const name = h("button", { type: "button", class: "quiet" });
  const sum = number("channel-sum", 0);
  let channel = 0;
  name.addEventListener("click", () => onchoose(channel));
  return {
    root: h("div", { class: "product-row" }, name, values.root, "×", weights.root, "=", products.root, "Σ", sum),
    show(part, valueScale, kernelScale, productScale) {
      channel = part.c;
      name.textContent = `${t("channel")} ${part.c}`;
      values.fill(part.values, valueScale);
      weights.fill(part.weights, kernelScale);
      products.fill(part.products, productScale);
      setNumber(sum, part.sum);
    },
  };
}

// The same numbers as a matrix product: a row of im2col(X) times a column of the kernel.
function matrices(conv, f) {
  const { x, y, kernel, kh, kw, channels, filters, height, width, strides, layer } = conv;
  const K = kh * kw * channels;
  const scale = largest(x.data);
  const columns = { shape: [height * width, K], data: new Float64Array(height * width * K) };
  for (let i = 0, n = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      for (let u = 0; u < kh; u++) {
        const start = ((i * strides[0] + u) * x.shape[1] + j * strides[1]) * channels;
        columns.data.set(x.data.subarray(start, start + kw * channels), n);
        n += kw * channels;
      }
    }
  }
  const pictures = [
    [t("matrix_rows"), columns],
    [t("matrix_kernel"), { shape: [K, filters], data: kernel.data }],
    [t("matrix_output"), { shape: [height * width, filters], data: y.data }],
  ].map(([label, matrix], n) => {
    const drawn = canvas(label, "matrix");
    paintMap(drawn, matrix);
    const mark = h("span", { class: "box", "aria-hidden": "true" });
    const caption = `${label} (${matrix.shape.join("×")})`;
    return { root: figure(caption, h("div", { class: `place-map m${n}` }, drawn, mark)), mark };
  });
  const [rowStrip, columnStrip] = [canvas(t("strip_row"), "strip"), canvas(t("strip_column"), "strip")];
  paintMap(columnStrip, {
    shape: [1, K],
    data: Float64Array.from({ length: K }, (_, k) => kernel.data[k * filters + f]),
  });
  const rowName = h("span", {});
  const result = number("matrix-output", 0);
  const put = (mark, top, left, tall, wide) =>
    Object.assign(mark.style, { top: `${top}%`, left: `${left}%`, height: `${tall}%`, width: `${wide}%` });
  return {
    root: h(
      "div",
      { class: "matrices" },
      h("h3", {}, t("matrix_title")),
      h("p", { class: "note" }, t("matrix_sentence", { K })),
      h("div", { class: "panels" }, pictures[0].root, "×", pictures[1].root, "+ b =", pictures[2].root),
      h("p", {}, rowName),
      rowStrip,
      h("p", {}, t("strip_column_of", { f })),
      columnStrip,
      h("p", { class: "sum" }, `${t("row_times_column")} `, result),
    ),
    update(i, j, value) {
      const row = i * width + j;
      const places = height * width;
      put(pictures[0].mark, (100 * row) / places, 0, 100 / places, 100);
      put(pictures[1].mark, 0, (100 * f) / filters, 100, 100 / filters);
      put(pictures[2].mark, (100 * row) / places, (100 * f) / filters, 100 / places, 100 / filters);
      const values = columns.data.subarray(row * K, (row + 1) * K);
      paintMap(rowStrip, { shape: [1, K], data: values }, scale);
      rowName.textContent = t("strip_row_of", { row, width, i, j });
      const dot = values.reduce((sum, v, k) => sum + v * kernel.data[k * filters + f], 0);
      setNumber(result, dot + layer.params.bias.data[f]);
      result.dataset.expected = String(value);
    },
  };
}
