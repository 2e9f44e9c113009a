# %% [markdown]
# # 2. The dense layer, and the chain rule that trains it
#
# Needs lesson 1. About fifteen minutes.
#
# Several neurons that look at the same inputs are a *dense layer*. Every neuron has a column of weights of its own; we
# write the columns side by side into a table $W$, the *kernel*. With $D$ inputs and $U$ neurons (units), $W$ has $D$
# rows and $U$ columns. A batch of $N$ examples is a table $X$ with $N$ rows. Then all outputs of all neurons for all
# examples are one matrix product:
#
# $$ Y = X W + b, \qquad Y_{nu} = \sum_d X_{nd} W_{du} + b_u $$
#
# It is the one line of `forward_plain` in [batik_scratch/ops/dense.py](../../batik_scratch/ops/dense.py); the layer
# around it, with its weights, is [batik_scratch/nn/layers/dense.py](../../batik_scratch/nn/layers/dense.py). Below it
# stands beside the same sum as three loops.
#
# ```text
# loops and matrix product agree: True
# ```

# %%
import numpy as np

from batik_scratch import nn
from batik_scratch.figures import style
from batik_scratch.learn import lesson

rng = np.random.default_rng(0)
layer = nn.Dense(3)
layer.astype("float64")
layer.build((4,), rng)
x = rng.standard_normal((5, 4))  # N = 5 examples, D = 4 inputs
w, b = layer.params["kernel"], layer.params["bias"]
by_loops = np.zeros((5, 3))
for n in range(5):
    for u in range(3):
        by_loops[n, u] = b[u] + sum(x[n, d] * w[d, u] for d in range(4))
y = layer.forward(x, training=True)
lesson.check(
    "loops and matrix product agree",
    np.allclose(by_loops, y, rtol=1e-12),
    f"largest difference {np.abs(by_loops - y).max():.0e}",
)

# %% [markdown]
# ## The question that a layer answers on the way back
#
# At the end of the network there is one number, the loss $L$. For every number $z$ inside the network we ask: if $z$
# grew by a tiny amount, how many times that amount would $L$ grow? The answer is the derivative $dL/dz$; the code
# writes `dz` for it.
#
# A layer is told `dy`, the answers for its outputs, the *upstream gradient*. It does not know what $L$ is, or what
# stands above it. From `dy` it works out the answers for its weights and for its inputs, and hands the latter down. One
# rule does that, the *chain rule*. If $z$ changes several numbers $y_k$, and $L$ depends on those, the effects add up:
#
# $$ \frac{dL}{dz} = \sum_k \frac{dL}{dy_k} \, \frac{dy_k}{dz} $$
#
# Now read the formula of the layer with that question in mind.
#
# - $W_{du}$ is used once per example: in $Y_{nu}$, multiplied by $X_{nd}$. So $dW_{du} = \sum_n X_{nd} \, dY_{nu}$.
# - $b_u$ is used once per example too, multiplied by 1. So $db_u = \sum_n dY_{nu}$.
# - $X_{nd}$ is used once per unit: in $Y_{nu}$, multiplied by $W_{du}$. So $dX_{nd} = \sum_u dY_{nu} W_{du}$.
#
# These sums are matrix products again, with the tables turned over ($W^\top$ is $W$ with rows and columns swapped):
#
# $$ dW = X^\top dY, \qquad db = \text{the column sums of } dY, \qquad dX = dY \, W^\top $$
#
# A rule for the memory: the shapes fit in no other way. $dW$ must have the shape of $W$, (4, 3), and it is made of $X$
# (5, 4) and $dY$ (5, 3).
#
# ```text
# dW has the shape (4, 3), db (3,), dX (5, 4)
# loops and Dense.backward agree: True
# ```

# %%
dy = rng.standard_normal((5, 3))
dx = layer.backward(dy)  # returns dX, and leaves dW and db in layer.grads
dw, db = layer.grads["kernel"], layer.grads["bias"]
print(f"dW has the shape {dw.shape}, db {db.shape}, dX {dx.shape}")
dw_loops, db_loops, dx_loops = np.zeros((4, 3)), np.zeros(3), np.zeros((5, 4))
for n in range(5):
    for u in range(3):
        db_loops[u] += dy[n, u]
        for d in range(4):
            dw_loops[d, u] += x[n, d] * dy[n, u]
            dx_loops[n, d] += dy[n, u] * w[d, u]
pairs = [(dw, dw_loops), (db, db_loops), (dx, dx_loops)]
lesson.check(
    "loops and Dense.backward agree",
    all(np.allclose(a, c, rtol=1e-12) for a, c in pairs),
    f"largest difference {max(np.abs(a - c).max() for a, c in pairs):.0e}",
)

