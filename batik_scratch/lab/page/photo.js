// A photo from the reader's own disk as an input of the network. It stays on this machine.

import { zeros } from "./engine.js";

// Squeezed to the network's size, on white where it is transparent, as the package does; its resampling differs a little.
export async function readPhoto(file, [height, width]) {
  const bitmap = await createImageBitmap(file);
  let [w, h] = [bitmap.width, bitmap.height];
  let source = bitmap;
  while (w > 2 * width || h > 2 * height) {
    [w, h] = [Math.max(width, Math.ceil(w / 2)), Math.max(height, Math.ceil(h / 2))]; // by halves: each pixel counts
    source = drawn(source, w, h);
  }
  const pixels = drawn(source, width, height).getContext("2d").getImageData(0, 0, width, height).data;
  const x = zeros([height, width, 3]);
  for (let n = 0; n < height * width; n++) {
    for (let c = 0; c < 3; c++) x.data[3 * n + c] = pixels[4 * n + c] / 255;
  }
  return x;
}

function drawn(source, width, height) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d");
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(source, 0, 0, width, height);
  return canvas;
}
