# %% [markdown]
# # 6. im2col and col2im: convolution as one matrix product
#
# Needs lesson 5. About fifteen minutes. The code of this lesson is the functions `im2col` and `col2im` in
# [batik_scratch/ops/im2col.py](../../batik_scratch/ops/im2col.py); open that file beside this text.
#
# Seven loops are a definition, not a program that anybody wants to wait for. But matrix products are fast: people have
# spent decades on them, and every computer has a library for them (it is called BLAS, and NumPy's `@` uses it). So we
# turn convolution into a matrix product. For every place of the kernel we copy its window out of the image, and write
# it down as one *row* of a table. This is im2col, "image to columns": where it was invented, the windows were columns,
# and the name stayed.
#
# Here is an image of 4 by 4 pixels. A kernel of 3 by 3 has four places on it, so there are four windows of nine pixels.
#
# ```text
# image row 0: 8 4 12 2
# image row 1: 16 10 11 3
# image row 2: 5 13 7 1
# image row 3: 14 6 15 9
# window 0: 8 4 12 16 10 11 5 13 7
# window 1: 4 12 2 10 11 3 13 7 1
# window 2: 16 10 11 5 13 7 14 6 15
# window 3: 10 11 3 13 7 1 6 15 9
# ```

# %%
import inspect
import time

import numpy as np

from batik_scratch import nn
from batik_scratch.figures import style
from batik_scratch.figures.boxes import TINTS, draw_numbers, outline, tint
from batik_scratch.learn import lesson
from batik_scratch.ops import conv_im2col, conv_loops
from batik_scratch.ops.im2col import col2im, im2col

image = np.array([[8.0, 4, 12, 2], [16, 10, 11, 3], [5, 13, 7, 1], [14, 6, 15, 9]])  # each number once, to follow it
x = image[None, :, :, None]  # (N, H, W, C) = (1, 4, 4, 1)
columns = im2col(x, (3, 3))  # (N, OH, OW, K) = (1, 2, 2, 9)
rows = columns.reshape(-1, 9)  # (P, K): one row per window


def show_numbers(name, table):
    for i, line in enumerate(table):
        print(f"{name} {i}: " + " ".join(f"{v:g}" for v in line))


show_numbers("image row", image)
show_numbers("window", rows)

# %% [markdown]
# The function has three lines of work. NumPy can look at an array through windows without copying anything; then we
# keep every $s$-th window (the stride), and put the axes into the order of the kernel: its row, its column, the
# channel. The last line copies. These are two of them, as they stand in the file:
#
# ```python
# windows = windows[:, ::sh, ::sw].transpose(0, 1, 2, 4, 5, 3)  # (N, OH, OW, kh, kw, C)
# return windows.reshape(*windows.shape[:3], -1)  # (N, OH, OW, K)
# ```
#
# $K = kh \cdot kw \cdot C$ is the number of values in a window, all channels counted, and $P = N \cdot OH \cdot OW$
# that of all windows: $X_{col}$ is $(P, K)$. A kernel $(kh, kw, C, F)$, reshaped to a matrix $W$ $(K, F)$, has its
# numbers in the same order, a column per filter. So the sum over the window is the product of a row and a column, and
# convolution is
#
# $$ Y = X_{col} W + b $$
#
# which is `forward_plain` in [batik_scratch/ops/conv_im2col.py](../../batik_scratch/ops/conv_im2col.py):
#
# ```python
# return columns @ kernel.reshape(-1, kernel.shape[3]) + bias  # (N, OH, OW, F)
# ```
#
# With the edge kernel of lesson 5 (right neighbours minus left ones), by this product and by the loops:
#
# ```text
# the product gives 1 -21 -2 -16
# the loops give 1 -21 -2 -16
# ```

# %%


def show_source(function, *beginnings):
    """Print the lines of a function of the package that begin so: what the text quotes is what the file holds."""
    for line in inspect.getsource(function).splitlines():
        if line.strip().startswith(beginnings):
            print(line.strip())


