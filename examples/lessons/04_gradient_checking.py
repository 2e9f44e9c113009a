# %% [markdown]
# # 4. Is my gradient right? Checking it with nudges
#
# Needs lesson 3. About fifteen minutes.
#
# A wrong backward pass seldom crashes. The network trains, only worse, and nobody knows why. But every gradient makes a
# claim that can be tested: "if you move this number by $h$, the loss moves by $h$ times the gradient". So we move it.
# That is gradient checking, and `batik_scratch/nn/gradcheck/` does it for every layer here.
#
# ## From one side, or from both?
#
# For a smooth function, Taylor's formula says what a step $h$ does:
#
# $$ f(x + h) = f(x) + h f'(x) + \frac{h^2}{2} f''(x) + \frac{h^3}{6} f'''(x) + \dots $$
#
# Take $f(x)$ away and divide by $h$: the *forward difference*. It misses $f'$ by about $\frac{h}{2} f''$. Step to both
# sides instead, and the terms with even powers cancel. This is the *central difference*:
#
# $$ \frac{f(x + h) - f(x - h)}{2h} = f'(x) + \frac{h^2}{6} f'''(x) + \dots $$
#
# Our $f$ is the cross-entropy of lesson 3, as a function of one logit; its gradient is
# $p - (1 \text{ at the true class})$. A step ten times smaller should make the one error 10 times smaller, and the
# other 100 times.
#
# ```text
# forward difference: 10 times better
# central difference: 100 times better
# ```

# %%
import numpy as np

from batik_scratch import nn
from batik_scratch.figures import style
from batik_scratch.learn import lesson
from batik_scratch.nn.gradcheck import MAX_SKIPPED, check_layer, check_model

loss = nn.SparseCategoricalCrossentropy(from_logits=True)
point, truth = np.array([[0.5, -1.0, 1.5]]), np.array([0])  # three logits; the first class is the true one
stated = loss(point, truth)[1][0, 0]  # what the code says: dL/dz_0


def f(z0, dtype=np.float64):
    """The loss as a function of the first logit alone."""
    logits = point.astype(dtype)
    logits[0, 0] = z0
    return loss(logits, truth)[0]


def forward_difference(x, h):
    return (f(x + h) - f(x)) / h


def central_difference(x, h):
    return (f(x + h) - f(x - h)) / (2 * h)


for name, difference in (("forward", forward_difference), ("central", central_difference)):
    coarse, fine = (abs(difference(0.5, h) - stated) for h in (1e-2, 1e-3))
    print(f"{name} difference: {coarse / fine:.0f} times better")

# %% [markdown]
# ## Smaller is not always better
#
# A computer keeps a number to a fixed count of digits, and rounds the rest away. It has two common kinds of numbers,
# float64 and float32. When $h$ is tiny, $f(x + h)$ and $f(x - h)$ agree in most digits; the subtraction removes those,
# and what remains is mostly rounding. With precision $u$ that error is about $u |f| / h$: it *grows* when $h$ shrinks.
# The sum of both errors,
#
# $$ \frac{h^2}{6} |f'''| + \frac{u |f|}{h}, $$
#
# is least where neither wins: at a step of about the cube root of $u$, with an error of about its square.
#
# ```text
# float64: 16 digits, precision 2.2e-16, best step about 6e-06, error there about 4e-11
# float32: 7 digits, precision 1.2e-07, best step about 5e-03, error there about 2e-05
# ```
#
# A step that suits float64 makes a right gradient look wrong in float32. So a check is always done in float64.
#
# ```text
# float64, a step of 1e-06: wrong by less than one part in a billion: True
# float32, a step of 1e-06: wrong by more than 1%: True
# ```

# %%
for kind in (np.float64, np.float32):
    u = float(np.finfo(kind).eps)
    print(
        f"{kind.__name__}: {-np.log10(u):.0f} digits, precision {u:.1e}, "
        f"best step about {u ** (1 / 3):.0e}, error there about {u ** (2 / 3):.0e}"
    )

places = np.linspace(-1.7, 2.3, 41)  # many points, because a single one may be lucky
exact = np.array([loss(np.array([[z, -1.0, 1.5]]), truth)[1][0, 0] for z in places])  # (41,)


