# %% [markdown]
# # 23. Batch normalisation: a layer that looks at the whole batch
#
# Needs lessons 4, 9 and 10. About twenty minutes.
#
# Every layer so far treated each picture for itself. This one (Ioffe & Szegedy, 2015) compares: a unit's value for a
# picture is measured against its values for the other pictures of the batch. For one unit, with $m$ over the $M$ rows
# of the batch (of maps: over all places of all pictures, one channel at a time):
#
# $$
# \begin{aligned}
# \mu &= \sum_m x_m / M, \qquad & n_m &= (x_m - \mu) / s \\
# v &= \sum_m (x_m - \mu)^2 / M, \qquad & y_m &= \gamma \, n_m + \beta \\
# s &= \sqrt{v + \epsilon}
# \end{aligned}
# $$
#
# First mean 0 and deviation 1, whatever comes in; then $\gamma$ and $\beta$, two numbers per unit that are learnt like
# any weight, give back the freedom to have another deviation and another mean. $\epsilon$ keeps a unit alive that is
# the same for all pictures. For a batch of four, by hand and by the package (`batik_scratch/ops/batch_norm.py`):
#
# ```text
# mean 3.0, variance 3.5, n = -1.07, -0.53, 0.00, 1.60
# the layer says the same: True
# multiplied by 100 and shifted by 7, the batch gives the same n to a thousandth: True
# ```

# %%
import numpy as np

from batik_scratch import nn
from batik_scratch.figures import style
from batik_scratch.learn import lesson

EPSILON = 1e-3


def normed(x):
    """n of a batch x (M, C), and s (C,)."""
    s = np.sqrt(((x - x.mean(axis=0)) ** 2).mean(axis=0) + EPSILON)
    return (x - x.mean(axis=0)) / s, s


def normalisation(channels, **options):
    """A layer of its own, in float64."""
    layer = nn.BatchNormalization(**options).astype("float64")
    layer.build((channels,), np.random.default_rng(0))
    return layer


four = np.array([[1.0], [2.0], [3.0], [6.0]])  # (4, 1)
by_hand = normed(four)[0]  # (4, 1)
said = ", ".join(f"{value:.2f}" for value in by_hand[:, 0])
print(f"mean {four.mean():.1f}, variance {four.var():.1f}, n = {said}")
lesson.check(
    "the layer says the same",
    np.allclose(normalisation(1).forward(four, training=True), by_hand),
    f"largest difference {np.abs(normalisation(1).forward(four, training=True) - by_hand).max():.0e}",
)
same = np.abs(normed(100 * four + 7)[0] - by_hand).max() < 1e-3
lesson.check(
    "multiplied by 100 and shifted by 7, the batch gives the same n to a thousandth",
    same,
    f"off by {np.abs(normed(100 * four + 7)[0] - by_hand).max():.0e}",
)

