# %% [markdown]
# # 10. Adam and plain gradient descent in a valley
#
# Needs lesson 2. About fifteen minutes.
#
# The backward pass says which way is down. How far to go it does not say. This lesson looks at the simplest landscape
# in which that question is hard: a valley that is steep across and nearly flat along.
#
# $$ f(w) = \frac{a w_1^2 + b w_2^2}{2}, \qquad \frac{df}{dw} = (a w_1, \, b w_2), \qquad a = 1, \quad b = 100 $$
#
# ## Plain descent
#
# A step $w \leftarrow w - r \, df/dw$ multiplies each coordinate by a number of its own:
#
# $$ w_1 \rightarrow (1 - r a) \, w_1, \qquad w_2 \rightarrow (1 - r b) \, w_2 $$
#
# Both must be below 1 in size, so $r < 2 / b$, or the walk climbs the steep walls. The best $r$ makes both equally
# fast, $1 - r a = r b - 1$, and then each step keeps $(b - a) / (b + a)$ of the way: with $b$ a hundred times $a$
# almost all of it.
#
# ```text
# the longest stable learning rate 0.020, the best one 0.0198
# which keeps 0.980 of the distance per step
# steps to a hundredth of the distance: 231
# ```

# %%
import math

import numpy as np

from batik_scratch import nn
from batik_scratch.figures import style
from batik_scratch.learn import lesson

A, B = 1.0, 100.0
best, keep = 2 / (A + B), (B - A) / (B + A)
needed = math.ceil(math.log(1 / 100) / math.log(keep))
print(f"the longest stable learning rate {2 / B:.3f}, the best one {best:.4f}")
print(f"which keeps {keep:.3f} of the distance per step")
print(f"steps to a hundredth of the distance: {needed}")

# %% [markdown]
# The package's optimisers (`batik_scratch/nn/optimizers.py`) change the parameters of layers by the gradients that lie
# there. So we take a dense layer with two weights, put the valley's gradient into its `grads`, and let them step. `SGD`
# takes exactly as long as derived:
#
# ```text
# SGD needs 231 steps
# with a learning rate 2% beyond the limit it has left the valley after 500 steps: True
# ```

# %%


def valley(turn):
    """The matrix H of f = w' H w / 2, and the rotation by the angle `turn` that is in it."""
    rotation = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    return rotation @ np.diag([A, B]) @ rotation.T, rotation


def walk(optimizer, hessian, start, steps):
    """The places (steps + 1, 2) that the optimiser visits."""
    layer = nn.Dense(1).astype("float64")
    layer.build((2,), np.random.default_rng(0))
    weights = layer.params["kernel"]  # (2, 1), changed in place
    weights[:, 0] = start
    places = [weights[:, 0].copy()]
    for _ in range(steps):
        layer.grads = {"kernel": hessian @ weights, "bias": np.zeros(1)}
        optimizer.step([layer])
        places.append(weights[:, 0].copy())
    return np.array(places)


def height(places, hessian):
    """f at each place."""
    return np.einsum("si,ij,sj->s", places, hessian, places) / 2


def steps_to(places, hessian):
    """Steps until f is a ten-thousandth of its start, which is a hundredth of the distance."""
    low = height(places, hessian) <= height(places, hessian)[0] * (1 + 1e-9) / 1e4
    return int(low.argmax()) if low.any() else len(low)


straight, _ = valley(0.0)
START = np.array([-10.0, 1.0])
plain = walk(nn.SGD(best), straight, START, 400)
print(f"SGD needs {steps_to(plain, straight)} steps")
wild = walk(nn.SGD(1.02 * 2 / B), straight, START, 500)
left = np.abs(wild[-1]).max() > 1e6
lesson.check(
    "with a learning rate 2% beyond the limit it has left the valley after 500 steps",
    left,
    f"{np.abs(wild[-1]).max():.0e}",
)

