// node engine_numbers.mjs PAGE GIVEN MADE: every activation and gradient of every image in GIVEN, as float64 in MADE.
import { readFileSync, writeFileSync } from "node:fs";

const [page, given, made] = process.argv.slice(2);
const { Network, unpack } = await import(`${page}/network.js`);
const { adam, sgd, zeros } = await import(`${page}/engine.js`);
const { maxAbs, normalise, overlay } = await import(`${page}/saliency.js`);
const data = JSON.parse(readFileSync(given, "utf8"));

const index = [];
const parts = [];
let total = 0;
function tell(name, values) {
  index.push([name, total, values.length]);
  total += values.length;
  parts.push(Float64Array.from(values));
}

const network = new Network(data.model);
data.images.forEach((image, number) => {
  const x = unpack(image.pixels);
  x.data = x.data.map((value) => value / 255);
  const trace = network.trace(x, data.labels[number], { masks: data.masks });
  trace.activations.forEach((array, n) => tell(`${number}/activation/${n}`, array.data));
  trace.gradients.forEach((array, n) => tell(`${number}/gradient/${n}`, array.data));
  trace.grads.forEach((grads, n) => {
    for (const [key, array] of Object.entries(grads)) tell(`${number}/grads/${n}/${key}`, array.data);
  });
  tell(`${number}/loss`, [trace.loss]);
  const up = network.forward(x);
  const gradient = network.inputGradient(up, data.labels[number]);
  const map = normalise(maxAbs(gradient));
  tell(`${number}/map`, map.data);
  tell(`${number}/overlay`, overlay(x, map).data);
  if (number === 0) {
    const again = network.forward(null, {}, up, 2); // from layer 2 on, with what stands below it
    tell("again", again.logits.data);
    const parameters = network.parameters();
    const gradients = (at) => parameters.map(({ key, place }) => at.grads[place][key]);
    const start = parameters.map(({ value }) => Float64Array.from(value.data));
    const memory = parameters.map(({ value }) => ({ m: zeros(value.shape), v: zeros(value.shape) }));
    for (let t = 1; t <= 3; t++) {
      const g = gradients(network.trace(x, data.labels[0]));
      parameters.forEach(({ value }, n) => {
        value.data.set(adam(value, g[n], memory[n].m, memory[n].v, 0.01, t).data);
      });
    }
    tell("adam", network.parameters().flatMap(({ value }) => [...value.data]));
    parameters.forEach(({ value }, n) => value.data.set(start[n]));
    const g = gradients(network.trace(x, data.labels[0]));
    parameters.forEach(({ value }, n) => value.data.set(sgd(value, g[n], 0.05).data));
    tell("sgd", network.parameters().flatMap(({ value }) => [...value.data]));
    parameters.forEach(({ value }, n) => value.data.set(start[n]));
  }
});

writeFileSync(made, new Uint8Array(Buffer.concat(parts.map((part) => Buffer.from(part.buffer)))));
process.stdout.write(JSON.stringify(index));
