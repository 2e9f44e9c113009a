# %% [markdown]
# # 3. Softmax and cross-entropy, and why the two belong together
#
# Needs lesson 2. About fifteen minutes.
#
# The last layer of a classifier gives one number per class, a score that may be anything. These numbers $z$ are called
# *logits*. We want probabilities: positive, and adding up to one. *Softmax* makes every logit positive by taking its
# exponential, and divides by the sum:
#
# $$ p_j = \frac{\exp(z_j)}{\sum_k \exp(z_k)} $$
#
# ```text
# logits 2, 1, 0 give the probabilities 0.665, 0.245, 0.090
# ```
#
# Adding the same number to all logits changes nothing: it multiplies all exponentials by the same factor, which
# cancels. `softmax` in [batik_scratch/nn/layers/activations.py](../../batik_scratch/nn/layers/activations.py) uses
# that. It takes away the largest logit first, so that the largest exponential is $\exp(0) = 1$. Without it,
# $\exp(1000)$ is too large: the largest number in float64 is about $\exp(709)$.
#
# ```text
# logits 1002, 1001, 1000 give the same: True
# the plain formula gives nan
# ```

# %%
import numpy as np

from batik_scratch import nn
from batik_scratch.figures import style
from batik_scratch.figures.boxes import draw_numbers, tint
from batik_scratch.learn import lesson
from batik_scratch.nn.layers.activations import softmax

z = np.array([[2.0, 1.0, 0.0]])
p = softmax(z)
print(f"logits {', '.join(f'{v:.0f}' for v in z[0])} give the probabilities {', '.join(f'{v:.3f}' for v in p[0])}")
high = z + 1000
same, off = np.allclose(softmax(high), p), np.abs(softmax(high) - p).max()
lesson.check(f"logits {', '.join(f'{v:.0f}' for v in high[0])} give the same", same, f"largest difference {off:.0e}")
with np.errstate(all="ignore"):
    plain = np.exp(high) / np.exp(high).sum()  # infinity divided by infinity: not a number
print(f"the plain formula gives {plain[0, 0]}")

# %% [markdown]
# ## How wrong is a probability?
#
# *Cross-entropy* is the surprise at the true class $y$: the loss is $L = -\log p_y$, with the natural logarithm.
# Certain and right costs nothing; certain and wrong has no upper limit. A network that knows nothing says $1/C$ for
# each of $C$ classes, and pays $\log C$. Look for about this number in the first line of a training run. If it is far
# off, look for the reason first.
#
# ```text
# p 1.00 costs 0.0000
# p 0.50 costs 0.6931
# p 0.01 costs 4.6052
# knowing nothing about three classes costs log 3 = 1.0986
# ```

# %%
cross_entropy = nn.SparseCategoricalCrossentropy()
for right in (1.0, 0.5, 0.01):
    cost, _ = cross_entropy.on_probabilities(np.array([[right, 1 - right]]), np.array([0]))
    print(f"p {right:.2f} costs {abs(cost):.4f}")
cost, _ = cross_entropy.on_logits(np.zeros((1, 3)), np.array([2]))
print(f"knowing nothing about three classes costs log 3 = {cost:.4f}")

# %% [markdown]
# ## The gradient of softmax
#
# Every probability depends on every logit, through the sum. The quotient rule gives, with $[i = j]$ for 1 where $i$ and
# $j$ are the same, and 0 elsewhere:
#
# $$ \frac{dp_i}{dz_j} = p_i \, ([i = j] - p_j) $$
#
# The full table of these numbers is called the *Jacobian*. Its diagonal $p_i (1 - p_i)$ is positive: a logit helps its
# own class. Everything else is negative: it takes from the others. Each row adds up to zero, because adding the same
# number to all logits changes nothing. Each column adds up to zero, because the probabilities always add up to one.
#
# ```text
# row sums 0.000, column sums 0.000
# ```
#
# The chain rule (lesson 2) adds up what an upstream gradient $dP$ says about all probabilities. It is the last line of
# `Softmax.backward` (every layer calls what comes from above `dy`; there it is $dP$):
#
# $$ dz_j = \sum_i dP_i \, p_i \, ([i = j] - p_j) = p_j \Big( dP_j - \sum_i dP_i \, p_i \Big) $$
#
# ```text
# Softmax.backward is the Jacobian times the upstream gradient: True
# ```
#
# A trap: ask with $dP = (1, 1, 1)$, and the answer is zero, because the probabilities always add up to one. A test that
# asks so cannot tell a right softmax from one that returns zeros.
#
# ```text
# for an upstream gradient of ones it is 0.000
# ```