# %% [markdown]
# ## Why: a step that all pictures share
#
# The last line is the point. The layer above no longer depends on how large the numbers below are, or on what they have
# in common. Lesson 9 showed that pictures have much in common; here is what that can do to the paper's network.
#
# Its first dense layer has $D = 36992$ inputs $x_i$, none of them negative, since they come out of ReLUs. A weight's
# gradient is a sum over the pictures $n$ of the batch,
#
# $$ g_{iu} = \sum_n x_{ni} \, dz_{nu} $$
#
# If the pictures' features are alike, $x_{ni}$ is about $a_i$ for all of them, and $g_{iu}$ is about
# $a_i \sum_n dz_{nu}$: of *one sign* for all weights into unit $u$. Adam's first step is one learning rate $r$ against
# that sign (lesson 10). So the unit's value $z_{nu}$ moves by $r$ for each input, all in the same direction, for every
# picture:
#
# $$ r \sum_i x_{ni} = r D \, (\text{mean of } x) $$
#
# A single weight has moved by 0.001. The sum of 36,992 of them is another matter:
#
# ```text
# inputs 36,992, none negative: True; r D = 37.0
# median unit that moves: it moves by more than 8 times its own spread between pictures: True
# before the step, units that are shut for every picture or open for every picture: less than a half: True
# after one step: more than two thirds: True
# and shut for every picture: more than a quarter: True
# ```
#
# A unit that is shut for every picture has no gradient any more, and one that is open for every picture is no longer a
# ReLU. Adam goes on from there, with what is left. (In a study of 568 cloths we found 52% shut and 41% open after one
# step. Here the cloths are 24, drawn at 50 pixels and enlarged threefold, to save your time.)
#
# With the normalisation between the dense layer and its ReLU, the weights move by just as much. But whatever all
# pictures share is $\mu$, and $\mu$ is subtracted: $n$ has mean 0 in every unit, so while $\beta$ is small some
# pictures are above 0 and some below. No unit can be shut for all, or open for all. (The figure's three upper panels
# show this, each on a scale of its own: a line for every unit, from the lowest of its values to the highest.)
#
# ```text
# with normalisation, after the same step, units shut or open for every picture: 0 of 64
# ```

# %%
cloths, y, _ = lesson.drawn_cloths(8, 50)
features = cloths.repeat(3, axis=1).repeat(3, axis=2)  # (N, 150, 150, 3)
for layer in nn.paper_cnn(random_state=0, algorithm="auto").layers[:10]:  # up to flatten
    features = layer.forward(features)
D, RATE = features.shape[1], 1e-3
print(f"inputs {D:,}, none negative: {bool((features >= 0).all())}; r D = {RATE * D:.1f}")


def head(with_norm):
    """The paper's layers above flatten, without dropout; the normalisation is between the dense layer and its ReLU."""
    between = [nn.BatchNormalization()] if with_norm else []
    model = nn.Sequential([nn.Dense(64), *between, nn.ReLU(), nn.Dense(3), nn.Softmax()], (D,), random_state=0)
    model.compile(nn.Adam(RATE))
    return model


def before_relu(model):
    """What the ReLU is given in training, for every picture (N, 64), and the dense layer's own answer."""
    z = model.layers[0].forward(features)  # (N, 64)
    return (model.layers[1].forward(z, training=True), z) if len(model.layers) == 5 else (z, z)


def shut(z):
    """Share of the units that are shut for every picture."""
    return float((z <= 0).all(axis=0).mean())


def decided(z):
    """Share of the units that are shut for every picture, or open for every picture."""
    return shut(z) + float((z > 0).all(axis=0).mean())


values = {}
for with_norm in (False, True):
    model = head(with_norm)
    start, dense = before_relu(model)
    model.train_step(features, y)
    after, dense_after = before_relu(model)
    values[with_norm] = start, after
    moved = np.abs((dense_after - dense).mean(axis=0))  # (64,)
    far = float(np.median((moved / dense.std(axis=0))[moved > 0]))
    print(f"  normalised {with_norm}: moved {far:.1f} spreads; shut {shut(start):.2f} -> {shut(after):.2f}, ", end="")
    print(f"shut or open {decided(start):.2f} -> {decided(after):.2f}")
    if not with_norm:
        lesson.check(
            "median unit that moves: it moves by more than 8 times its own spread between pictures",
            far > 8,
            f"{far:.1f} times",
        )
start, after = values[False]
words = "before the step, units that are shut for every picture or open for every picture: less than a half"
lesson.check(f"{words}", decided(start) < 0.5, f"{decided(start):.2f}")
lesson.check("after one step: more than two thirds", decided(after) > 2 / 3, f"{decided(after):.2f}")
lesson.check("and shut for every picture: more than a quarter", shut(after) > 0.25, f"{shut(after):.2f}")
left_over = 64 * decided(values[True][1])
print(f"with normalisation, after the same step, units shut or open for every picture: {left_over:.0f} of 64")

