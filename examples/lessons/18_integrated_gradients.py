# %% [markdown]
# # 18. Integrated gradients, and nothing left over
#
# Needs lesson 16. About ten minutes.
#
# A gradient says what a *small* change would do. Suppose instead that we ask: the score of this picture is higher than
# that of a black one; which pixels made the difference, and how much did each? Walk from the black picture $x_0$ to $x$
# on a straight line, and add up what every pixel does on the way:
#
# $$ M = (x - x_0) \int_0^1 \frac{dS}{dx} \big( x_0 + a (x - x_0) \big) \, da $$
#
# The chain rule, read backwards, says that the sum over the pixels is $S(x) - S(x_0)$, whatever the network: the map is
# *complete*. Few explanations come with such a check.
#
# ## A case with a closed form
#
# For $S = x^\top Q x / 2$ the gradient is $Q x$: linear along the way, so its mean is the gradient half-way, and two
# points of Gauss and Legendre's rule are already exact.
#
# ```text
# half-way: map 1.50, 5.00, sum 6.50
# two steps: map 1.50, 5.00, sum 6.50
# the score itself: 6.50
# ```

# %%
import numpy as np

from batik_scratch import saliency
from batik_scratch.figures import style
from batik_scratch.learn import lesson
from batik_scratch.saliency.scores import value

q, x = np.array([[1.0, 1.0], [1.0, 2.0]]), np.array([1.0, 2.0])


def map_of(places, weights):
    """(x - 0) * sum_k w_k Q (a_k x)."""
    return x * sum(w * (q @ (a * x)) for a, w in zip(places, weights, strict=True))


nodes, weights = np.polynomial.legendre.leggauss(2)  # on [-1, 1]
for name, found in (("half-way", map_of([0.5], [1.0])), ("two steps", map_of((nodes + 1) / 2, weights / 2))):
    print(f"{name}: map {found[0]:.2f}, {found[1]:.2f}, sum {found.sum():.2f}")
print(f"the score itself: {x @ q @ x / 2:.2f}")

# %% [markdown]
# ## On a network
#
# A ReLU network is linear between its kinks, so the gradient along the way is a staircase, and more steps follow it
# better. `delta` says by how much the map misses completeness. Look at it before you look at the map.
#
# ```text
# with more steps the map comes closer to completeness: True
# with 100 steps the maps add up to the score's change, to 2%: True
# ```

# %%
model = lesson.small_network()
images, labels, masks = lesson.drawn_cloths(4, model.input_shape[0], seed=5)
change = model.logits(images)[np.arange(len(labels)), labels]
change = change - model.logits(np.zeros_like(images))[np.arange(len(labels)), labels]
misses = {}
for steps in (2, 10, 100):
    method = saliency.IntegratedGradients(model, steps)
    maps = method.attribute(images, target=labels)
    misses[steps] = np.abs(method.delta).mean()
    print(f"  {steps:3d} steps miss {misses[steps]:.4f} in the mean")
lesson.check(
    "with more steps the map comes closer to completeness",
    misses[100] < misses[10] < misses[2],
    f"{', '.join(f'{miss:.4f}' for miss in misses.values())}",
)
lesson.check(
    "with 100 steps the maps add up to the score's change, to 2%",
    misses[100] < 0.02 * np.abs(change).mean(),
    f"{misses[100] / np.abs(change).mean():.2%}",
)

# %% [markdown]
# ## From where?
#
# The baseline is part of the question. From black, a black pixel has made no step: it gets exactly nothing, however
# much the network cares for it. From white it is the white ones.
#
# ```text
# black pixels get 0.000 from black
# white pixels get 0.000 from white
# ```

# %%
pictures = np.round(images[:3])  # only 0 and 1
for name, baseline in (("black", 0.0), ("white", 1.0)):
    maps = saliency.IntegratedGradients(model, 20, baseline).attribute(pictures, target=labels[:3])
    print(f"{name} pixels get {np.abs(maps[pictures == baseline]).max():.3f} from {name}")

# %% [markdown]
# The figure walks the way for one cloth: the pictures, the gradient met there, and below how the score grows, beside
# the sum of what the pixels were given so far. The two curves meet: nothing is left over.

