// Layers without weights: which gates are open, which pixel won, which units are off, where a number goes.

import { drawMask } from "../engine.js";
import { asBlock, channelOf, largest, paintGate, paintMap } from "../draw.js";
import { t } from "../language.js";
import { padsOf } from "../layers.js";
import { Grid, PlaceMap, button, canvas, choice, counter, figure, h, head, number, setNumber } from "../parts.js";
import { fits } from "../state.js";
import { four, readings, same } from "./four.js";
import { HERE, upward } from "./upward.js";
import { OTHERS, plain } from "./others.js";
import { named, upTo } from "./window.js";

const SOURCES = {
  ReLU: [
    ["batik_scratch/ops/relu.py", "forward_plain"],
    ["batik_scratch/nn/layers/activations.py", "ReLU"],
  ],
  MaxPooling2D: [
    ["batik_scratch/ops/pooling.py", "backward_plain"],
    ["batik_scratch/nn/layers/pooling.py", "MaxPooling2D"],
  ],
  Dropout: [["batik_scratch/nn/layers/dropout.py", "Dropout"]],
  Flatten: [["batik_scratch/nn/layers/flatten.py", "Flatten"]],
};

export function gates(lab) {
  const layer = lab.current;
  const n = lab.network.place(layer.name);
  const arrays = {
    x: lab.trace.activations[n],
    y: lab.trace.activations[n + 1],
    dx: lab.trace.gradients[n],
    dy: lab.trace.gradients[n + 1],
  };
  const kind = layer.type in SOURCES ? layer.type : "other";
  const make = { ReLU: gate, MaxPooling2D: winners, Dropout: dropped, Flatten: flattened, other: plain }[kind];
  const inside = make(lab, layer, arrays, n);
  const above = upward(lab);
  const layers = lab.network.layers.filter((one) => fits(one, "gates"));
  const channels = layer.output_shape.length === 3 ? layer.output_shape[2] : 0;
  const fields = [
    choice("layer", t("layer"), named(layers), layer.name, (name) => lab.go({ layer: name, channel: 0, spot: "" })),
    channels > 0 &&
      choice("channel", t("channel"), upTo(channels), lab.channel, (value) => lab.go({ channel: Number(value) })),
  ].filter(Boolean);
  const root = h(
    "section",
    {},
    heading(layer, kind),
    h("div", { id: HERE }, h("div", { class: "controls" }, fields, inside.controls ?? []), above.root),
    inside.root,
  );
  function update() {
    inside.update();
    above.update();
  }
  return { root, update };
}

function heading(layer, kind) {
  if (kind !== "other") return head(`gates_${kind}`, SOURCES[kind]);
  const [formula, source] = OTHERS[layer.type];
  return head("gates_other", [source], { type: layer.type, what: t(`what_${layer.type}`), formula });
}

function gate(lab, layer, arrays) {
  const maps = four(lab, arrays, same);
  const { values } = maps.x;
  const open = values.data.map((value) => (value > 0 ? 1 : 0));
  const picture = canvas(t("gate_map"));
  paintGate(picture, { shape: values.shape, data: open });
  const count = open.reduce((a, b) => a + b, 0);
  const verdict = h("p", { class: "verdict" });
  const read = readings(["X", "Y", "dY", "dX"]);
  return {
    root: h(
      "div",
      {},
      h("p", { class: "sum" }, `${t("gates_open")} `, number("open", count), ` ${t("of")} ${open.length}`),
      h("div", { class: "panels five" }, [
        maps.x.figure,
        figure(t("gate_map"), picture),
        maps.y.figure,
        maps.dy.figure,
        maps.dx.figure,
      ]),
      read.root,
      verdict,
    ),
    update() {
      const [height, width] = values.shape;
      const [i, j] = lab.place(height, width);
      for (const { placed } of Object.values(maps)) placed.mark(i, j);
      for (const [name, key] of Object.entries({ X: "x", Y: "y", dY: "dy", dX: "dx" })) {
        setNumber(read.shown[name], maps[key].values.data[i * width + j]);
      }
      verdict.textContent = t(open[i * width + j] ? "gate_is_open" : "gate_is_shut", { row: i, column: j });
    },
  };
}

