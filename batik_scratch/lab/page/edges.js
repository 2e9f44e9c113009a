// Which maps or units a map or unit is made from, and by what weights: the lines of the overview.

const STRONGEST = 24; // of a dense unit's edges

// [{ from, weight, share }] of channel or unit c; share is the weight's part of the largest one, in [0, 1].
export function edgesInto(layer, c, input) {
  if (layer.type === "Conv2D") return shares(kernelSums(layer, c));
  if (layer.type === "Dense") return shares(strongest(layer, c, input));
  const sizes = [layer.input_shape.at(-1), layer.output_shape.at(-1)];
  if (layer.type === "Flatten") return Array.from({ length: sizes[0] }, (_, from) => ({ from, weight: 1, share: 0.2 }));
  if (layer.type === "Softmax") return Array.from({ length: sizes[0] }, (_, from) => ({ from, weight: 1, share: 0.3 }));
  return sizes[0] === sizes[1] ? [{ from: c, weight: 1, share: 0.5 }] : [];
}

// For each channel in: the sum of its slice of the kernel says the sign, its length the width.
function kernelSums(layer, filter) {
  const [kh, kw, channels, filters] = layer.params.kernel.shape;
  return Array.from({ length: channels }, (_, from) => {
    let [sum, squares] = [0, 0];
    for (let uv = 0; uv < kh * kw; uv++) {
      const w = layer.params.kernel.data[(uv * channels + from) * filters + filter];
      sum += w;
      squares += w * w;
    }
    return { from, weight: Math.sign(sum) * Math.sqrt(squares) };
  });
}

function strongest(layer, unit, input) {
  const units = layer.output_shape[0];
  return [...input.data]
    .map((value, from) => ({ from, weight: value * layer.params.kernel.data[from * units + unit] }))
    .sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight))
    .slice(0, STRONGEST);
}

function shares(edges) {
  const most = edges.reduce((largest, { weight }) => Math.max(largest, Math.abs(weight)), 0) || 1;
  return edges.map((edge) => ({ ...edge, share: Math.abs(edge.weight) / most }));
}
