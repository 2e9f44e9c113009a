// The training as it went: filters, maps, saliency and confusion matrix after the epochs that were recorded.

import { channelOf, inks, largest, num, paintImage, paintMap } from "../draw.js";
import { t } from "../language.js";
import { Network, unpack } from "../network.js";
import { Player, canvas, choice, figure, h, head, layerName, number, slider } from "../parts.js";
import { maxAbs, normalise, overlay } from "../saliency.js";
import { chart } from "../chart.js";

const SHOWN = 16; // filters and maps

export function time(lab) {
  const { epochs } = lab.data;
  const top = head("time", [
    ["batik_scratch/lab/training.py", "main"],
    ["batik_scratch/nn/fitting/loop.py", "fit"],
  ]);
  if (!epochs) return { root: h("section", {}, top, h("p", { class: "verdict" }, t("time_none"))), update() {} };
  lab.past ??= { network: new Network(lab.data.model), rows: epochs.weights.map((row) => unpack(row).data) };
  const count = epochs.epoch.length;
  const wanted = () =>
    lab.extra === ""
      ? count - 1
      : Math.max(
          epochs.epoch.findLastIndex((epoch) => epoch <= Number(lab.extra)),
          0,
        );
  let at = wanted();
  const convolutions = lab.network.layers.filter(({ type }) => type === "Conv2D");
  let chosen = convolutions.find(({ name }) => name === lab.timeLayer) ?? convolutions[0];
  const parts = Object.fromEntries(
    ["filters", "maps", "confusion", "loss", "accuracy", "answer"].map((name) => [name, h("div", { class: name })]),
  );
  const cloth = canvas(t("overlay"), "map large");

  function show() {
    const { network } = lab.past;
    network.take(lab.past.rows[at]);
    const up = network.forward(lab.picture.x);
    const predicted = up.p.data.reduce((best, p, u, all) => (p > all[best] ? u : best), 0);
    const map = normalise(maxAbs(network.inputGradient(up, predicted)));
    paintImage(cloth, overlay(lab.picture.x, map));
    parts.filters.replaceChildren(...filterTiles(network));
    const array = up.activations[network.place(chosen.name) + 1];
    const scale = largest(array.data);
    parts.maps.replaceChildren(
      ...Array.from({ length: Math.min(array.shape[2], SHOWN) }, (_, c) => {
        const drawn = canvas(`${t("map")} ${c}`);
        paintMap(drawn, channelOf(array, c), scale);
        return drawn;
      }),
    );
    parts.confusion.replaceChildren(confusionTable(lab, epochs.confusion[at]));
    parts.answer.replaceChildren(
      h(
        "p",
        { class: "verdict", role: "status" },
        ...[`${t("after_epochs", { epoch: epochs.epoch[at] })} `, lab.network.classNames[predicted], ", p = "],
        number("p", up.p.data[predicted]),
      ),
    );
    for (const [name, keys] of Object.entries({ loss: ["loss", "val_loss"], accuracy: ["accuracy", "val_accuracy"] })) {
      parts[name].replaceChildren(curves(epochs, name, keys, at));
    }
  }

  const moved = (value) => {
    at = value;
    lab.extra = String(epochs.epoch[at]);
    lab.go({});
    show();
  };
  const told = (value) => `${t("epoch")} ${epochs.epoch[value]}`;
  const range = slider("epoch", t("time_slider"), { min: 0, max: count - 1, step: 1, value: at }, moved, told);
  const slide = (next) => {
    range.querySelector("input").value = next;
    range.querySelector("output").textContent = told(next);
  };
  const player = new Player(() => {
    const next = (at + 1) % count;
    slide(next);
    moved(next);
    return next < count - 1;
  }, 1.5);
  const options = convolutions.map((layer) => [layer.name, layerName(layer)]);
  const root = h(
    "section",
    {},
    top,
    h(
      "div",
      { class: "controls" },
      range,
      player.root,
      choice("time-layer", t("maps_of"), options, chosen.name, (name) => {
        lab.timeLayer = name;
        chosen = convolutions.find((layer) => layer.name === name);
        show();
      }),
    ),
    parts.answer,
    h(
      "div",
      { class: "panels time-panels" },
      figure(t("first_filters"), parts.filters),
      figure(t("time_maps"), parts.maps),
      figure(t("time_saliency"), cloth),
      figure(t("confusion"), parts.confusion),
    ),
    h("div", { class: "panels" }, parts.loss, parts.accuracy),
  );
  show();
  // a link to another epoch, opened in this page
  function update() {
    if (wanted() === at) return;
    at = wanted();
    slide(at);
    show();
  }
  return { root, update };
}

// Filters of the first convolution as colours: grey is no weight, brighter and darker are plus and minus.
function filterTiles(network) {
  const first = network.layers.find(({ type }) => type === "Conv2D");
  const [kh, kw, channels, filters] = first.params.kernel.shape;
  if (channels !== 3) return [];
  const scale = largest(first.params.kernel.data) || 1;
  return Array.from({ length: Math.min(filters, SHOWN) }, (_, f) => {
    const tile = { shape: [kh, kw, 3], data: new Float64Array(kh * kw * 3) };
    for (let n = 0; n < tile.data.length; n++)
      tile.data[n] = 0.5 + first.params.kernel.data[n * filters + f] / (2 * scale);
    const drawn = canvas(`${t("filter")} ${f}`);
    paintImage(drawn, tile);
    return drawn;
  });
}

function confusionTable(lab, matrix) {
  const names = lab.network.classNames;
  const most = Math.max(...matrix.map((row) => row.reduce((a, b) => a + b, 0)), 1);
  const header = h(
    "tr",
    {},
    h("td", {}),
    names.map((name) => h("th", { scope: "col" }, name)),
  );
  const rows = matrix.map((row, n) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, names[n]),
      row.map((count, m) => {
        const ink = inks(n === m ? -count : count, most);
        return h(
          "td",
          { class: "count", "data-name": `confusion${n}${m}`, "data-value": count, style: ink },
          String(count),
        );
      }),
    ),
  );
  const table = h(
    "table",
    { class: "confusion" },
    h("caption", {}, t("confusion_caption")),
    h("thead", {}, header),
    h("tbody", {}, rows),
  );
  return h("div", { class: "scroll-x", tabindex: 0, role: "group", "aria-label": t("confusion") }, table);
}

function curves(epochs, name, keys, at) {
  const points = (key) => epochs.curves[key].map((value, epoch) => [epoch, value]);
  const told = num(epochs.curves[keys[1]][epochs.epoch[at]]);
  return chart({
    label: t("time_chart", { name: t(name), epoch: epochs.epoch[at], value: told }),
    ...{ xLabel: t("epoch"), yLabel: t(name) },
    series: [
      { name: t("training"), className: "training", points: points(keys[0]) },
      { name: t("validation"), className: "curve", points: points(keys[1]) },
    ],
    marks: [{ x: epochs.epoch[at], className: "now" }],
  });
}
