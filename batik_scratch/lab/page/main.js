// The page itself: its head, the pictures, the tabs, and the view that the address names.

import { paintImage } from "./draw.js";
import { language, languages, setLanguage, setTexts, t } from "./language.js";
import { button, canvas, choice, h, number } from "./parts.js";
import { readPhoto } from "./photo.js";
import { Lab } from "./state.js";
import { wordList } from "./words.js";
import { backward } from "./views/backward.js";
import { dense } from "./views/dense.js";
import { forward } from "./views/forward.js";
import { gates } from "./views/gates.js";
import { nudge } from "./views/nudge.js";
import { overview } from "./views/overview.js";
import { saliency } from "./views/saliency.js";
import { softmax } from "./views/softmax.js";
import { step } from "./views/step.js";
import { time } from "./views/time.js";

const VIEWS = { overview, forward, backward, gates, dense, softmax, nudge, step, time, saliency };

setTexts(JSON.parse(document.getElementById("languages").textContent));
const lab = new Lab(JSON.parse(document.getElementById("data").textContent));
const app = document.getElementById("app");
const status = h("p", { class: "hidden-status", role: "status" });
let shown = { key: null, view: null };

// A view is built anew when it is about something else, and otherwise only brought up to date.
function draw() {
  const { view, layer, channel, extra, image, target, version } = lab;
  const about = ["forward", "backward", "gates"].includes(view) ? [layer, channel] : [layer, channel, lab.spot, target];
  const own = ["saliency", "time"].includes(view) ? [target] : [extra, ...about];
  const key = JSON.stringify([view, image, version, language(), view === "overview" || view === "step" ? extra : own]);
  if (key !== shown.key) {
    const focused = document.activeElement?.id;
    const scroll = shown.view === view ? scrollY : null;
    const made = VIEWS[view](lab);
    made.root.querySelector(".view-head").append(wordList(view));
    app.replaceChildren(masthead(), tabs(), h("main", { id: "main" }, made.root), foot(), status);
    showTab();
    document.title = `${app.querySelector("h2").textContent} · ${t("title")}`;
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
    if (scroll !== null) scrollTo(0, scroll);
    else if (shown.key) scrollTo(0, 0);
    shown = { key, view, made };
  }
  shown.made.update();
}

function masthead() {
  const choose = choice(
    "language",
    t("language_label"),
    languages().map(({ code, name }) => [code, name]),
    language(),
    (code) => {
      setLanguage(code);
      lab.go({});
    },
  );
  const reset = lab.changed
    ? h(
        "p",
        { class: "changed" },
        `${t("weights_changed")} ${t("loss_of_picture", { name: lab.picture.name })} `,
        ...[number("file-loss", lab.lossOfFile), " → ", number("loss-now", lab.trace.loss), " "],
        button(t("reset_weights"), () => lab.resetWeights(), { id: "reset" }),
      )
    : null;
  const skip = button(t("skip"), () => document.querySelector("main h2").focus(), { class: "skip" });
  return h(
    "header",
    { class: "masthead" },
    skip,
    h("div", { class: "title" }, h("h1", {}, t("title")), h("p", {}, network()), choose),
    pictures(),
    reset,
  );
}

function network() {
  const { name, input_shape: shape } = lab.data.model;
  return `${name ?? t("own_network")} · ${shape.join("×")} → ${lab.network.classNames.join(", ")}`;
}

function pictures() {
  const thumbs = lab.pictures.map(({ name, x }, n) => {
    const thumb = canvas("", "thumb");
    thumb.removeAttribute("role");
    thumb.setAttribute("aria-hidden", "true");
    paintImage(thumb, x);
    const on = n === lab.image;
    return button(thumb, () => lab.go({ image: n }), {
      ...{
        id: `picture-${n}`,
        class: `picture ${on ? "on" : ""}`,
        "aria-label": name,
        "aria-pressed": on,
        title: name,
      },
    });
  });
  const file = h("input", { type: "file", accept: "image/*", id: "photo", onchange: () => take(file.files[0]) });
  const unknown = lab.picture.label === null;
  const label = choice(
    "label",
    t("true_class"),
    [["", t("as_predicted")], ...lab.network.classNames.map((name, u) => [u, name])],
    unknown ? "" : lab.picture.label,
    (value) => {
      lab.picture.label = value === "" ? null : Number(value);
      lab.touch();
    },
  );
  return h(
    "div",
    { class: "pictures" },
    h("div", { class: "thumbs", role: "group", "aria-label": t("pictures") }, thumbs),
    h("label", { class: "photo" }, t("own_photo"), file),
    label,
  );
}

// The tabs, in one row that may be longer than the screen, and the question that the one in sight answers.
function tabs() {
  const question = h("p", { class: "question" });
  const ask = (view) => question.replaceChildren(h("strong", {}, `${t(`tab_${view}`)}:`), " ", t(`question_${view}`));
  const links = Object.keys(VIEWS).map((view) => {
    const on = view === lab.view;
    const name = t(`tab_${view}`);
    const props = {
      href: lab.addressOf(lab.seenLast(view)),
      class: on ? "on" : "",
      "aria-current": on ? "page" : null,
      id: `tab-${view}`,
    };
    const told = { title: t(`question_${view}`), "data-name": name }; // the name once more, to keep room for it in bold
    const asks = { onpointerenter: () => ask(view), onfocus: () => ask(view) };
    return h("a", { ...props, ...told, ...asks, onclick: (event) => follow(event, view) }, name);
  });
  const back = () => ask(lab.view);
  ask(lab.view);
  const row = h("div", { class: "tabs", onpointerleave: back, onfocusout: back }, links);
  return h("nav", { "aria-label": t("views") }, row, question);
}

// Scroll the row so far that the tab in sight can be seen.
function showTab() {
  const row = app.querySelector(".tabs");
  const tab = row.querySelector(".on");
  row.scrollLeft = tab.offsetLeft - row.offsetLeft - (row.clientWidth - tab.offsetWidth) / 2;
}

// A tab comes back to what was seen there, and the browser's button to what was seen here.
function follow(event, view) {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a new tab, as with any link
  event.preventDefault();
  if (view !== lab.view) lab.travel(lab.seenLast(view));
}

function foot() {
  const lines = [t("foot_local"), t("foot_float64"), `batik_scratch ${lab.data.version}`];
  return h(
    "footer",
    {},
    lines.map((line) => h("p", {}, line)),
  );
}

async function take(file) {
  if (!file) return;
  try {
    const x = await readPhoto(file, lab.network.inputShape);
    lab.addPicture({ name: file.name, label: null, x });
    status.textContent = t("photo_taken", { name: file.name });
  } catch {
    status.textContent = t("photo_refused", { name: file.name });
    status.classList.add("seen");
  }
}

addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => {
  event.preventDefault();
  take(event.dataTransfer.files[0]);
});
addEventListener("hashchange", () => {
  lab.read();
  lab.draw();
});
lab.draw = draw;
lab.draw();
