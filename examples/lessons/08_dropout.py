# %% [markdown]
# # 8. Dropout: training with holes
#
# Needs lessons 2 and 4. About ten minutes.
#
# A network with many weights can learn its examples by heart. One way to do so is to rely on a single number that
# happens to give the answer away. *Dropout* makes that a bad idea: while it trains, it sets each number to zero with
# probability $r$, the *rate*, at random, anew in every step. Nobody can rely on anybody.
#
# Zeros make the sum that the next layer computes smaller. To keep it right on average, the numbers that survive are
# made larger, by $1 / (1 - r)$. With $M$ for this mask of zeros and large ones:
#
# $$
# \begin{aligned}
# Y &= X M \text{ (number by number)}, \qquad M = 0 \text{ with probability } r, \text{ otherwise } \frac{1}{1 - r} \\
# \text{mean of } M &= r \cdot 0 + (1 - r) \cdot \frac{1}{1 - r} = 1 \\
# \text{variance of } M &= \frac{1 - r}{(1 - r)^2} - 1^2 = \frac{r}{1 - r}
# \end{aligned}
# $$
#
# The layer is `Dropout` in [batik_scratch/nn/layers/dropout.py](../../batik_scratch/nn/layers/dropout.py); the mask is
# the first line of `forward_plain` in [batik_scratch/ops/dropout.py](../../batik_scratch/ops/dropout.py). We give it a
# million ones, with $r = 0.2$ as in the paper's network:
#
# ```text
# the outputs are 0 or 1.25
# their mean is 1.00, their variance 0.25
# r / (1 - r) is 0.25
# ```
#
# When the network is used, nothing is dropped. Thanks to the factor nothing has to be corrected either: it sees inputs
# of the size that it was trained on.
#
# ```text
# in use, the output is the input: True
# ```

# %%
import numpy as np

from batik_scratch import nn
from batik_scratch.figures import style
from batik_scratch.learn import lesson
from batik_scratch.nn.gradcheck import check_layer

rate = 0.2
layer = nn.Dropout(rate)
ones = np.ones((1000, 1000))
y = layer.forward(ones, training=True)
print("the outputs are", " or ".join(f"{v:g}" for v in np.unique(y)))
print(f"their mean is {y.mean():.2f}, their variance {y.var():.2f}")
spread = rate / (1 - rate)
print(f"r / (1 - r) is {spread:.2f}")
lesson.check(
    "in use, the output is the input",
    np.array_equal(layer.forward(ones), ones),
    f"largest difference {np.abs(layer.forward(ones) - ones).max():g}",
)

# %% [markdown]
# ## Backward
#
# $Y = X M$ is a product, and $M$ does not depend on $X$. So the gradient passes through the same holes:
#
# $$ dX = dY \, M $$
#
# The same mask: the layer keeps it. A number that was dropped has had no say, and gets no gradient; one that was made
# larger counts for as much more.
#
# ```text
# the gradient is 0 where the output was 0, and 1.25 elsewhere: True
# ```
#
# This layer is random, so how can it be checked with nudges? If every forward pass draws a new mask, the loss jumps
# about and every gradient looks wrong. `check_layer` therefore winds the random numbers back before each pass: one
# frozen mask.
#
# One more trap. With $r = 0.5$ the factor is $1 / (1 - 0.5) = 2$. Somebody who has written "times 2" passes the check.
# So we check with another rate. Below, such a bug is planted, and checked with both:
#
# ```text
# rate 0.5: the right layer passes True, the wrong one True
# rate 0.2: the right layer passes True, the wrong one False
# ```


# %%
class TimesTwo(nn.Dropout):
    """A planted bug: the backward pass multiplies by 2 in place of 1 / (1 - rate)."""

    def backward(self, dy, need_dx=True, need_grads=True):
        return np.where(super().backward(np.ones_like(dy)) > 0, 2 * dy, 0)