show_source(im2col, "windows = windows", "return")
show_source(conv_im2col.forward_plain, "return")
kernel = np.repeat([[-1.0, 0, 1]], 3, axis=0)  # (3, 3)
k, b = kernel[:, :, None, None], np.zeros(1)  # (kh, kw, C, F), (F,)
y = rows @ k.reshape(9, 1)  # (P, 1)
print("the product gives", *(f"{v:g}" for v in y[:, 0]))
print("the loops give", *(f"{v:g}" for v in conv_loops.forward(x, k, b).ravel()))

# %% [markdown]
# ## The price
#
# A pixel is copied once for every window that it lies in, up to nine times for a 3 by 3 kernel. For the layers of the
# paper's network the table is this much larger than the image that it was made of:
#
# ```python
# conv2d: an image has 270,000 bytes, its table 2,365,632: 8.8 times
# conv2d_1: an image has 700,928 bytes, its table 5,971,968: 8.5 times
# conv2d_2: an image has 331,776 bytes, its table 2,663,424: 8.0 times
# ```
#
# Memory is slow, so the fast `forward` in the same file never makes the whole table: it does a few rows of output at a
# time, in a piece of memory small enough for the processor's cache. Its sums are the same. In spite of the copying, the
# product is usually much faster than the compiled loops; the code prints both times.

# %%
for layer in nn.paper_cnn().layers:
    if isinstance(layer, nn.Conv2D):
        size = int(np.prod(layer.input_shape)) * 4  # float32: four bytes a number
        oh, ow, _ = layer.output_shape
        table = oh * ow * 3 * 3 * layer.input_shape[2] * 4
        print(f"{layer.name}: an image has {size:,} bytes, its table {table:,}: {table / size:.1f} times")
rng = np.random.default_rng(0)
side = 24 if lesson.quick() else 72
several, bank = rng.random((1, side, side, 32), np.float32), rng.random((3, 3, 32, 64), np.float32)
for name, ops in (("loops", conv_loops), ("im2col", conv_im2col)):
    ops.forward(several, bank, np.zeros(64, np.float32))  # the first call compiles
    start = time.perf_counter()
    ops.forward(several, bank, np.zeros(64, np.float32))
    print(f"  {name}: {1000 * (time.perf_counter() - start):.1f} ms")

# %% [markdown]
# ## Backward
#
# $X_{col} W$ is a dense layer (lesson 2), so we know its backward pass. For the upstream gradient $dY$ $(P, F)$:
#
# $$ dW = X_{col}^\top \, dY, \qquad db = \sum_p dY_p, \qquad dX_{col} = dY \, W^\top $$
#
# They are three lines of `backward_plain`, in the same file as `forward_plain`:
#
# ```python
# dkernel = (columns.T @ dy.reshape(-1, filters)).reshape(kernel.shape)  # (kh, kw, C, F)
# dbias = dy.sum(axis=(0, 1, 2))  # (F,)
# dcolumns = dy @ kernel.reshape(-1, filters).T  # (N, OH, OW, K)
# ```
#
# But $dX_{col}$ is the gradient of the *copies*. A pixel was copied into several rows; moving it moves all its copies.
# So, by the chain rule, it collects the gradients of all its copies: they are added back to where they came from. This
# is col2im, "columns to image". Its heart is one line, which adds the numbers at place $(i, j)$ of every window at
# once:
#
# ```text
# x[:, i : i + oh * sh : sh, j : j + ow * sw : sw] += columns[:, :, :, i, j]  # (N, OH, OW, C)
# ```
#
# Give every copy a gradient of 1, and each pixel receives the number of its copies. The corners lie in one window, the
# middle in all four:
#
# ```text
# copies row 0: 1 2 2 1
# copies row 1: 2 4 4 2
# copies row 2: 2 4 4 2
# copies row 3: 1 2 2 1
# ```
#
# Two mistakes are often made here. First, to take col2im for the way back. If we cut an image into windows and add them
# up again, every pixel comes back as often as it was copied. Second, to write `=` in place of `+=`: each pixel keeps
# only what came last. The corners are right then, and everything else is wrong; training still works a little, which is
# why nobody looks.
#
# ```text
# col2im(im2col(x)) is x: False, it is x times its copies: True
# added up, 36 ones arrive as 36; with = in place of += as 16
# ```