# %%
jacobian = np.diag(p[0]) - np.outer(p[0], p[0])  # (3, 3)
rows, columns = np.abs(jacobian.sum(axis=1)).max(), np.abs(jacobian.sum(axis=0)).max()
print(f"row sums {rows:.3f}, column sums {columns:.3f}")
layer = nn.Softmax()
layer.forward(z, training=True)
dp = np.array([[0.3, -1.0, 2.0]])
dz = layer.backward(dp)
lesson.check(
    "Softmax.backward is the Jacobian times the upstream gradient",
    np.allclose(dz[0], jacobian @ dp[0]),
    f"largest difference {np.abs(dz[0] - jacobian @ dp[0]).max():.0e}",
)
print(f"for an upstream gradient of ones it is {np.abs(layer.backward(np.ones((1, 3)))).max():.3f}")

# %% [markdown]
# ## The two together
#
# Put cross-entropy on top. Its own gradient is $-1/p_y$ at the true class $y$, and 0 elsewhere. Send it down through
# softmax:
#
# $$
# \begin{aligned}
# dz_j &= p_j \Big( dP_j - \sum_i dP_i \, p_i \Big), \qquad \sum_i dP_i \, p_i = -\frac{1}{p_y} \, p_y = -1 \\
# \text{at } j = y: \quad & p_y (-1/p_y + 1) = p_y - 1 \\
# \text{elsewhere}: \quad & p_j (0 + 1) = p_j
# \end{aligned}
# $$
#
# The division and the multiplication by $p_y$ have cancelled. What remains is as simple as can be: what the network
# said, minus what it should have said.
#
# $$ dz = p - (1 \text{ at the true class, 0 elsewhere}) $$
#
# That is `SparseCategoricalCrossentropy.on_logits` in [batik_scratch/nn/losses.py](../../batik_scratch/nn/losses.py).
# It also divides by the number of examples, because the loss is a mean.
#
# ```text
# apart 0.665, -0.755, 0.090
# fused 0.665, -0.755, 0.090
# ```

# %%
truth = np.array([1])
_, dp = cross_entropy.on_probabilities(p, truth)
apart = layer.backward(dp)
_, fused = cross_entropy.on_logits(z, truth)
for name, gradient in (("apart", apart), ("fused", fused)):
    print(name, ", ".join(f"{v:.3f}" for v in gradient[0]))

# %% [markdown]
# ## First reason: numbers run out
#
# In float32, the kind of number that networks train with, what is too small becomes zero. Take logits 0 and 110, with
# the first class true. Its probability is about $\exp(-110)$, and that becomes an exact zero. Apart, the loss is
# infinite, and the gradient is infinity times zero: not a number. One such example, and all weights are lost.
#
# Fused, the logarithm meets the exponential before anything is rounded. With $m = \max_k z_k$, as above,
#
# $$
# \begin{aligned}
# p_y &= \frac{\exp(z_y - m)}{\sum_k \exp(z_k - m)} \\
# -\log p_y &= \log \sum_k \exp(z_k - m) - (z_y - m)
# \end{aligned}
# $$
#
# The sum lies between 1 and $C$, so its logarithm is harmless, and $z_y - m$ is a difference of logits: no number on
# the way is too large or too small. These are the first lines of `on_logits`.
#
# ```text
# exp(-110) is 2e-48, and the smallest float32 above zero is 1e-45
# apart: loss inf, gradient nan, nan
# fused: loss 110, gradient -1, 1
# ```
#
# So `Sequential` computes the loss from the logits, although its last layer is `Softmax`.

# %%
smallest = np.finfo(np.float32).smallest_subnormal
print(f"exp(-110) is {np.exp(-110.0):.0e}, and the smallest float32 above zero is {smallest:.0e}")
z32, first = np.array([[0.0, 110.0]], np.float32), np.array([0])
with np.errstate(all="ignore"):
    p32 = layer.forward(z32, training=True)
    loss_apart, dp32 = cross_entropy.on_probabilities(p32, first)
    dz_apart = layer.backward(dp32)
loss_fused, dz_fused = cross_entropy.on_logits(z32, first)
print(f"apart: loss {loss_apart:g}, gradient {dz_apart[0, 0]:g}, {dz_apart[0, 1]:g}")
print(f"fused: loss {loss_fused:g}, gradient {dz_fused[0, 0]:g}, {dz_fused[0, 1]:g}")