# %% [markdown]
# ## Backward, line by line
#
# Now the chain rule. An $x_m$ reaches $y$ by three ways: straight through its own $n_m$, through $\mu$, and through
# $v$. Let $dy_m$ be the gradient that arrives.
#
# $$
# \begin{aligned}
# 1 \quad & d\beta = \sum_m dy_m && \beta \text{ is added everywhere} \\
# 2 \quad & d\gamma = \sum_m dy_m \, n_m && \gamma \text{ multiplies } n \text{ everywhere} \\
# 3 \quad & dn_m = \gamma \, dy_m \\
# 4 \quad & dv = \sum_m dn_m \, (x_m - \mu) (-1/2) \, s^{-3} && \text{as } d(1/s)/dv = -1/2 \; s^{-3} \\
# 5 \quad & d\mu = -\sum_m dn_m / s && \text{nothing by } v \text{: } dv/d\mu = -2 \sum_m (x_m - \mu) / M = 0 \\
# 6 \quad & dx_m = dn_m / s + dv \; 2 (x_m - \mu) / M + d\mu / M
# \end{aligned}
# $$
#
# Line 6 is the three ways, one summand each. Each can be checked alone: let $x$ stand in three places, and nudge it in
# one of them only (lesson 4's central difference).
#
# ```text
# the straight way agrees with its central difference: True
# the way through the variance agrees with its central difference: True
# the way through the mean agrees with its central difference: True
# ```

# %%
rng = np.random.default_rng(0)
M, C = 8, 5
x, dy = rng.normal(3, 2, (M, C)), rng.standard_normal((M, C))  # (M, C) both
gamma, beta = rng.uniform(0.5, 2, C), rng.standard_normal(C)  # (C,) both


def through(straight, by_variance, by_mean):
    """sum of dy y, with x standing in three places."""
    mu = by_mean.mean(axis=0)  # (C,)
    v = ((by_variance - by_variance.mean(axis=0)) ** 2).mean(axis=0)  # (C,): its own mean, as line 5 allows
    return float((dy * (gamma * (straight - mu) / np.sqrt(v + EPSILON) + beta)).sum())


def central(place):
    """d through / dx (M, C) where x moves in the given places alone."""
    slopes, h = np.zeros_like(x), 1e-5
    for index in np.ndindex(x.shape):
        up, down = ([x.copy() if i in place else x for i in range(3)] for _ in range(2))
        for i in place:
            up[i][index] += h
            down[i][index] -= h
        slopes[index] = (through(*up) - through(*down)) / (2 * h)
    return slopes


n, s = normed(x)
dbeta, dgamma = dy.sum(axis=0), (dy * n).sum(axis=0)  # (C,) both: lines 1 and 2
dn = gamma * dy  # (M, C): line 3
dv = (dn * (x - x.mean(axis=0))).sum(axis=0) * -0.5 * s**-3  # (C,): line 4
dmu = -dn.sum(axis=0) / s  # (C,): line 5
ways = {"straight way": dn / s, "way through the variance": dv * 2 * (x - x.mean(axis=0)) / M}  # (M, C) each
ways["way through the mean"] = np.broadcast_to(dmu / M, x.shape)
for place, (name, way) in enumerate(ways.items()):
    lesson.check(
        f"the {name} agrees with its central difference",
        np.allclose(way, central([place]), atol=1e-7),
        f"off by {np.abs(way - central([place])).max():.0e}",
    )

