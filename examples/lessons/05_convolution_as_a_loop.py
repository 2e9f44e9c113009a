# %% [markdown]
# # 5. Convolution as a loop
#
# Needs lesson 2. About fifteen minutes.
#
# A dense layer has one weight for every pixel and every unit, and it does not know that two pixels are neighbours. A
# *convolution* has a small table of weights, the *kernel*. It lays it on a corner of the image, multiplies every weight
# by the pixel below it, and adds up: one number. Then it moves the kernel by one pixel and does the same, until it has
# been everywhere. What lies below the kernel is called a window.
#
# $$ y_{ij} = b + \sum_{u, v} x_{i + u, j + v} \, k_{uv} $$
#
# Below, an image that is dark on the left and bright on the right, and a kernel that takes the left neighbours away
# from the right ones. It answers where there is an edge, and says nothing where the image is flat.
#
# ```text
# image  0 0 0 1 1 1
# output 0 3 3 0
# ```
#
# The output is smaller than the image, since the kernel must fit. With a kernel of length $l$ and a *stride* of $s$
# pixels from window to window, a side of $p$ pixels has $\lfloor (p - l) / s \rfloor + 1$ windows (`window_count` in
# `batik_scratch/ops/shapes.py`). The network of the paper begins with 150 pixels:
#
# ```text
# 6 pixels, kernel 3, stride 1: 4 windows
# 150 pixels, kernel 3, stride 1: 148 windows
# 150 pixels, kernel 3, stride 2: 74 windows
# ```

# %%
import time

import numpy as np
from scipy import signal

from batik_scratch import nn
from batik_scratch.figures import style
from batik_scratch.figures.boxes import draw_numbers, outline, tint
from batik_scratch.learn import lesson
from batik_scratch.ops import conv_im2col, conv_loops
from batik_scratch.ops.shapes import window_count

image = np.repeat([[0.0, 0, 0, 1, 1, 1]], 5, axis=0)  # (5, 6)
kernel = np.repeat([[-1.0, 0, 1]], 3, axis=0)  # (3, 3)
x, k, b = image[None, :, :, None], kernel[:, :, None, None], np.zeros(1)  # (N, H, W, C), (kh, kw, C, F), (F,)
y = conv_loops.forward(x, k, b)  # (1, 3, 4, 1)
print("image ", *(f"{v:.0f}" for v in image[0]))
print("output", *(f"{v:.0f}" for v in y[0, 0, :, 0]))
for n, size, stride in ((6, 3, 1), (150, 3, 1), (150, 3, 2)):
    print(f"{n} pixels, kernel {size}, stride {stride}: {window_count(n, size, stride)} windows")

# %% [markdown]
# ## Channels, filters, batches: seven loops
#
# A real image has $C$ channels (red, green, blue), so the kernel has a table per channel, and the sum runs over those
# too. One kernel finds one kind of thing; a layer has $F$ of them, called *filters*. And there are $N$ images. This is
# the definition:
#
# $$ y_{nijf} = b_f + \sum_{u, v, c} x_{n, i + u, j + v, c} \, k_{uvcf} $$
#
# Open `batik_scratch/ops/conv_loops.py` beside this text. `forward` is this formula: a loop for each of
# $n, i, j, f, u, v$ and $c$, and one multiplication inside. Python runs such loops slowly; the package compiles them
# with numba. The plain Python is still there as `forward.py_func`.
#
# ```text
# plain Python, compiled loops and nn.Conv2D agree: True
# compiling makes it more than ten times faster: True
# multiplications for one image: 10 * 10 places * 27 products * 4 filters = 10800
# ```

# %%
rng = np.random.default_rng(0)
layer = nn.Conv2D(4, 3, algorithm="loops")
layer.astype("float64")
layer.build((12, 12, 3), rng)
batch = rng.random((2, 12, 12, 3))
weights, bias = layer.params["kernel"], layer.params["bias"]
conv_loops.forward(batch, weights, bias)  # the first call compiles


def seconds(function):
    """What the function returns, and its shortest time of five: the processor's own, whatever else the machine does."""
    times = []
    for _ in range(5):
        start = time.process_time()
        found = function(batch, weights, bias)
        times.append(time.process_time() - start)
    return found, min(times)


