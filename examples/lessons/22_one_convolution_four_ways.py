# %% [markdown]
# # 22. One convolution, four ways, and a fifth for few channels
#
# Needs lesson 6. About forty minutes, half of them for the last part.
#
# The same sums can take twenty seconds, or a thousandth of one. We take the second convolution of the paper's
# network, 3 by 3 windows with 32 channels in and 64 filters, and compute it for one image in four ways:
#
# 1. loops in plain Python: `forward.py_func` of [ops/conv_loops.py](../../batik_scratch/ops/conv_loops.py);
# 2. the same loops, compiled by numba: `forward` of the same file;
# 3. im2col and BLAS, [ops/conv_im2col.py](../../batik_scratch/ops/conv_im2col.py);
# 4. Winograd, [ops/conv_winograd.py](../../batik_scratch/ops/conv_winograd.py).
#
# At the end comes the first layer. It has 3 channels, and wants a fifth way: *lanes*.
#
# This is how many *multiply-adds* (one multiplication and the addition of what came out) the definition has:
#
# ```text
# one image: 72 * 72 places * 288 products * 64 filters = 95,551,488 multiply-adds
# all four agree to a ten-thousandth of the largest value: True
# ```
#
# To be fair, all of them get one thread, float32 and a random image. All are timed in turn, several times, and the
# shortest time counts: whatever else the machine does can only make a program slower. Nobody wants to wait for plain
# Python, so it computes 2 by 2 of the 72 by 72 places, and its time is scaled up. A multiply-add counts as two
# operations, and a thousand million operations a second are 1 GF/s.

# %%
import time
from fractions import Fraction

import numba
import numpy as np

from batik_scratch import nn
from batik_scratch.figures import style
from batik_scratch.figures.boxes import draw_numbers, outline, tint
from batik_scratch.learn import lesson
from batik_scratch.ops import conv_direct, conv_im2col, conv_loops, conv_winograd, pooling, relu, threads
from batik_scratch.ops.jit import compiled
from batik_scratch.ops.lanes import LANES, add_product, load, spread
from batik_scratch.ops.workspace import Workspace

numba.set_num_threads(1)
layer = nn.paper_cnn().layers[3]
(oh, ow, filters), (h, w, channels) = layer.output_shape, layer.input_shape
products, adds = 9 * channels, layer.multiply_adds()
print(f"one image: {oh} * {ow} places * {products} products * {filters} filters = {adds:,} multiply-adds")

rng = np.random.default_rng(0)
x = rng.standard_normal((1, h, w, channels)).astype(np.float32)  # (N, H, W, C)
k = (rng.standard_normal((3, 3, channels, filters)) * np.sqrt(2 / products)).astype(np.float32)  # (kh, kw, C, F)
b = np.zeros(filters, np.float32)
piece = x[:, :4, :4]  # 2 by 2 windows
ways = {
    "loops in Python": (conv_loops.forward.py_func, piece),
    "loops in numba": (conv_loops.forward, x),
    "im2col + BLAS": (conv_im2col.forward, x),
    "Winograd": (conv_winograd.forward, x),
}
python, loops, blas, winograd = ways
truth = conv_loops.forward(x.astype(float), k.astype(float), b.astype(float))  # float64, (1, OH, OW, F)
top = np.abs(truth).max()
results = {name: forward(image, k, b) for name, (forward, image) in ways.items()}  # the first call compiles


def true_part(y):
    """The float64 result for the places that y has."""
    return truth[:, : y.shape[1], : y.shape[2]]


agree = all(np.abs(y - true_part(y)).max() < 1e-4 * top for y in results.values())
lesson.check(
    "all four agree to a ten-thousandth of the largest value",
    agree,
    f"largest difference {max(np.abs(y - true_part(y)).max() for y in results.values()) / top:.0e}",
)


def seconds(calls, rounds):
    """The shortest time of each call, one after the other in every round, so that all meet the same machine."""
    best = dict.fromkeys(calls, np.inf)
    for _ in range(rounds):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            best[name] = min(best[name], time.perf_counter() - start)
    return best


rounds = 9 if lesson.quick() else 25
times = seconds({name: lambda f=f, image=image: f(image, k, b) for name, (f, image) in ways.items()}, rounds)
times[python] *= oh * ow / 4  # what all places would take
for name, t in times.items():
    print(f"  {name:16s} {1000 * t:10.1f} ms  {2 * adds / t / 1e9:7.3f} GF/s")

# %% [markdown]
# ## From Python to numba: the interpreter
#
# For every multiply-add Python looks up `x`, packs four numbers into an index, asks the array what it holds there,
# makes an object for the answer, does the same for the kernel, and only then multiplies. It does not know that the
# answer is a number of 32 bits until it holds it, and it forgets it at once. numba looks at the types once, and then
# writes machine instructions: two loads, a multiplication, an addition.
#
# ```text
# compiled loops are more than fifty times faster than Python: True
# ```

# %%
lesson.check(
    "compiled loops are more than fifty times faster than Python",
    times[python] > 50 * times[loops],
    f"{times[python] / times[loops]:.0f} times",
)
print(f"  one multiply-add: Python {1e9 * times[python] / adds:.0f} ns, numba {1e9 * times[loops] / adds:.2f} ns")