# %% [markdown]
# ## Second reason: who is most wrong should learn most
#
# Why not the squared error $(1 - p_y)^2$ of lesson 1? Its gradient at the probability is $-2 (1 - p_y)$; below it comes
# the factor $p_y (1 - p_y)$ of softmax, and now nothing cancels it. If the network is sure and wrong, $p_y$ is almost
# zero, and so is the gradient. The worst mistakes are not corrected. The logarithm is exactly the function whose slope,
# $1/p_y$, undoes the factor $p_y$.
#
# Two classes, and the true one lies behind by 8, $z = (-4, 4)$:
#
# ```text
# cross-entropy pulls with 0.9997, the squared error with 0.0007
# ```
#
# Both go downhill with the same learning rate, 1, until the true class has a probability of 0.9:
#
# ```text
# cross-entropy needs 9 steps, the squared error 772
# ```

# %%
target = np.array([0])


def pull_of_cross_entropy(logits):
    return cross_entropy.on_logits(logits, target)[1]


def pull_of_squared_error(logits):
    said = layer.forward(logits, training=True)
    return layer.backward(np.array([[-2 * (1 - said[0, 0]), 0.0]]))  # the package's own Softmax.backward


def descend(pull, logits):
    path = [softmax(logits)[0, 0]]
    while path[-1] < 0.9:
        logits = logits - pull(logits)
        path.append(softmax(logits)[0, 0])
    return path


far = np.array([[-4.0, 4.0]])
print(
    f"cross-entropy pulls with {-pull_of_cross_entropy(far)[0, 0]:.4f}, "
    f"the squared error with {-pull_of_squared_error(far)[0, 0]:.4f}"
)
fast, slow = descend(pull_of_cross_entropy, far), descend(pull_of_squared_error, far)
print(f"cross-entropy needs {len(fast) - 1} steps, the squared error {len(slow) - 1}")

# %% [markdown]
# The figure: above, the two backward passes as one product, with the numbers of this lesson (blue is positive, orange
# negative). Below, left: the losses. The dotted line is cross-entropy computed apart in float32; it ends where the
# probability becomes zero. Middle: how hard each loss pulls at the true class. Right: the two descents, by forward
# passes, of which there is one more than steps.

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure = style.new_figure(style.WIDE, 6.2)
figure.get_layout_engine().set(w_pad=0.12)
above, below = figure.subfigures(2, 1, height_ratios=[2.7, 3.5])


def signed(values, limit):
    """A tint per number: blue for positive, vermillion for negative, stronger where it is larger."""
    strength = np.minimum(np.abs(values) / limit, 1)
    return [
        [tint("blue" if v > 0 else "vermillion", 0.6 * s) for v, s in zip(row, strengths, strict=True)]
        for row, strengths in zip(values, strength, strict=True)
    ]


said, should = p.T, np.eye(3)[:, truth]  # (3, 1) each
tables = [
    (jacobian, 0.25, "{:.3f}", "Jacobian of softmax"),
    (dp.T, 5, "{:.2f}", "dP: -1/p at y"),
    (fused.T, 1, "{:.3f}", "dz"),
    (said, 1, "{:.3f}", "p"),
    (should, 1, "{:g}", "truth"),
]
grid = above.subplots(1, 9, width_ratios=[3.6, 0.3, 1.3, 0.3, 1.3, 0.3, 1.3, 0.3, 1.3])
for axes, sign in zip(grid[1::2], ("×", "=", "=", "−"), strict=True):
    axes.axis("off")
    axes.text(0.5, 0.47, sign, ha="center", va="center", fontsize=20, transform=axes.transAxes)
for axes, (values, limit, form, title) in zip(grid[::2], tables, strict=True):
    draw_numbers(axes, values + 0.0, signed(values, limit), title, form, size=style.TEXT_SIZE)

margins = np.linspace(-120, 20, 281)  # the true logit minus the other
losses = np.array([cross_entropy.on_logits(np.array([[m, 0.0]]), target)[0] for m in margins])
with np.errstate(all="ignore"):
    in_float32 = -np.log(softmax(np.stack([margins, 0 * margins], axis=1).astype(np.float32))[:, 0])
