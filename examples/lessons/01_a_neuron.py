# %% [markdown]
# # 1. From numbers to a neuron
#
# Needs school mathematics and a little Python. About ten minutes.
#
# A computer has no pictures, only numbers. A picture is a block of them: so many rows, so many columns, and at every
# place three numbers between 0 and 1, the amounts of red, green and blue. Such a block is called an array, and the
# three sizes are its shape.
#
# ```text
# a cloth of 48 rows and 48 columns has the shape (48, 48, 3): 6912 numbers
# ```

# %%
import numpy as np

from batik_scratch import nn
from batik_scratch.figures import style
from batik_scratch.learn import lesson

clothes, _, masks = lesson.drawn_cloths(1, 48, seed=5)  # one cloth per motif, and the truth: where the motif is
cloth, mask = clothes[1], masks[1]  # (48, 48, 3) and (48, 48)
rows, columns, _ = cloth.shape
print(f"a cloth of {rows} rows and {columns} columns has the shape {cloth.shape}: {cloth.size} numbers")

# %% [markdown]
# ## A neuron
#
# A neuron turns several numbers into one. Each input $x_d$ is multiplied by a *weight* $w_d$: how much, and in which
# direction, this input counts. The products are added, and one more number, the *bias* $b$, moves the sum up or down:
#
# $$ y = w_1 x_1 + w_2 x_2 + \dots + w_D x_D + b $$
#
# That is all. With the weights 2 and -1, the bias 0.25, and the inputs 0.5 and 1:
#
# ```text
# y = 2 * 0.5 - 1 * 1 + 0.25 = 0.25
# ```
#
# In the package a neuron is `nn.Dense(1)`, a layer of one unit (`batik_scratch/nn/layers/dense.py`). Its `forward` is
# that sum, and a layer always takes many rows of inputs at once, so we give it one row.

# %%
neuron = nn.Dense(1)
neuron.astype("float64")
neuron.build((2,), np.random.default_rng(0))  # two inputs; its first weights are random
neuron.params["kernel"][...] = [[2.0], [-1.0]]
neuron.params["bias"][...] = 0.25
x = np.array([[0.5, 1.0]])  # (1, 2)
y = neuron.forward(x, training=True)  # (1, 1); training: remember what the backward pass needs
print(f"y = 2 * 0.5 - 1 * 1 + 0.25 = {y[0, 0]:.2f}")

# %% [markdown]
# ## How a neuron learns
#
# Say that we want $t = 1$ here. The neuron says 0.25. We measure the miss by a *loss*, a number that is 0 when all is
# well:
#
# $$ L = (y - t)^2 $$
#
# Now nudge one weight a little, and leave everything else as it is. If $w_1$ grows by a tiny $h$, then $y$ grows by
# $h \, x_1$. If $y$ grows by a tiny amount, $L$ grows by $2 (y - t)$ times that amount: the derivative of a square.
# Together:
#
# $$
# \frac{dL}{dy} = 2 (y - t), \qquad \frac{dL}{dw_d} = \frac{dL}{dy} \, x_d, \qquad \frac{dL}{db} = \frac{dL}{dy}
# $$
#
# These numbers are the *gradient*: for every weight, how fast the loss grows with it. `backward` takes $dL/dy$ and
# computes the rest (the last line of `backward_plain` in
# [batik_scratch/ops/dense.py](../../batik_scratch/ops/dense.py)).
#
# ```text
# dL/dy is -1.50
# dL/dw is -0.75 and -1.50, dL/db is -1.50
# ```
#
# Nobody has to believe this. We nudge the first weight by a millionth, and look at how much the loss changes, per
# nudge:
#
# ```text
# nudging w_1 says -0.75
# ```

# %%
dy = 2 * (y - 1.0)  # (1, 1)
neuron.backward(dy)
dw, db = neuron.grads["kernel"][:, 0], neuron.grads["bias"][0]
print(f"dL/dy is {dy[0, 0]:.2f}")
print(f"dL/dw is {dw[0]:.2f} and {dw[1]:.2f}, dL/db is {db:.2f}")
neuron.params["kernel"][0] += 1e-6
nudged = neuron.forward(x)
neuron.params["kernel"][0] -= 1e-6
print(f"nudging w_1 says {(((nudged - 1) ** 2 - (y - 1) ** 2) / 1e-6).item():.2f}")

# %% [markdown]
# The gradient points uphill. So we take a small step *against* it. How small is the *learning rate*, here 0.1:
#
# $$ w \leftarrow w - 0.1 \, \frac{dL}{dw}, \qquad b \leftarrow b - 0.1 \, \frac{dL}{db} $$
#
# This is gradient descent, `nn.SGD` in `batik_scratch/nn/optimizers.py`. One step brings the neuron closer to 1:
#
# ```text
# the weights are now 2.075 and -0.850, the bias 0.400
# y was 0.2500 and is now 0.5875; the loss was 0.5625 and is now 0.1702
# ```

