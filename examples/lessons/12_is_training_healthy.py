# %% [markdown]
# # 12. Is training healthy? Three questions before the long run
#
# Needs lessons 3, 7, 9 and 10. About fifteen minutes.
#
# A network with a mistake in it does not crash. It trains, a little worse than it could, and nobody knows. Three
# questions, each answered in seconds, find most such mistakes before a night of training is spent on them.
#
# ## 1. What is the loss before the first step?
#
# A fresh network knows nothing. Its logits are nearly equal, so softmax gives every one of $C$ classes nearly $1/C$,
# and the cross-entropy (`batik_scratch/nn/losses.py`) of the true class is
#
# $$ L = -\log(1 / C) = \log C $$
#
# ```text
# 2 classes: log C = 0.69, and a fresh network is within 0.1 of it: True
# 3 classes: log C = 1.10, and a fresh network is within 0.1 of it: True
# 10 classes: log C = 2.30, and a fresh network is within 0.1 of it: True
# 100 classes: log C = 4.61, and a fresh network is within 0.1 of it: True
# ```

# %%
import math

import numpy as np

from batik_scratch import nn
from batik_scratch.figures import style
from batik_scratch.learn import lesson
from batik_scratch.nn import initializers

x, y, _ = lesson.drawn_cloths(7, 32)
x, y = x[:20], y[:20]  # 20 pictures are enough for everything here


def network(classes=3, learning_rate=2e-3, first=()):
    """A half-wide paper network without dropout, fresh, behind the layers `first`."""
    layers = [*first]
    layers += [part for filters in (16, 32, 64) for part in (nn.Conv2D(filters, 3), nn.ReLU(), nn.MaxPooling2D(2))]
    layers += [nn.Flatten(), nn.Dense(64), nn.ReLU(), nn.Dense(classes), nn.Softmax()]
    model = nn.Sequential(layers, x.shape[1:], random_state=0)
    model.compile(nn.Adam(learning_rate))
    return model


starts = {}
for classes in (2, 3, 10, 100):
    starts[classes] = network(classes).loss_and_logits(x, np.arange(20) % classes)[0]
    close = abs(starts[classes] - math.log(classes)) < 0.1
    lesson.check(
        f"{classes} classes: log C = {math.log(classes):.2f}, and a fresh network is within 0.1 of it",
        close,
        f"{starts[classes]:.2f}",
    )

# %% [markdown]
# A first loss far *above* $\log C$ means that the network is sure, and wrong: its logits are too large. The classic
# reason is pictures that still run from 0 to 255. With ReLU and fresh biases of 0 the network passes the factor of 255
# on unchanged. (This package refuses such pictures, so that a layer in front makes them here.)
#
# ```text
# pictures from 0 to 255: the largest logit grows by a factor of 255
# the first loss is more than twice log 3: True
# ```
#
# A first loss clearly *below* $\log C$ is a miracle too: before the first step nothing can have been learnt. Look for
# weights that are not fresh, for a loss divided once too often, or for a wrong $C$.

# %%
model, forgetful = network(), network(first=[nn.Rescaling(255)])
forgetful.set_weights(model.get_weights())
growth = np.abs(forgetful.logits(x)).max() / np.abs(model.logits(x)).max()
print(f"pictures from 0 to 255: the largest logit grows by a factor of {growth:.0f}")
too_bright = forgetful.loss_and_logits(x, y)[0]
lesson.check("the first loss is more than twice log 3", too_bright > 2 * math.log(3), f"{too_bright:.1f}")

# %% [markdown]
# ## 2. Can it learn 20 pictures by heart?
#
# A network with thousands of weights for every picture can learn 20 pictures by heart, and in seconds. If it cannot,
# then something between the pictures and the loss is broken, and more data will not help.
#
# ```text
# parameters: 40,227
# 20 cloths: the loss falls below 0.1: True
# all of them named rightly: True
# ```

# %%
STEPS = 80


def learn(pictures, labels):
    """A fresh network after STEPS steps on one batch, and the loss before each of them."""
    model = network()
    return model, [float(model.train_step(pictures, labels)[0]) for _ in range(STEPS)]