# %% [markdown]
# ## A whole network, number by number
#
# Two inputs, three neurons with a bend (ReLU), one neuron on top, and the loss $L = (y - t)^2$ with $t = 1$. The middle
# neuron of the three comes out negative, so ReLU shuts it.
#
# ```text
# forward: z = 2 -1 0.5, h = 2 0 0.5, y = 0.25, L = 0.5625
# ```
#
# Now backwards. $dL/dy = 2 (y - t)$. Through the upper layer each $h_u$ gets $dy$ times its weight. The bend lets the
# gradient through where $z$ was positive, and stops it elsewhere: a neuron that said nothing bears no blame. Through
# the lower layer, each input collects from all three neurons, each along its weight.
#
# ```text
# backward: dy = -1.5, dh = -0.75 -1.5 3, dz = -0.75 0 3, dx = 0.75 -1.875
# ```

# %%
lower, bend, upper = nn.Dense(3), nn.ReLU(), nn.Dense(1)
layers = [lower, bend, upper]
small = nn.Sequential(layers, (2,), dtype="float64")
w1, b1 = np.array([[1.0, -1.0, 0.5], [0.5, 0.25, -0.5]]), np.array([0.0, -0.5, 1.0])
w2, b2 = np.array([[0.5], [1.0], [-2.0]]), np.array([0.25])
small.set_weights([w1, b1, w2, b2])

forward = [np.array([[1.0, 2.0]])]  # the inputs, and then what each layer makes of them
for part in layers:
    forward.append(part.forward(forward[-1], training=True))
loss = ((forward[-1] - 1) ** 2).item()
backward = [2 * (forward[-1] - 1)]
for part in reversed(layers):
    backward.insert(0, part.backward(backward[0]))


def text(numbers):
    return " ".join(f"{v + 0:g}" for v in numbers[0])  # + 0 turns -0 into 0


print(f"forward: z = {text(forward[1])}, h = {text(forward[2])}, y = {text(forward[3])}, L = {loss}")
print(
    f"backward: dy = {text(backward[3])}, dh = {text(backward[2])}, dz = {text(backward[1])}, dx = {text(backward[0])}"
)

# %% [markdown]
# As in lesson 1, we believe nothing: nudge the inputs, and look.
#
# ```text
# nudging says dx = 0.750 -1.875
# ```

# %%
nudges = []
for d in range(2):
    moved = forward[0].copy()
    moved[0, d] += 1e-6
    nudges.append(((small.forward(moved) - 1) ** 2 - loss).item() / 1e-6)
print("nudging says dx =", *(f"{v:.3f}" for v in nudges))

# %% [markdown]
# ## Why not nudge everything?
#
# Because every weight would need a forward pass of its own. The backward pass answers for all weights at once. It costs
# about two forward passes, since every layer does two products ($dW$ and $dX$) where the forward pass did one. For the
# paper's network (`nn.paper_cnn`):
#
# ```text
# 2,460,995 forward passes, or one backward pass
# ```

# %%
paper = nn.paper_cnn()
print(f"{sum(part.parameter_count for part in paper.layers):,} forward passes, or one backward pass")

# %% [markdown]
# ## Bends make curves
#
# Without bends, layers on layers are still one straight line. With them, every hidden neuron adds a corner. Here
# sixteen of them learn the wave $\sin(x)$ from 64 examples. The loop is the one of lesson 1, with `nn.Adam` (lesson 10:
# each weight has steps of its own length) in place of `nn.SGD`; `backward`, called last layer first, is the chain rule.
#
# ```text
# the network ends with less than a fiftieth of its first loss: True
# ```

# %%
inputs = np.linspace(-np.pi, np.pi, 64)[:, None]  # (64, 1)
wave = np.sin(inputs)
layers = [nn.Dense(16), nn.ReLU(), nn.Dense(1)]
curve = nn.Sequential(layers, (1,), random_state=0, dtype="float64")
optimizer, losses, shots = nn.Adam(0.01), [], {}
steps = 400 if lesson.quick() else 2000
for step in range(steps + 1):
    found = inputs
    for part in layers:
        found = part.forward(found, training=True)
    losses.append(((found - wave) ** 2).mean())
    if step in (0, 50, steps):
        shots[step] = found[:, 0]
    gradient = 2 * (found - wave) / len(wave)  # (64, 1)
    for part in reversed(layers):
        gradient = part.backward(gradient)
    optimizer.step(layers)