function winners(lab, layer, arrays, n) {
  const { shape: padded, winner } = lab.trace.kept[n];
  const pads = padsOf(layer);
  const [[ph, pw], [sh, sw]] = [layer.config.pool_size, layer.config.strides];
  const [height, width, channels] = layer.output_shape;
  const maps = four(lab, arrays, (key, row, column) => {
    if (key === "y" || key === "dy") return `${row},${column}`;
    const at = (value, pad, stride, count) => Math.min(Math.floor((value + pad) / stride), count - 1);
    return `${at(row, pads[0][0], sh, height)},${at(column, pads[1][0], sw, width)}`;
  });
  const grids = { x: new Grid(ph, pw, t("window")), dx: new Grid(ph, pw, t("four_dx")) };
  const read = readings(["Y", "dY"]);
  const verdict = h("p", { class: "verdict" });
  return {
    root: h(
      "div",
      {},
      h("div", { class: "panels maps-only" }, [maps.x.figure, maps.y.figure, maps.dy.figure, maps.dx.figure]),
      h("div", { class: "equation" }, [
        figure(t("window"), grids.x.root),
        "→",
        read.root,
        "→",
        figure(t("window_dx"), grids.dx.root),
      ]),
      verdict,
    ),
    update() {
      const [i, j] = lab.place(height, width);
      const corner = [i * sh - pads[0][0], j * sw - pads[1][0]];
      for (const key of ["y", "dy"]) maps[key].placed.mark(i, j);
      for (const key of ["x", "dx"]) maps[key].placed.mark(corner[0], corner[1], ph, pw, corner);
      const won = winner[(i * width + j) * channels + lab.channel];
      const won2d = [Math.floor(won / channels / padded[1]), Math.floor(won / channels) % padded[1]];
      const place = (won2d[0] - i * sh) * pw + won2d[1] - j * sw;
      for (const [key, grid] of Object.entries(grids)) {
        const { shape, data } = maps[key].values;
        const values = Float64Array.from({ length: ph * pw }, (_, uv) => {
          const [row, column] = [corner[0] + Math.floor(uv / pw), corner[1] + (uv % pw)];
          const there = row >= 0 && column >= 0 && row < shape[0] && column < shape[1];
          return there ? data[row * shape[1] + column] : NaN;
        });
        grid.fill(values, largest(arrays[key].data));
        grid.cells.forEach((cell, uv) => cell.classList.toggle("winner", uv === place));
      }
      setNumber(read.shown.Y, maps.y.values.data[i * width + j]);
      setNumber(read.shown.dY, maps.dy.values.data[i * width + j]);
      verdict.textContent = t("winner_is", { row: won2d[0] - pads[0][0], column: won2d[1] - pads[1][0] });
    },
  };
}

function dropped(lab, layer, arrays, n) {
  const length = arrays.y.data.length;
  const { rate } = layer.config;
  const maskCanvas = canvas(t("mask_map"), "map block");
  const outCanvas = canvas(t("four_y"), "map block");
  const gradientCanvas = canvas(t("four_dx"), "map block");
  const off = number("off", 0);
  const [loss, rest] = [number("loss-dropped", 0), number("loss-rest", lab.trace.loss)];
  const draw = () => {
    const mask = drawMask(length, rate, Math.random);
    const masked = lab.network.trace(lab.picture.x, lab.label, { masks: { [layer.name]: mask } });
    paintGate(maskCanvas, asBlock({ data: mask }));
    paintMap(outCanvas, asBlock(masked.activations[n + 1]));
    paintMap(gradientCanvas, asBlock(masked.gradients[n]));
    setNumber(
      off,
      mask.reduce((count, m) => count + (m === 0 ? 1 : 0), 0),
    );
    setNumber(loss, masked.loss);
  };
  draw();
  return {
    controls: [button(t("draw_again"), draw, { id: "draw-again" })],
    root: h(
      "div",
      {},
      h("p", { class: "sum" }, `${t("units_off")} `, off, ` ${t("of")} ${length} (${t("rate")} ${rate})`),
      h("p", { class: "note" }, t("dropout_factor", { factor: (1 / (1 - rate)).toPrecision(4) })),
      h(
        "div",
        { class: "panels maps-only" },
        figure(t("mask_map"), maskCanvas),
        figure(`Y: ${t("four_y")}`, outCanvas),
        figure(`dX: ${t("four_dx")}`, gradientCanvas),
      ),
      h("p", { class: "sum" }, `${t("loss_with_units_off")} `, loss, ` · ${t("loss_at_rest")} `, rest),
    ),
    update() {},
  };
}

function flattened(lab, layer, arrays) {
  const [height, width, channels] = layer.input_shape;
  const length = height * width * channels;
  let c = 0;
  const map = new PlaceMap(t("four_x"), { height, width, onpoint: (i, j) => lab.go({ spot: `${i},${j},${c}` }) });
  const block = asBlock(arrays.y);
  const row = new PlaceMap(t("four_y"), {
    height: block.shape[0],
    width: block.shape[1],
    onpoint: (i, j) => goTo(Math.min(i * block.shape[1] + j, length - 1)),
  });
  const goTo = (index) => {
    const place = Math.floor(index / channels);
    lab.go({ spot: `${Math.floor(place / width)},${place % width},${index % channels}` });
  };
  paintMap(row.canvas, block);
  const words = h("p", { class: "sum" });
  const value = number("flat-value", 0);
  const caption = h("span", {});
  const indexField = counter("index", t("index"), 0, length, goTo);
  return {
    controls: [
      indexField,
      choice("map-of", t("map"), upTo(channels), 0, (chosen) => {
        const [i, j] = lab.place(height, width);
        lab.go({ spot: `${i},${j},${chosen}` });
      }),
    ],
    root: h(
      "div",
      {},
      h("div", { class: "panels" }, figure(caption, map.root), "→", figure(t("flat_row"), row.root)),
      words,
      value,
    ),
    update() {
      const [i, j] = lab.place(height, width);
      c = Math.min(Math.max(Number(lab.spot.split(",")[2] ?? 0) || 0, 0), channels - 1);
      const index = (i * width + j) * channels + c;
      paintMap(map.canvas, channelOf(arrays.x, c), largest(arrays.x.data));
      caption.textContent = `X: ${t("map")} ${c}`;
      map.mark(i, j);
      row.mark(Math.floor(index / block.shape[1]), index % block.shape[1]);
      const input = indexField.querySelector("input");
      if (input !== document.activeElement) input.value = index;
      words.textContent = `(${i}·${width} + ${j})·${channels} + ${c} = ${index}:`;
      setNumber(value, arrays.y.data[index]);
    },
  };
}
