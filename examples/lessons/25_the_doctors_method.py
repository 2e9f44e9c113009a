# %% [markdown]
# # 25. The doctor's method: from two matrices to a sentence
#
# Needs lessons 2 and 4. About twenty minutes.
#
# Lesson 4 says *that* a gradient is wrong. It does not say *what* is wrong with it, and so one stares at a page of
# numbers. `batik_scratch/learn/doctor.py` says it in a sentence, and it never looks at the code: it looks at numbers
# alone. This lesson shows how, on five patients.
#
# ## Everything that backward can say
#
# Let all values of $x$ stand in one long column, and all values of $y$ in another. A small change of $x$ changes $y$ by
#
# $$ \Delta y = J \, \Delta x, \qquad J_{ij} = \frac{\partial y_i}{\partial x_j}. $$
#
# $J$ is the *Jacobian*, and we can measure it: nudge one $x_j$ to both sides, as in lesson 4, and read a whole column.
#
# The backward pass turns an upstream gradient $dy$ into $dx$. By the chain rule it has to be $dx = J^\top dy$, whatever
# $dy$ is. So a backward pass is a matrix as well, call it $C$, the *claimed* Jacobian: hand it a $dy$ that is 1 at
# place $i$ and 0 everywhere else, and what comes back is row $i$ of $C$. Reading all rows takes one backward pass for
# each output. Now there is nothing more that backward could tell: what it does to any other $dy$ follows from $C$.
#
# The same goes for a weight or a bias in place of $x$. For a layer that is right, $C = J$:
#
# ```text
# a right layer: C is 12 x 9, and the largest difference between C and J is below 1e-9: True
# ```

# %%
import numpy as np

from batik_scratch import nn
from batik_scratch.figures import style
from batik_scratch.learn import lesson
from batik_scratch.learn.doctor import diagnose


def true_matrix(layer, x, tensor):
    """J (y.size, tensor.size), by nudges; tensor is x itself or one of the layer's parameters."""
    h, columns = 1e-5, []
    for place in range(tensor.size):
        ends = []
        for step in (h, -h):
            tensor.flat[place] += step
            ends.append(layer.forward(x).ravel())
            tensor.flat[place] -= step
        columns.append((ends[0] - ends[1]) / (2 * h))
    return np.stack(columns, axis=1)


def claimed_matrix(layer, x, name):
    """C (y.size, tensor.size), one row for each output; name is "dx" or that of a parameter."""
    rows = []
    for place in range(layer.forward(x, training=True).size):
        dy = np.zeros(layer.forward(x, training=True).shape)
        dy.flat[place] = 1
        dx = layer.backward(dy)
        rows.append((dx if name == "dx" else layer.grads[name]).ravel().copy())
    return np.stack(rows)


def both(layer, shape, name, n=3, seed=0):
    """Claimed and true matrix of a fresh copy of the layer, and its x and y."""
    rng = np.random.default_rng(seed)
    layer.astype("float64")
    layer.build(shape, rng)
    for value in layer.params.values():
        value += 0.1 * rng.standard_normal(value.shape)  # no bias stays zero
    x = rng.standard_normal((n, *shape))
    tensor = x if name == "dx" else layer.params[name]
    return claimed_matrix(layer, x, name), true_matrix(layer, x, tensor), x, layer.forward(x)


C, J, _, _ = both(nn.Dense(4), (3,), "dx")
print(
    f"a right layer: C is {C.shape[0]} x {C.shape[1]}, and the largest difference between C and J is below 1e-9: "
    f"{np.abs(C - J).max() < 1e-9}"
)

# %% [markdown]
# ## The first patient: one number for all
#
# A dense layer whose author took the mean over the batch where the sum belongs. First question: is $C$ the same as $J$
# up to a single number, $C = f J$? The best $f$ is $\sum C J / \sum J^2$, and it either fits everywhere or it does not.
#
# ```text
# 3 images: every value of C is 0.3333 times that of J
# 5 images: every value of C is 0.2000 times that of J
# ```
#
# A number alone is no diagnosis. But run it again with other sizes, and the number moves, and gives itself away: it is
# $1/N$. That is the first rule of the method: *change one thing, and see what the mistake follows*. Stride 1 instead of
# 2, one channel instead of three, a sequence of one step: if the mistake is gone, one knows where it lives.


# %%
class MeanBias(nn.Dense):
    """The bias' gradient is a mean over the images."""

    def backward(self, dy, need_dx=True, need_grads=True):
        dx = super().backward(dy, need_dx, need_grads)
        self.grads["bias"] = dy.mean(axis=0)
        return dx


