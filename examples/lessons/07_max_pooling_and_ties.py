# %% [markdown]
# # 7. Max-pooling, and who gets the gradient when two are equal
#
# Needs lessons 4 and 6. About ten minutes.
#
# A convolution says at every pixel how well its filter fits there. Whether a motif has an edge *here* matters; whether
# it is one pixel further left does not. *Max-pooling* cuts the map into windows, usually of 2 by 2, and keeps the
# largest number of each:
#
# $$ y_{ij} = \max_{u, v} \, x_{i s + u, \, j s + v} $$
#
# Here $s$ is the stride, 2 in this lesson, so that windows do not overlap. Three numbers of four are gone, and whatever
# comes after has a quarter of the work. Here is the image of lesson 6:
#
# ```text
# image row 0: 8 4 12 2
# image row 1: 16 10 11 3
# image row 2: 5 13 7 1
# image row 3: 14 6 15 9
# pooled row 0: 16 12
# pooled row 1: 14 15
# ```
#
# The function is `forward_plain` in `batik_scratch/ops/pooling.py`. It returns one thing more: which of its window's
# four pixels was the largest, counted from 0 in reading order.
#
# ```text
# winner row 0: 2 0
# winner row 1: 2 2
# ```

# %%
import inspect

import numpy as np

from batik_scratch import nn
from batik_scratch.figures import style
from batik_scratch.figures.boxes import TINTS, draw_numbers, outline, tint
from batik_scratch.learn import lesson
from batik_scratch.nn.gradcheck import check_layer
from batik_scratch.ops import pooling

image = np.array([[8.0, 4, 12, 2], [16, 10, 11, 3], [5, 13, 7, 1], [14, 6, 15, 9]])
x = image[None, :, :, None]  # (N, H, W, C) = (1, 4, 4, 1)
y, winner = pooling.forward_plain(x, (2, 2), (2, 2))  # (1, 2, 2, 1) both


def show_numbers(name, table):
    for i, line in enumerate(table):
        print(f"{name} row {i}: " + " ".join(f"{v:g}" for v in line))


show_numbers("image", image)
show_numbers("pooled", y[0, :, :, 0])
show_numbers("winner", winner[0, :, :, 0])

# %% [markdown]
# ## Backward
#
# The output *is* the winner. Nudge the winner, and the output moves with it; nudge another pixel a little, and nothing
# happens. So the winner gets the whole upstream gradient, and the others get nothing. With $dy$ = 1, 2 in the first row
# and 3, 4 in the second:
#
# ```text
# dx row 0: 0 0 2 0
# dx row 1: 1 0 0 0
# dx row 2: 0 0 0 0
# dx row 3: 3 0 4 0
# ```
#
# To know this, the layer need not remember the image, only the winners: an index of one byte per window. For the first
# pooling layer of the paper's network, per image:
#
# ```text
# the image would take 2,803,712 bytes, the winners take 175,232: 16 times less
# ```

# %%
dy = np.array([[1.0, 2], [3, 4]])[None, :, :, None]
dx = pooling.backward_plain(dy, winner, x.shape, (2, 2), (2, 2))
show_numbers("dx", dx[0, :, :, 0])
layer = nn.paper_cnn().get_layer("max_pooling2d")
whole, kept = int(np.prod(layer.input_shape)) * 4, layer.cached_bytes()
print(f"the image would take {whole:,} bytes, the winners take {kept:,}: {whole // kept} times less")

# %% [markdown]
# ## Windows that overlap
#
# With windows of 3 by 3 and stride 1, a pixel may win several times. Then it collects from every window that it has
# won. So the backward pass must add, as col2im did in lesson 6:
#
# ```python
# np.add.at(dx, (n, rows, columns, c), dy)  # adds: `dx[...] = dy` would keep the last overlap only
# ```
#
# Below, every window sends a gradient of 1. The 16 wins two windows:
#
# ```text
# the windows' maxima are 16 13 16 15
# the pixel with 16 gets 2; with = in place of adding it would get 1
# ```

# %%
for line in inspect.getsource(pooling.backward_plain).splitlines():
    if "np.add.at" in line:
        print(line.strip())