# %%
show_source(conv_im2col.backward_plain, "dkernel = (", "dbias = ", "dcolumns = ")
show_source(col2im, "x[:")
ones = np.ones_like(columns)
copies = col2im(ones, x.shape, (3, 3))[0, :, :, 0]  # (4, 4)
show_numbers("copies row", copies)
there_and_back = col2im(columns, x.shape, (3, 3))[0, :, :, 0]
print(
    f"col2im(im2col(x)) is x: {np.array_equal(there_and_back, image)}, "
    f"it is x times its copies: {np.array_equal(there_and_back, image * copies)} "
    f"({(there_and_back != image).sum()} and {(there_and_back != image * copies).sum()} of 16 pixels differ)"
)
last_only = np.zeros((4, 4))
for i in range(3):
    for j in range(3):
        last_only[i : i + 2, j : j + 2] = ones[0].reshape(2, 2, 3, 3)[:, :, i, j]  # the mistake
print(f"added up, {ones.sum():.0f} ones arrive as {copies.sum():.0f}; with = in place of += as {last_only.sum():.0f}")

# %% [markdown]
# ## The adjoint
#
# im2col only moves numbers. So it is a matrix product itself: write the 16 pixels one below the other as a vector $x$,
# and the 36 numbers of the table as another. Then $\text{im2col}(x) = M x$, with a matrix $M$ of zeros and ones. A row
# of $M$ belongs to one number of the table and has a single 1, at the pixel that was copied. A column belongs to a
# pixel, and has a 1 for each of its copies. Adding up the copies is therefore $M^\top c$, with $M$ turned over: col2im
# is the transpose, also called the *adjoint*.
#
# ```text
# M has 36 rows and 16 columns, with a single 1 in every row: True
# col2im is M turned over: True
# ```
#
# The adjoint has a property that needs no $M$: for all $x$ and $c$,
#
# $$
# \langle M x, c \rangle = \langle x, M^\top c \rangle,
# \qquad \langle \text{im2col}(x), c \rangle = \langle x, \text{col2im}(c) \rangle
# $$
#
# where $\langle a, b \rangle$ is the sum of the products of all entries. This is a test of the backward pass with no
# step size at all, for every size, stride and number of channels (lesson 4 needed one). Whatever layer is linear in $x$
# can be tested so; and all of convolution is: $\langle \text{conv}(x), dy \rangle = \langle x, dx \rangle$, if the bias
# is zero.
#
# ```text
# <im2col(x), c> and <x, col2im(c)> agree to ten digits: True
# <conv(x), dy> and <x, dx> agree to ten digits: True
# with = in place of +=, they agree to ten digits: False
# ```

# %%
pixels = np.eye(16).reshape(16, 4, 4, 1)  # image number p is 1 at pixel p, and 0 elsewhere
m = im2col(pixels, (3, 3)).reshape(16, 36).T  # (36, 16): column p is what im2col makes of it
m_turned = col2im(np.eye(36).reshape(36, 2, 2, 9), (36, 4, 4, 1), (3, 3)).reshape(36, 16).T  # (16, 36)
single = (m.sum(axis=1) == 1).all() and np.isin(m, (0, 1)).all()
lesson.check(
    f"M has {m.shape[0]} rows and {m.shape[1]} columns, with a single 1 in every row", single, f"{m.sum():.0f} ones"
)
lesson.check(
    "col2im is M turned over", np.array_equal(m_turned, m.T), f"{(m_turned != m.T).sum()} of {m.size} numbers differ"
)


def agree(left, right):
    return abs(left - right) < 1e-10 * abs(left)


a = rng.standard_normal((2, 9, 8, 3))  # another size: two images, three channels, a kernel of 3 by 2, stride 2 and 1
cut = im2col(a, (3, 2), (2, 1))
c = rng.standard_normal(cut.shape)
back = col2im(c, a.shape, (3, 2), (2, 1))
lesson.check(
    "<im2col(x), c> and <x, col2im(c)> agree to ten digits",
    agree((cut * c).sum(), (a * back).sum()),
    f"{(cut * c).sum():.6f}, {(a * back).sum():.6f}",
)
weights = rng.standard_normal((3, 2, 3, 4))
out = conv_im2col.forward_plain(a, weights, np.zeros(4), (2, 1))
dy = rng.standard_normal(out.shape)
dx, _, _ = conv_im2col.backward_plain(a, weights, dy, (2, 1))
lesson.check(
    "<conv(x), dy> and <x, dx> agree to ten digits",
    agree((out * dy).sum(), (a * dx).sum()),
    f"{(out * dy).sum():.6f}, {(a * dx).sum():.6f}",
)
c = rng.standard_normal((2, 2, 3, 3))
for i in range(3):
    for j in range(3):
        last_only[i : i + 2, j : j + 2] = c[:, :, i, j]
