// What the page is about, where one stands in it, and the address that says so.
//
//   #nudge                            a view, where there is something to see
//   #overview   #overview/gradients   #step   #time/12   #saliency        a view, and what it shows
//   #conv2d_1/3/10,12/backward        layer, channel or unit, place, view
//   ...?image=4&class=1&lang=id       picture, explained class, language
//   ...?pixel=11,13,2                 the number of the input that is asked about: row, column, channel
//
// A teacher puts such an address on a slide; it is written again a moment after anything was moved.

import { crossEntropy, like } from "./engine.js";
import { language, setLanguage } from "./language.js";
import { Network, unpack } from "./network.js";
import { busiestUnit } from "./upwards.js";

const ALONE = ["overview", "step", "time", "saliency", "softmax"];
export const PLACED = ["forward", "backward", "gates", "dense", "nudge"];
const BOTH_WAYS = ["forward", "backward"]; // they keep the place
const WRITE_AFTER = 300; // milliseconds: browsers complain of an address that is written at every movement

export class Lab {
  constructor(data) {
    this.data = data;
    this.network = new Network(data.model);
    this.start = this.network.copyOfWeights();
    this.pictures = data.images.map((image) => ({ ...image, x: like(unpack(image.pixels), (value) => value / 255) }));
    this.version = 0; // counts changes of weights, pictures and labels: what was computed before is out of date
    this.changed = false; // are the weights others than the file's?
    this.kept = []; // what was nudged and kept: see views/nudge.js
    this.left = {}; // where each view was when it was left
    this.draw = () => {};
    this.read();
  }

  // ------------------------------------------------------------ what is computed, once for each state of things

  once(name, compute) {
    const key = `${this.version}/${this.image}`;
    if (this.computed?.key !== key) this.computed = { key };
    this.computed[name] ??= compute();
    return this.computed[name];
  }

  get picture() {
    return this.pictures[this.image];
  }

  get up() {
    return this.once("up", () => this.network.forward(this.picture.x));
  }

  get predicted() {
    return this.up.p.data.reduce((best, p, u, all) => (p > all[best] ? u : best), 0);
  }

  // The class that the loss counts as right: the picture's own, or the predicted one if nobody knows it.
  get label() {
    return this.picture.label ?? this.predicted;
  }

  get trace() {
    return this.once("trace", () => this.network.trace(this.picture.x, this.label));
  }

  // The class whose logit the saliency map explains, and the gradient of that logit at the pixels.
  get explained() {
    return this.target ?? this.predicted;
  }

  get ofTheLogit() {
    return this.once(`logit${this.explained}`, () => this.network.inputGradient(this.up, this.explained));
  }

  // ------------------------------------------------------------ changes

  touch() {
    this.version++;
    this.draw();
  }

  weightsChanged() {
    this.changed = true;
    this.touch();
  }

  pixelsChanged() {
    this.picture.changes = (this.picture.changes ?? 0) + 1;
    this.touch();
  }

  // The loss of this picture with the file's weights, to compare with once they are others.
  get lossOfFile() {
    const key = JSON.stringify([this.image, this.label, this.picture.changes]);
    if (this.ofFile?.key === key) return this.ofFile.loss;
    const now = this.network.copyOfWeights();
    this.network.take(this.start);
    const { logits } = this.network.forward(this.picture.x);
    this.network.take(now);
    this.ofFile = { key, loss: crossEntropy(logits, this.label).value };
    return this.ofFile.loss;
  }

  // Back to the file's weights; `steps` is what the view of steps begins with.
  resetWeights(steps = null) {
    this.network.take(this.start);
    this.changed = false;
    this.kept = this.kept.filter(({ pixel }) => pixel);
    this.steps = steps;
    this.touch();
  }

  addPicture(picture) {
    this.pictures.push(picture);
    this.go({ image: this.pictures.length - 1 });
  }

  // ------------------------------------------------------------ the address

  go(changes) {
    this.remember();
    Object.assign(this, changes);
    this.settle();
    clearTimeout(this.writing);
    this.writing = setTimeout(() => this.write(), WRITE_AFTER);
    this.draw();
  }

  // As a link goes: the browser's button leads back to where one was, and the new view is seen from its top, or from
  // element `to` if that would not be in sight. If one is to `stay`, the page moves only so far as `to` makes it, and the
  // focus goes to its heading.
  travel(changes, { to = null, stay = false } = {}) {
    this.write();
    history.pushState(null, "", location.hash);
    this.go(changes);
    this.write();
    const target = to && document.getElementById(to);
    if (!stay || !target) scrollTo(0, 0);
    if (!target) return;
    const { top, bottom } = target.getBoundingClientRect();
    if (top < 0 || bottom > innerHeight) target.scrollIntoView();
    if (stay) target.querySelector("h3").focus({ preventScroll: true });
  }

