# %% [markdown]
# # 16. What the gradient of the logit says that the probability's does not
#
# Needs softmax and the chain rule. About ten minutes.
#
# A saliency map is the gradient of *some number* at the pixels. Which number? The obvious choice is the probability of
# the predicted class. This lesson shows why `saliency.Gradient` explains the logit instead, unless it is told
# otherwise.
#
# With $p = softmax(z)$, the chain rule gives the map of a probability from the maps of the logits:
#
# $$
# \frac{dp_c}{dx} = \sum_j \frac{dp_c}{dz_j} \, \frac{dz_j}{dx}, \qquad \frac{dp_c}{dz_j} = p_c \, ([c = j] - p_j)
# $$
#
# For two classes this is $p (1 - p)$ times the map of the margin $z_1 - z_0$. The factor $p (1 - p)$ says how unsure
# the network is, and nothing about the picture.
#
# ```text
# p 0.5000 leaves a factor of 0.2500
# p 0.9000 leaves a factor of 0.0900
# p 0.9900 leaves a factor of 0.0099
# p 0.9999 leaves a factor of 0.0001
# ```

# %%
import numpy as np

from batik_scratch import saliency
from batik_scratch.figures import style
from batik_scratch.learn import lesson
from batik_scratch.saliency.scores import seed

for p in (0.5, 0.9, 0.99, 0.9999):
    z = np.array([[np.log(p / (1 - p)), 0.0]])  # logits of two classes with that probability
    factor = seed("probability", z, np.array([0]))[0, 0]  # dp_0/dz_0, as the package starts its backward pass
    print(f"p {p:.4f} leaves a factor of {factor:.4f}")

# %% [markdown]
# ## On a network
#
# We train the paper's layers on small drawn cloths, and then multiply the last layer's weights by 1, 4 and 16. The
# network names the same class for every picture as before; it is only more sure of it. An explanation should not
# change.

# %%
model = lesson.small_network()
x, y, masks = lesson.drawn_cloths(8, model.input_shape[0], seed=5)
last = model.get_layer("dense_1")
kernel, bias = last.params["kernel"].copy(), last.params["bias"].copy()
predicted = model.logits(x).argmax(axis=1)  # (N,)
maps = {}
for scale in (1, 4, 16):
    last.params["kernel"][...], last.params["bias"][...] = scale * kernel, scale * bias
    method = saliency.Gradient(model)
    maps[scale] = {s: method.attribute(x, target=predicted, score=s) for s in ("logit", "probability")}
last.params["kernel"][...], last.params["bias"][...] = kernel, bias

# %% [markdown]
# The logit's map is multiplied by exactly that factor: the same picture. The probability's map shrinks, image by image,
# to almost nothing where the network has become sure.
#
# ```text
# logit maps at 16 times the weights, divided by 16, differ by less than one part in ten thousand: True
# the probability's maps keep their shape: False
# ```

# %%
logits = maps[16]["logit"] / 16
same = np.abs(logits - maps[1]["logit"]).max() < 1e-4 * np.abs(logits).max()
lesson.check(
    "logit maps at 16 times the weights, divided by 16, differ by less than one part in ten thousand",
    same,
    f"{np.abs(logits - maps[1]['logit']).max() / np.abs(logits).max():.0e}",
)
ratios = [np.abs(maps[16]["probability"][i]).max() / np.abs(maps[1]["probability"][i]).max() for i in range(len(x))]
lesson.check(
    "the probability's maps keep their shape",
    max(ratios) / max(min(ratios), 1e-30) < 1.01,
    f"shrunk to {min(ratios):.0e} to {max(ratios):.2g}",
)

# %% [markdown]
# One more fact, which makes a good test of any implementation: probabilities add up to one, whatever the pixels are. So
# the maps of all probabilities add up to zero, pixel by pixel. Logits owe nobody such a promise.
#
# ```text
# maps of all probabilities add up to zero: True
# maps of all logits add up to zero: False
# ```

# %%
method = saliency.Gradient(model)
for score, name in (("probability", "probabilities"), ("logit", "logits")):
    parts = [method.attribute(x, target=c, score=score) for c in range(3)]
    largest = max(np.abs(part).max() for part in parts)
    lesson.check(
        f"maps of all {name} add up to zero",
        np.abs(sum(parts)).max() < 1e-5 * largest,
        f"{np.abs(sum(parts)).max() / largest:.0e} of the largest",
    )