def typical_error(difference):
    """The relative error |numeric - exact| / |exact| in the median over all places."""
    return np.median([abs(difference(z) - slope) / abs(slope) for z, slope in zip(places, exact, strict=True)])


def central_in_float32(x, h):
    x, h = np.float32(x), np.float32(h)
    return (f(x + h, np.float32) - f(x - h, np.float32)) / (2 * h)


for name, difference, limit in (
    ("less than one part in a billion", central_difference, 1e-9),
    ("more than 1%", central_in_float32, 0.01),
):
    found = typical_error(lambda z, rule=difference: rule(z, 1e-6))
    holds = found > limit if "more" in name else found < limit
    kind = "float32" if "more" in name else "float64"
    lesson.check(f"{kind}, a step of 1e-06: wrong by {name}", holds, f"{found:.0e}")

# %% [markdown]
# ## A step sideways
#
# There is a trick without any subtraction. Step into the complex plane, to $x + ih$, where $i$ is the square root of
# -1. In Taylor's formula every odd power of $ih$ is imaginary, every even power is real:
#
# $$
# f(x + ih) = f(x) + ih f'(x) - \frac{h^2}{2} f''(x) - \dots, \qquad f'(x) \approx \frac{\mathrm{Im} \, f(x + ih)}{h}
# $$
#
# The error is about $h^2$, and nothing is taken away from anything. With $h = 10^{-20}$ it is gone. All that the code
# must do is accept complex numbers; the plain operations in `batik_scratch/ops/` do.
#
# ```text
# complex step: wrong by less than ten times the precision of float64: True
# ```

# %%


def complex_step(x, h):
    return f(x + 1j * h, np.complex128).imag / h


worst = typical_error(lambda z: complex_step(z, 1e-20))
lesson.check(
    "complex step: wrong by less than ten times the precision of float64",
    worst < 10 * np.finfo(np.float64).eps,
    f"{worst:.0e}",
)

# %% [markdown]
# ## Where there is no slope
#
# ReLU has a *kink* at 0: slope 0 on its left, 1 on its right. A nudge across the kink measures a bit of both. Half a
# step right of it, $f(x + h) = 1.5 h$ and $f(x - h) = 0$, and the central difference is $1.5 h / (2h)$:
#
# ```text
# half a step from the kink: the code says 1.00, the central difference 0.75
# at the kink: the code says 0.00, the central difference 0.50
# ```
#
# Neither means that the code is wrong. So `check_layer` looks whether any ReLU switched (or any max-pooling changed its
# mind) between $x - h$ and $x + h$. Such a place is skipped, and counted. Where too many are skipped, the check fails,
# because it has looked at too little.
#
# ```text
# at most 5% of the places may be skipped
# inputs away from the kink: right True, skipped 0
# one input of four half a step from it: right False, skipped 1
# ```

# %%
relu = nn.ReLU()
h = 1e-5
for name, x in (("half a step from the kink", h / 2), ("at the kink", 0.0)):
    above, below = (relu.forward(np.array([[x + step]])).item() for step in (h, -h))
    relu.forward(np.array([[x]]), keep=True)
    code = relu.backward(np.ones((1, 1))).item()
    print(f"{name}: the code says {code:.2f}, the central difference {(above - below) / (2 * h):.2f}")
print(f"at most {MAX_SKIPPED:.0%} of the places may be skipped")
for name, row in (
    ("inputs away from the kink", [-2.0, -1.0, 1.0, 2.0]),
    ("one input of four half a step from it", [-2.0, -1.0, h / 2, 2.0]),
):
    report = check_layer(relu, (4,), x=np.array([row]))
    print(f"{name}: right {report.ok}, skipped {report.tensors[0].skipped}")

# %% [markdown]
# ## A check that cannot fail
#
# A layer has many outputs, and a check needs one number. The usual way is to multiply every output by a number $dy$,
# add up, and nudge. Which $dy$? Many tutorials take ones. Lesson 3 showed what follows: the outputs of softmax add up
# to one, whatever the input; so the true gradient is zero, and a softmax that returns zeros passes. `check_layer` draws
# $dy$ at random.
#
# ```text
# against ones: the right softmax is off by 0.000, the wrong one by 0.000
# check_layer: the right softmax passes True, the wrong one passes False
# ```