y = layer.forward(ones, training=True)
dx = layer.backward(ones)
same = np.array_equal(dx == 0, y == 0) and np.array_equal(dx == 1.25, y != 0)
lesson.check("the gradient is 0 where the output was 0, and 1.25 elsewhere", same, f"{(dx == 0).mean():.3f} of it is 0")
for tried in (0.5, 0.2):
    right, wrong = (check_layer(kind(tried), (6, 5)) for kind in (nn.Dropout, TimesTwo))
    errors = f"relative errors {right.tensors[0].error:.0e} and {wrong.tensors[0].error:.0e}"
    print(f"rate {tried}: the right layer passes {right.ok}, the wrong one {wrong.ok} ({errors})")

# %% [markdown]
# ## What dropout wants
#
# Why should holes help? For one neuron the answer can be computed. It has inputs $x_d$, weights $w_d$ and a target $t$,
# and its inputs go through dropout first. Its output $\sum_d w_d x_d M_d$ is right on average, but it scatters. For any
# random number, the mean of a square is the square of the mean plus the variance; and variances of independent numbers
# add up. So on average over all masks the squared error is
#
# $$
# \text{mean of } \Big( t - \sum_d w_d x_d M_d \Big)^2
# = \Big( t - \sum_d w_d x_d \Big)^2 + \frac{r}{1 - r} \sum_d w_d^2 x_d^2
# $$
#
# The first part is the loss without dropout. The second is a fine for large weights, and since they are squared, one
# large weight costs more than two halves. Say that two inputs always carry the same number, 1, and the target is 1.
# Trust one of them, $w = (1, 0)$, or listen to both, $w = (1/2, 1/2)$? Without dropout the loss is 0 either way. With
# it:
#
# ```text
# trust one: 0.250
# listen to both: 0.125
# the package's layer agrees, on average over a million masks, to 1%: True
# ```

# %%
x, target = np.ones((1_000_000, 2)), 1.0  # a million copies of one example, each with a mask of its own
kernels = {"trust one": np.array([1.0, 0.0]), "listen to both": np.array([0.5, 0.5])}
off, outputs = [], {}
for name, w in kernels.items():
    formula = (target - w.sum()) ** 2 + spread * (w**2).sum()
    outputs[name] = layer.forward(x, training=True) @ w  # (1000000,)
    off.append(abs(((target - outputs[name]) ** 2).mean() - formula) / formula)
    print(f"{name}: {formula:.3f}")
lesson.check(
    "the package's layer agrees, on average over a million masks, to 1%", max(off) < 0.01, f"off by {max(off):.2%}"
)

# %% [markdown]
# And the best weights? By symmetry both are the same, $w$. Then the loss is $(1 - 2w)^2 + \frac{2 r}{1 - r} w^2$. Its
# derivative is zero where
#
# $$ -4 (1 - 2w) + \frac{4 r}{1 - r} w = 0, \qquad w = \frac{1}{2 + r / (1 - r)} $$
#
# ```text
# the best weights are 0.444 and 0.444
# ```
#
# A little less than one half: the price of being careful. We let a neuron find them. It starts from $(1, 0)$, where the
# plain loss is already zero, with `nn.Dropout`, `nn.Dense` and `nn.SGD`, and many masks in every step.
#
# ```text
# without dropout it stays at 1.000 and 0.000
# with dropout it comes to within 0.03 of the best weights: True
# ```

# %%
best = 1 / (2 + spread)
print(f"the best weights are {best:.3f} and {best:.3f}")


def learn(drop, steps=60, copies=4096):
    """The weights (steps + 1, 2) of one neuron behind dropout, on its way from (1, 0)."""
    hole, neuron, optimizer = nn.Dropout(drop), nn.Dense(1), nn.SGD(0.1)
    for part in (hole, neuron):
        part.astype("float64")
        part.build((2,), np.random.default_rng(0))
    neuron.params["kernel"][...] = [[1.0], [0.0]]
    path = [neuron.params["kernel"][:, 0].copy()]
    for _ in range(steps):
        out = neuron.forward(hole.forward(np.ones((copies, 2)), training=True), training=True)
        neuron.backward(2 * (out - target) / copies)
        neuron.grads["bias"][...] = 0  # the formula above has no bias
        optimizer.step([neuron])
        path.append(neuron.params["kernel"][:, 0].copy())
    return np.array(path)