lesson.check(
    "the network ends with less than a fiftieth of its first loss",
    losses[-1] < losses[0] / 50,
    f"{losses[0]:.4f} to {losses[-1]:.4f}",
)
print(f"  from {losses[0]:.4f} to {losses[-1]:.4f}")

# %% [markdown]
# The figure shows the small network with its real numbers, values in blue and gradients in red, and the wave.
# The numbers on the lines are the weights; the biases (0, -0.5, 1 below, 0.25 above) are left out.

# %% tags=["hide-input"] jupyter={"source_hidden": true}
BLUE, RED = style.OKABE_ITO["blue"], style.OKABE_ITO["vermillion"]
figure = style.new_figure(style.WIDE, 6.6)
above, below = figure.subfigures(2, 1, height_ratios=[3.8, 2.7])
graph = above.subplots()
graph.set(xlim=(-0.45, 8.5), ylim=(-0.75, 3.75))
graph.axis("off")
names = [("$x_1$", "$x_2$"), ("$z_1$", "$z_2$", "$z_3$"), ("$h_1$", "$h_2$", "$h_3$"), ("$y$",)]
heights = [(2.4, 0.6), (3.0, 1.5, 0.0), (3.0, 1.5, 0.0), (1.5,)]
across = [0.0, 2.7, 4.4, 6.8]


def arrow(start, end, weight, share):
    """A line between two circles, and its weight on it, `share` of the way along."""
    (x0, y0), (x1, y1) = start, end
    graph.plot([x0, x1], [y0, y1], color=style.GRID, linewidth=1.6, zorder=1)
    place = (x0 + share * (x1 - x0), y0 + share * (y1 - y0))
    box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
    graph.text(*place, weight, ha="center", va="center", fontsize=style.SMALL_SIZE, color=style.MUTED, bbox=box)


for column, (left, right, kernel) in enumerate([(0, 1, w1), (1, 2, np.eye(3)), (2, 3, w2)]):
    for i, y0 in enumerate(heights[left]):
        for j, y1 in enumerate(heights[right]):
            if kernel[i, j] or column != 1:  # the bend joins each z to its own h only
                weight = "ReLU" if column == 1 else f"{kernel[i, j]:g}"
                arrow((across[left], y0), (across[right], y1), weight, (0.22, 0.5, 0.5)[column])
arrow((across[3], 1.5), (8.1, 1.5), "$(y-1)^2$", 0.5)
for x0, ys, labels, values, gradients in zip(across, heights, names, forward, backward, strict=True):
    for y0, name, value, slope in zip(ys, labels, values[0], gradients[0], strict=True):
        graph.plot(x0, y0, "o", markersize=27, color="white", markeredgecolor=style.INK, zorder=2)
        graph.text(x0, y0, name, ha="center", va="center", fontsize=13)
        graph.text(x0, y0 + 0.36, f"{value:g}", ha="center", va="bottom", fontsize=12, color=BLUE, weight="bold")
        graph.text(x0, y0 - 0.36, f"{slope + 0:g}", ha="center", va="top", fontsize=12, color=RED, weight="bold")
graph.plot(8.1, 1.5, "s", markersize=25, color="white", markeredgecolor=style.INK, zorder=2)
graph.text(8.1, 1.5, "$L$", ha="center", va="center", fontsize=13)
graph.text(8.1, 1.86, f"{loss:g}", ha="center", va="bottom", fontsize=12, color=BLUE, weight="bold")
graph.text(8.1, 1.14, "1", ha="center", va="top", fontsize=12, color=RED, weight="bold")
graph.text(6.8, 3.3, "value, forward", ha="center", color=BLUE, fontsize=style.TITLE_SIZE)
graph.text(6.8, 2.85, "gradient of L, backward", ha="center", color=RED, fontsize=style.TITLE_SIZE)

fit, falling = below.subplots(1, 2, width_ratios=[1.4, 1])
style.dress(fit)
fit.plot(inputs, wave, color=style.INK, linewidth=6, alpha=0.2, label="sin(x)")
colours = [style.OKABE_ITO["orange"], style.OKABE_ITO["sky blue"], BLUE]
for (step, found), colour, dash in zip(shots.items(), colours, (":", "--", "-"), strict=True):
    fit.plot(inputs, found, color=colour, linestyle=dash, linewidth=2, label=f"after {step} steps")
fit.set_xlabel("x", fontsize=style.TEXT_SIZE)
fit.set_ylabel("y", fontsize=style.TEXT_SIZE)
fit.legend(frameon=False, fontsize=style.SMALL_SIZE)
style.dress(falling)
falling.semilogy(losses, color=style.TRAINING)
falling.set_xlabel("step", fontsize=style.TEXT_SIZE)
falling.set_ylabel("loss", fontsize=style.TEXT_SIZE)
lesson.show(figure, "02_dense_and_the_chain_rule")