fitted, healthy = learn(x, y)
print(f"parameters: {sum(layer.parameter_count for layer in fitted.layers):,}")
lesson.check("20 cloths: the loss falls below 0.1", healthy[-1] < 0.1, f"{healthy[-1]:.3f}")
lesson.check(
    "all of them named rightly",
    (fitted.predict(x).argmax(axis=1) == y).all(),
    f"{(fitted.predict(x).argmax(axis=1) == y).sum()} of {len(y)}",
)

# %% [markdown]
# What this does *not* show: that the network has understood anything. With the labels shuffled it learns just as well.
# So the question tests the machine, and says nothing about new cloths.
#
# And a fault that it finds: pictures divided by 255 twice. To the eye they are black. The network can
# still tell them apart in principle, but its signal is too small, and it takes far longer. The first loss was log 3, as
# it should be; this second question is the one that notices.
#
# ```text
# shuffled labels are learnt by heart too: True
# divided by 255 twice: no pixel is brighter than 0.004: True
# divided by 255 twice: the first loss is still within 0.1 of log 3: True
# divided by 255 twice: after as many steps the loss is more than five times as high: True
# ```

# %%
_, shuffled = learn(x, np.random.default_rng(0).permutation(y))
_, dark = learn(x / 255, y)
lesson.check("shuffled labels are learnt by heart too", shuffled[-1] < 0.1, f"{shuffled[-1]:.3f}")
lesson.check("divided by 255 twice: no pixel is brighter than 0.004", (x / 255).max() < 0.004, f"{(x / 255).max():.4f}")
lesson.check(
    "divided by 255 twice: the first loss is still within 0.1 of log 3",
    abs(dark[0] - math.log(3)) < 0.1,
    f"{dark[0]:.2f}",
)
behind = dark[-1] > 5 * healthy[-1]
lesson.check(
    "divided by 255 twice: after as many steps the loss is more than five times as high",
    behind,
    f"{dark[-1]:.2f}, {healthy[-1]:.3f}",
)

# %% [markdown]
# ## 3. How far does a step go?
#
# Compare a step's length with the length of the weights that it changes: $|\text{change of } W| / |W|$. Much below a
# ten-thousandth, nothing happens; near 1 the weights are thrown away and drawn anew. Something around a thousandth to a
# hundredth is the usual range.
#
# For Adam's first step the answer can be derived. Lesson 10: every weight moves by one learning rate $r$. Lesson 9:
# glorot's weights have mean square $2 / (fan_{in} + fan_{out})$. So the ratio is at most
#
# $$ r \, \sqrt{\frac{fan_{in} + fan_{out}}{2}} $$
#
# and less by as much as there are weights without a gradient. At $r = 0.001$:
#
# ```text
# conv2d: at most 0.0092
# conv2d_1: at most 0.0147
# conv2d_2: at most 0.0208
# dense: at most 0.0126
# dense_1: at most 0.0058
# measured, no layer's first step is longer, for three learning rates: True
# ```

# %%


def bounds(model):
    """The largest first step of Adam over each kernel's size, for the model's learning rate."""
    return {
        layer.name: model.optimizer.learning_rate * math.sqrt(sum(initializers.fans(layer.params["kernel"].shape)) / 2)
        for layer in model.layers
        if layer.params
    }


def ratios(model):
    """|change| / |weights| of every kernel in one training step."""
    layers = [layer for layer in model.layers if layer.params]
    before = [layer.params["kernel"].copy() for layer in layers]
    model.train_step(x, y)
    return [
        float(np.linalg.norm(layer.params["kernel"] - old) / np.linalg.norm(old))
        for layer, old in zip(layers, before, strict=True)
    ]


for name, most in bounds(network(learning_rate=1e-3)).items():
    print(f"{name}: at most {most:.4f}")
rates, measured, within = (1e-5, 1e-3, 1e-1), {}, []
for rate in rates:
    model = network(learning_rate=rate)
    limits = np.array(list(bounds(model).values()))
    measured[rate] = np.array([ratios(model) for _ in range(40)])  # (steps, layers)
    # a drawn kernel's size is its expected one to some per cent
    within.append(bool((measured[rate][0] < 1.1 * limits).all()))
lesson.check(
    "measured, no layer's first step is longer, for three learning rates",
    all(within),
    f"longest of all {max(values[0].max() for values in measured.values()):.2f}",
)