slow, by_python = seconds(conv_loops.forward.py_func)
fast, by_numba = seconds(conv_loops.forward)
same = np.allclose(slow, fast, rtol=1e-12) and np.allclose(slow, layer.forward(batch), rtol=1e-12)
lesson.check(
    "plain Python, compiled loops and nn.Conv2D agree", same, f"largest difference {np.abs(slow - fast).max():.0e}"
)
lesson.check(
    "compiling makes it more than ten times faster", by_python > 10 * by_numba, f"{by_python / by_numba:.0f} times"
)
print(f"  {1000 * by_python:.1f} ms against {1000 * by_numba:.3f} ms")
oh, ow, filters = layer.output_shape
products = weights.shape[0] * weights.shape[1] * weights.shape[2]
print(
    f"multiplications for one image: {oh} * {ow} places * {products} products * {filters} filters "
    f"= {layer.multiply_adds()}"
)

# %% [markdown]
# ## What it is good for
#
# The same few weights look everywhere. So a thing is recognised wherever it is: if the image moves, the answer moves
# with it. And there is little to learn. The first layer of the paper's network has a handful of weights, where a dense
# layer with the same inputs and outputs would have billions.
#
# ```text
# the image moved by two pixels gives the output moved by two pixels: True
# the paper's first layer learns 896 numbers, a dense layer would learn 47,313,340,928
# ```

# %%
moved = np.roll(batch, 2, axis=2)
same = np.allclose(layer.forward(moved)[:, :, 2:], layer.forward(batch)[:, :, :-2])
lesson.check(
    "the image moved by two pixels gives the output moved by two pixels",
    same,
    f"largest difference {np.abs(layer.forward(moved)[:, :, 2:] - layer.forward(batch)[:, :, :-2]).max():.0e}",
)
first = nn.paper_cnn().layers[0]
inputs, outputs = (int(np.prod(shape)) for shape in (first.input_shape, first.output_shape))
print(
    f"the paper's first layer learns {first.parameter_count} numbers, "
    f"a dense layer would learn {inputs * outputs + outputs:,}"
)

# %% [markdown]
# ## Backward: every product hands the gradient to both of its factors
#
# As in lesson 2 we ask of every number where it was used. The pixel $x_{i + u, j + v}$ was multiplied by $k_{uv}$ to
# make $y_{ij}$. So it gets $dy_{ij} \, k_{uv}$, from every window in which it was; the gradients add up. For the weight
# $k_{uv}$ it is the same with the roles exchanged: it gets $dy_{ij} \, x_{i + u, j + v}$, from every window.
#
# $$
# \begin{aligned}
# \text{for every } i, j, u, v: \qquad dx_{i + u, j + v} &\mathrel{+}= dy_{ij} \, k_{uv} \\
# dk_{uv} &\mathrel{+}= dy_{ij} \, x_{i + u, j + v}
# \end{aligned}
# $$
#
# These are the two lines in the innermost loop of `_adjoint`, in the same file. Suppose that the loss cares for one
# output only, $dy = 1$ there. Then $dx$ is the kernel, laid where its window was, and $dk$ is a copy of that window.
#
# ```text
# one output: dx is the kernel in its window: True, dk is the window: True
# all outputs: dx row 0 is -1 -1 0 0 1 1
# ```
#
# In the last line every output counts 1. A pixel in the middle was once on the left of a window and once on the right,
# and its gradients cancel.

# %%
dy = np.zeros((1, 3, 4, 1))
dy[0, 1, 2, 0] = 1
dx, dk, _ = conv_loops.backward(x, k, dy)
expected = np.zeros((5, 6))
expected[1:4, 2:5] = kernel
window = image[1:4, 2:5]
print(
    f"one output: dx is the kernel in its window: {np.array_equal(dx[0, :, :, 0], expected)}, "
    f"dk is the window: {np.array_equal(dk[:, :, 0, 0], window)} "
    f"({(dx[0, :, :, 0] != expected).sum()} and {(dk[:, :, 0, 0] != window).sum()} numbers differ)"
)
dx_all, _, _ = conv_loops.backward(x, k, np.ones_like(dy))
print("all outputs: dx row 0 is", *(f"{v:.0f}" for v in dx_all[0, 0, :, 0]))