# %% [markdown]
# In the figure every map of a row is drawn on one scale. The logit's maps are divided by the factor; the probability's
# are not divided by anything: that is how they come back.

# %% tags=["hide-input"] jupyter={"source_hidden": true}
probabilities = model.predict(x)
chosen = int(np.abs(probabilities.max(axis=1) - 0.8).argmin())  # a picture of which the network is fairly sure
figure = style.new_figure(style.WIDE, 4.9)
grid = figure.subplots(2, 4)
for row, score in enumerate(("logit", "probability")):
    divisor = {s: s if score == "logit" else 1 for s in maps}
    shown = {s: np.abs(maps[s][score][chosen]).max(axis=-1) / divisor[s] for s in maps}
    top = np.percentile(shown[1], 99)
    grid[row, 0].imshow(x[chosen])
    grid[row, 0].set_ylabel(f"gradient of the {score}", fontsize=style.TEXT_SIZE)
    for column, (scale, values) in enumerate(shown.items(), 1):
        grid[row, column].imshow(values, cmap=style.SALIENCY, vmin=0, vmax=top)
        if row == 0:
            grid[row, column].set_title(f"weights x {scale}", fontsize=style.TEXT_SIZE)
for axes in grid.flat:
    style.dress_picture(axes)
grid[0, 0].set_title("cloth", fontsize=style.TEXT_SIZE)
lesson.show(figure, "16_logit_or_probability")

# %% [markdown]
# ## Try it
#
# - `score="margin"` explains "this class rather than the strongest other". When is its map almost the logit's?
#
#   <details><summary>Answer</summary>
#
#   The gradient of a difference is the difference of the gradients: the margin's map is the logit's minus that of the
#   strongest other class. So it is nearly the logit's where the other's map is small beside it, or is its negative, as
#   for a pair of classes that the same pixels decide between. Where a third class is the rival, it may be quite another
#   map.
#
#   ```python
#   rival = np.where(np.arange(3) == predicted[:, None], -np.inf, model.logits(x)).argmax(
#       axis=1
#   )  # the strongest other
#   ours, theirs = (method.attribute(x, target=classes) for classes in (predicted, rival))
#   margin = method.attribute(x, target=predicted, score="margin")
#   same = np.abs(margin - (ours - theirs)).max() < 1e-4 * np.abs(margin).max()
#   off = np.abs(margin - (ours - theirs)).max() / np.abs(margin).max()
#   lesson.check("the margin's map is the logit's minus the rival's", same, f"off by {off:.0e}")
#   flat = [values.reshape(len(x), -1) for values in (margin, ours)]
#   cosines = np.array([a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a, b in zip(*flat, strict=True)])
#   lesson.check(
#       "for some cloths it is nearly the logit's", cosines.max() > 0.9, f"largest cosine {cosines.max():.2f}"
#   )
#   lesson.check("for others it is not", cosines.min() < 0.7, f"smallest cosine {cosines.min():.2f}")
#   ```
#
#   ```text
#   the margin's map is the logit's minus the rival's: True
#   for some cloths it is nearly the logit's: True
#   for others it is not: True
#   ```
#
#   </details>
#
# - `score="loss"` is what training descends. Its seed is $p - e_c$; compare it with the probability's.
#
#   <details><summary>Answer</summary>
#
#   $L = -\log p$, so $dL/dx = -\frac{1}{p} \, dp/dx$: the two are the same map, but for the factor $-p$. The loss keeps
#   its size where the network is sure and wrong ($p$ is small), and like the probability it vanishes where it is sure
#   and right.
#
#   ```python
#   loss, probability = (method.attribute(x, target=predicted, score=s) for s in ("loss", "probability"))
#   p = model.predict(x)[np.arange(len(x)), predicted][:, None, None, None]
#   off = np.abs(probability + p * loss).max() / np.abs(probability).max()
#   lesson.check("the probability's map is -p times the loss's", off < 1e-4, f"off by {off:.0e}")
#   ```
#
#   ```text
#   the probability's map is -p times the loss's: True
#   ```
#
#   </details>