# %% tags=["hide-input"] jupyter={"source_hidden": true}
image, label = images[1:2], int(labels[1])
places = np.linspace(0, 1, 6)
figure = style.new_figure(style.WIDE, 6.0)
above, below = figure.subfigures(2, 1, height_ratios=[3.3, 2.7])
grid = above.subplots(2, len(places))
gradient = saliency.Gradient(model)
for column, a in enumerate(places):
    g = gradient.attribute((a * image).astype(np.float32), target=label)  # (1, H, W, 3)
    grid[0, column].imshow(a * image[0])
    grid[0, column].set_title(f"a = {a:.1f}", fontsize=style.TEXT_SIZE)
    shade = np.abs(g).max(axis=-1)[0]
    grid[1, column].imshow(shade, cmap=style.SALIENCY, vmax=np.percentile(shade, 99) or 1)
grid[0, 0].set_ylabel("a x", fontsize=style.TEXT_SIZE)
grid[1, 0].set_ylabel("|dS/dx|", fontsize=style.TEXT_SIZE)
for axes in grid.flat:
    style.dress_picture(axes)
fine = np.linspace(0, 1, 60)
way = (fine[:, None, None, None] * image).astype(np.float32)  # (60, H, W, 3)
scores = value("logit", model.logits(way), np.full(60, label))
slopes = (gradient.attribute(way, target=label) * image).sum(axis=(1, 2, 3))  # (60,) dS/da
given = np.concatenate([[0], np.cumsum((slopes[1:] + slopes[:-1]) / 2 * np.diff(fine))])
axes = below.subplots()
style.dress(axes)
axes.plot(fine, scores - scores[0], color=style.OKABE_ITO["blue"], linewidth=5, alpha=0.35, label="S(a x) - S(0)")
axes.plot(fine, given, color=style.OKABE_ITO["vermillion"], label="given to the pixels so far")
axes.set_xlabel("a, the share of the way from black to the picture", fontsize=style.TEXT_SIZE)
axes.set_ylabel("logit", fontsize=style.TEXT_SIZE)
axes.legend(frameon=False, fontsize=style.TEXT_SIZE)
lesson.show(figure, "18_integrated_gradients")

# %% [markdown]
# ## Try it
#
# - Use the cloth's mean colour as baseline (`baseline=image.mean(axis=(0, 1, 2)) * np.ones(image.shape[1:])`).
#
#   <details><summary>Answer</summary>
#
#   It is complete for another question: the score less the score of a cloth of one colour. The pixels that have the
#   mean colour get nothing now, and the map is another one.
#
#   ```python
#   baseline = image.mean(axis=(0, 1, 2)) * np.ones(image.shape[1:])
#   method = saliency.IntegratedGradients(model, 100, baseline)
#   from_mean = method.attribute(image, target=label)
#   change = (model.logits(image) - model.logits(baseline[None].astype(np.float32)))[0, label]
#   off = abs(from_mean.sum() - change)
#   lesson.check("complete, to 2%", off < 0.02 * abs(change), f"{from_mean.sum():.3f} of {change:.3f}")
#   from_black = saliency.IntegratedGradients(model, 100).attribute(image, target=label)
#   alike = np.corrcoef(from_mean.ravel(), from_black.ravel())[0, 1]
#   lesson.check("another map than from black", alike < 0.7, f"correlation {alike:.2f}")
#   ```
#
#   ```text
#   complete, to 2%: True
#   another map than from black: True
#   ```
#
#   </details>
#
# - Replace the straight way by two legs through another picture. Is the map still complete? Is it the same map?
#
#   <details><summary>Answer</summary>
#
#   Complete: each leg adds up to its own difference, and the differences add up. But what each pixel gets depends on
#   where the way goes, so completeness alone does not choose a map.
#
#   ```python
#   corner = images[2:3]  # another cloth, as the corner of the way
#   first = saliency.IntegratedGradients(model, 200).attribute(corner, target=label)
#   second = saliency.IntegratedGradients(model, 200, corner[0]).attribute(image, target=label)
#   straight = saliency.IntegratedGradients(model, 200).attribute(image, target=label)
#   off = abs(first.sum() + second.sum() - straight.sum())
#   lesson.check("complete, too, to 2%", off < 0.02 * abs(straight.sum()), f"off by {off:.3f}")
#   alike = np.corrcoef((first + second).ravel(), straight.ravel())[0, 1]
#   lesson.check("another map", alike < 0.7, f"correlation {alike:.2f}")
#   ```
#
#   ```text
#   complete, too, to 2%: True
#   another map: True
#   ```
#
#   </details>