# %%
class LazySoftmax(nn.Softmax):
    """A planted bug: the backward pass returns zeros."""

    def backward(self, dy, need_dx=True, need_grads=True):
        return np.zeros_like(dy)


z = np.random.default_rng(0).standard_normal((3, 4))
ones = np.ones((3, 4))
misses = []
for softmax in (nn.Softmax(), LazySoftmax()):
    softmax.forward(z, training=True)
    nudged = [(softmax.forward(z + h * e) - softmax.forward(z - h * e)).sum() / (2 * h) for e in np.eye(4)]
    softmax.forward(z, training=True)
    misses.append(np.abs(softmax.backward(ones).sum(axis=0) - nudged).max())
print(f"against ones: the right softmax is off by {misses[0]:.3f}, the wrong one by {misses[1]:.3f}")
right, wrong = (check_layer(layer, (4,)) for layer in (nn.Softmax(), LazySoftmax()))
errors = f"relative errors {right.tensors[0].error:.0e} and {wrong.tensors[0].error:.0e}"
print(f"check_layer: the right softmax passes {right.ok}, the wrong one passes {wrong.ok} ({errors})")

# %% [markdown]
# ## A layer, and a whole network
#
# For a layer with weights, every tensor is checked: the inputs, the kernel, the bias. Of a large one 60 places are
# drawn, and then everything is moved at once as well, so that no place is left out: "all". For a whole network one
# place at a time would take too long, so all its weights are nudged at once, in random directions; the gradient
# predicts the change as a sum of products. The network below has every kind of layer that the paper's has, and is
# checked by the complex step.
#
# ```text
# Conv2D: dx True, kernel True, bias True, all True
# the whole network, five directions: True
# ```

# %%
report = check_layer(nn.Conv2D(2, (3, 2), strides=2), (6, 5, 3))
worst = max(tensor.error for tensor in report.tensors)
print(
    "Conv2D: " + ", ".join(f"{tensor.name} {tensor.ok}" for tensor in report.tensors) + f" (error {worst:.0e} at most)"
)
stack = [nn.Conv2D(4, 3), nn.ReLU(), nn.MaxPooling2D(2), nn.Flatten(), nn.Dropout(0.2), nn.Dense(3), nn.Softmax()]
network = nn.Sequential(stack, (8, 7, 3), random_state=0, dtype="complex128")
network.compile()
images = np.random.default_rng(1).random((4, 8, 7, 3))
whole = check_model(network, images, np.array([0, 1, 2, 1]))
lesson.check("the whole network, five directions", whole.ok, f"error {max(t.error for t in whole.tensors):.0e} at most")
print(report)

# %% [markdown]
# The figure: left, the error of each rule against its step. The left branch of every V is rounding, the right one is
# what Taylor's formula leaves out. The complex step has no left branch: nothing is subtracted. Its flat part is an
# error of exactly zero, which a logarithmic axis has no place for and which is drawn at 1e-17. Right: a nudge across
# the kink, and what the central difference makes of it, for every distance from the kink.

# %% tags=["hide-input"] jupyter={"source_hidden": true}
BLUE, RED, ORANGE, GREEN = (style.OKABE_ITO[name] for name in ("blue", "vermillion", "orange", "bluish green"))
figure = style.new_figure(style.WIDE, 5.0)
left, right = figure.subfigures(1, 2, width_ratios=[1.55, 1])
errors = left.subplots()
style.dress(errors)
per_decade = 2 if lesson.quick() else 6
steps = np.logspace(-14, -0.5, int(13.5 * per_decade) + 1)
sideways = np.logspace(-20, -0.5, int(19.5 * per_decade) + 1)
floor = 1e-17  # an error of exactly zero has no place on this axis
rules = [
    (central_in_float32, steps[steps > 1e-8], "central, float32", ORANGE, "-."),
    (forward_difference, steps, "forward, float64", RED, "--"),
    (central_difference, steps, "central, float64", BLUE, "-"),
    (complex_step, sideways, "complex step", GREEN, ":"),
]
for rule, tried, name, colour, dash in rules:
    found = [max(typical_error(lambda z, s=step, rule=rule: rule(z, s)), floor) for step in tried]
    errors.loglog(tried, found, dash, color=colour, linewidth=2.2, label=name)