  remember() {
    const { layer, channel, spot, extra, pixel } = this;
    if (this.view) this.left[this.view] = { layer, channel, spot, extra, pixel };
  }

  // What a view's tab opens: the layer that one is at, if the view can show it, else what one saw there last.
  seenLast(view) {
    const last = this.left[view];
    if (view === this.view) return {};
    if (ALONE.includes(view)) return { view, extra: last?.extra ?? "", pixel: null };
    if (BOTH_WAYS.includes(view) && BOTH_WAYS.includes(this.view)) return { view, extra: "" };
    const fitting = this.current && fits(this.current, view);
    return last && (!fitting || last.layer === this.layer)
      ? { view, ...last }
      : { view, extra: "", spot: "", pixel: null };
  }

  read() {
    this.remember();
    const [path, query] = location.hash.slice(1).split("?");
    const wanted = new URLSearchParams(query ?? "");
    const parts = path.split("/").filter(Boolean).map(decoded);
    const placed = parts.length > 0 && !ALONE.includes(parts[0]);
    const bare = parts.length === 1 && PLACED.includes(parts[0]); // a view without a place
    this.view = placed && !bare ? (parts[3] ?? "") : (parts[0] ?? "overview");
    this.layer = placed ? parts[0] : (this.layer ?? "");
    this.channel = placed ? Number(parts[1] ?? 0) : 0;
    this.spot = placed ? (parts[2] ?? "") : "";
    this.extra = placed ? "" : (parts[1] ?? "");
    this.image = Number(wanted.get("image") ?? 0);
    this.target = wanted.has("class") ? Number(wanted.get("class")) : null;
    this.pixel = wanted.get("pixel");
    setLanguage(wanted.get("lang") ?? (navigator.language ?? "en").slice(0, 2));
    this.settle();
  }

  // What an address names and there is not becomes the nearest thing that there is.
  settle() {
    const inside = (value, count) => (Number.isInteger(value) && value >= 0 && value < count ? value : 0);
    this.image = inside(this.image, this.pictures.length);
    if (this.target !== null) this.target = inside(this.target, this.network.classNames.length);
    if (this.view === "nudge" && this.layer === "input") return;
    const named = this.network.layers.find((layer) => layer.name === this.layer);
    if (ALONE.includes(this.view)) return;
    if (!PLACED.includes(this.view)) this.view = named ? viewOf(named) : "overview";
    if (this.view === "overview") return;
    const fitting = this.network.layers.filter((layer) => fits(layer, this.view));
    if (!fitting.length) {
      this.view = "overview";
    } else if (!named || !fits(named, this.view)) {
      this.layer = fitting[0].name;
      this.channel = this.view === "dense" ? busiestUnit(this, fitting[0]) : 0;
      this.spot = "";
    } else {
      this.channel = inside(this.channel, named.output_shape.at(-1));
    }
  }

  address() {
    const query = new URLSearchParams();
    if (this.image) query.set("image", this.image);
    if (this.target !== null) query.set("class", this.target);
    if (this.pixel) query.set("pixel", this.pixel);
    if (language() !== "en" || !(navigator.language ?? "en").startsWith("en")) query.set("lang", language());
    const own = ALONE.includes(this.view)
      ? [this.view, this.extra].filter(Boolean)
      : [encodeURIComponent(this.layer), this.channel, this.spot || "0,0", this.view];
    const text = query.toString().replaceAll("%2C", ",");
    return `#${own.join("/")}${text ? `?${text}` : ""}`;
  }

  addressOf(changes) {
    const there = Object.assign(Object.create(this), changes);
    there.settle();
    return there.address();
  }

  write() {
    clearTimeout(this.writing);
    if (location.hash !== this.address()) history.replaceState(null, "", this.address());
  }

  // The current layer, and a place that lies in an array of this height and width.
  get current() {
    return this.network.layers.find((layer) => layer.name === this.layer);
  }

  place(height, width) {
    const [row, column] = this.spot.split(",").map(Number);
    const inside = (value, count) => Math.min(Math.max(Number.isInteger(value) ? value : 0, 0), count - 1);
    return [inside(row, height), inside(column, width)];
  }
}

// A part of an address; one that was cut in the middle of a letter stays as it is.
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

// Which view shows a layer, and whether a view can.
export function viewOf(layer) {
  if (layer.type === "Conv2D") return "forward";
  if (layer.type === "Dense") return "dense";
  return layer.type === "Softmax" ? "softmax" : "gates";
}

export function fits(layer, view) {
  if (view === "forward" || view === "backward") return layer.type === "Conv2D";
  if (view === "dense") return layer.type === "Dense";
  if (view === "nudge") return layer.type === "Conv2D" || layer.type === "Dense";
  return view === "gates" && !["Conv2D", "Dense", "Softmax"].includes(layer.type);
}