plain, holed = learn(0.0), learn(rate, 60 if lesson.quick() else 120)
print(f"without dropout it stays at {plain[-1, 0]:.3f} and {abs(plain[-1, 1]):.3f}")
lesson.check(
    "with dropout it comes to within 0.03 of the best weights",
    np.abs(holed[-1] - best).max() < 0.03,
    f"{holed[-1, 0]:.3f} and {holed[-1, 1]:.3f}",
)

# %% [markdown]
# The figure: above, a cloth behind dropout; the last picture is the mean over many masks, and it is the cloth again.
# Below: the outputs of the two kinds of neuron scatter differently around 1; and the loss as a map of the two weights,
# without dropout a valley in which every place is as good as another, with dropout a bowl. The line is the way that the
# neuron took.

# %% tags=["hide-input"] jupyter={"source_hidden": true}
size = 64 if lesson.quick() else 128
cloth = lesson.drawn_cloths(1, size, seed=4)[0][2]
figure = style.new_figure(style.WIDE, 5.6)
above, below = figure.subfigures(2, 1, height_ratios=[2.2, 3.1])
pictures = [("cloth", cloth)]
for r in (0.2, 0.5, 0.8):
    pictures.append((f"rate {r}", nn.Dropout(r).forward(cloth, training=True)))
many = 50 if lesson.quick() else 200
half = nn.Dropout(0.5)
pictures.append(
    (f"rate 0.5, mean of {many}", np.mean([half.forward(cloth, training=True) for _ in range(many)], axis=0))
)
for axes, (title, picture) in zip(above.subplots(1, 5), pictures, strict=True):
    axes.imshow(np.clip(picture, 0, 1), interpolation="nearest")
    axes.set_title(title, fontsize=style.TEXT_SIZE)
    style.dress_picture(axes)
BLUE, RED = style.OKABE_ITO["blue"], style.OKABE_ITO["vermillion"]
bars, valley, bowl = below.subplots(1, 3, width_ratios=[1.15, 1, 1])
style.dress(bars)
for (name, out), colour, shift in zip(outputs.items(), (RED, BLUE), (-0.03, 0.03), strict=True):
    places, counts = np.unique(out, return_counts=True)
    bars.bar(places + shift, counts / len(out), width=0.06, color=colour, label=name)