# %% [markdown]
# ## From numba to BLAS: keep the processor fed
#
# The compiled loops still use a small part of the processor, for two reasons.
#
# *Vector units.* A processor can multiply 4, 8 or 16 pairs of numbers by one instruction. But the innermost loop adds
# up one sum, `total`: each addition waits for the one before, and to take them in another order would change the
# rounding, so the compiler must not. Put the loop over the filters innermost, and there are 64 sums next to each other
# that do not wait for one another. Nothing else changes, not even the order in which any single sum is added up:
#
# ```text
# with f innermost the compiled loops are more than twice as fast: True
# ```
#
# *Arithmetic per byte.* Both kinds of loop fetch new numbers for every multiply-add, and fetching takes longer than
# multiplying. A matrix product can do better. Keep a block of 4 by 16 sums in the processor's registers (the few
# places that it computes in, without asking memory); fetch 4 numbers of the left matrix and 16 of the right one; each
# of the 4 meets each of the 16, so that is enough for 64 multiply-adds. BLAS is this idea, done for every level of
# memory: blocks of blocks that stay in the caches. And that is why im2col pays, although it copies each pixel up to
# nine times. Its table is cut into tiles as well, which stay in the cache:
#
# ```text
# numbers fetched per multiply-add: 2 by the loops, 0.31 with 4 by 16 sums in registers
# the whole im2col table has 5,971,968 bytes, a tile of it at most 196,608
# im2col and BLAS are more than three times faster than the loops: True
# ```
#
# The code also times a large matrix product, which is the best that BLAS can do on this thread.

# %%


@compiled()
def filters_innermost(x, kernel, bias):
    """`conv_loops.forward` at stride 1, with the loop over f moved inside."""
    n_images, h, w, channels = x.shape
    kh, kw, _, filters = kernel.shape
    y = np.empty((n_images, h - kh + 1, w - kw + 1, filters), x.dtype)  # (N, OH, OW, F)
    for n in range(n_images):
        for i in range(h - kh + 1):
            for j in range(w - kw + 1):
                sums = y[n, i, j]  # (F,)
                sums[:] = bias
                for u in range(kh):
                    for v in range(kw):
                        for c in range(channels):
                            for f in range(filters):
                                sums[f] += x[n, i + u, j + v, c] * kernel[u, v, c, f]
    return y


assert np.allclose(filters_innermost(x, k, b), results[loops], atol=1e-5 * top)
large = rng.standard_normal((512, 512)).astype(np.float32)
with threads.one_blas_thread():
    extra = seconds({"vectors": lambda: filters_innermost(x, k, b), "product": lambda: large @ large}, rounds)
limit = 2 * 512**3 / extra["product"] / 1e9
lesson.check(
    "with f innermost the compiled loops are more than twice as fast",
    times[loops] > 2 * extra["vectors"],
    f"{times[loops] / extra['vectors']:.1f} times",
)
print(f"  {1000 * extra['vectors']:.1f} ms, {2 * adds / extra['vectors'] / 1e9:.1f} GF/s")
print(f"numbers fetched per multiply-add: 2 by the loops, {(4 + 16) / (4 * 16):.2f} with 4 by 16 sums in registers")
print(f"the whole im2col table has {oh * ow * products * 4:,} bytes, a tile of it at most {conv_im2col.TILE_BYTES:,}")
lesson.check(
    "im2col and BLAS are more than three times faster than the loops",
    times[loops] > 3 * times[blas],
    f"{times[loops] / times[blas]:.1f} times",
)
print(f"  a large matrix product: {limit:.0f} GF/s")

# %% [markdown]
# ## From BLAS to Winograd: fewer multiplications
#
# BLAS is near the limit of the processor. Who wants more speed must do less. Take a kernel of three numbers $g$ on a
# line, and two neighbouring outputs; they see four inputs $d$.
#
# $$
# \begin{aligned}
# y_0 &= d_0 g_0 + d_1 g_1 + d_2 g_2 \\
# y_1 &= d_1 g_0 + d_2 g_1 + d_3 g_2
# \end{aligned}
# $$
#
# Six multiplications, it seems. Now look at these two products:
#
# $$
# \begin{aligned}
# p &= (d_1 + d_2) (g_0 + g_1 + g_2) / 2 \\
# q &= (d_2 - d_1) (g_0 - g_1 + g_2) / 2
# \end{aligned}
# $$
#
# Multiply out, and half of the terms cancel:
#
# $$
# \begin{aligned}
# p + q &= d_2 g_0 + d_1 g_1 + d_2 g_2 \\
# p - q &= d_1 g_0 + d_2 g_1 + d_1 g_2
# \end{aligned}
# $$
#
# The sum is $y_0$ but for its first term, which has $d_2$ in place of $d_0$. The difference is $y_1$ but for its last
# term, which has $d_1$ in place of $d_3$. One product each puts that right:
#
# $$
# \begin{aligned}
# y_0 &= (d_0 - d_2) g_0 + p + q \\
# y_1 &= p - q - (d_1 - d_3) g_2
# \end{aligned}
# $$
#
# Four multiplications. This is $F(2, 3)$: two outputs, three weights. (Winograd, 1980.)
#
# ```text
# d 1 4 2 5, g 3 2 1
# by the definition 13 21, with 6 multiplications
# by Winograd 13 21, with 4: -3 18 -2 -1
# ```
#
# What became of the rest? There are more additions, and they come in three steps that are matrix products with small
# fixed numbers: $B^\top d$, then $G g$, and at the end $A^\top$ on the four products (where the code prints B' and A',
# it means these).
#
# $$ y = A^\top \big[ (B^\top d) * (G g) \big], \qquad * \text{ is number by number} $$
#
# In a network these steps are shared. $G g$ is computed once, for all places. $B^\top d$ is computed once, for all 64
# filters. $A^\top$ is applied once, after the sum over all 32 channels. Only the product in the middle is done for
# every pair of channel and filter, and it has become cheaper.

# %%
d, g = np.array([1.0, 4, 2, 5]), np.array([3.0, 2, 1])
by_definition = [d[0:3] @ g, d[1:4] @ g]
b_t = np.array([[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]])
g_2 = np.array([[2, 0, 0], [1, 1, 1], [1, -1, 1], [0, 0, 2]]) / 2
a_t = np.array([[1, 1, 1, 0], [0, 1, -1, -1]])
four = (b_t @ d) * (g_2 @ g)


def numbers(values):
    return " ".join(f"{v:g}" for v in values)


