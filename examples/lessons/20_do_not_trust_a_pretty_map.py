# %% [markdown]
# # 20. Do not trust a pretty map
#
# Needs lessons 16 to 19. About fifteen minutes.
#
# A saliency map always shows *something*, often something that looks right: the outline of the motif, say. But an edge
# detector shows that too, and it has never seen the network. Adebayo and others (2018) proposed a test that any
# explanation of a network should pass: destroy the network, and see whether the explanation changes. If it does not, it
# was a picture of the picture.
#
# ## Destroy it from the top
#
# We draw the weights of the last layer anew, then those of the last two, and so on down to the first convolution:
# cascading randomisation. Likeness is Spearman's rank correlation of the absolute values: 1 for the same order of
# pixels, 0 for none.
#
# ```text
# the order of a map with itself: 1.00
# with its negative, absolute: 1.00
# with independent noise, about: 0.0
# ```

# %%
import numpy as np

from batik_scratch import figures
from batik_scratch.learn import lesson
from batik_scratch.saliency import METHODS, evaluation

rng = np.random.default_rng(0)
maps, noise = rng.normal(size=(4, 40, 40)), rng.normal(size=(4, 40, 40))
kind = "spearman, absolute"
print(f"the order of a map with itself: {evaluation.similarity(maps, maps)[kind].mean():.2f}")
print(f"with its negative, absolute: {evaluation.similarity(maps, -maps)[kind].mean():.2f}")
print(f"with independent noise, about: {abs(evaluation.similarity(maps, noise)[kind].mean()):.1f}")

# %% [markdown]
# The layers fall one after the other, and the trained network itself is left alone.
#
# ```text
# destroyed in this order: dense_1, dense, conv2d_2, conv2d_1, conv2d
# ```

# %%
model = lesson.small_network()
x, y, masks = lesson.drawn_cloths(4, model.input_shape[0], seed=5)
stages = list(evaluation.randomised_layers(model, "cascading"))
print(f"destroyed in this order: {', '.join(name for name, _ in stages)}")

# %% [markdown]
# ## Who notices?
#
# For each method: its map of the trained network, and of every wreck, for the same class. Guided backpropagation
# multiplies by the signs of the forward pass and keeps only what is positive: it draws the picture's edges whatever
# stands above them. The Sobel filter is in the table for comparison: its likeness is 1 by construction, because it
# never looks at the network.
#
# ```text
# Sobel, which knows nothing of the network, keeps a likeness of 1.00
# guided backpropagation keeps more of its map than the gradient does: True
# ```

# %%
names = ["gradient", "gradient-x-input", "integrated-gradients", "guided-backprop", "deconvnet", "grad-cam"]
likeness, shown = {}, {}
for name in names:
    entry = METHODS[name]
    raw = entry.make(model).attribute(x, target=y)  # (N, H, W, C)
    likeness[name], shown[name] = [1.0], [entry.reduce(raw[1:2])[0]]
    for _, wreck in stages:
        theirs = entry.make(wreck).attribute(x, target=y)  # (N, H, W, C)
        found = evaluation.similarity(raw.sum(axis=-1), theirs.sum(axis=-1))[kind]
        likeness[name].append(float(np.nanmean(found)) if np.isfinite(found).any() else 0.0)
        shown[name].append(entry.reduce(theirs[1:2])[0])
    print(f"  {name:22s}" + "".join(f"{v:8.2f}" for v in likeness[name]))
edges = evaluation.sobel(x)
print(
    "Sobel, which knows nothing of the network, keeps a likeness of "
    f"{evaluation.similarity(edges, evaluation.sobel(x))[kind].mean():.2f}"
)
notices = np.mean(likeness["guided-backprop"][1:3]) > np.mean(likeness["gradient"][1:3])
lesson.check(
    "guided backpropagation keeps more of its map than the gradient does",
    notices,
    f"{np.mean(likeness['guided-backprop'][1:3]):.2f}, {np.mean(likeness['gradient'][1:3]):.2f}",
)

# %% [markdown]
# Two warnings that belong to this test. A likeness of 0.3 is not nothing: all gradient methods multiply by the same
# first-layer filters, and a picture has edges where it has them. And passing is not a proof of being right: noise would
# pass.

# %%
figure = figures.cascade(
    x[1], ["none", *(name for name, _ in stages)], likeness, {name: np.stack(v) for name, v in shown.items()}
)
lesson.show(figure, "20_do_not_trust_a_pretty_map")

# %% [markdown]
# ## And does it find the motif?
#
# Drawn cloth comes with the truth. The share of a map's energy that falls on the motif means nothing by itself: a
# constant map gets the motif's share of the area, and an edge detector gets more without knowing any network. Those are
# what a method has to beat.
#
# ```text
# a constant map gets exactly the motif's share of the area: True
# ```

# %%
area = masks.mean(axis=(1, 2))
off = np.abs(evaluation.energy_inside(np.ones(masks.shape), masks) - area).max()
lesson.check("a constant map gets exactly the motif's share of the area", off < 1e-6, f"off by {off:.0e}")
candidates = {name: METHODS[name].reduce(METHODS[name].make(model).attribute(x, target=y)) for name in names}
candidates |= {"Sobel": edges, "centre prior": evaluation.centre_prior(x)}
for name, found in candidates.items():
    print(f"  {name:22s} energy inside {evaluation.mean_interval(evaluation.energy_inside(found, masks))}")
print(f"  {'chance':22s} energy inside {area.mean():.3f}")

# %% [markdown]
# ## Try it
#
# - `randomised_layers(model, "independent")` destroys one layer at a time. Which layer matters most to the gradient?
#
#   <details><summary>Answer</summary>
#
#   Read the line of numbers: here the three convolutions matter more than the dense layers, but by little. No layer
#   alone decides what the map looks like, because the gradient is a product over all of them, and all wrecks share the
#   picture and most of the weights.
#
#   ```python
#   gradient = METHODS["gradient"].make
#   whole = gradient(model).attribute(x, target=y).sum(axis=-1)
#   left = {}
#   for name, wreck in evaluation.randomised_layers(model, "independent"):
#       theirs = gradient(wreck).attribute(x, target=y).sum(axis=-1)
#       left[name] = float(np.nanmean(evaluation.similarity(whole, theirs)[kind]))
#   print("  " + ", ".join(f"{name} {value:.2f}" for name, value in left.items()))
#   last = left["dense_1"]
#   lesson.check(
#       "no single layer takes all: each wreck keeps more than a third", min(left.values()) > 1 / 3, f"{last:.2f}"
#   )
#   ```
#
#   ```text
#   no single layer takes all: each wreck keeps more than a third: True
#   ```
#
#   </details>
#
# - `batik-scratch saliency --evaluate --model RUN/stage1/model.npz` runs the whole judgement on a real network.
#
#   <details><summary>Answer</summary>
#
#   It draws cloths, makes every method's map, and writes tables: the share of each map's energy on the motif with its
#   interval, beside chance, an edge detector and the centre; how the score falls when the strongest pixels are removed;
#   and the test of this lesson. Look first at what the gradient has more than Sobel.
#
#   </details>
