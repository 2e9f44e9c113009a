// Layers without weights that no view explains: their formula, where it is, and their four arrays.

import { asBlock, channelOf, paintMap } from "../draw.js";
import { t } from "../language.js";
import { canvas, figure, h, setNumber } from "../parts.js";
import { four, readings, same } from "./four.js";

export const OTHERS = {
  Absolute: ["Y = |X|        dX = dY · sign(X)", ["batik_scratch/nn/layers/absolute.py", "Absolute"]],
  AveragePooling2D: [
    "Y[i,j,c] = Σ_{u,v} X[i·s+u, j·s+v, c] / (ph·pw)        dX = dY / (ph·pw)",
    ["batik_scratch/nn/layers/pooling.py", "AveragePooling2D"],
  ],
  BatchNormalization: [
    "Y = γ (X − μ) / √(v + ε) + β        dX = γ dY / √(v + ε)",
    ["batik_scratch/nn/layers/batch_norm.py", "BatchNormalization"],
  ],
  GlobalAveragePooling2D: [
    "Y[c] = Σ_{i,j} X[i,j,c] / (H·W)        dX[i,j,c] = dY[c] / (H·W)",
    ["batik_scratch/nn/layers/pooling.py", "GlobalAveragePooling2D"],
  ],
  LeakyReLU: [
    "Y = X (X > 0), a·X (X ≤ 0)        dX = dY (X > 0), a·dY (X ≤ 0)",
    ["batik_scratch/nn/layers/leaky_relu.py", "LeakyReLU"],
  ],
  Log: ["Y = log(X + ε)        dX = dY / (X + ε)", ["batik_scratch/nn/layers/log.py", "Log"]],
  Rescaling: ["Y = a·X + b        dX = a·dY", ["batik_scratch/nn/layers/rescaling.py", "Rescaling"]],
  Sigmoid: ["Y = 1 / (1 + exp(−X))        dX = dY · Y (1 − Y)", ["batik_scratch/nn/layers/squashing.py", "Sigmoid"]],
  Standardization: [
    "Y = (X − mean(X)) / s        dX = (dY − mean(dY) − Y · mean(dY · Y)) / s",
    ["batik_scratch/nn/layers/standardization.py", "Standardization"],
  ],
  Tanh: ["Y = tanh(X)        dX = dY (1 − Y²)", ["batik_scratch/nn/layers/squashing.py", "Tanh"]],
};

export function plain(lab, layer, arrays) {
  const sameShape = arrays.x.shape.length === arrays.y.shape.length;
  if (!sameShape || arrays.x.shape[0] !== arrays.y.shape[0]) return averages(lab, arrays);
  const maps = four(lab, arrays, same);
  const read = readings(["X", "Y", "dY", "dX"]);
  const { values } = maps.x;
  return {
    root: h(
      "div",
      {},
      h(
        "div",
        { class: "panels maps-only" },
        Object.values(maps).map((one) => one.figure),
      ),
      read.root,
    ),
    update() {
      const [i, j] = lab.place(...values.shape);
      for (const { placed } of Object.values(maps)) placed.mark(i, j);
      for (const [name, key] of Object.entries({ X: "x", Y: "y", dY: "dy", dX: "dx" })) {
        setNumber(read.shown[name], maps[key].values.data[i * values.shape[1] + j]);
      }
    },
  };
}

// Poolings that take a mean: maps of the input and what became of them.
function averages(lab, arrays) {
  const figures = Object.entries({ x: "X", y: "Y", dy: "dY", dx: "dX" }).map(([key, name]) => {
    const drawn = canvas(`${name} ${t(`four_${key}`)}`);
    const array = arrays[key];
    paintMap(
      drawn,
      array.shape.length === 3 ? channelOf(array, Math.min(lab.channel, array.shape[2] - 1)) : asBlock(array),
    );
    return figure(`${name}: ${t(`four_${key}`)}`, drawn);
  });
  return { root: h("div", { class: "panels maps-only" }, figures), update() {} };
}