# %% [markdown]
# ## Momentum
#
# Momentum remembers: $u \leftarrow \mu u - r \, df/dw$, then $w \leftarrow w + u$. Across the valley the pushes
# alternate and cancel; along it they add up. With the best $r$ and $\mu$ each step keeps
# $(\sqrt b - \sqrt a) / (\sqrt b + \sqrt a)$: the *root* of the steepness counts. (Polyak, 1964.)
#
# ```text
# momentum keeps 0.818 of the distance per step in the long run
# it needs fewer than a quarter of plain descent's steps: True
# ```

# %%
ratio = (math.sqrt(B) - math.sqrt(A)) / (math.sqrt(B) + math.sqrt(A))
heavy = nn.SGD((2 / (math.sqrt(A) + math.sqrt(B))) ** 2, momentum=ratio**2)
rolling = walk(heavy, straight, START, 400)
print(f"momentum keeps {ratio:.3f} of the distance per step in the long run")
lesson.check(
    "it needs fewer than a quarter of plain descent's steps",
    steps_to(rolling, straight) < needed / 4,
    f"{steps_to(rolling, straight)} of {needed}",
)

# %% [markdown]
# ## Adam
#
# Both recipes need $a$ and $b$, and nobody knows them of a network. Adam (Kingma & Ba, 2015) measures instead. For
# every weight it keeps two running means, of the gradient and of its square, and divides one by the root of the other:
#
# $$
# \begin{aligned}
# m &\mathrel{+}= (g - m)(1 - \beta_1) \\
# v &\mathrel{+}= (g^2 - v)(1 - \beta_2) \\
# w &\mathrel{-}= \alpha \, \frac{m}{\sqrt{v} + \epsilon}
# \end{aligned}
# $$
#
# These are the lines of `update_plain` in `batik_scratch/ops/adam.py`. Both means start at 0 and are therefore too
# small at first: after $t$ steps they hold the share $1 - \beta^t$ of what they should. So
# $\alpha = r \sqrt{1 - \beta_2^t} / (1 - \beta_1^t)$. At the first step that leaves a step of $-r \, g / |g|$: one
# learning rate, whatever the slope is.
#
# ```text
# the first step along the valley 0.300, across it -0.300
# without the correction it would be 3.16 times as long
# ```

# %%
RATE = 0.3
adaptive = walk(nn.Adam(RATE), straight, START, 400)
first = adaptive[1] - adaptive[0]
print(f"the first step along the valley {first[0]:.3f}, across it {first[1]:.3f}")
rules = nn.Adam()
print(f"without the correction it would be {(1 - rules.beta_1) / math.sqrt(1 - rules.beta_2):.2f} times as long")

# %% [markdown]
# Since a gradient's size cancels, so does the scale of the loss. Plain descent, tuned to one scale, flies off in
# another.
#
# ```text
# f times 1,000: Adam walks the same way, to a thousandth: True
# f times 1,000: plain descent leaves the valley: True
# Adam needs fewer than half of plain descent's steps: True
# ```

# %%
off = np.abs(walk(nn.Adam(RATE), 1000 * straight, START, 100) - adaptive[:101]).max()
lesson.check("f times 1,000: Adam walks the same way, to a thousandth", off < 1e-3, f"off by {off:.0e}")
wild = walk(nn.SGD(best), 1000 * straight, START, 20)
lesson.check(
    "f times 1,000: plain descent leaves the valley", np.abs(wild[-1]).max() > 1e6, f"{np.abs(wild[-1]).max():.0e}"
)
lesson.check(
    "Adam needs fewer than half of plain descent's steps",
    steps_to(adaptive, straight) < needed / 2,
    f"{steps_to(adaptive, straight)} of {needed}",
)

# %% [markdown]
# ## What Adam does not see
#
# Adam gives every *weight* a step length of its own. That fits a valley that runs along an axis. Turn the valley by 45
# degrees, and both weights see the same mixture of steep and flat: there is nothing left to tell them apart. Plain
# descent and momentum do not notice the turn at all, because they add and scale vectors and never look at single
# coordinates.
#
# ```text
# turned by 45 degrees, plain descent needs as many steps as before: True
# momentum too: True
# Adam needs more than half as many again: True
# ```