for n in (3, 5):
    C, J, _, _ = both(MeanBias(4), (3,), "bias", n)
    factor = (C * J).sum() / (J * J).sum()
    assert np.allclose(C, factor * J)
    print(f"{n} images: every value of C is {factor:.4f} times that of J")

# %% [markdown]
# ## The second patient: a number for each row
#
# Here no single number fits. But row $i$ of both matrices belongs to output $y_i$, so look at the rows one by one. In
# each, $C$ is $J$ times a number of its own. So whatever is wrong happened to $dy$ *before* it was spread over the
# inputs, at the last thing that forward did. Which number? Try the slopes of functions one knows, at each output:
#
# ```text
# one number for all fits: False
# one number for each row fits: True
# times 1 - y^2 they are all 1: True
# ```
#
# The slope of $\tanh$ is $1 - y^2$, and it is missing. Note what was *not* needed: the name of the activation.


# %%
class NoSlope(nn.Dense):
    """y = tanh(x W + b), and backward forgets the tanh."""

    def forward(self, x, training=False, keep=None):
        return np.tanh(super().forward(x, training, keep))


C, J, _, y = both(NoSlope(4), (3,), "dx")
single = (C * J).sum() / (J * J).sum()
each_row = (C * J).sum(axis=1) / (J * J).sum(axis=1)
print(f"one number for all fits: {np.allclose(C, single * J)}")
print(f"one number for each row fits: {np.allclose(C, each_row[:, None] * J)}")
print(f"times 1 - y^2 they are all 1: {np.allclose(each_row * (1 - y.ravel() ** 2), 1)}")

# %% [markdown]
# ## The third patient: where the zeros are
#
# Sums of neighbours, $y_i = x_i + x_{i+1}$. Look at where each matrix has a value at all. $C$ has no value where $J$
# has none, and every value that it has is right. But some are not there:
#
# ```text
# values in J: 30, of which C has 18; those that it has are right: True
# every x has values of at most 1 output in C, and of at most 2 in J
# of the outputs that an x reaches, the last one counts
# ```
#
# Each $x_j$ reaches two outputs and hears from the last of them only. Somebody wrote `dx[:, i] = dy[:, i]` in a loop,
# where `+=` belongs, and each turn of the loop wrote over the one before. The same picture comes from
# `table[index] += dy` in NumPy, which counts an index that comes twice only once.


# %%
class Neighbours(nn.Layer):
    """y_i = x_i + x_(i+1), and backward writes where it should add."""

    def infer_shape(self, input_shape):
        return (input_shape[0] - 1,)

    def forward(self, x, training=False, keep=None):
        return x[:, :-1] + x[:, 1:]

    def backward(self, dy, need_dx=True, need_grads=True):
        dx = np.zeros((len(dy), dy.shape[1] + 1))
        for i in range(dy.shape[1]):
            dx[:, i] = dy[:, i]
            dx[:, i + 1] = dy[:, i]
        return dx


C, J, _, _ = both(Neighbours(), (6,), "dx")
there, kept = np.abs(J) > 1e-8, np.abs(C) > 1e-8
print(
    f"values in J: {there.sum()}, of which C has {(there & kept).sum()}; those that it has are right: "
    f"{np.allclose(C[kept], J[kept])}"
)
print(
    f"every x has values of at most {kept.sum(axis=0).max()} output in C, and of at most {there.sum(axis=0).max()} in J"
)
last = len(J) - 1 - there[::-1].argmax(axis=0)
which = "last" if (kept.argmax(axis=0) == last).all() else "first"
print(f"of the outputs that an x reaches, the {which} one counts")

# %% [markdown]
# ## The fourth patient: what is missing
#
# A residual block, $y = x + \tanh(x W)$. No factor fits, no zeros tell. So look at what is missing, $J - C$: is it a
# matrix that one knows?
#
# ```text
# J - C is the identity: True
# ```
#
# The identity is the Jacobian of $y = x$: a path on which $x$ walks straight through, and its $dy$ was not added. If
# $J - C$ had been another matrix that *does not change with* $x$, it would have been a straight path through weights;
# and if it had been the share of one factor in a product, the product rule would be short of a term.


# %%
class Block(nn.Layer):
    """y = x + tanh(x W), and backward forgets the x."""

    def create_params(self, input_shape, rng):
        return {"W": rng.standard_normal((*input_shape, *input_shape))}

    def forward(self, x, training=False, keep=None):
        self.x, self.t = x, np.tanh(x @ self.params["W"])
        return x + self.t

    def backward(self, dy, need_dx=True, need_grads=True):
        da = dy * (1 - self.t**2)
        self.grads = {"W": self.x.T @ da}
        return da @ self.params["W"].T