# %% [markdown]
# ## A word about the word
#
# In mathematics, convolution turns the kernel by half a circle before it is laid on the image. What networks do is
# called cross-correlation there. Nobody minds, because the weights are learned: a turned kernel would be learned
# turned. But the real convolution does turn up in the backward pass: $dx$ is $dy$ convolved with the kernel.
#
# ```text
# forward is scipy's correlate2d: True, its convolve2d: False
# dx is scipy's convolve2d of dy and the kernel: True
# ```

# %%
uneven = rng.standard_normal((3, 3))
out = conv_loops.forward(x, uneven[:, :, None, None], b)[0, :, :, 0]
off = [np.abs(f(image, uneven, mode="valid") - out).max() for f in (signal.correlate2d, signal.convolve2d)]
verdicts = f"forward is scipy's correlate2d: {off[0] < 1e-12}, its convolve2d: {off[1] < 1e-12}"
print(f"{verdicts} (off by {off[0]:.0e}, by {off[1]:.1f})")
upstream = rng.standard_normal((3, 4))
dx_uneven, _, _ = conv_loops.backward(x, uneven[:, :, None, None], upstream[None, :, :, None])
same = np.allclose(signal.convolve2d(upstream, uneven), dx_uneven[0, :, :, 0])
lesson.check(
    "dx is scipy's convolve2d of dy and the kernel",
    same,
    f"largest difference {np.abs(signal.convolve2d(upstream, uneven) - dx_uneven[0, :, :, 0]).max():.0e}",
)

# %% [markdown]
# ## On cloth
#
# Four kernels that people have written by hand, long before networks learned theirs. The figure shows the small
# example, forward and backward, and below it what the four see in a cloth: blue is positive, red is negative.

# %%
size = 64 if lesson.quick() else 128
cloth = lesson.drawn_cloths(1, size, seed=4)[0][1]  # (H, W, 3)
by_hand = {
    "blur": np.full((3, 3), 1 / 9),
    "upright edges": [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
    "level edges": [[-1, -2, -1], [0, 0, 0], [1, 2, 1]],
    "spots and lines": [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]],
}
bank = np.stack([np.array(table, float) for table in by_hand.values()], axis=-1)[:, :, None, :]  # (3, 3, 1, 4)
grey = cloth.mean(axis=-1, keepdims=True)[None].astype(np.float64)  # (1, H, W, 1)
seen = conv_im2col.forward(grey, bank, np.zeros(4))  # the fast way; lesson 6

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure = style.new_figure(style.WIDE, 6.4)
above, below = figure.subfigures(2, 1, height_ratios=[4.3, 2.1])
grid = above.subplots(2, 5, width_ratios=[6, 1.2, 3, 1.2, 4])
light = [[tint("sky blue", 0.5 * v) for v in row] for row in image]


def signs(values):
    return [[tint("blue" if v > 0 else "vermillion", 0.35 * (v != 0)) for v in row] for row in values]


forward_row = [(image, light, "image x"), (kernel, signs(kernel), "kernel k"), (y[0, :, :, 0], None, "output y")]
backward_row = [
    (dx[0, :, :, 0] + 0.0, signs(dx[0, :, :, 0]), "dx: the kernel, in its window"),
    (kernel, signs(kernel), "kernel k"),
    (dy[0, :, :, 0], None, "upstream gradient dy"),
]
for row, parts, marks in ((grid[0], forward_row, "×="), (grid[1], backward_row, "←×")):
    for axes, (values, fill, title) in zip(row[::2], parts, strict=True):
        draw_numbers(axes, values, fill, title)
        middle = len(values) / 2
        axes.set_ylim(middle + 2.55, middle - 2.55)  # boxes of one size: all parts get five rows of room
    outline(row[0], 1, 2, 3, 3)
    outline(row[4], 1, 2, 1, 1)
    for axes, mark in zip(row[1::2], marks, strict=True):
        axes.axis("off")
        axes.text(0.5, 0.47, mark, ha="center", va="center", fontsize=20, transform=axes.transAxes)