y3, winner3 = pooling.forward_plain(x, (3, 3), (1, 1))
dx3 = pooling.backward_plain(np.ones_like(y3), winner3, x.shape, (3, 3), (1, 1))
print("the windows' maxima are", *(f"{v:g}" for v in y3.ravel()))
i, j = np.divmod(np.arange(4), 2)  # the windows' corners
places = winner3.ravel()
assigned = np.zeros((4, 4))
assigned[i + places // 3, j + places % 3] = 1  # the mistake
added, kept = dx3[0, :, :, 0][image == 16][0], assigned[image == 16][0]
print(f"the pixel with 16 gets {added:g}; with = in place of adding it would get {kept:g}")

# %% [markdown]
# ## Ties
#
# What if two pixels are equally large? Take $\max(a, b)$ where $a = b$. Raise $a$ by $h$, and the maximum rises by $h$.
# Lower $a$ by $h$, and it stays, because $b$ holds it up. The slope is 1 on one side and 0 on the other: a kink, as in
# lesson 4.
#
# ```text
# to the right 1.00, to the left 0.00, central difference 0.50
# ```
#
# There is no derivative, so the code must choose. One demand remains. If *all* equal pixels rise together by $h$, then
# the maximum rises by $h$. So the shares must add up to the upstream gradient. For four equal pixels and $dy = 1$:
#
# ```text
# the first one gets it: 1 0 0 0, together 1
# all share it: 0.25 0.25 0.25 0.25, together 1
# everyone gets all of it: 1 1 1 1, together 4
# ```
#
# The third is simply wrong, and is easily written: `dy * (x == y)`. Between the first two one may choose. This package
# takes the first in reading order, as Keras does: it costs one index, and it is the same in every run.
#
# ```text
# the package sends it to the first: True
# ```

# %%
equal = np.full((1, 2, 2, 1), 5.0)
h = 1e-6


def maximum(first_pixel):
    moved = equal.copy()
    moved[0, 0, 0, 0] += first_pixel
    return pooling.forward_plain(moved, (2, 2), (2, 2))[0].item()


right, left, central = (maximum(h) - 5) / h, (5 - maximum(-h)) / h, (maximum(h) - maximum(-h)) / (2 * h)
print(f"to the right {right:.2f}, to the left {left:.2f}, central difference {central:.2f}")
top, first = pooling.forward_plain(equal, (2, 2), (2, 2))
ties = equal == top  # the window is the whole image, so the maximum is compared with every pixel
shares = {
    "the first one gets it": pooling.backward_plain(np.ones((1, 1, 1, 1)), first, equal.shape, (2, 2), (2, 2)),
    "all share it": ties / ties.sum(),
    "everyone gets all of it": 1.0 * ties,
}
for name, share in shares.items():
    print(f"{name}: {' '.join(f'{v:g}' for v in share.ravel())}, together {share.sum():g}")
layer = nn.MaxPooling2D(2)
layer.forward(equal, training=True)
ours = layer.backward(np.ones((1, 1, 1, 1)))
lesson.check(
    "the package sends it to the first",
    np.array_equal(ours, shares["the first one gets it"]),
    f"{' '.join(f'{v:g}' for v in ours.ravel())}",
)

# %% [markdown]
# ## Does it matter?
#
# Ties sound rare, but they are not. In the paper's network, pooling comes after ReLU, and where ReLU is shut in a whole
# window there are four equal zeros. We count the windows of the first block, and compute the gradient below the ReLU
# twice, with "first" and with "share".
#
# ```text
# with fresh weights, more than one window of ten is all zeros: True
# below the ReLU the two agree in those windows: True
# ```
#
# They agree because the gate of a ReLU is shut at zero: whatever a zero is given stops there. A tie between numbers
# above zero happens where a cloth is perfectly even, and there both answers are as good.
#
# A gradient check knows nothing of conventions. So `check_layer` uses inputs that are all different; when it is given
# equal ones, it sees the winner change between its two nudges, skips those places, and refuses to pass:
#
# ```text
# all different: right True
# all equal: right False
# ```

# %%
size = 64 if lesson.quick() else 128
cloths, _, _ = lesson.drawn_cloths(1, size, seed=4)
net = nn.paper_cnn((size, size, 3), random_state=0, dtype="float64")
conv, relu, pool = net.layers[:3]
open_or_zero = relu.forward(conv.forward(cloths.astype(np.float64)), keep=True)  # (3, H, W, 32)
largest = pool.forward(open_or_zero, keep=True)  # (3, H/2, W/2, 32)
upstream = np.random.default_rng(0).standard_normal(largest.shape)
big = largest.repeat(2, axis=1).repeat(2, axis=2)  # each window's maximum, laid over its four pixels
tied = (open_or_zero == big).astype(float)  # (3, H, W, 32)
count = tied.reshape(3, largest.shape[1], 2, largest.shape[2], 2, 32).sum(axis=(2, 4))  # equal ones per window
spread = (upstream / count).repeat(2, axis=1).repeat(2, axis=2) * tied  # "share"
by_first, by_share = relu.backward(pool.backward(upstream)), relu.backward(spread)
zeros = big == 0
lesson.check(
    "with fresh weights, more than one window of ten is all zeros",
    (largest == 0).mean() > 0.1,
    f"{(largest == 0).mean():.1%}",
)
print(f"  all zeros {(largest == 0).mean():.1%}, other ties {((count > 1) & (largest > 0)).mean():.2%}")
lesson.check(
    "below the ReLU the two agree in those windows",
    np.array_equal(by_first[zeros], by_share[zeros]),
    f"largest difference {np.abs(by_first[zeros] - by_share[zeros]).max():g}",
)
for name, x_check in (("all different", None), ("all equal", np.ones((3, 4, 4, 1)))):
    report = check_layer(nn.MaxPooling2D(2), (4, 4, 1), x=x_check)
    seen = report.tensors[0]
    print(f"{name}: right {report.ok} ({seen.compared} places compared, {seen.skipped} skipped)")

# %% [markdown]
# The first figure: forward and backward with the numbers of this lesson, first apart, then overlapping, then equal. The
# second: a cloth pooled with larger and larger windows. Light wax lines win and become thicker. The mean of each window
# is shown for comparison.

# %% tags=["hide-input"] jupyter={"source_hidden": true}
colours = [tint(name) for name in TINTS[:4]]
figure = style.new_figure(style.WIDE, 6.3)
grid = figure.subplots(3, 4, height_ratios=[4.2, 4.2, 2.2])
apart = [[colours[2 * (r // 2) + s // 2] for s in range(4)] for r in range(4)]
by_window = [[colours[0], colours[1]], [colours[2], colours[3]]]


def winners_only(values, fill):
    return [
        [c if v else "white" for v, c in zip(row, line, strict=True)] for row, line in zip(values, fill, strict=True)
    ]


won = dx3[0, :, :, 0]
gold = [[tint("orange", 0.35 * v) for v in row] for row in won]
pictures = [
    (image, apart, "x: windows of 2 x 2"),
    (y[0, :, :, 0], by_window, "y: the largest"),
    (dy[0, :, :, 0], by_window, "dy"),
    (dx[0, :, :, 0], winners_only(dx[0, :, :, 0], apart), "dx: to the winners"),
    (image, gold, "x: windows of 3 x 3, stride 1"),
    (y3[0, :, :, 0], None, "y: the largest"),
    (np.ones((2, 2)), None, "dy"),
    (won, gold, "dx: 16 has won twice"),
    (equal[0, :, :, 0], None, "x: four equal pixels"),
    (shares["the first one gets it"][0, :, :, 0], None, "the first (this package)"),
    (shares["all share it"][0, :, :, 0], None, "all share"),
    (shares["everyone gets all of it"][0, :, :, 0], None, "everyone: wrong, 4 in all"),
]
for axes, (values, fill, title) in zip(grid.flat, pictures, strict=True):
    draw_numbers(axes, values, fill)
    middle = values.shape[0] / 2
    axes.set_title(title, fontsize=style.TEXT_SIZE)
    axes.set(xlim=(middle - 2.1, middle + 2.1), ylim=(middle + 2.05, middle - 2.05))  # boxes of one size
for axes in grid[2]:
    axes.set_ylim(2.05, -0.05)
for w, name in enumerate(TINTS[:4]):
    r, s = np.divmod(winner.ravel()[w], 2)
    outline(grid[0, 0], 2 * (w // 2) + r, 2 * (w % 2) + s, 1, 1, name)
lesson.show(figure, "07_max_pooling_and_ties")

figure = style.new_figure(style.WIDE, 2.6)
panels = figure.subplots(1, 4)
cloth = cloths[1:2].astype(np.float64)
for axes, side in zip(panels, (1, 2, 8), strict=False):
    axes.imshow(nn.MaxPooling2D(side).forward(cloth)[0], interpolation="nearest")
    axes.set_title(f"max, {side} x {side}" if side > 1 else "cloth", fontsize=style.TEXT_SIZE)
blocks = cloth.reshape(size // 8, 8, size // 8, 8, 3).mean(axis=(1, 3))
panels[3].imshow(blocks, interpolation="nearest")
panels[3].set_title("mean, 8 x 8", fontsize=style.TEXT_SIZE)
for axes in panels:
    style.dress_picture(axes)
lesson.show(figure, "07_pooled_cloth")

# %% [markdown]
# ## Try it
#
# - Exchange 8 and 16 in the image. The pooled image stays as it was; what about dx?
#
#   <details><summary>Answer</summary>
#
#   The gradient of the first window goes to the new place of 16. What pooling says is where a maximum *is*, not only
#   how large.
#
#   ```python
#   other = image.copy()
#   other[0, 0], other[1, 0] = 16, 8
#   y_other, winner_other = pooling.forward_plain(other[None, :, :, None], (2, 2), (2, 2))
#   dx_other = pooling.backward_plain(dy, winner_other, x.shape, (2, 2), (2, 2))
#   print(f"pooled the same: {np.array_equal(y_other, y)}")
#   show_numbers("dx", dx_other[0, :, :, 0])
#   ```
#
#   ```text
#   pooled the same: True
#   dx row 0: 1 0 2 0
#   dx row 1: 0 0 0 0
#   dx row 2: 0 0 0 0
#   dx row 3: 3 0 4 0
#   ```
#
#   </details>
#
# - Write a `MeanPooling2D`: what does its backward pass hand to whom, and does it have ties?
#
#   <details><summary>Answer</summary>
#
#   It hands a quarter of the gradient to each of the four. It has no ties, and no kinks: it is linear, and a linear
#   layer passes with equal inputs, too.
#
#   ```python
#   class MeanPooling2D(nn.Layer):
#       """The mean of windows of 2 by 2: each of the four pixels gets a quarter of the gradient."""
#
#       def build(self, input_shape, rng):
#           h, w, c = input_shape
#           self.input_shape, self.output_shape = input_shape, (h // 2, w // 2, c)
#           return self.output_shape
#
#       def forward(self, x, training=False, keep=None):
#           n, h, w, c = x.shape
#           return x.reshape(n, h // 2, 2, w // 2, 2, c).mean(axis=(2, 4))
#
#       def backward(self, dy, need_dx=True, need_grads=True):
#           return dy.repeat(2, axis=1).repeat(2, axis=2) / 4
#
#
#   print(f"all different: right {check_layer(MeanPooling2D(), (4, 4, 2)).ok}")
#   print(f"all equal: right {check_layer(MeanPooling2D(), (4, 4, 2), x=np.ones((3, 4, 4, 2))).ok}")
#   ```
#
#   ```text
#   all different: right True
#   all equal: right True
#   ```
#
#   </details>
#
# - Write the wrong pooling, `dy * (x == y)`, as a subclass of `nn.MaxPooling2D`, and give it to `check_layer`. It
#   passes. Why, and which test would catch it? (Add up dx.)
#
#   <details><summary>Answer</summary>
#
#   `check_layer` takes inputs that are all different, as it must, because at a tie there is no derivative to compare
#   with. A test for the ties is the demand of this lesson: what goes out must add up to what came in.
#
#   ```python
#   class Everyone(nn.MaxPooling2D):
#       """A planted bug: all equal pixels get the whole gradient."""
#
#       def forward(self, x, training=False, keep=None):
#           y = super().forward(x, training, keep)
#           self.tied = x == y.repeat(2, axis=1).repeat(2, axis=2)
#           return y
#
#       def backward(self, dy, need_dx=True, need_grads=True):
#           return dy.repeat(2, axis=1).repeat(2, axis=2) * self.tied
#
#
#   layer = Everyone(2)
#   print(f"check_layer passes it: {check_layer(layer, (4, 4, 1)).ok}")
#   layer.forward(equal, training=True)
#   print(f"one gradient of 1 comes in, {layer.backward(np.ones((1, 1, 1, 1))).sum():g} go out")
#   ```
#
#   ```text
#   check_layer passes it: True
#   one gradient of 1 comes in, 4 go out
#   ```
#
#   </details>