# %% [markdown]
# Three learning rates, and what the ratio says about them before the loss does:
#
# ```text
# learning rate 1e-05: every layer's first step is below 0.001: True, loss after 40 steps still near log 3: True
# learning rate 0.001: a step is usually between 0.001 and 0.05: True
# learning rate 0.1: some layer's first step is as long as half of its weights: True
# ```

# %%
slow, usual, fast = (measured[rate] for rate in rates)
model = network(learning_rate=1e-5)
for _ in range(40):
    crawl = model.train_step(x, y)[0]
print(
    f"learning rate 1e-05: every layer's first step is below 0.001: {bool((slow[0] < 1e-3).all())}, "
    f"loss after 40 steps still near log 3: {abs(crawl - math.log(3)) < 0.1} ({slow[0].max():.1e}, {crawl:.2f})"
)
medians = np.median(usual, axis=0)
fine = bool(((medians > 1e-3) & (medians < 0.05)).all())
lesson.check(
    "learning rate 0.001: a step is usually between 0.001 and 0.05", fine, f"{medians.min():.4f} to {medians.max():.4f}"
)
lesson.check(
    "learning rate 0.1: some layer's first step is as long as half of its weights",
    bool((fast[0] > 0.5).any()),
    f"{fast[0].max():.2f}",
)

# %% tags=["hide-input"] jupyter={"source_hidden": true}
blue, red, orange = style.OKABE_ITO["blue"], style.OKABE_ITO["vermillion"], style.OKABE_ITO["orange"]
figure = style.new_figure(style.WIDE, 3.9)
first, second, third = figure.subplots(1, 3)
counts = np.geomspace(1.6, 140, 50)
first.plot(counts, np.log(counts), color=style.MUTED, linewidth=1.2, label="log C")
first.plot(list(starts), list(starts.values()), "o", color=blue, markersize=8, label="fresh network")
first.plot([3], [too_bright], "X", color=red, markersize=9, label="pictures 0 to 255")
first.set_xscale("log")
first.set_xticks((2, 3, 10, 100), ("2", "3", "10", "100"))
first.minorticks_off()
first.set_ylim(0, 1.15 * max(too_bright, 5))
first.set_xlabel("number of classes C", fontsize=style.TEXT_SIZE)
first.set_ylabel("loss", fontsize=style.TEXT_SIZE)
first.set_title("1. before the first step", fontsize=style.TITLE_SIZE, loc="left")
for losses, colour, dash, name in (
    (healthy, blue, "-", "20 cloths"),
    (shuffled, orange, "--", "labels shuffled"),
    (dark, red, "-.", "/ 255 twice"),
):
    second.plot(losses, dash, color=colour, linewidth=2, label=name)
second.axhline(math.log(3), color=style.MUTED, linewidth=1, linestyle=":")
second.text(STEPS, math.log(3) + 0.02, "log 3", ha="right", fontsize=style.SMALL_SIZE, color=style.MUTED)
second.set_ylim(0, 1.35)
second.set_xlabel("step", fontsize=style.TEXT_SIZE)
second.set_ylabel("loss", fontsize=style.TEXT_SIZE)
second.set_title("2. learnt by heart?", fontsize=style.TITLE_SIZE, loc="left")
looks = ((fast, red, "-."), (usual, blue, "-"), (slow, orange, "--"))
for (values, colour, dash), rate in zip(looks, rates[::-1], strict=True):
    for index, column in enumerate(values.T):
        third.plot(column, dash, color=colour, linewidth=1, label=f"learning rate {rate:g}" if index == 0 else "_")
third.axhspan(1e-3, 1e-2, color=style.GRID, alpha=0.6, label="usual range")
third.set_yscale("log")
third.set_ylim(1e-5, 500)
third.set_xlabel("step (a line per layer)", fontsize=style.TEXT_SIZE)
third.set_ylabel("step's length / weights' length", fontsize=style.TEXT_SIZE)
third.set_title("3. how far?", fontsize=style.TITLE_SIZE, loc="left")
for axes, place in ((first, "upper right"), (second, "center right"), (third, "upper right")):
    style.dress(axes)
    axes.legend(frameon=False, fontsize=style.SMALL_SIZE, loc=place)
lesson.show(figure, "12_is_training_healthy")