panels = below.subplots(1, 5)
panels[0].imshow(cloth)
panels[0].set_title("cloth", fontsize=style.TEXT_SIZE)
for f, (axes, name) in enumerate(zip(panels[1:], by_hand, strict=True)):
    found = seen[0, :, :, f]
    top = np.percentile(np.abs(found), 99)
    options = {"cmap": "gray"} if name == "blur" else {"cmap": "RdBu", "vmin": -top, "vmax": top}
    axes.imshow(found, **options)
    axes.set_title(name, fontsize=style.TEXT_SIZE)
for axes in panels:
    style.dress_picture(axes)
lesson.show(figure, "05_convolution_as_a_loop")

# %% [markdown]
# ## Try it
#
# - Write the kernel that moves the image one pixel to the left, and the one that sharpens it.
#
#   <details><summary>Answer</summary>
#
#   A 1 beside the middle, on the right: every place takes what its right neighbour had. To sharpen, add to a pixel what
#   it has over its neighbours: the step between 0 and 1 becomes one from -1 to 2, and looks harder.
#
#   ```python
#   left_mover = np.array([[0.0, 0, 0], [0, 0, 1], [0, 0, 0]])  # takes the right neighbour
#   sharpener = np.array([[0.0, -1, 0], [-1, 5, -1], [0, -1, 0]])  # the pixel, and what it has over its neighbours
#   row = np.array([[1.0, 2, 3, 4, 5, 6]] * 3)
#   print("moved    ", *(f"{v:g}" for v in signal.correlate2d(row, left_mover, mode="valid")[0]))
#   step = np.array([[0.0, 0, 0, 1, 1, 1]] * 3)
#   print("sharpened", *(f"{v:g}" for v in signal.correlate2d(step, sharpener, mode="valid")[0]))
#   ```
#
#   ```text
#   moved     3 4 5 6
#   sharpened 0 -1 2 1
#   ```
#
#   </details>
#
# - `nn.Conv2D(..., padding="same")` puts zeros around the image so that the output is as large as it. What do the edge
#   kernels say at the border now, and why?
#
#   <details><summary>Answer</summary>
#
#   They see an edge all around, where bright image meets the zeros: the border is a frame that nobody has drawn. Here
#   is an image that is 1 everywhere:
#
#   ```python
#   edges = nn.Conv2D(1, 3, padding="same")
#   edges.astype("float64")
#   edges.build((5, 6, 1), rng)
#   edges.params["kernel"][...] = kernel[:, :, None, None]
#   bright = np.ones((1, 5, 6, 1))  # an image without any edge
#   for i, line in enumerate(edges.forward(bright)[0, :, :, 0]):
#       print(f"row {i}:", *(f"{v:g}" for v in line + 0.0))
#   ```
#
#   ```text
#   row 0: 2 0 0 0 0 -2
#   row 1: 3 0 0 0 0 -3
#   row 2: 3 0 0 0 0 -3
#   row 3: 3 0 0 0 0 -3
#   row 4: 2 0 0 0 0 -2
#   ```
#
#   </details>
#
# - A blur followed by an edge kernel is one larger kernel. Find it with `signal.convolve2d`. How many weights has it?
#
#   <details><summary>Answer</summary>
#
#   The kernel of the two in a row is 5 by 5, with 25 weights in place of 18. (One layer after the other with no bend
#   between them is one layer, as in lesson 2.)
#
#   ```python
#   blur = np.full((3, 3), 1 / 9)
#   both = signal.convolve2d(blur, kernel)  # (5, 5)
#   two = signal.correlate2d(signal.correlate2d(cloth.mean(axis=-1), blur, "valid"), kernel, "valid")
#   one = signal.correlate2d(cloth.mean(axis=-1), both, "valid")
#   rows, columns = both.shape
#   print(f"one kernel of {rows} by {columns}, {both.size} weights; the same picture: {np.allclose(one, two)}")
#   ```
#
#   ```text
#   one kernel of 5 by 5, 25 weights; the same picture: True
#   ```
#
#   </details>