# %%
nn.SGD(learning_rate=0.1).step([neuron])
w, b = neuron.params["kernel"][:, 0], neuron.params["bias"][0]
print(f"the weights are now {w[0]:.3f} and {w[1]:.3f}, the bias {b:.3f}")
after = neuron.forward(x)
print(
    f"y was {y[0, 0]:.4f} and is now {after[0, 0]:.4f}; "
    f"the loss was {(y[0, 0] - 1) ** 2:.4f} and is now {(after[0, 0] - 1) ** 2:.4f}"
)

# %% [markdown]
# ## A neuron that finds the motif
#
# Now a neuron with three inputs: the red, green and blue of one pixel. We want 1 where the pixel belongs to the motif,
# and 0 where it belongs to the ground. All pixels of one cloth are its examples; the loss is the mean over all of them.
# The loop below is how every network learns, however large: forward, loss, backward, step.
#
# ```text
# it starts with every pixel at 0.00 and learns 4 numbers
# the loss falls below a third of where it was: True
# more than nine pixels of ten are on the right side of one half: True
# ```

# %%
pixels = cloth.reshape(-1, 3).astype(np.float64)  # (P, 3)
truth = mask.reshape(-1, 1).astype(np.float64)  # (P, 1): 1 on the motif, 0 on the ground
neuron = nn.Dense(1, kernel_initializer="zeros")
neuron.astype("float64")
neuron.build((3,), np.random.default_rng(0))
start = neuron.forward(pixels)
print(f"it starts with every pixel at {np.abs(start).max():.2f} and learns {neuron.parameter_count} numbers")
optimizer, losses = nn.SGD(learning_rate=0.3), []
for _ in range(300 if lesson.quick() else 1000):
    score = neuron.forward(pixels, training=True)  # (P, 1)
    losses.append(((score - truth) ** 2).mean())
    neuron.backward(2 * (score - truth) / len(pixels))
    optimizer.step([neuron])
right = ((score > 0.5) == (truth > 0.5)).mean()
lesson.check(
    "the loss falls below a third of where it was", losses[-1] < losses[0] / 3, f"{losses[0]:.3f} to {losses[-1]:.3f}"
)
print(f"  loss {losses[0]:.3f}, after {len(losses)} steps {losses[-1]:.3f}; right for {right:.1%} of the pixels")
lesson.check("more than nine pixels of ten are on the right side of one half", right > 0.9, f"{right:.1%}")

# %% [markdown]
# ## What one neuron cannot do
#
# The places where $y$ equals one half lie on a straight line (with three inputs, on a plane): $y$ is a sum of
# multiples. So one neuron can only cut its inputs in two along a line. Here is a task with no such line, "exclusive
# or": answer 1 if one of two inputs is 1, but not both. The best that a neuron can do, by least squares, is to shrug:
#
# ```text
# the best neuron answers 0.50 0.50 0.50 0.50
# ```
#
# Add a bend. *ReLU* keeps positive numbers and turns negative ones into 0: $\max(z, 0)$ (`nn.ReLU`, in
# `batik_scratch/nn/layers/activations.py`). Two bent neurons look at the inputs, and a third adds them up:
#
# $$ y = \max(x_1 - x_2, 0) + \max(x_2 - x_1, 0) $$
#
# ```text
# two bent neurons and a third answer 0 1 1 0
# ```
#
# Neurons side by side are a layer, layers on top of each other are a network. That is the next lesson.

# %%
corners = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
wanted = np.array([0.0, 1.0, 1.0, 0.0])
best, *_ = np.linalg.lstsq(np.column_stack([corners, np.ones(4)]), wanted, rcond=None)
one = np.column_stack([corners, np.ones(4)]) @ best
print("the best neuron answers", *(f"{value:.2f}" for value in one))
network = nn.Sequential([nn.Dense(2), nn.ReLU(), nn.Dense(1)], (2,), dtype="float64")
network.set_weights([np.array([[1.0, -1.0], [-1.0, 1.0]]), np.zeros(2), np.ones((2, 1)), np.zeros(1)])
print("two bent neurons and a third answer", *(f"{value:.0f}" for value in network.predict(corners)[:, 0]))

# %% [markdown]
# The figure: a neuron with four numbers has learned to find the motif by its colour alone. Right: the exclusive or,
# first with one neuron, whose surface is flat, and then with the bend, which folds it.

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure = style.new_figure(style.WIDE, 5.4)
above, below = figure.subfigures(2, 1, height_ratios=[2.6, 2.8])
pictures = [
    ("the cloth", cloth, {}),
    ("where the motif is", mask, {"cmap": "gray"}),
    ("what the neuron says", score.reshape(rows, columns), {"cmap": "gray", "vmin": 0, "vmax": 1}),
    ("above one half", score.reshape(rows, columns) > 0.5, {"cmap": "gray"}),
]
for axes, (title, picture, options) in zip(above.subplots(1, 4), pictures, strict=True):
    axes.imshow(picture, interpolation="nearest", **options)
    axes.set_title(title, fontsize=style.TEXT_SIZE)
    style.dress_picture(axes)