# %%
turned, rotation = valley(math.pi / 4)
again = {
    "SGD": walk(nn.SGD(best), turned, rotation @ START, 400),
    "momentum": walk(nn.SGD(heavy.learning_rate, momentum=heavy.momentum), turned, rotation @ START, 400),
    "Adam": walk(nn.Adam(RATE), turned, rotation @ START, 400),
}
before = {"SGD": plain, "momentum": rolling, "Adam": adaptive}
counts = {name: (steps_to(before[name], straight), steps_to(again[name], turned)) for name in before}
for name, (one, two) in counts.items():
    print(f"  {name:9s} steps: {one:3d} in the straight valley, {two:3d} in the turned one")
lesson.check(
    "turned by 45 degrees, plain descent needs as many steps as before",
    counts["SGD"][0] == counts["SGD"][1],
    f"{counts['SGD'][1]}",
)
lesson.check("momentum too", counts["momentum"][0] == counts["momentum"][1], f"{counts['momentum'][1]}")
lesson.check(
    "Adam needs more than half as many again",
    counts["Adam"][1] > 1.5 * counts["Adam"][0],
    f"{counts['Adam'][1]}, not {counts['Adam'][0]}",
)

# %% [markdown]
# The figure draws the first steps of each walk over the valley's contour lines. Follow plain descent from wall to wall;
# momentum swings far out and rolls down; Adam heads for the middle first and then along it, or, in the turned valley,
# lags behind.

# %% tags=["hide-input"] jupyter={"source_hidden": true}
colours = {"SGD": style.OKABE_ITO["vermillion"], "momentum": style.OKABE_ITO["orange"], "Adam": style.OKABE_ITO["blue"]}
marks = {"SGD": "s", "momentum": "^", "Adam": "o"}
figure = style.new_figure(style.WIDE, 6.6)
maps, curves = figure.subplots(2, 2, height_ratios=[3.2, 2.4])
scenes = [("a valley along an axis", straight, before), ("the same valley, turned by 45 degrees", turned, again)]
for axes, (title, hessian, walks) in zip(maps, scenes, strict=True):
    across = (-11, 4, -4.2, 4.2) if hessian is straight else (-9.5, 4, -9.5, 4)
    grid = np.stack(np.meshgrid(np.linspace(*across[:2], 200), np.linspace(*across[2:], 200)), axis=-1)  # (H, W, 2)
    f = np.einsum("hwi,ij,hwj->hw", grid, hessian, grid) / 2
    depth = np.sqrt(f)  # evenly spaced contours
    axes.contourf(*grid.transpose(2, 0, 1), depth, levels=np.linspace(0, depth.max(), 14), cmap="Greys", alpha=0.5)
    for name, places in walks.items():
        shown = places[:61]
        axes.plot(*shown.T, color=colours[name], marker=marks[name], markersize=3, linewidth=1.2, label=name)
    axes.plot(0, 0, "+", color=style.INK, markersize=12, markeredgewidth=2)
    axes.set_xlim(*across[:2])
    axes.set_ylim(*across[2:])
    axes.set_xlabel("first weight", fontsize=style.TEXT_SIZE)
    axes.set_ylabel("second weight", fontsize=style.TEXT_SIZE)
    axes.set_title(title, fontsize=style.TITLE_SIZE, loc="left")
for axes, (_, hessian, walks) in zip(curves, scenes, strict=True):
    for name, places in walks.items():
        axes.plot(height(places, hessian)[:251], color=colours[name], linewidth=2, label=name)
    axes.axhline(height(START[None], straight)[0] / 1e4, color=style.MUTED, linewidth=1, linestyle=":")
    axes.text(0, height(START[None], straight)[0] / 8e3, "goal", fontsize=style.SMALL_SIZE, color=style.MUTED)
    axes.set_yscale("log")
    axes.set_ylim(1e-3, 1e3)
    axes.set_xlabel("step", fontsize=style.TEXT_SIZE)
    axes.set_ylabel("height f", fontsize=style.TEXT_SIZE)