# %% [markdown]
# Put 4 and 5 into 6, with $\sum_m dn_m = \gamma \, d\beta$ and $\sum_m dn_m \, n_m = \gamma \, d\gamma$, and the ways
# gather:
#
# $$ 7 \quad dx_m = \frac{\gamma}{s} \Big( dy_m - \frac{d\beta}{M} - n_m \frac{d\gamma}{M} \Big) $$
#
# That is what the compiled kernel computes. It says what the layer does to a gradient: it takes away the mean, and the
# part along $n$. No step can be made that the layer would take back anyhow.
#
# ```text
# all three ways together agree with the central difference: True
# line 7 and the package's layer agree with line 6, to ten digits: True
# dx adds up to 0 in every channel: True
# dx times n does too, up to what epsilon leaves: True
# mean and variance taken for constants: wrong by more than a tenth: True
# ```
#
# The last line is the classic bug: it leaves out the two ways through the statistics, and trains, a little worse. It
# hangs in the museum (`batik-scratch gradcheck --museum`) as StatisticsTakenForConstants, beside its relatives: one way
# forgotten, $M - 1$ for $M$, means over the wrong axes, $\epsilon$ in one direction only. The exercise
# `batch_normalization` asks you for the layer (`examples/exercises`), and has these words ready.

# %%
dx = sum(ways.values())  # (M, C): line 6
lesson.check(
    "all three ways together agree with the central difference",
    np.allclose(dx, central([0, 1, 2]), atol=1e-7),
    f"off by {np.abs(dx - central([0, 1, 2])).max():.0e}",
)
layer = normalisation(C)
layer.params["gamma"][...], layer.params["beta"][...] = gamma, beta
layer.forward(x, training=True)
gathered = gamma / s * (dy - dbeta / M - n * dgamma / M)  # (M, C): line 7
agree = np.allclose(gathered, dx, atol=1e-10) and np.allclose(layer.backward(dy), dx, atol=1e-10)
agree &= np.allclose(layer.grads["gamma"], dgamma) and np.allclose(layer.grads["beta"], dbeta)
lesson.check(
    "line 7 and the package's layer agree with line 6, to ten digits",
    agree,
    f"off by {np.abs(layer.backward(dy) - dx).max():.0e}",
)
lesson.check(
    "dx adds up to 0 in every channel", np.abs(dx.sum(axis=0)).max() < 1e-12, f"{np.abs(dx.sum(axis=0)).max():.0e}"
)
lesson.check(
    "dx times n does too, up to what epsilon leaves",
    np.abs((dx * n).sum(axis=0)).max() < 0.01,
    f"{np.abs((dx * n).sum(axis=0)).max():.0e}",
)
wrong = np.linalg.norm(gamma * dy / s - dx) / np.linalg.norm(dx)
lesson.check("mean and variance taken for constants: wrong by more than a tenth", wrong > 0.1, f"by {wrong:.2f}")

# %% [markdown]
# ## Training and rest
#
# After training a single picture must get an answer, and the answer must not depend on its company. So the layer keeps
# a running mean and a running variance, moved a little by each training batch,
#
# $$ moving \leftarrow momentum \cdot moving + (1 - momentum) \cdot \text{(of the batch)} $$
#
# and at rest it uses those. They are constants then: of the three ways only the straight one is left, and that is the
# backward pass through which a saliency map goes.
#
# They begin at 0 and 1, and $t$ batches bring them $1 - momentum^t$ of the way. Keras' momentum is 0.99 (PyTorch calls
# the same number 0.01):
#
# ```text
# momentum 0.99: after 10, 100, 1000 batches 0.10, 0.63, 1.00 of the way
# momentum 0.90: after 10, 100, 1000 batches 0.65, 1.00, 1.00 of the way
# at rest dx is the straight way alone: True
# ```

# %%
for momentum in (0.99, 0.9):
    layer, gone, batches = normalisation(C, momentum=momentum), [], 0
    for count in (10, 100, 1000):
        while batches < count:
            layer.forward(x, training=True)
            batches += 1
        gone.append(float((layer.params["moving_mean"] / x.mean(axis=0)).mean()))
    print(f"momentum {momentum:.2f}: after 10, 100, 1000 batches {', '.join(f'{g:.2f}' for g in gone)} of the way")
layer.params["gamma"][...] = gamma
layer.forward(x, keep=True)  # at rest, and kept for the way back
straight = gamma * dy / np.sqrt(layer.params["moving_variance"] + EPSILON)  # (M, C)
lesson.check(
    "at rest dx is the straight way alone",
    np.allclose(layer.backward(dy), straight),
    f"off by {np.abs(layer.backward(dy) - straight).max():.0e}",
)