# %% [markdown]
# ## Try it
#
# - Make the classes unequal (17, 2 and 1 pictures). Below log 3, what is the best loss of a network that knows only how
#   often each class comes?
#
#   <details><summary>Answer</summary>
#
#   The entropy of the shares, $-\sum_c p_c \log p_c$. With such classes a loss of 0.6 is not half learnt: it is worse
#   than knowing nothing but the counts.
#
#   ```python
#   shares = np.array([17, 2, 1]) / 20
#   print(f"the best loss without looking is {-(shares * np.log(shares)).sum():.2f}, log 3 is {np.log(3):.2f}")
#   ```
#
#   ```text
#   the best loss without looking is 0.52, log 3 is 1.10
#   ```
#
#   </details>
#
# - Which of the three questions notices that two classes' labels are swapped? That dropout is 0.95? That the gradient's
#   sign is wrong?
#
#   <details><summary>Answer</summary>
#
#   Swapped labels: none of the three. The network learns them as gladly as the right ones, and only somebody who looks
#   at pictures and labels side by side will see it. Dropout of 0.95: the second, the loss stays where it was. Wrong
#   sign: the second again, the loss climbs. (The first question is asked before any gradient, so it knows nothing of
#   one.)
#
#   ```python
#   class WrongWay(nn.Adam):
#       """A planted bug: uphill."""
#
#       def step(self, layers):
#           for layer in layers:
#               layer.grads = {name: -grad for name, grad in layer.grads.items()}
#           super().step(layers)
#
#
#   def by_heart(labels, drop=0.0, optimizer=nn.Adam):
#       """First and last loss of lesson's second question."""
#       layers = [part for filters in (16, 32, 64) for part in (nn.Conv2D(filters, 3), nn.ReLU(), nn.MaxPooling2D(2))]
#       layers += [nn.Flatten(), nn.Dropout(drop), nn.Dense(64), nn.ReLU(), nn.Dense(3), nn.Softmax()]
#       model = nn.Sequential(layers, x.shape[1:], random_state=0)
#       model.compile(optimizer(2e-3))
#       losses = [float(model.train_step(x, labels)[0]) for _ in range(STEPS)]
#       return losses[0], losses[-1]
#
#
#   for name, (first, last) in {
#       "two classes swapped": by_heart(np.array([1, 0, 2])[y]),
#       "dropout 0.95": by_heart(y, drop=0.95),
#       "wrong sign": by_heart(y, optimizer=WrongWay),
#   }.items():
#       lesson.check(f"{name}: the first question notices", abs(first - math.log(3)) > 0.1, f"{first:.2f}")
#       lesson.check(f"{name}: the second question notices", last > 0.1, f"{last:.3g}")
#   ```
#
#   ```text
#   two classes swapped: the first question notices: False
#   two classes swapped: the second question notices: False
#   dropout 0.95: the first question notices: False
#   dropout 0.95: the second question notices: True
#   wrong sign: the first question notices: False
#   wrong sign: the second question notices: True
#   ```
#
#   </details>
#
# - Ask the third question at every hundredth step of `examples/train_on_drawn_batik.py`, as a callback.
#
#   <details><summary>Answer</summary>
#
#   A callback gets `on_batch_begin` and `on_batch_end`. In `train_on_drawn_batik.py`, give `fit` a
#   `callbacks=[StepLength()]`. Here with the pictures of this lesson, one in a batch, to see two lines soon:
#
#   ```python
#   class StepLength(nn.Callback):
#       """Prints |change| / |weights| of every kernel at every hundredth step."""
#
#       def __init__(self, every=100):
#           self.every, self.steps = every, 0
#
#       def kernels(self):
#           return {layer.name: layer.params["kernel"] for layer in self.model.layers if "kernel" in layer.params}
#
#       def on_batch_begin(self, batch, logs):
#           self.before = {name: kernel.copy() for name, kernel in self.kernels().items()}
#
#       def on_batch_end(self, batch, logs):
#           self.steps += 1
#           if self.steps % self.every == 0:
#               parts = [np.linalg.norm(k - self.before[n]) / np.linalg.norm(k) for n, k in self.kernels().items()]
#               print(f"  step {self.steps}: " + " ".join(f"{part:.0e}" for part in parts))
#
#
#   network(learning_rate=1e-3).fit(x, y, batch_size=1, epochs=10, verbose=0, callbacks=[StepLength()])
#   ```
#
#   </details>