for axes in (*maps, *curves):
    style.dress(axes, grid=axes in curves)
figure.legend(*maps[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
lesson.show(figure, "10_adam_in_a_valley")

# %% [markdown]
# ## Try it
#
# - Set `beta_2=0.9`. Adam forgets sooner how steep it was: what happens near the bottom?
#
#   <details><summary>Answer</summary>
#
#   It reaches the goal sooner: it forgets the steep walls that it met at the start, and steps grow as soon as the
#   gradient falls. But close to the bottom it never comes to rest. $v$ shrinks as fast as the gradient does, and their
#   quotient stays where it was: steps of about one learning rate, across the bottom and back.
#
#   ```python
#   hasty = walk(nn.Adam(RATE, beta_2=0.9), straight, START, 400)
#   arrives = [steps_to(places, straight) for places in (hasty, adaptive)]
#   unrest = [height(places[-50:], straight).max() for places in (hasty, adaptive)]
#   lesson.check("with 0.9 it arrives sooner", arrives[0] < arrives[1], f"{arrives[0]} steps, not {arrives[1]}")
#   lesson.check(
#       "and never comes to rest", unrest[0] > 1e6 * unrest[1], f"f up to {unrest[0]:.0e}, not {unrest[1]:.0e}"
#   )
#   ```
#
#   ```text
#   with 0.9 it arrives sooner: True
#   and never comes to rest: True
#   ```
#
#   </details>
#
# - Add noise to the gradient (`layer.grads["kernel"] += ...`). Which of the three averages it away?
#
#   <details><summary>Answer</summary>
#
#   Adam, by far. Its mean $m$ is over about ten gradients, and $v$ grows with the noise, so that noisy weights get
#   shorter steps. Momentum, whose best settings were for a valley without noise, adds the noise up.
#
#   ```python
#   def noisy(optimizer, seed):
#       """Mean height of the last 200 of 600 steps, with noise of size 3 in both parts of the gradient."""
#       noise, layer = np.random.default_rng(seed), nn.Dense(1).astype("float64")
#       layer.build((2,), noise)
#       weights, heights = layer.params["kernel"], []
#       weights[:, 0] = START
#       for _ in range(600):
#           layer.grads = {"kernel": straight @ weights + 3 * noise.standard_normal((2, 1)), "bias": np.zeros(1)}
#           optimizer.step([layer])
#           heights.append(float(height(weights.T, straight)[0]))
#       return np.mean(heights[-200:])
#
#
#   found = {
#       "plain descent": np.mean([noisy(nn.SGD(best), seed) for seed in range(8)]),
#       "momentum": np.mean([noisy(nn.SGD(heavy.learning_rate, momentum=heavy.momentum), seed) for seed in range(8)]),
#       "Adam": np.mean([noisy(nn.Adam(RATE), seed) for seed in range(8)]),
#   }
#   for name, value in found.items():
#       print(f"{name}: f stays at about {value:.1g}")
#   ```
#
#   ```text
#   plain descent: f stays at about 4
#   momentum: f stays at about 2e+01
#   Adam: f stays at about 0.2
#   ```
#
#   </details>
#
# - At which angle does Adam need the most steps?
#
#   <details><summary>Answer</summary>
#
#   At 45 degrees, where both weights see the steep and the flat in equal parts.
#
#   ```python
#   needs = {}
#   for degrees in range(0, 91, 5):
#       hessian, rotation = valley(math.radians(degrees))
#       needs[degrees] = steps_to(walk(nn.Adam(RATE), hessian, rotation @ START, 400), hessian)
#   most = max(needs, key=needs.get)
#   print(f"most steps at {most} degrees: {needs[most]}; at 0 degrees {needs[0]}, at 90 degrees {needs[90]}")
#   ```
#
#   ```text
#   most steps at 45 degrees: 161; at 0 degrees 83, at 90 degrees 83
#   ```
#
#   </details>