# %% [markdown]
# ## A network that starts badly
#
# Lesson 9's tower: twenty dense layers with ReLU, drawn from glorot, so that the signal shrinks by a factor of hundreds
# on the way up. Plain gradient descent left its loss where it was. A normalisation in front of every ReLU measures each
# layer's signal against itself, and the same steps of the same length do learn.
#
# But look at the same network at rest. In 150 steps a momentum of 0.99 has gone 78% of the way, towards batches that
# were themselves changing; twenty layers multiply what each of them is off by. The training loss knows nothing of that.
#
# ```text
# without: the loss is still within a tenth of where it started: True
# with: the loss has fallen below a tenth: True
# with, at rest, momentum 0.99: the loss is more than 5 times the training loss: True
# with, at rest, momentum 0.90: less than 3 times: True
# ```
#
# So give short trainings a shorter memory: `nn.cloth_cnn` has 0.9. If a network is good in training and guesses at
# rest, look here first.

# %%
DEPTH, STEPS = 20, 150
small, kinds, _ = lesson.drawn_cloths(16, 32)
small = ((small - small.mean()) / small.std()).reshape(len(small), -1)  # (N, D)


def tower(momentum):
    """Lesson 9's tower, with a normalisation in front of every ReLU unless momentum is None."""
    layers = []
    for _ in range(DEPTH):
        norm = [] if momentum is None else [nn.BatchNormalization(momentum=momentum)]
        layers += [nn.Dense(128), *norm, nn.ReLU()]
    model = nn.Sequential([*layers, nn.Dense(3), nn.Softmax()], small.shape[1:], random_state=0)
    model.compile(nn.SGD(0.005))
    return model


learnt, resting = {}, {}
for momentum in (None, 0.99, 0.9):
    model, learnt[momentum], resting[momentum] = tower(momentum), [], []
    for step in range(STEPS):
        learnt[momentum].append(float(model.train_step(small, kinds)[0]))
        if step % 10 == 9:
            resting[momentum].append(model.evaluate(small, kinds)["loss"])
    print(
        f"  momentum {momentum}: {learnt[momentum][0]:.2f} -> {learnt[momentum][-1]:.3f}, {resting[momentum][-1]:.3f}"
    )
still = abs(learnt[None][-1] - learnt[None][0]) < learnt[None][0] / 10
lesson.check(
    "without: the loss is still within a tenth of where it started",
    still,
    f"{learnt[None][0]:.3f} to {learnt[None][-1]:.3f}",
)
lesson.check(
    "with: the loss has fallen below a tenth", max(learnt[0.9][-1], learnt[0.99][-1]) < 0.1, f"{learnt[0.9][-1]:.3f}"
)
late = {momentum: resting[momentum][-1] / learnt[momentum][-1] for momentum in (0.99, 0.9)}
lesson.check(
    "with, at rest, momentum 0.99: the loss is more than 5 times the training loss",
    late[0.99] > 5,
    f"{late[0.99]:.0f} times",
)
lesson.check("with, at rest, momentum 0.90: less than 3 times", late[0.9] < 3, f"{late[0.9]:.2f} times")

# %% [markdown]
# ## Batches of one, and of two
#
# Compared with itself alone, a row is its own mean: $n = 0$, $y = \beta$, and $dx = 0$. The network answers every
# picture alike and no layer below learns anything, without any error message. Two rows are hardly better: each $n$ is 1
# or -1, whatever the pictures are. (Maps have many places, so a single *picture* can be normalised by its own; that is
# another layer, and `nn.Standardization` does it on purpose.)
#
# ```text
# a batch of one: y is beta, whatever x is: True; dx is 0: True
# a batch of two: every n is 1 or -1: True
# a bias below the layer gets a gradient: False
# ```
#
# The last line is a fact to use: $\mu$ takes any bias back, so a layer under a normalisation needs none. $\beta$ is its
# bias.