in_float32[~np.isfinite(in_float32)] = np.nan  # infinity cannot be drawn
first_axes, second_axes, third_axes = below.subplots(1, 3)
first_axes.plot(margins, losses, color=style.OKABE_ITO["sky blue"], linewidth=5, alpha=0.6, label="cross-entropy")
first_axes.plot(margins, in_float32, ":", color=style.INK, linewidth=2, label="apart, float32")
squared = (1 - softmax(np.stack([margins, 0 * margins], axis=1))[:, 0]) ** 2
first_axes.plot(margins, squared, color=style.OKABE_ITO["vermillion"], linestyle="--", label="squared error")
first_axes.set_ylabel("loss", fontsize=style.TEXT_SIZE)
near = np.linspace(-10, 6, 200)
pairs = [np.array([[m / 2, -m / 2]]) for m in near]
curves = [
    (pull_of_cross_entropy, fast, "cross-entropy", style.OKABE_ITO["blue"], "-"),
    (pull_of_squared_error, slow, "squared error", style.OKABE_ITO["vermillion"], "--"),
]
for pull, path, name, colour, dash in curves:
    second_axes.plot(near, [-pull(pair)[0, 0] for pair in pairs], dash, color=colour, label=name)
    third_axes.plot(np.arange(1, len(path) + 1), path, dash, color=colour, label=name)
second_axes.set_ylabel("pull at the true logit", fontsize=style.TEXT_SIZE)
third_axes.set_ylabel("p of the true class", fontsize=style.TEXT_SIZE)
third_axes.set_xscale("log")
third_axes.set_xlabel("forward pass", fontsize=style.TEXT_SIZE)
for axes in (first_axes, second_axes):
    axes.set_xlabel("true logit minus the other", fontsize=style.TEXT_SIZE)
for axes, place in ((first_axes, (0.62, 0.85)), (second_axes, (0.27, 0.56)), (third_axes, (0.6, 0.5))):
    style.dress(axes)
    axes.legend(frameon=False, fontsize=style.SMALL_SIZE, loc="center", bbox_to_anchor=place)
lesson.show(figure, "03_softmax_and_cross_entropy")

# %% [markdown]
# ## Try it
#
# - Scale all logits by 10, then by 0.1 (a "temperature"). What happens to the probabilities, and what to their order?
#
#   <details><summary>Answer</summary>
#
#   The order stays: the exponential rises everywhere. Large logits make softmax sure (a low temperature), small ones
#   make it undecided (a high one).
#
#   ```python
#   for factor in (10, 1, 0.1):
#       print(f"logits times {factor:g}:", ", ".join(f"{v:.3f}" for v in softmax(factor * z)[0]))
#   ```
#
#   ```text
#   logits times 10: 1.000, 0.000, 0.000
#   logits times 1: 0.665, 0.245, 0.090
#   logits times 0.1: 0.367, 0.332, 0.301
#   ```
#
#   </details>
#
# - With two classes, softmax depends on $z_1 - z_2$ only. Show that $p_1 = 1 / (1 + \exp(-(z_1 - z_2)))$.
#
#   <details><summary>Answer</summary>
#
#   Divide above and below by $\exp(z_1)$: $p_1 = \exp(z_1) / (\exp(z_1) + \exp(z_2)) = 1 / (1 + \exp(z_2 - z_1))$. This
#   function of $z_1 - z_2$ is called the logistic function.
#
#   ```python
#   pair = np.random.default_rng(0).normal(0, 5, (1000, 2))
#   by_formula = 1 / (1 + np.exp(-(pair[:, 0] - pair[:, 1])))
#   off = np.abs(softmax(pair)[:, 0] - by_formula).max()
#   print(f"the two formulas differ by less than 1e-15: {off < 1e-15}")
#   ```
#
#   ```text
#   the two formulas differ by less than 1e-15: True
#   ```
#
#   </details>
#
# - `nn.SparseCategoricalCrossentropy().on_logits(np.array([[0.0, 110, 110]]), np.array([0]))` gives the loss and dz.
#   Check both by hand.
#
#   <details><summary>Answer</summary>
#
#   With $m = 110$ the sum of exponentials is $\exp(-110) + 1 + 1$, which is 2 in all digits. So the loss is
#   $\log 2 - (0 - 110)$. The probabilities are 0, 1/2, 1/2, and $dz$ is that minus 1 at the true class, the first.
#
#   ```python
#   loss, dz = nn.SparseCategoricalCrossentropy().on_logits(np.array([[0.0, 110, 110]]), np.array([0]))
#   print(f"loss {loss:.4f} = 110 + log 2 = {110 + np.log(2):.4f}, dz", ", ".join(f"{v:g}" for v in dz[0]))
#   ```
#
#   ```text
#   loss 110.6931 = 110 + log 2 = 110.6931, dz -1, 0.5, 0.5
#   ```
#
#   </details>