C, J, _, _ = both(Block(), (4,), "dx")
print(f"J - C is the identity: {np.allclose(J - C, np.eye(len(J)))}")

# %% [markdown]
# ## The fifth patient: a formula
#
# Swish is $y = x s$ with $s = 1 / (1 + e^{-x})$. Its derivative is $y + s (1 - y)$. The patient has one letter wrong.
# Each $y$ depends on its own $x$ alone, so both matrices are diagonal, and their diagonals are curves over $x$. Write
# down what people build derivatives from, $1, x, y, s, s(1 - s), x s, \dots$, and ask by least squares whether a sum of
# a few of them *is* the curve, to seven digits, with numbers that somebody would write:
#
# ```text
# claimed: y + s(1 - s)
# true: s + y(1 - s)
# ```


# %%
class Swish(nn.Layer):
    """y = x s, and a derivative with one letter wrong."""

    def forward(self, x, training=False, keep=None):
        self.s = 1 / (1 + np.exp(-x))
        self.y = x * self.s
        return self.y.copy()

    def backward(self, dy, need_dx=True, need_grads=True):
        return dy * (self.y + self.s * (1 - self.s))


def fits(curve, words, columns):
    """The sum of these terms that is the curve, in words; None if there is none with simple coefficients."""
    matrix = np.stack(columns, axis=1)
    found = np.linalg.lstsq(matrix, curve, rcond=None)[0]
    simple = np.allclose(found, np.round(found), atol=1e-4) and np.abs(found).min() > 0.5
    exact = np.abs(matrix @ found - curve).max() < 1e-7
    return " + ".join(words) if simple and exact and (np.round(found) == 1).all() else None


def formula(curve, x, y):
    """A sum of two terms of a small dictionary, in words."""
    s = 1 / (1 + np.exp(-x))
    terms = {"1": np.ones_like(x), "x": x, "y": y, "s": s, "s(1 - s)": s * (1 - s), "y(1 - s)": y * (1 - s)}
    names = list(terms)
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    found = (fits(curve, pair, [terms[word] for word in pair]) for pair in pairs)
    return next((words for words in found if words), "unknown")


C, J, x, y = both(Swish(), (8,), "dx")
for word, matrix in (("claimed", C), ("true", J)):
    print(f"{word}: {formula(np.diagonal(matrix), x.ravel(), y.ravel())}")

# %% [markdown]
# ## Not every fit is an explanation
#
# A question that is asked often enough gets a "yes" by chance. A bias of one value always has a quotient $C / J$, and
# that is no constant factor yet. Two guards keep the doctor from talking nonsense.
#
# - *Seven digits.* A fit by chance has two or three. A law has all of them.
# - *A second look.* Whatever was found must be found again with other numbers: another batch, another size, another
#   $dy$. What only fits is not said.
#
# Below a slope with one value, whose gradient sums over the wrong half of the inputs. "Times 1.9" is true, and says
# nothing: with other inputs it is another number.
#
# ```text
# with one batch every value (there is one) has the same quotient: True
# with another batch it is the same quotient: False
# ```


# %%
class OneSlope(nn.Layer):
    """y = max(x, 0) + a min(x, 0), with one a; its gradient sums over the positive x instead of the negative."""

    def create_params(self, input_shape, rng):
        return {"a": np.full(1, 0.25)}

    def forward(self, x, training=False, keep=None):
        self.x = x
        return np.maximum(x, 0) + self.params["a"] * np.minimum(x, 0)

    def backward(self, dy, need_dx=True, need_grads=True):
        self.grads = {"a": (dy * np.maximum(self.x, 0)).sum(keepdims=True).reshape(1)}
        return dy * np.where(self.x > 0, 1.0, self.params["a"])


quotients = []
for seed in (0, 1):
    C, J, _, y = both(OneSlope(), (8,), "a", seed=seed)
    dy = np.random.default_rng(seed).standard_normal(y.size)
    quotients.append((dy @ C) / (dy @ J))
print(f"with one batch every value (there is one) has the same quotient: {np.ptp(quotients[0]) == 0}")
print(f"with another batch it is the same quotient: {np.allclose(*quotients)}")

# %% [markdown]
# ## What the doctor says
#
# The doctor asks some seventy such questions, the surest first, and the first that fits twice is the answer. Of the six
# patients:
#
# ```text
# MeanBias: bias, constant factor
# NoSlope: dx, activation's slope missing
# Neighbours: dx, repeated use counted once
# Block: dx, skip path missing
# Swish: dx, another formula
# OneSlope: a, mask inverted
# ```
#
# If no question fits, it says "unexplained", with the worst place. That too is an answer: it is none of the usual
# mistakes, and the smallest case by hand is the next thing to try. And no finite check sees everything. A mistake that
# shows only in a batch of 1,000, or from the hundredth call on, is in no matrix that was read.