# %%
layer = normalisation(C)
layer.params["beta"][...] = beta
alone = np.abs(layer.forward(x[:1], training=True) - beta).max() == 0
dx_alone = layer.backward(dy[:1])
largest = np.abs(dx_alone).max()
print(f"a batch of one: y is beta, whatever x is: {alone}; dx is 0: {not dx_alone.any()} (largest {largest:g})")
pair = normalisation(C, epsilon=1e-9).forward(x[:2], training=True)
lesson.check(
    "a batch of two: every n is 1 or -1",
    np.allclose(np.abs(pair), 1, atol=1e-3),
    f"{np.abs(pair).min():.5f} to {np.abs(pair).max():.5f}",
)
model = tower(0.9)
model.train_gradients(small, kinds)
sizes = {key: np.abs(model.layers[0].grads[key]).max() for key in ("kernel", "bias")}
lesson.check(
    "a bias below the layer gets a gradient",
    sizes["bias"] > 1e-4 * sizes["kernel"],
    f"{sizes['bias'] / sizes['kernel']:.0e} of the kernel's",
)

# %% tags=["hide-input"] jupyter={"source_hidden": true}
blue, red, orange = style.OKABE_ITO["blue"], style.OKABE_ITO["vermillion"], style.OKABE_ITO["orange"]
figure = style.new_figure(style.WIDE, 7.0)
grid = figure.add_gridspec(2, 6)
scenes = (
    ("fresh", values[False][0]),
    ("after Adam's first step", values[False][1]),
    ("the same, normalised", values[True][1]),
)
for index, (title, z) in enumerate(scenes):
    axes = figure.add_subplot(grid[0, 2 * index : 2 * index + 2])
    low, high = np.sort(z[:, z.mean(axis=0).argsort()], axis=0)[[0, -1]]  # (64,) both
    closed = high <= 0
    colours = np.where(closed, red, np.where(low > 0, orange, blue))
    axes.vlines(np.arange(1, 65), low, high, colors=colours, linewidth=2)
    axes.plot(np.arange(1, 65), (low + high) / 2, ".", color=style.INK, markersize=2)
    axes.axhline(0, color=style.MUTED, linewidth=1)
    axes.set_xlabel("hidden unit, in order", fontsize=style.TEXT_SIZE)
    axes.set_title(title, fontsize=style.TEXT_SIZE, loc="left")
    style.dress(axes)
    if index == 0:
        axes.set_ylabel("value before ReLU, all pictures", fontsize=style.TEXT_SIZE)
        for colour, name in ((orange, "open for all"), (blue, "both"), (red, "shut for all")):
            axes.plot([], [], color=colour, linewidth=3, label=name)
        axes.legend(frameon=False, fontsize=style.SMALL_SIZE, loc="upper left")
steps = np.arange(1, STEPS + 1)
left, right = figure.add_subplot(grid[1, :3]), figure.add_subplot(grid[1, 3:])
left.plot(steps, learnt[None], "--", color=red, linewidth=2.2, label="without")
left.plot(steps, learnt[0.99], color=blue, linewidth=2.2, label="with")
left.set_title("a tower of twenty layers, in training", fontsize=style.TEXT_SIZE, loc="left")
right.plot(steps, learnt[0.99], color=blue, linewidth=2.2, label="in training")
right.plot(steps[9::10], resting[0.99], "o--", color=orange, markersize=4, label="at rest, momentum 0.99")
right.plot(steps[9::10], resting[0.9], "s-.", color=style.OKABE_ITO["bluish green"], markersize=4, label="at rest, 0.9")
right.set_title("the same, in training and at rest", fontsize=style.TEXT_SIZE, loc="left")
for axes in (left, right):
    axes.axhline(np.log(3), color=style.MUTED, linewidth=1, linestyle=":")
    axes.set_yscale("log")
    axes.set_xlabel("step of gradient descent (dotted: guessing, log 3)", fontsize=style.TEXT_SIZE)
    axes.set_ylabel("loss", fontsize=style.TEXT_SIZE)
    axes.legend(frameon=False, fontsize=style.SMALL_SIZE)
    style.dress(axes)
