"""Runs inside Pyodide (see run.mjs): what a reader of the site does in the browser, with the wheel that the site has.

Each line that begins with "ok" is something that test_site_pyodide.py waits for.
"""

import runpy
import sys
import warnings
from pathlib import Path

warnings.simplefilter("error")

import numpy as np  # noqa: E402

from batik_scratch import motifs, nn, saliency  # noqa: E402
from batik_scratch.learn import exercises  # noqa: E402
from batik_scratch.nn.gradcheck import check_layer, check_loss  # noqa: E402
from batik_scratch.ops import threads  # noqa: E402
from batik_scratch.ops.jit import plain_reason  # noqa: E402

assert sys.platform == "emscripten" and plain_reason() and threads.count() == 1
print("ok import", flush=True)

IMAGE = (5, 6, 2)
LAYERS = {
    "im2col": (nn.Conv2D(3, 3, algorithm="im2col"), IMAGE),
    "loops, strided": (nn.Conv2D(3, (3, 2), strides=2, padding="same", algorithm="loops"), IMAGE),
    "winograd": (nn.Conv2D(3, 3, algorithm="winograd"), (7, 8, 2)),
    "max-pooling": (nn.MaxPooling2D(2), IMAGE),
    "average pooling": (nn.AveragePooling2D(2), IMAGE),
    "dense": (nn.Dense(3), (4,)),
    "relu": (nn.ReLU(), (6,)),
    "softmax": (nn.Softmax(), (4,)),
    "dropout": (nn.Dropout(0.4), (8,)),
    "batch normalisation": (nn.BatchNormalization(), IMAGE),
}
for name, (layer, shape) in LAYERS.items():
    report = check_layer(layer, shape)
    assert report.ok, f"{name}\n{report}"
assert check_loss(nn.SparseCategoricalCrossentropy(from_logits=True)).ok
print(f"ok gradcheck of {len(LAYERS)} layers", flush=True)

sys.argv = ["06_im2col_and_col2im.py", "--quick"]
runpy.run_path("/lessons/06_im2col_and_col2im.py", run_name="__main__")
assert list(Path().glob("*.png")), "the lesson draws"
print("ok lesson 6", flush=True)

answer = exercises.solution(exercises.find("dense"))
Path("right").mkdir()
Path("right/dense.py").write_text(answer)
result = exercises.check(Path("right/dense.py"))
assert result.ok, str(result)
print("ok right answer", flush=True)

wrong = answer.replace("= x.T @ dy", "= x.T @ dy / len(x)")
assert wrong != answer
Path("right/dense.py").write_text(wrong)
result = exercises.check(Path("right/dense.py"))
assert not result.ok and "the batch" in str(result), str(result)
print("the doctor:", result.verdict.findings[0].sentence)
print("ok wrong answer", flush=True)

cloth, _ = motifs.draw("mega_mendung", np.random.default_rng(0), 64, difficulty=0.0)
model = nn.Sequential(
    [nn.Conv2D(4, 3), nn.ReLU(), nn.MaxPooling2D(2), nn.Flatten(), nn.Dense(3), nn.Softmax()],
    input_shape=(64, 64, 3),
    random_state=0,
)
x = cloth[None].astype(np.float32) / 255
map_ = saliency.Gradient(model).attribute(x, target="predicted")[0]
row, column = np.unravel_index(np.abs(map_).sum(axis=-1).argmax(), (64, 64))
nudged, step = x.astype(np.float64), 1e-3
wanted = int(model.predict(x)[0].argmax())
up, down = nudged.copy(), nudged.copy()
up[0, row, column, 0] += step
down[0, row, column, 0] -= step
slope = (model.logits(up)[0, wanted] - model.logits(down)[0, wanted]) / (2 * step)
assert np.isclose(slope, map_[row, column, 0], rtol=0.02, atol=1e-4), (slope, map_[row, column, 0])
print("ok saliency of a drawn cloth", flush=True)

model.compile(nn.Adam(1e-3))
model.fit(np.repeat(x, 4, axis=0), np.zeros(4, int), epochs=1, verbose=0)
model.save("model.npz")
assert nn.Sequential.load("model.npz").predict(x).shape == (1, 3)
print("ok trained, saved and loaded", flush=True)