curve, flat, folded = below.subplots(1, 3, width_ratios=[1.25, 1, 1])
style.dress(curve)
curve.plot(np.arange(1, len(losses) + 1), losses, color=style.TRAINING)
curve.set(xscale="log", ylim=(0, None))
curve.set_xlabel("step", fontsize=style.TEXT_SIZE)
curve.set_ylabel("loss", fontsize=style.TEXT_SIZE)
curve.set_title("forward, loss, backward, step", fontsize=style.TEXT_SIZE)
line = np.linspace(-0.25, 1.25, 61)
plane = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)  # (3721, 2)
level = np.column_stack([plane, np.ones(len(plane))]) @ best  # the same everywhere
bands = np.arange(-0.0625, 1.6, 0.125)  # one half lies inside a band, not on its edge
surfaces = [(flat, "one neuron", level), (folded, "with a bend", network.predict(plane)[:, 0])]
for axes, title, surface in surfaces:
    style.dress(axes, grid=False)
    shown = axes.contourf(line, line, surface.reshape(61, 61), bands, cmap=style.COUNTS)
    for place, value in zip(corners, wanted, strict=True):
        axes.plot(*place, "o", markersize=17, color="white", markeredgecolor=style.INK)
        axes.text(*place, f"{value:.0f}", ha="center", va="center", fontsize=style.TEXT_SIZE)
    axes.set_title(title, fontsize=style.TEXT_SIZE)
    axes.set_xlabel("$x_1$", fontsize=style.TEXT_SIZE)
    axes.set_ylabel("$x_2$", fontsize=style.TEXT_SIZE)
    axes.set(aspect="equal", xticks=[0, 1], yticks=[0, 1])
bar = below.colorbar(shown, ax=[flat, folded], ticks=[0, 0.5, 1, 1.5], shrink=0.8)
bar.set_label("y", fontsize=style.TEXT_SIZE)
lesson.show(figure, "01_a_neuron")

# %% [markdown]
# ## Try it
#
# - Take the learning rate 3 instead of 0.3. What does the loss do, and why is a bigger step not a faster one?
#
#   <details><summary>Answer</summary>
#
#   It grows a hundredfold in every step. The gradient is the slope *here*; a long step leaves the place where it was
#   true, lands on the other side of the valley, higher up than it started, and meets a steeper slope there. For a loss
#   that is a mean of squares, the limit can be computed: it is 2 over the largest curvature. (Lesson 10 takes this
#   apart.)
#
#   ```python
#   neuron = nn.Dense(1, kernel_initializer="zeros")
#   neuron.astype("float64")
#   neuron.build((3,), np.random.default_rng(0))
#   optimizer = nn.SGD(learning_rate=3)
#   for step in range(5):
#       score = neuron.forward(pixels, training=True)
#       print(f"step {step}: loss {((score - truth) ** 2).mean():.3g}")
#       neuron.backward(2 * (score - truth) / len(pixels))
#       optimizer.step([neuron])
#   inputs = np.column_stack([pixels, np.ones(len(pixels))])  # (P, 4): the bias's input is always 1
#   steepest = np.linalg.eigvalsh(2 * inputs.T @ inputs / len(pixels)).max()
#   print(f"steps are too long from a learning rate of {2 / steepest:.2f} on")
#   ```
#
#   ```text
#   step 0: loss 0.427
#   step 1: loss 25.1
#   step 2: loss 2.61e+03
#   step 3: loss 2.72e+05
#   step 4: loss 2.84e+07
#   steps are too long from a learning rate of 0.53 on
#   ```
#
#   </details>
#
# - Train on this cloth and look at the answers for `clothes[0]` and `clothes[2]`. Has the neuron learned what a motif
#   is?
#
#   <details><summary>Answer</summary>
#
#   It does well on them, and still it has not: these cloths, too, happen to have a light motif on a dark ground. It
#   knows a brightness, not a shape. On the negative of a cloth, where any eye sees the motif as before, it is mostly
#   wrong.
#
#   ```python
#   for i in (0, 2):
#       wanted = masks[i].ravel()
#       for name, shown in ((f"cloth {i}", clothes[i]), ("its negative", 1 - clothes[i])):
#           said = neuron.forward(shown.reshape(-1, 3).astype(float))[:, 0] > 0.5
#           right = (said == wanted).mean()
#           lesson.check(f"{name}: most pixels are named rightly", right > 0.5, f"{right:.0%}")
#   ```
#
#   ```text
#   cloth 0: most pixels are named rightly: True
#   its negative: most pixels are named rightly: False
#   cloth 2: most pixels are named rightly: True
#   its negative: most pixels are named rightly: False
#   ```
#
#   </details>
#
# - Remove the ReLU from the network: it is then one neuron again. Show it by multiplying the two kernels.
#
#   <details><summary>Answer</summary>
#
#   The two kernels multiply to zeros, so the network without its ReLU answers the same, 0, to every input. In general a
#   product of two kernels is one kernel, so two layers without a bend are one layer.
#
#   ```python
#   print("one kernel:", (np.array([[1.0, -1.0], [-1.0, 1.0]]) @ np.ones((2, 1)))[:, 0])
#   ```
#
#   ```text
#   one kernel: [0. 0.]
#   ```
#
#   </details>