# %%
patients = [
    (MeanBias(4), (3,)),
    (NoSlope(4), (3,)),
    (Neighbours(), (6,)),
    (Block(), (4,)),
    (Swish(), (8,)),
    (OneSlope(), (8,)),
]
for layer, shape in patients:
    first = diagnose(layer, shape)[0]
    print(f"{type(layer).__name__}: {first.tensor}, {first.name}")

# %% [markdown]
# The figure: of five patients the claimed matrix above and the true one below, for two images. One learns to see it:
# the same picture in another strength, rows of unlike strength, places that are empty, a diagonal that is not there.
# The fifth pair differs at every place, by no number that the eye finds: that takes a formula, and digits.

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure = style.new_figure(style.WIDE, 4.4)
grid = figure.subplots(2, 5)
shown = [("bias", MeanBias(4), (3,)), ("dx", NoSlope(4), (3,)), ("dx", Neighbours(), (6,)), ("dx", Block(), (4,)),
         ("dx", Swish(), (6,))]  # fmt: skip
words = ["one number for all", "one for each row", "some are not there", "a path is missing", "another formula"]
for column, ((name, layer, shape), title) in enumerate(zip(shown, words, strict=True)):
    C, J, _, _ = both(layer, shape, name, n=2)
    most = max(np.abs(C).max(), np.abs(J).max())
    for row, (letter, matrix) in enumerate((("C", C), ("J", J))):
        axes = grid[row, column]
        axes.imshow(matrix, cmap="RdBu_r", vmin=-most, vmax=most, aspect="auto", interpolation="nearest")
        axes.set(xticks=[], yticks=[])
        if column == 0:
            axes.set_ylabel(f"{letter}, {'claimed' if letter == 'C' else 'true'}", fontsize=style.TEXT_SIZE)
        if row == 0:
            axes.set_title(title, fontsize=style.TEXT_SIZE)
        else:
            axes.set_xlabel(f"{type(layer).__name__}, {name}", fontsize=style.SMALL_SIZE)
lesson.show(figure, "25_the_doctors_method")

# %% [markdown]
# ## Try it
#
# - Make `Block` forget the branch instead of the skip: `return dy`. What is $J - C$ now, and what does the doctor say?
#
#   <details><summary>Answer</summary>
#
#   $C$ is the identity, and $J - C$ is the Jacobian of the branch. "Only dy passed on" says both what is there and what
#   it would be right for.
#
#   ```python
#   class Through(Block):
#       def backward(self, dy, need_dx=True, need_grads=True):
#           super().backward(dy)
#           return dy.copy()
#
#
#   print(diagnose(Through(), (4,))[0].name)
#   ```
#
#   ```text
#   only dy passed on
#   ```
#
#   </details>
#
# - Two mistakes at once: let `NoSlope` take the mean over the batch in its bias as well. Are both named?
#
#   <details><summary>Answer</summary>
#
#   Each tensor has matrices of its own, so each gets its own sentence. Within the bias two factors meet, and together
#   they are one number for each row.
#
#   ```python
#   class Both(NoSlope):
#       def backward(self, dy, need_dx=True, need_grads=True):
#           dx = super().backward(dy, need_dx, need_grads)
#           self.grads["bias"] = dy.mean(axis=0)
#           return dx
#
#
#   for found in diagnose(Both(4), (3,)):
#       print(found.tensor, "is named" if found.name != "unexplained" else "is not explained")
#   ```
#
#   ```text
#   dx is named
#   kernel is named
#   bias is named
#   ```
#
#   </details>
#
# - Multiply the gradient of a right layer by $1 + 0.001 \sin k$, where $k$ counts the values. Does the doctor invent a
#   reason?
#
#   <details><summary>Answer</summary>
#
#   Nothing fits, or only "a factor to each value", which is just what was done.
#
#   ```python
#   class Wavy(nn.Dense):
#       def backward(self, dy, need_dx=True, need_grads=True):
#           dx = super().backward(dy, need_dx, need_grads)
#           return dx * (1 + 0.001 * np.sin(np.arange(dx.size))).reshape(dx.shape)
#
#
#   print(diagnose(Wavy(4), (3,))[0].name)
#   ```
#
#   ```text
#   a factor to each value
#   ```
#
#   </details>