left, right = (columns.reshape(2, 2, 3, 3) * c).sum(), (image * last_only).sum()
lesson.check("with = in place of +=, they agree to ten digits", agree(left, right), f"{left:.6f}, {right:.6f}")

# %% [markdown]
# The first figure follows the numbers forward: every window has a colour, and keeps it. The second goes backward: an
# upstream gradient for each window, the gradients of its copies, and what each pixel collects; beside it the matrix $M$
# and its transpose.

# %% tags=["hide-input"] jupyter={"source_hidden": true}
colours = [tint(name) for name in TINTS[:4]]  # one per window
strong = TINTS[:4]


def in_window_colours(table):
    return [[colours[p]] * table.shape[1] for p in range(len(table))]


def mark(axes, sign):
    axes.axis("off")
    axes.text(0.5, 0.5, sign, ha="center", va="center", fontsize=20, transform=axes.transAxes)


figure = style.new_figure(style.WIDE, 5.9)
above, below = figure.subfigures(2, 1, height_ratios=[2.0, 3.2])
for p, axes in enumerate(above.subplots(1, 4)):
    i, j = divmod(p, 2)
    inside = [[colours[p] if i <= r < i + 3 and j <= s < j + 3 else "white" for s in range(4)] for r in range(4)]
    draw_numbers(axes, image, inside, f"window {p}", size=style.SMALL_SIZE)
    outline(axes, i, j, 3, 3, strong[p])
parts = below.subplots(1, 5, width_ratios=[9, 0.8, 1.2, 0.8, 1.2])
factors = [
    (rows, in_window_colours(rows), "X_col: one row per window"),
    (k.reshape(9, 1), None, "W"),
    (y, in_window_colours(y), "Y"),
]
for axes, (table, fill, title) in zip(parts[::2], factors, strict=True):
    draw_numbers(axes, table, fill)
    axes.text(table.shape[1] / 2, -0.25, title, ha="center", va="bottom", fontsize=style.TEXT_SIZE)
    middle = len(table) / 2
    axes.set_ylim(middle + 4.55, middle - 5.3)  # boxes of one size: all parts get nine rows of room, and a title's
mark(parts[1], "×")
mark(parts[3], "=")
lesson.show(figure, "06_im2col")

# %%
dy = np.array([[1.0], [2], [3], [4]])  # an upstream gradient per window
dcolumns = dy @ k.reshape(9, 1).T  # (P, K)
dx = col2im(dcolumns.reshape(1, 2, 2, 9), x.shape, (3, 3))[0, :, :, 0]  # (4, 4)

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure = style.new_figure(style.WIDE, 6.4)
above, below = figure.subfigures(2, 1, height_ratios=[2.3, 3.2])
parts = above.subplots(1, 5, width_ratios=[1, 1.1, 9, 0.9, 4])
draw_numbers(parts[0], dy, in_window_colours(dy), "dY")
draw_numbers(parts[2], dcolumns + 0.0, in_window_colours(dcolumns), "dX_col = dY W': what each copy is given")
draw_numbers(parts[4], dx + 0.0, None, "dX: copies added up")
mark(parts[1], "W' →")
mark(parts[3], "→")
parts = below.subplots(1, 3, width_ratios=[1.25, 1.05, 1.9])
shades = [[tint("black", 0.12 * (v - 1)) for v in row] for row in copies]
draw_numbers(parts[0], copies, shades, "how often a pixel\nwas copied")
window_of = np.repeat(np.arange(4), 9)  # of each row of M
for axes, table, title in ((parts[1], m, "M: im2col(x) = M x"), (parts[2], m.T, "M': col2im(c) = M' c")):
    picture = np.ones((*table.shape, 3))
    for r, s in np.argwhere(table == 1):
        owner = window_of[r if table is m else s]
        picture[r, s] = tint(strong[owner], 1.0)
    axes.imshow(picture, interpolation="nearest")
    axes.set_title(title, fontsize=style.TEXT_SIZE)
    style.dress_picture(axes)
    for spine in axes.spines.values():
        spine.set_color(style.MUTED)