print(f"d {numbers(d)}, g {numbers(g)}")
print(f"by the definition {numbers(by_definition)}, with {2 * len(g)} multiplications")
print(f"by Winograd {numbers(a_t @ four)}, with {len(four)}: {numbers(four)}")

# %% [markdown]
# ## Where the matrices come from
#
# Write three numbers $g$ as a polynomial $g_0 + g_1 t + g_2 t^2$, and four numbers as another. Their product has six
# coefficients, so it is known if we know its values at six points $t$; and a *value* of the product is one
# multiplication, of the two values. So six multiplications do what seems to need twelve. ("At infinity" is allowed as a
# point: it means the leading coefficient.) Multiplying polynomials is a convolution that makes a line longer. Ours
# makes it shorter, and it is the adjoint of the other one (lesson 6): a product of matrices, turned over, is each of
# them turned over, in the reverse order, $(PQR)^\top = R^\top Q^\top P^\top$. So
#
# - $G$ takes the values of $g$ at the points: its rows are $1, t, t^2$, times some number;
# - $A^\top$ takes values too, turned over: its columns are $1, t, t^2, t^3$;
# - $B^\top$ is what finds a polynomial's coefficients from its values at the points (interpolation), turned over; it
#   is fixed by the other two.
#
# The package has $F(4, 3)$, with the points 0, 1, -1, 2, -2 and infinity. These are its constants ($G$ times 24, to
# have whole numbers):
#
# ```text
# B' row 0: 4 0 -5 0 1 0
# B' row 1: 0 -4 -4 1 1 0
# B' row 2: 0 4 -4 -1 1 0
# B' row 3: 0 -2 -1 2 1 0
# B' row 4: 0 2 -1 -2 1 0
# B' row 5: 0 4 0 -5 0 1
# 24 G row 0: 6 0 0
# 24 G row 1: -4 -4 -4
# 24 G row 2: -4 4 -4
# 24 G row 3: 1 2 4
# 24 G row 4: 1 -2 4
# 24 G row 5: 0 0 24
# A' row 0: 1 1 1 1 1 0
# A' row 1: 0 1 -1 2 -2 0
# A' row 2: 0 1 1 4 4 0
# A' row 3: 0 1 -1 8 -8 1
# ```
#
# That they compute the convolution can be proved by trying: both sides are linear in $d$ and in $g$, so it is enough
# that they agree where $d$ and $g$ are each a single 1. There are 6 times 3 such cases with 4 outputs each, and
# fractions have no rounding.
#
# ```text
# columns of A' are the powers of 0 1 -1 2 -2, rows of G too, times a number: True
# A' [(B' d) * (G g)] is the definition, in all 72 cases: True
# ```
#
# A picture has two directions, and each gets its matrix, one from the left and one from the right:
# $Y = A^\top [(B^\top d B) * (G k G^\top)] A$. There is a multiplication for each pair of points, one of each
# direction: 6 times 6 in place of 12 times 12. So the saving is squared. This is $F(4x4, 3x3)$:
#
# ```text
# on a line: F(2, 3) has 4 multiplications for 6, F(4, 3) has 6 for 12
# in the plane: 16 for 36, which is 2.25 times fewer; 36 for 144, which is 4.00 times fewer
# one image: 23,887,872 multiply-adds in place of 95,551,488
# Winograd is faster than im2col and BLAS: True
# ```
#
# Over 32 channels, each of the 36 products becomes a matrix product over all tiles, (tiles, 32) times (32, 64). So BLAS
# does the work here too. The time falls by less than four, since the transforms take some as well. In the last figure
# you will probably see Winograd beyond what the processor could do if it multiplied as the definition says: it has less
# to do.

# %%
B_T, G, A_T = conv_winograd.B_T, conv_winograd.G, conv_winograd.A_T
for name, matrix in (("B'", B_T), ("24 G", 24 * G), ("A'", A_T)):
    for e, row in enumerate(matrix):
        print(f"{name} row {e}: {numbers(row.round(9) + 0.0)}")