lesson.show(figure, "23_batch_normalisation")

# %% [markdown]
# ## Try it
#
# - Give Adam a rate of 1e-5 in the section on its first step. What becomes of the shut units, and what does that cost?
#   Or draw the features with `first_bias="zeros"`: what happens to the spread between pictures?
#
#   <details><summary>Answer</summary>
#
#   Nothing is decided in one step, but a hundredth of the rate needs some hundred times as many steps. With biases of 0
#   the pictures' features are larger in what they share. The spread between pictures hardly changes, but a unit moves
#   by many more of its spreads, and nearly all of them are decided at once.
#
#   ```python
#   def one_step(rate, features):
#       """(how far the median unit moves, in spreads; the share of decided units; the loss after 31 steps)."""
#       model = nn.Sequential([nn.Dense(64), nn.ReLU(), nn.Dense(3), nn.Softmax()], (D,), random_state=0)
#       model.compile(nn.Adam(rate))
#       before = model.layers[0].forward(features)
#       model.train_step(features, y)
#       after = model.layers[0].forward(features)
#       moved = np.abs((after - before).mean(axis=0))
#       for _ in range(30):
#           loss = float(model.train_step(features, y)[0])
#       return float(np.median((moved / before.std(axis=0))[moved > 0])), decided(after), loss
#
#
#   usual, slow = one_step(1e-3, features), one_step(1e-5, features)
#   lesson.check("rate 1e-5: no more decided units than before the step", slow[1] <= decided(start), f"{slow[1]:.2f}")
#   lesson.check(
#       "but learning takes long: a higher loss after 31 steps",
#       slow[2] > 5 * usual[2],
#       f"{slow[2]:.2f}, {usual[2]:.2f}",
#   )
#   shared = cloths.repeat(3, axis=1).repeat(3, axis=2)
#   for part in nn.paper_cnn(random_state=0, algorithm="auto", first_bias="zeros").layers[:10]:
#       shared = part.forward(shared)
#   far, share, _ = one_step(1e-3, shared)
#   lesson.check(
#       "first bias 0: a unit moves by more of its spreads", far > 1.5 * usual[0], f"{far:.0f}, {usual[0]:.0f}"
#   )
#   lesson.check("and more than nine units of ten are decided", share > 0.9, f"{share:.2f}")
#   ```
#
#   ```text
#   rate 1e-5: no more decided units than before the step: True
#   but learning takes long: a higher loss after 31 steps: True
#   first bias 0: a unit moves by more of its spreads: True
#   and more than nine units of ten are decided: True
#   ```
#
#   </details>
#
# - Train the tower in batches of 4 in place of 48. When does the noise of the small batches hurt?
#
#   <details><summary>Answer</summary>
#
#   From the beginning. With 4 in a batch, mean and variance are guesses, twenty layers multiply what is wrong with
#   them, and after as many steps the tower has hardly begun; with 16 it is not much better. (It has also seen fewer
#   pictures; give it twelve times the steps to be fair to it.)
#
#   ```python
#   ends = {}
#   for rows in (48, 16, 4):
#       model, rng = tower(0.9), np.random.default_rng(0)
#       losses = []
#       for _ in range(STEPS):
#           picked = rng.permutation(48)[:rows]
#           losses.append(float(model.train_step(small[picked], kinds[picked])[0]))
#       ends[rows] = np.mean(losses[-10:])
#   told = ", ".join(f"{rows}: {loss:.2f}" for rows, loss in ends.items())
#   lesson.check("with 16 in a batch, as with 4, it has hardly begun", min(ends[16], ends[4]) > 5 * ends[48], told)
#   ```
#
#   ```text
#   with 16 in a batch, as with 4, it has hardly begun: True
#   ```
#
#   </details>
#
# - Put the normalisation behind the ReLU. Which of the promises above still hold?
#
#   <details><summary>Answer</summary>
#
#   The tower learns, even faster, and the loss at rest is fine. But a bias below the ReLU does get a gradient, and the
#   promise about units no longer holds: what the ReLU is given is the dense layer's own answer, and after Adam's first
#   step most units are shut or open for all.
#
#   ```python
#   layers = []
#   for _ in range(DEPTH):
#       layers += [nn.Dense(128), nn.ReLU(), nn.BatchNormalization(momentum=0.9)]
#   model = nn.Sequential([*layers, nn.Dense(3), nn.Softmax()], small.shape[1:], random_state=0)
#   model.compile(nn.SGD(0.005))
#   for _ in range(STEPS):
#       loss = float(model.train_step(small, kinds)[0])
#   lesson.check("the tower learns: the loss falls below a tenth", loss < 0.1, f"{loss:.3f}")
#   rest = model.evaluate(small, kinds)["loss"]
#   lesson.check("at rest, less than 3 times the training loss", rest < 3 * loss, f"{rest:.3f}")
#   model.train_gradients(small, kinds)
#   sizes = {key: np.abs(model.layers[0].grads[key]).max() for key in ("kernel", "bias")}
#   slope = sizes["bias"] / sizes["kernel"]
#   lesson.check("a bias below the layer gets a gradient", slope > 1e-4, f"{slope:.2f} of the kernel's")
#   units = [nn.Dense(64), nn.ReLU(), nn.BatchNormalization(), nn.Dense(3), nn.Softmax()]
#   model = nn.Sequential(units, (D,), random_state=0)
#   model.compile(nn.Adam(RATE))
#   model.train_step(features, y)
#   share = decided(model.layers[0].forward(features))
#   lesson.check("after Adam's first step more than two thirds are decided", share > 2 / 3, f"{share:.2f}")
#   ```
#
#   ```text
#   the tower learns: the loss falls below a tenth: True
#   at rest, less than 3 times the training loss: True
#   a bias below the layer gets a gradient: True
#   after Adam's first step more than two thirds are decided: True
#   ```
#
#   </details>
#
# - Leave line 5's way out, train the tower, and compare. Would you have noticed from the loss alone?
#
#   <details><summary>Answer</summary>
#
#   No. The loss falls as it does with the right layer; only a check of the gradient tells them apart.
#
#   ```python
#   from batik_scratch.nn.gradcheck import check_layer
#
#
#   class NoMean(nn.BatchNormalization):
#       """A planted bug: the way through the mean is left out."""
#
#       def forward(self, x, training=False, keep=None):
#           self.s = np.sqrt(x.var(axis=0) + EPSILON)
#           return super().forward(x, training, keep)
#
#       def backward(self, dy, need_dx=True, need_grads=True):
#           return super().backward(dy, need_dx, need_grads) + self.params["gamma"] / self.s * dy.mean(axis=0)
#
#
#   layers = []
#   for _ in range(DEPTH):
#       layers += [nn.Dense(128), NoMean(momentum=0.9), nn.ReLU()]
#   model = nn.Sequential([*layers, nn.Dense(3), nn.Softmax()], small.shape[1:], random_state=0)
#   model.compile(nn.SGD(0.005))
#   for _ in range(STEPS):
#       loss = float(model.train_step(small, kinds)[0])
#   lesson.check(
#       "the loss falls below a tenth", loss < 0.1, f"{loss:.3f}, with the right layer {learnt[0.9][-1]:.3f}"
#   )
#   print(f"check_layer passes it: {check_layer(NoMean(), (4,)).ok}")
#   ```
#
#   ```text
#   the loss falls below a tenth: True
#   check_layer passes it: False
#   ```
#
#   </details>