bars.axvline(target, color=style.MUTED, linestyle=":")
bars.set_xlabel("output of the neuron (dotted: target)", fontsize=style.TEXT_SIZE)
bars.set_ylabel("share of the masks", fontsize=style.TEXT_SIZE)
bars.legend(frameon=False, fontsize=style.SMALL_SIZE, loc="upper left")
w1, w2 = np.meshgrid(np.linspace(-0.3, 1.2, 151), np.linspace(-0.3, 1.2, 151))
for axes, fine, path, title in (
    (valley, 0.0, plain, "without dropout"),
    (bowl, spread, holed, "with dropout, rate 0.2"),
):
    style.dress(axes, grid=False)
    loss = (target - w1 - w2) ** 2 + fine * (w1**2 + w2**2)
    shown = axes.contourf(w1, w2, loss, [0, 0.01, 0.03, 0.1, 0.12, 0.15, 0.2, 0.3, 0.5, 1, 3], cmap=style.COUNTS)
    axes.plot(*path.T, "-", color=RED, linewidth=2.5)
    axes.plot(*path[0], "o", color="white", markeredgecolor=RED, markersize=9, markeredgewidth=2)
    axes.plot(*path[-1], "*", color=RED, markeredgecolor="white", markersize=15)
    axes.set_title(title, fontsize=style.TEXT_SIZE)
    axes.set_xlabel("$w_1$", fontsize=style.TEXT_SIZE)
    axes.set_ylabel("$w_2$", fontsize=style.TEXT_SIZE)
    axes.set(aspect="equal", xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
lesson.show(figure, "08_dropout")

# %% [markdown]
# ## Try it
#
# - Take $r = 0.5$. Where are the best weights now, and how far from the target is the neuron's answer in use?
#
#   <details><summary>Answer</summary>
#
#   $r / (1 - r)$ is 1 now, and the best weights are 1/3. In use the neuron says 2/3 where 1 is right: a third off. More
#   dropout, more caution.
#
#   ```python
#   half = 0.5 / (1 - 0.5)
#   w = 1 / (2 + half)
#   print(f"the best weights are {w:.3f} and {w:.3f}, in use the neuron says {2 * w:.3f} where 1 is right")
#   path = learn(0.5, 200)[-50:].mean(axis=0)
#   print(f"a trained neuron comes to within 0.03 of them: {np.abs(path - w).max() < 0.03}")
#   ```
#
#   ```text
#   the best weights are 0.333 and 0.333, in use the neuron says 0.667 where 1 is right
#   a trained neuron comes to within 0.03 of them: True
#   ```
#
#   </details>
#
# - Draw a new mask in `backward`. What does `check_layer` say, and does a network still train?
#
#   <details><summary>Answer</summary>
#
#   The check finds it. And yet a network trains, nearly as well here: on average over the masks the gradient is right,
#   it only has more noise in it. So the loss alone would not have told you.
#
#   ```python
#   rng = np.random.default_rng(0)
#
#
#   class NewMask(nn.Dropout):
#       """A planted bug: the backward pass draws a mask of its own."""
#
#       def backward(self, dy, need_dx=True, need_grads=True):
#           return dy * (rng.random(dy.shape) >= self.rate) / (1 - self.rate)
#
#
#   print(f"check_layer passes it: {check_layer(NewMask(0.2), (6, 5)).ok}")
#   x, y, _ = lesson.drawn_cloths(10, 32)
#   losses = []
#   for kind in (nn.Dropout, NewMask):
#       layers = [nn.Flatten(), nn.Dense(64), nn.ReLU(), kind(0.5), nn.Dense(3), nn.Softmax()]
#       model = nn.Sequential(layers, (32, 32, 3), random_state=0)
#       model.compile(nn.Adam(1e-3))
#       model.fit(x, y, epochs=40, verbose=0)
#       losses.append(model.evaluate(x, y)["loss"])
#   close = losses[1] < 1.2 * losses[0] < 1.2 * 0.9 * np.log(3)
#   lesson.check("it trains, and nearly as well", close, f"loss {losses[1]:.2f}, with the same mask {losses[0]:.2f}")
#   ```
#
#   ```text
#   check_layer passes it: False
#   it trains, and nearly as well: True
#   ```
#
#   </details>
#
# - Put dropout in front of the wave's network of lesson 2. Why does it hurt there?
#
#   <details><summary>Answer</summary>
#
#   There is a single input, and dropout throws it away: the network is told 0 and asked for $\sin(x)$ of an $x$ that it
#   cannot know. No other input can speak for it. Besides, what it sees in training is 1.25 times too far out. Dropout
#   helps where several inputs say the same.
#
#   ```python
#   inputs = np.linspace(-np.pi, np.pi, 64)[:, None]  # (64, 1)
#   losses = {}
#   for rate in (0.0, 0.2):
#       model = nn.Sequential([nn.Dropout(rate), nn.Dense(16), nn.ReLU(), nn.Dense(1)], (1,), random_state=0)
#       optimizer = nn.Adam(0.01)
#       for _ in range(1000):
#           found = inputs.astype(np.float32)
#           for part in model.layers:
#               found = part.forward(found, training=True)
#           gradient = 2 * (found - np.sin(inputs)) / 64
#           for part in reversed(model.layers):
#               gradient = part.backward(gradient.astype(np.float32))
#           optimizer.step(model.layers)
#       losses[rate] = ((model.predict(inputs) - np.sin(inputs)) ** 2).mean()
#   worse = losses[0.2] > 10 * losses[0.0]
#   lesson.check("the loss is more than ten times as high", worse, f"{losses[0.2]:.3f} against {losses[0.0]:.4f}")
#   ```
#
#   ```text
#   the loss is more than ten times as high: True
#   ```
#
#   </details>