points = np.array([0, 1, -1, 2, -2])
powers = points ** np.arange(4)[:, None]  # (4, 5)
off = max(np.abs(A_T[:, :5] - powers).max(), np.abs(G[:5] / G[:5, :1] - powers[:3].T).max())
claim = f"columns of A' are the powers of {numbers(points)}, rows of G too, times a number"
lesson.check(claim, off < 1e-12, f"off by {off:.0e}")
exact = [np.array([[Fraction(round(24 * v), 24) for v in row] for row in matrix]) for matrix in (A_T, B_T, G)]
cases = [
    (exact[0][y] * exact[1][:, i] * exact[2][:, j]).sum() == (i == y + j)
    for y in range(4)
    for i in range(6)
    for j in range(3)
]
print(f"A' [(B' d) * (G g)] is the definition, in all {len(cases)} cases: {all(cases)} ({sum(cases)} agree)")
counts = [(a.shape[1], 3 * a.shape[0]) for a in (a_t, A_T)]  # multiplications: Winograd's, the definition's
line, plane = (
    [f"{few**dims} {word} {many**dims}" for (few, many), word in zip(counts, words, strict=True)]
    for dims, words in ((1, ("multiplications for", "for")), (2, ("for", "for")))
)
fewer = [f"which is {(many / few) ** 2:.2f} times fewer" for few, many in counts]
print(f"on a line: F(2, 3) has {line[0]}, F(4, 3) has {line[1]}")
print(f"in the plane: {plane[0]}, {fewer[0]}; {plane[1]}, {fewer[1]}")
tiles = (oh // 4) * (ow // 4)
print(f"one image: {tiles * 36 * channels * filters:,} multiply-adds in place of {adds:,}")
lesson.check(
    "Winograd is faster than im2col and BLAS",
    times[winograd] < times[blas],
    f"{times[blas] / times[winograd]:.1f} times",
)

# %% [markdown]
# The first figure follows one tile and one channel through the package's matrices. Colour is size: blue is positive,
# orange negative, and a number has the same colour in all six tables. Look at how large the numbers become on
# the way, and how small the result is again: that has a price, to which we come below.

# %%
tile = np.random.default_rng(3).integers(0, 10, (6, 6)).astype(float)
edges = np.array([[0.0, -1, 0], [-1, 4, -1], [0, -1, 0]])
v, u = B_T @ tile @ B_T.T, G @ edges @ G.T  # (6, 6) both
m = v * u
y = A_T @ m @ A_T.T  # (4, 4)
expected = conv_loops.forward(tile[None, :, :, None], edges[:, :, None, None], np.zeros(1))[0, :, :, 0]
assert np.allclose(y, expected)

# %% tags=["hide-input"] jupyter={"source_hidden": true}
strongest = np.abs(v).max()


def by_size(values):
    strengths = 0.7 * (np.abs(values) / strongest) ** 0.5  # the root, so that small numbers are seen too
    return [
        [tint("blue" if value > 0 else "vermillion", s) for value, s in zip(row, line, strict=True)]
        for row, line in zip(values, strengths, strict=True)
    ]


figure = style.new_figure(style.WIDE, 6.7)
grid = figure.subplots(2, 5, width_ratios=[6, 1, 6, 1, 6])
parts = [
    [(tile, "d: a tile of the image"), "→", (v, "V = B' d B"), "→", (m, "M = V * U: 36 multiplications")],
    [(edges, "k: the kernel"), "→", (u, "U = G k G'"), "", (y, "Y = A' M A: the 16 outputs")],
]
for axes_row, row in zip(grid, parts, strict=True):
    for axes, part in zip(axes_row, row, strict=True):
        if isinstance(part, str):
            axes.axis("off")
            axes.text(0.5, 0.5, part, ha="center", va="center", fontsize=20, transform=axes.transAxes)
            continue
        values, title = part
        draw_numbers(axes, values.round(2) + 0.0, by_size(values), form="{:.3g}", size=style.SMALL_SIZE)
        side = len(values)
        axes.set_xlim(side / 2 - 3.05, side / 2 + 3.05)  # boxes of one size
        axes.set_ylim(side / 2 + 3.05, side / 2 - 3.75)
        axes.text(side / 2, -0.2, title, ha="center", va="bottom", fontsize=style.TEXT_SIZE)
grid[1, 3].text(0.5, 0.5, "↗", ha="center", va="center", fontsize=20, transform=grid[1, 3].transAxes)
grid[1, 4].text(2, -1.35, "↓", ha="center", va="center", fontsize=20)
lesson.show(figure, "22_the_sandwich")

# %% [markdown]
# ## The price: rounding
#
# In float64 Winograd agrees with the definition to the last digits, so nothing is missing. In float32 each way has an
# error of its own, which we measure against loops in float64: the typical error (root of the mean square), relative to
# the typical output.
#
# ```text
# in float64, Winograd is within 1e-13 of the loops: True
# in float32, Winograd's error is the largest of the four: True
# and it is below a hundred-thousandth: True
# ```
#
# Why is it the largest? Every operation rounds, by up to 6e-8 of the number that it makes. So it matters how large the
# numbers on the way are. The definition adds up 288 products, some positive and some negative. Winograd multiplies by
# 4, 5 and 8 and then takes such numbers away from each other, so that they cancel; but their rounding does not. Add up
# all that the last step adds up, but each number without its sign, and compare that with the result:
#
# ```text
# what is added up, against the result: by the definition 11 times as large, by Winograd 37 times
# ```
#
# $F(6x6, 3x3)$ would save more multiplications. It needs two more points, the powers grow, and the errors with them: it
# is a trade, and this package stops at four. For training, errors of a millionth are nothing: the gradient of a batch
# is far noisier than that. For checking gradients (lesson 4) we take float64, whichever way computes them.

# %%
doubles = [array.astype(float) for array in (x, k, b)]
off = np.abs(conv_winograd.forward(*doubles) - truth).max() / top
lesson.check("in float64, Winograd is within 1e-13 of the loops", off < 1e-13, f"{off:.0e}")


def typical(values):
    return np.sqrt(np.mean(np.square(values, dtype=float)))


errors = {name: typical(y - true_part(y)) / typical(true_part(y)) for name, y in results.items()}
lesson.check(
    "in float32, Winograd's error is the largest of the four",
    max(errors, key=errors.get) == winograd,
    f"{errors[winograd]:.1e}",
)
lesson.check("and it is below a hundred-thousandth", errors[winograd] < 1e-5, f"{errors[winograd]:.1e}")
for name, error in errors.items():
    print(f"  {name:16s} {error:.1e}")
windows = np.lib.stride_tricks.sliding_window_view(doubles[0], (6, 6), axis=(1, 2))[:, ::4, ::4]  # (N, TH, TW, C, 6, 6)
v = np.einsum("ai,bj,nstcij->nstabc", B_T, B_T, windows, optimize=True)  # (N, TH, TW, 6, 6, C)
u = np.einsum("ai,bj,ijcf->abcf", G, G, doubles[1], optimize=True)  # (6, 6, C, F)
m = np.einsum("nstabc,abcf->nstabf", v, u, optimize=True)  # (N, TH, TW, 6, 6, F)
unsigned = np.einsum("ia,jb,nstabf->nstijf", np.abs(A_T), np.abs(A_T), np.abs(m), optimize=True)
plainly = conv_loops.forward(np.abs(doubles[0]), np.abs(doubles[1]), doubles[2])
print(
    f"what is added up, against the result: by the definition {typical(plainly) / typical(truth):.0f} times as large, "
    f"by Winograd {typical(unsigned) / typical(truth):.0f} times"
)

# %% [markdown]
# ## Four ways in one figure
#
# ```text
# each way is faster than the last: True
# ```
#
# All GF/s count the operations of the definition, also for Winograd, which has fewer to do: so "as if". The white dot
# is the compiled loops with f innermost.

# %%
lesson.check(
    "each way is faster than the last",
    times[python] > times[loops] > times[blas] > times[winograd],
    f"{', '.join(f'{1000 * times[name]:.3g}' for name in ways)} ms",
)

# %% tags=["hide-input"] jupyter={"source_hidden": true}
colours = dict(zip(ways, ("vermillion", "orange", "blue", "bluish green"), strict=True))
places = dict(zip(ways, (3, 2, 1, 0), strict=True))


def label(name):
    t = times[name]
    spent = f"{t:.0f} s" if t >= 10 else f"{1000 * t:.3g} ms"
    return f"{spent}, {'as if ' * (name == winograd)}{2 * adds / t / 1e9:.3g} GF/s"


def lollipop(axes, start, end, name, text):
    """A line to a dot, and what it says beside it."""
    colour, place = style.OKABE_ITO[colours[name]], places[name]
    axes.plot([start, end], [place, place], color=colour, linewidth=5, solid_capstyle="butt")
    axes.plot(end, place, "o", color=colour, markersize=11)
    note(axes, text, end, place, (14, 0), style.TEXT_SIZE)


def note(axes, text, x, y, shift, size, colour=style.INK):
    """Text beside a point, `shift` printer's points away; white below it, so that no line runs through."""
    axes.annotate(
        text,
        (x, y),
        shift,
        textcoords="offset points",
        va="center",
        fontsize=size,
        color=colour,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
    )


figure = style.new_figure(style.WIDE, 4.3)
left, right = figure.subplots(1, 2, sharey=True, width_ratios=[1.7, 1])
bound = 2 * adds / limit / 1e9
left.axvline(bound, color=style.MUTED, linewidth=1.2, linestyle=":")
saying = f"the definition at the speed of a large matrix product, {limit:.0f} GF/s"
note(left, saying, bound, 3.65, (5, 0), style.SMALL_SIZE, style.MUTED)
for name in ways:
    lollipop(left, 1e-4, times[name], name, label(name))
    lollipop(right, 5e-8, errors[name], name, f"{errors[name]:.1e}")
note(left, f"4 of {oh * ow:,} places, scaled", times[python], places[python], (14, -14), style.SMALL_SIZE, style.MUTED)
left.plot(extra["vectors"], places[loops], "o", color="white", markeredgecolor=style.INK, markersize=8)
note(left, "with f innermost", extra["vectors"], places[loops], (-6, -16), style.SMALL_SIZE, style.MUTED)
left.set_xlim(1e-4, 6e4)
left.set_xlabel("for one image, on one thread", fontsize=style.TEXT_SIZE)
left.set_title("how long it takes", fontsize=style.TITLE_SIZE, loc="left")
right.set_xlim(5e-8, 1e-5)
right.set_xlabel("typical error against float64, relative", fontsize=style.TEXT_SIZE)
right.set_title("how far off it is", fontsize=style.TITLE_SIZE, loc="left")
for axes in (left, right):
    axes.set_xscale("log")
    style.dress(axes)
    axes.grid(False, axis="y")
    axes.minorticks_off()
    axes.set_ylim(-0.6, 3.9)
ticks = {1e-4: "0.1 ms", 1e-3: "1 ms", 1e-2: "10 ms", 0.1: "100 ms", 1: "1 s", 10: "10 s", 100: "100 s"}
left.set_xticks(list(ticks), list(ticks.values()))
left.set_yticks(list(places.values()), list(places), fontsize=style.TEXT_SIZE)
lesson.show(figure, "22_one_convolution_four_ways")

# %% [markdown]
# ## The first layer: too little work for each output
#
# The first layer of the network sees red, green and blue: 3 channels. So a window has 27 numbers, where in the second
# layer it has 288, and an output costs 27 multiply-adds. Whatever else is done for an output weighs ten times as much.
# And more is done: after the convolution come ReLU, which makes negative numbers 0, and max-pooling, which keeps the
# largest number of every 2 by 2 (lesson 7).
#
# ```text
# multiply-adds for an output: 27 in the first layer, 288 in the second
# by Winograd 6.75 and 72.00, and then 6.25 additions in both
# numbers: the image 67,500, its im2col table 591,408, all outputs 700,928, after pooling 175,232
# ```
#
# *im2col* copies the image nearly nine times. Then BLAS writes a map of outputs, ten times as large as the image; ReLU
# reads it and writes it again, pooling reads it once more, and three numbers of four are thrown away. *Winograd* saves
# three quarters of the multiply-adds, but there were few to save. Each of a tile's 36 sums over the channels ends after
# 3 terms, is stored, loaded again, and taken back by $A^\top$, which makes four numbers of six with ten additions. It
# is applied to six columns and then to the four rows that are left: $10 (6 + 4) / 16 = 6.25$ additions for an output,
# and not fewer for 3 channels than for 32.
#
# So this layer wants a way that copies no windows, and that keeps an output at hand until ReLU and pooling are done.
#
# ## What is a lane?
#
# A processor computes in *registers*. A vector register holds several numbers side by side: 16 of float32, or 8, or 4;
# a processor has 16 or 32 such registers. The place of one number in a register is called a *lane*. One instruction
# does the same in all lanes at once, and as on a road the lanes do not meet: what is in lane 2 only ever meets what is
# in lane 2 of another register.
#
# What shall stand side by side? Not the channels: there are three, and most lanes would be empty. But there are 32
# filters, and all do the same: they multiply the same pixel, each by a weight of its own. So *each lane is a filter*,
# and with 16 lanes two registers hold all 32. Then three operations do the whole convolution, and
# [ops/lanes.py](../../batik_scratch/ops/lanes.py) gives them names:
#
# - `load`: numbers that lie side by side in memory, one into each lane. So come the weights that all these filters have
#   at one place of the window.
# - `spread`: one number into every lane. So comes a pixel, one channel of it at a time.
# - `add_product(y, x, w)`: $y + x w$ in each lane. One instruction does it for 16 filters, if there are 16 lanes.
#
# In compiled code these are instructions. Called from Python they work on small arrays, so that we can look:
#
# ```text
# the first four lanes
# bias, by load: 1 0 2 1
# weights, by load: 3 -2 1 2
# pixel, by spread: 2 2 2 2
# bias + pixel * weights, by add_product: 7 -4 4 5
# ```
#
# ## A square of outputs stays in registers
#
# Four outputs in a square, 2 by 2, look at 4 by 4 pixels. Weight $(u, v)$ meets four of these pixels, $(i + u, j + v)$
# for output $(i, j)$: so it is loaded once, and used four times. `square` below computes them for as many filters as
# there are lanes. Its four sums begin as the bias. After 27 steps they are the outputs, and on the way none of them has
# been stored.
#
# ```text
# four registers hold the outputs of the definition: True
# ```
#
# With 16 lanes a step fetches 4 pixels and 16 weights for 64 multiply-adds. This is the block of 4 by 16 sums that
# made BLAS fast. But nobody has written a table of windows for it: all windows of a row of squares find their pixels in
# the same four rows of the image.
#
# Why not leave it to the compiler? In `filters_innermost` it found vectors, too. But there `sums` is a piece of the
# array `y`, and how many filters it has is known only when the program runs. So the compiler must leave a loop over
# them; and a loop cannot walk over registers, which have no index: each instruction has the names of its own written
# into it. So the sums stay in memory. Each of the 27 steps loads a sum, adds a product, and stores it again, if only in
# the nearest cache: three instructions in place of one. Here each sum is a variable, `y00` to `y11`, of exactly the
# size of a register. So the compiler can give it one, from the first step to the last.
#
# And the square is a window of max-pooling. So the largest of its four outputs, or 0 if none is above it, is found lane
# by lane, in the same registers, and that alone is stored. The package does all this in
# [ops/direct_squares.py](../../batik_scratch/ops/direct_squares.py), compiled, and called by
# [ops/conv_direct.py](../../batik_scratch/ops/conv_direct.py): `algorithm="direct"`.
#
# The figure shows the first of the 27 steps, with whole numbers. A column is a lane: follow the framed one down.

# %%
few = nn.paper_cnn().layers[0]
(oh_1, ow_1, filters_1), (h_1, w_1, channels_1) = few.output_shape, few.input_shape
products_1 = 9 * channels_1
print(f"multiply-adds for an output: {products_1} in the first layer, {products} in the second")
back = 10 * (6 + 4) / 16  # `a_t` of ops/winograd_transforms.py has ten additions
print(f"by Winograd {products_1 / 4:.2f} and {products / 4:.2f}, and then {back:.2f} additions in both")
print(
    f"numbers: the image {h_1 * w_1 * channels_1:,}, its im2col table {oh_1 * ow_1 * products_1:,}, "
    f"all outputs {oh_1 * ow_1 * filters_1:,}, after pooling {oh_1 * ow_1 * filters_1 // 4:,}"
)

seen = np.array([[2, 5, 1, 4], [3, 1, 4, 2], [5, 2, 3, 1], [1, 4, 2, 5]], np.float32)  # 4 by 4 pixels of one channel
of_filters = np.array([3, -2, 1, 2, -1, 3, 2, -3, 1, -1, 2, 3, -2, 1, -3, 2], np.float32)  # their weights at one place
begin = np.array([1, 0, 2, 1, 0, 3, 1, 2, 0, 1, 3, 0, 2, 1, 0, 1], np.float32)  # their biases
bias, weights = load(begin, 0), load(of_filters, 0)  # (LANES,) both
pixel = spread(seen[0], 0)  # (LANES,)
print("the first four lanes")
print("bias, by load:", numbers(bias[:4]))
print("weights, by load:", numbers(weights[:4]))
print("pixel, by spread:", numbers(pixel[:4]))
print("bias + pixel * weights, by add_product:", numbers(add_product(bias, pixel, weights)[:4]))


def square(pixels, kernel, bias):
    """2 by 2 outputs of LANES filters: pixels (4, 4, C), kernel (3, 3, C, LANES), bias (LANES,)."""
    y00 = y01 = y10 = y11 = load(bias, 0)
    for u, v, c in np.ndindex(kernel.shape[:3]):
        w = load(kernel[u, v, c], 0)
        y00 = add_product(y00, spread(pixels[u, v], c), w)
        y01 = add_product(y01, spread(pixels[u, v + 1], c), w)
        y10 = add_product(y10, spread(pixels[u + 1, v], c), w)
        y11 = add_product(y11, spread(pixels[u + 1, v + 1], c), w)
    return y00, y01, y10, y11


x_1 = rng.standard_normal((1, h_1, w_1, channels_1)).astype(np.float32)  # (N, H, W, C)
k_1 = (rng.standard_normal((3, 3, channels_1, filters_1)) * np.sqrt(2 / products_1)).astype(np.float32)
b_1 = rng.standard_normal(filters_1).astype(np.float32)
truth_1 = conv_loops.forward(x_1.astype(float), k_1.astype(float), b_1.astype(float))  # float64, (1, OH, OW, F)
four_outputs = np.array(square(x_1[0, :4, :4], k_1[..., :LANES], b_1[:LANES])).reshape(2, 2, LANES)
off = np.abs(four_outputs - truth_1[0, :2, :2, :LANES]).max()
lesson.check("four registers hold the outputs of the definition", off < 1e-4, f"off by {off:.0e}")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
PLACES = {"y00": (0, 0), "y01": (0, 1), "y10": (1, 0), "y11": (1, 1)}
TINT = dict(zip(PLACES, map(tint, ("sky blue", "orange", "bluish green", "reddish purple")), strict=True))
FOLLOWED = 2  # the lane with the frame


def register(axes, values, colour, says):
    """A box for each lane, together as wide as the figure, and above them what they are."""
    draw_numbers(axes, values[None, :], [[colour] * LANES], size=style.SMALL_SIZE)
    axes.set_aspect("auto")
    axes.set_title(says, fontsize=style.SMALL_SIZE, color=style.INK, loc="left", pad=4)
    outline(axes, 0, FOLLOWED, 1, 1, "black")


figure = style.new_figure(style.NARROW, 7.6)
above, below = figure.subfigures(2, 1, height_ratios=[1.9, 5.7])
left, right = above.subplots(1, 2, width_ratios=[4, 2.6])
named = {place: TINT[name] for name, place in PLACES.items()}
draw_numbers(left, seen, [[named.get((i, j), "white") for j in range(4)] for i in range(4)], size=style.SMALL_SIZE)
left.set_title("4 by 4 pixels of one channel", fontsize=style.SMALL_SIZE)
outline(left, 0, 0, 3, 3, "black")
left.text(2, 4.55, "framed: the window of y00", ha="center", va="center", fontsize=style.SMALL_SIZE)
left.set_ylim(4.9, -0.05)
draw_numbers(right, np.zeros((2, 2)), [[named[i, j] for j in range(2)] for i in range(2)], form="")
for name, (i, j) in PLACES.items():
    right.text(j + 0.5, i + 0.5, name, ha="center", va="center", fontsize=style.SMALL_SIZE, zorder=3)
right.set_title("2 by 2 outputs", fontsize=style.SMALL_SIZE)
saying = "framed below: one lane,\nthe numbers of one filter"
right.text(1, 2.6, saying, ha="center", va="center", fontsize=style.SMALL_SIZE)
right.set_xlim(-0.6, 2.6)
right.set_ylim(2.95, -0.3)
registers = below.subplots(10, 1)
register(registers[0], bias, "white", f"load: the biases of {LANES} filters, where all four sums begin")
register(registers[1], weights, tint("yellow"), "load w: their weights for the upper left of a window")
for n, (name, (i, j)) in enumerate(PLACES.items()):
    x_ij = spread(seen[i], j)
    register(registers[2 + 2 * n], x_ij, TINT[name], f"spread x{i}{j}: this pixel, in every lane")
    register(registers[3 + 2 * n], add_product(bias, x_ij, weights), TINT[name], f"add_product: {name} + x{i}{j} * w")
lesson.show(figure, "22_lanes")

# %% [markdown]
# ## The first layer, measured
#
# Each way now does what the network does there: convolution, ReLU and pooling. With loops and with BLAS the three run
# one by one; Winograd and the lanes do them in one pass.
#
# ```text
# on the first layer all agree to a ten-thousandth of the largest value: True
# lanes are more than five times faster than the loops: True
# lanes are faster than im2col and BLAS: True
# and they round less than Winograd: True
# ```
#
# Forward, Winograd comes close after all, because its $A^\top$ goes through lanes as well, a filter in each. When this
# was written, the two were level on a processor with 16 lanes, and with 8 lanes Winograd took a third longer. Level is
# not enough: it rounds more. And on the way back it falls behind.
#
# The way back to the pixels (lessons 7 and 14) has less to do, since max-pooling sends a gradient to one output of the
# four alone: to the largest one. The forward pass has noted which that was, in one byte, the *winner*. So in place of
# four gradients times a filter's 27 weights, 108 products, there is one, 27 products; and the large map of gradients,
# three zeros of four, is never written. (Winograd cannot leave them out. A tile has four winners, and $A\,dY A^\top$
# spreads the gradient of each over at least 16 of the 36 numbers. All of those go through the products.)
#
# But a pixel's gradient is a sum over all filters, and lanes do not meet; and each filter has a winner of its own. So
# filters can be the lanes no longer. Now a row of the 4 by 4 pixels stands side by side: four pixels of three channels
# are 12 numbers, in one register of 16 lanes or in several smaller ones. Filter after filter, the four rows get the
# winner's gradient times weights. Which weights? The 3 by 3 of the filter, laid where the winner's window lies (one
# pixel further right, or down, if the right or the lower output won), and zeros in the pixels around it. The code
# prints these times, too.

# %%
pooled = np.empty((1, oh_1 // 2, ow_1 // 2, filters_1), np.float32)  # (N, PH, PW, F), filled again and again


def one_by_one(convolve):
    return pooling.forward(relu.forward(convolve(x_1, k_1, b_1))[0], (2, 2), (2, 2))[0]


def in_one_pass(ops):
    ops.forward_pooled(x_1, k_1, b_1, pooled)
    return pooled


here = {
    loops: lambda: one_by_one(conv_loops.forward),
    "with f innermost": lambda: one_by_one(filters_innermost),
    blas: lambda: one_by_one(conv_im2col.forward),
    winograd: lambda: in_one_pass(conv_winograd),
    "lanes": lambda: in_one_pass(conv_direct),
}
truth_1 = one_by_one(lambda *of: conv_loops.forward(*(array.astype(float) for array in of)))  # float64
off = max(np.abs(way() - truth_1).max() for way in here.values()) / truth_1.max()
claim = "on the first layer all agree to a ten-thousandth of the largest value"
lesson.check(claim, off < 1e-4, f"largest difference {off:.0e}")
errors_1 = {name: typical(way() - truth_1) / typical(truth_1) for name, way in here.items()}
times_1 = seconds(here, rounds)
for name, t in times_1.items():
    print(f"  {name:16s} {1000 * t:6.2f} ms, typical error {errors_1[name]:.1e}")
faster = {name: t / times_1["lanes"] for name, t in times_1.items()}
lesson.check("lanes are more than five times faster than the loops", faster[loops] > 5, f"{faster[loops]:.0f} times")
lesson.check("lanes are faster than im2col and BLAS", faster[blas] > 1, f"{faster[blas]:.1f} times")
less = errors_1[winograd] / errors_1["lanes"]
lesson.check("and they round less than Winograd", less > 1, f"{less:.1f} times")


def way_back(ops):
    """A call that takes the gradients `pooled` of the outputs to the pixels."""
    winner = np.empty(ops.winner_shape(x_1.shape, filters_1), np.uint8)
    ops.forward_pooled(x_1, k_1, b_1, pooled, winner)
    room, dx = Workspace(), np.empty_like(x_1)
    return lambda: ops.backward_pooled(x_1, k_1, pooled, winner, dx, False, room)


for name, t in seconds({winograd: way_back(conv_winograd), "lanes": way_back(conv_direct)}, rounds).items():
    print(f"  {name:16s} {1000 * t:6.2f} ms, from the gradients of the outputs to those of the pixels")

# %% [markdown]
# ## Try it
#
# - `import dis; dis.dis(conv_loops.forward.py_func)`: how many steps of the interpreter has the innermost line?
#
#   <details><summary>Answer</summary>
#
#   Some two dozen (the number depends on the version of Python), for one multiplication and one addition. They build
#   the index and look it up, one number after the other.
#
#   ```python
#   import dis
#   import inspect
#
#   source, first = inspect.getsourcelines(conv_loops.forward.py_func)
#   innermost = first + next(i for i, line in enumerate(source) if "total +=" in line)
#   steps = [step for step in dis.get_instructions(conv_loops.forward.py_func) if step.positions.lineno == innermost]
#   lesson.check("the interpreter takes more than 15 steps", len(steps) > 15, f"{len(steps)} steps")
#   ```
#
#   ```text
#   the interpreter takes more than 15 steps: True
#   ```
#
#   </details>
#
# - Take 3 channels in place of 32, with the 64 filters of the second layer. Which of the four ways suffers most, and
#   why?
#
#   <details><summary>Answer</summary>
#
#   The two fast ways. Their work beside the products (copying windows, transforms, writing the output) is done per
#   pixel and per filter, and with 3 channels there are far fewer products to share it. `ops/conv_direct.py` makes no
#   table of windows and transforms nothing. It does copy: the four rows of pixels that a row of squares looks at, so
#   each pixel twice, and not nine times.
#
#   ```python
#   thin = np.ascontiguousarray(k[:, :, :3])  # (3, 3, 3, F)
#   images = {name: np.ascontiguousarray(image[..., :3]) for name, (_, image) in ways.items()}
#   few = seconds({name: lambda f=f, i=images[name]: f(i, thin, b) for name, (f, _) in ways.items()}, rounds)
#   few[python] *= oh * ow / 4
#   slower = {name: few[name] / times[name] * 32 / 3 for name in ways}  # per multiply-add
#   for name, factor in slower.items():
#       print(f"  {name:16s} {factor:5.1f} times as long for a multiply-add")
#   most = max(slower, key=slower.get)
#   lesson.check(
#       "one of the two fast ways suffers most", most in (blas, winograd), f"{most}, {slower[most]:.1f} times"
#   )
#   ```
#
#   ```text
#   one of the two fast ways suffers most: True
#   ```
#
#   </details>
#
# - Give it a cloth in place of noise, sent through the first three layers of `nn.paper_cnn()`. Neighbouring numbers are
#   now nearly equal. What happens to Winograd's error?
#
#   <details><summary>Answer</summary>
#
#   It falls. $B^\top$ takes differences of neighbours, and on a cloth these are small: small numbers on the way have
#   small roundings.
#
#   ```python
#   signal = lesson.drawn_cloths(1, 150, seed=4)[0][1:2]  # (1, H, W, 3)
#   for part in nn.paper_cnn(random_state=0).layers[:3]:
#       signal = part.forward(signal)
#   exact = conv_loops.forward(*(array.astype(float) for array in (signal, k, b)))
#   on_cloth = typical(conv_winograd.forward(signal, k, b) - exact) / typical(exact)
#   smaller = on_cloth < errors[winograd]
#   lesson.check(
#       "Winograd's error is smaller on a cloth", smaller, f"{on_cloth:.1e}, on noise {errors[winograd]:.1e}"
#   )
#   ```
#
#   ```text
#   Winograd's error is smaller on a cloth: True
#   ```
#
#   </details>
#
# - `numba.set_num_threads(2)`. Which ways become faster?
#
#   <details><summary>Answer</summary>
#
#   The ways whose loops are written for several threads, if your machine has two processors that are idle: im2col,
#   whose tiles are shared out, and Winograd. The compiled loops of this lesson are one thread's work and stay as they
#   are.
#
#   ```python
#   if numba.config.NUMBA_NUM_THREADS > 1:
#       numba.set_num_threads(2)
#       fast = {name: lambda f=f: f(x, k, b) for name, (f, _) in ways.items() if name != python}
#       for name, t in seconds(fast, rounds).items():
#           print(f"  {name:16s} {times[name] / t:.1f} times as fast with two threads")
#       numba.set_num_threads(1)
#   ```
#
#   </details>
#
# - Derive $F(3, 2)$: three outputs, two weights, four multiplications. Which of its matrices do you know already?
#
#   <details><summary>Answer</summary>
#
#   With the same four points 0, 1, -1 and infinity, $B^\top$ is that of $F(2, 3)$: it depends on the points alone. $G$
#   loses its column for $t^2$, and $A^\top$ gains a row for it: it is the $G$ of $F(2, 3)$ turned over, but for a
#   factor per point.
#
#   ```python
#   g_3 = np.array([[2, 0], [1, 1], [1, -1], [0, 2]]) / 2  # rows: 1 and t
#   a_3 = np.array([[1, 1, 1, 0], [0, 1, -1, 0], [0, 1, 1, -1]])  # columns: 1, t, t^2
#   two = np.array([3.0, 2])
#   print("by the definition", numbers([d[i : i + 2] @ two for i in range(3)]))
#   print("by F(3, 2)", numbers(a_3 @ ((b_t @ d) * (g_3 @ two))))
#   ```
#
#   ```text
#   by the definition 11 16 16
#   by F(3, 2) 11 16 16
#   ```
#
#   </details>