parts[1].set_xlabel("16 pixels", fontsize=style.SMALL_SIZE)
parts[1].set_ylabel("36 copies", fontsize=style.SMALL_SIZE)
parts[2].set_xlabel("36 copies", fontsize=style.SMALL_SIZE)
parts[2].set_ylabel("16 pixels", fontsize=style.SMALL_SIZE)
lesson.show(figure, "06_col2im")

# %% [markdown]
# ## Try it
#
# - Use windows of 2 by 2 with a stride of 2. How many copies has each pixel now, and is col2im the way back after all?
#
#   <details><summary>Answer</summary>
#
#   One each, since these windows do not overlap. So here adding up the copies gives back the image, and col2im is the
#   way back. It is the overlap that makes the difference.
#
#   ```python
#   cut = im2col(x, (2, 2), (2, 2))  # (1, 2, 2, 4)
#   print("copies of each pixel:", np.unique(col2im(np.ones_like(cut), x.shape, (2, 2), (2, 2))))
#   print("col2im is the way back:", np.array_equal(col2im(cut, x.shape, (2, 2), (2, 2)), x))
#   ```
#
#   ```text
#   copies of each pixel: [1.]
#   col2im is the way back: True
#   ```
#
#   </details>
#
# - In `im2col`, exchange the axes 4 and 5 of `transpose`. The shapes are the same. Which lines of this lesson notice?
#
#   <details><summary>Answer</summary>
#
#   Each window is now read down its columns. The lines "window 0" to "window 3" notice, "the product gives" (the loops
#   give other numbers), and everything that compares im2col with col2im: x times its copies, M turned over, and the
#   adjoint. What only looks at shapes, or at how often a pixel was copied, does not.
#
#   ```python
#   def exchanged(x, size):
#       windows = np.lib.stride_tricks.sliding_window_view(x, size, axis=(1, 2))  # (N, OH, OW, C, kh, kw)
#       windows = windows.transpose(0, 1, 2, 5, 4, 3)  # right is 0, 1, 2, 4, 5, 3
#       return windows.reshape(*windows.shape[:3], -1)
#
#
#   wrong = exchanged(x, (3, 3))
#   print("window 0:", *(f"{v:g}" for v in wrong[0, 0, 0]))
#   print("the product gives", *(f"{v:g}" for v in (wrong.reshape(-1, 9) @ k.reshape(9, 1))[:, 0]))
#   back = col2im(wrong, x.shape, (3, 3))[0, :, :, 0]
#   print(f"x times its copies comes back: {np.array_equal(back, image * copies)}")
#   c = np.random.default_rng(1).standard_normal(wrong.shape)
#   print(f"adjoint to ten digits: {agree((wrong * c).sum(), (x * col2im(c, x.shape, (3, 3))).sum())}")
#   ```
#
#   ```text
#   window 0: 8 16 5 4 10 13 12 11 7
#   the product gives 1 3 -2 6
#   x times its copies comes back: False
#   adjoint to ten digits: False
#   ```
#
#   </details>
#
# - The table of a kernel of 1 by 1 is the image itself. What is a convolution with such a kernel, in words of lesson 2?
#
#   <details><summary>Answer</summary>
#
#   A dense layer that is applied to every pixel by itself, with the channels as its inputs and the filters as its
#   units.
#
#   ```python
#   pixel_by_pixel = conv_im2col.forward_plain(a, weights[:1, :1], np.zeros(4))  # (N, H, W, F)
#   dense = a.reshape(-1, 3) @ weights[0, 0]  # (N H W, C) @ (C, F)
#   print(f"a dense layer at every pixel: {np.allclose(pixel_by_pixel.reshape(-1, 4), dense)}")
#   ```
#
#   ```text
#   a dense layer at every pixel: True
#   ```
#
#   </details>