# %% [markdown]
# You can write a layer now. The [exercises](../exercises/README.md) `relu`, `flatten` and `dense` ask for one each, and
# say in words what is wrong with it.
#
# ## Try it
#
# - Make the middle neuron's bias 1 instead of -0.5. Which gradients change, and why so many of them?
#
#   <details><summary>Answer</summary>
#
#   The neuron is open now: it answers 0.5 in place of 0 and gets its gradient. All the others change as well, because
#   all of them have $dy = 2 (y - t)$ as a factor, and $y$ is now nearer to 1. Every gradient knows of every weight, by
#   way of the loss.
#
#   ```python
#   small.set_weights([w1, np.array([0.0, 1.0, 1.0]), w2, b2])
#   values = [np.array([[1.0, 2.0]])]
#   for part in small.layers:
#       values.append(part.forward(values[-1], training=True))
#   slopes = [2 * (values[-1] - 1)]
#   for part in reversed(small.layers):
#       slopes.insert(0, part.backward(slopes[0]))
#   print(f"forward: z = {text(values[1])}, h = {text(values[2])}, y = {text(values[3])}")
#   print(f"backward: dy = {text(slopes[3])}, dh = {text(slopes[2])}, dz = {text(slopes[1])}, dx = {text(slopes[0])}")
#   ```
#
#   ```text
#   forward: z = 2 0.5 0.5, h = 2 0.5 0.5, y = 0.75
#   backward: dy = -0.5, dh = -0.25 -0.5 1, dz = -0.25 -0.5 1, dx = 0.75 -0.75
#   ```
#
#   </details>
#
# - Replace `nn.ReLU()` by nothing. What is the best that the wave's network can do now?
#
#   <details><summary>Answer</summary>
#
#   A straight line, however many neurons there are. The best one can be computed, and gradient descent finds it.
#
#   ```python
#   table = np.column_stack([inputs, np.ones(64)])  # (64, 2)
#   line, *_ = np.linalg.lstsq(table, wave, rcond=None)
#   print(f"best line: sin(x) is about {line[0, 0]:.3f} x, loss {((table @ line - wave) ** 2).mean():.3f}")
#   straight = nn.Sequential([nn.Dense(16), nn.Dense(1)], (1,), random_state=0, dtype="float64")
#   optimizer = nn.Adam(0.01)
#   for _ in range(400):
#       found = straight.layers[1].forward(straight.layers[0].forward(inputs, training=True), training=True)
#       straight.layers[0].backward(straight.layers[1].backward(2 * (found - wave) / 64))
#       optimizer.step(straight.layers)
#   print(f"two layers without a bend, after 400 steps: loss {((found - wave) ** 2).mean():.3f}")
#   ```
#
#   ```text
#   best line: sin(x) is about 0.290 x, loss 0.207
#   two layers without a bend, after 400 steps: loss 0.207
#   ```
#
#   </details>
#
# - Change `dy.sum(axis=0)` in `backward_plain` of `batik_scratch/ops/dense.py` to `dy.sum(axis=1)`. Which of the lines
#   above notices? Lesson 4 is about finding such mistakes without having to look.
#
#   <details><summary>Answer</summary>
#
#   With several examples the wrong sum has another shape, so "loops and Dense.backward agree" stops with an error of
#   NumPy's about shapes that do not fit. With one example the wrong sum is a single number, which NumPy silently copies
#   to all three neurons: no line about the small network notices, because those look at $dx$ only. A shape is a check,
#   but a weak one.
#
#   ```python
#   from unittest import mock
#
#   from batik_scratch.ops import dense
#
#
#   def wrong(x, kernel, dy, need_dx=True, need_grads=True):
#       return dy @ kernel.T, x.T @ dy, dy.sum(axis=1)  # right is axis=0
#
#
#   with mock.patch.object(dense, "backward_plain", wrong):  # as if the file said so
#       layer.forward(x, training=True)
#       layer.backward(dy)
#       print(f"db has the shape {layer.grads['bias'].shape}, it should have {db.shape}")
#       small.layers[0].forward(np.array([[1.0, 2.0]]), training=True)
#       small.layers[0].backward(np.array([[-0.75, 0, 3]]))
#       print("one example: db =", *(f"{v:g}" for v in small.layers[0].grads["bias"]), "where -0.75 0 3 is right")
#   ```
#
#   ```text
#   db has the shape (5,), it should have (3,)
#   one example: db = 2.25 where -0.75 0 3 is right
#   ```
#
#   </details>