for kind, colour in ((np.float32, ORANGE), (np.float64, BLUE)):
    u = float(np.finfo(kind).eps)
    errors.plot(u ** (1 / 3), u ** (2 / 3), "o", color="white", markeredgecolor=colour, markersize=9, markeredgewidth=2)
errors.plot([], [], "o", color="white", markeredgecolor=style.INK, label="the rule of the cube root")
errors.set(ylim=(3e-18, 30))
errors.set_xlabel("step h", fontsize=style.TEXT_SIZE)
errors.set_ylabel("relative error of the gradient", fontsize=style.TEXT_SIZE)
errors.legend(frameon=False, fontsize=style.SMALL_SIZE, loc="center left", bbox_to_anchor=(0.0, 0.3))
kink, ramp = right.subplots(2, 1, sharex=True)
x = np.linspace(-2, 2.2, 101)
kink.plot(x, np.maximum(x, 0), color=style.INK, linewidth=2, label="ReLU")
kink.plot([-0.5, 1.5], [0, 1.5], "o--", color=RED, label="nudge, slope 0.75")
kink.plot([0.5], [0.5], "s", color=BLUE, markersize=8, label="x, slope 1")
kink.set_ylabel("max(x, 0)", fontsize=style.TEXT_SIZE)
away = np.linspace(-2, 2.2, 211) * h
measured = (np.maximum(away + h, 0) - np.maximum(away - h, 0)) / (2 * h)
ramp.plot(away / h, away > 0, color=BLUE, linewidth=2, label="the code")
ramp.plot(away / h, measured, "--", color=RED, linewidth=2, label="central difference")
ramp.set_ylabel("slope", fontsize=style.TEXT_SIZE)
ramp.set_xlabel("distance from the kink, in steps h", fontsize=style.TEXT_SIZE)
for axes, corner in ((kink, "upper left"), (ramp, "lower right")):
    style.dress(axes)
    axes.legend(frameon=False, fontsize=style.SMALL_SIZE, loc=corner)
lesson.show(figure, "04_gradient_checking")

# %% [markdown]
# ## Try it
#
# - Divide by $h$ instead of $2h$ in `central_difference`. What error does every right gradient show now?
#
#   <details><summary>Answer</summary>
#
#   An error of 1, which is 100%: the numeric gradient is twice the right one. An error of 1.00 everywhere means a
#   factor of 2, an error of 0.5 a factor of one half.
#
#   ```python
#   def halved(x, h):
#       return (f(x + h) - f(x - h)) / h
#
#
#   print(f"relative error of a right gradient: {typical_error(lambda z: halved(z, 1e-6)):.2f}")
#   ```
#
#   ```text
#   relative error of a right gradient: 1.00
#   ```
#
#   </details>
#
# - Plant a bug: a `nn.Dense` whose bias gradient is `dy.mean(axis=0)`. What does `print(check_layer(...))` show?
#
#   <details><summary>Answer</summary>
#
#   The row of the bias is WRONG, and its two numbers differ by a factor of 3, the number of examples in the batch. The
#   other rows are ok.
#
#   ```python
#   class MeanBias(nn.Dense):
#       def backward(self, dy, need_dx=True, need_grads=True):
#           dx = super().backward(dy, need_dx, need_grads)
#           self.grads["bias"] = dy.mean(axis=0)
#           return dx
#
#
#   report = str(check_layer(MeanBias(3), (4,)))
#   print(*(line for line in report.splitlines() if "bias" in line))
#   ```
#
#   </details>
#
# - Take `central_difference` of a ReLU at 1,000 random inputs, in a loop of your own, with a step of 0.1, then of
#   0.001. At how many places does it cross the kink, and how does their number go with the step?
#
#   <details><summary>Answer</summary>
#
#   Where $|x| < h$. So their number goes with the step: a hundred times smaller, about a hundred times fewer.
#
#   ```python
#   places = np.random.default_rng(0).normal(size=1000)
#   for step in (0.1, 0.001):
#       slopes = (np.maximum(places + step, 0) - np.maximum(places - step, 0)) / (2 * step)
#       between = (slopes > 1e-9) & (slopes < 1 - 1e-9)
#       print(f"step {step:g}: {between.sum()} of 1000 cross the kink")
#   ```
#
#   ```text
#   step 0.1: 73 of 1000 cross the kink
#   step 0.001: 1 of 1000 cross the kink
#   ```
#
#   </details>
