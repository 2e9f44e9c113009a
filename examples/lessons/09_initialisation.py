# %% [markdown]
# # 9. Where weights begin: what dies, what explodes
#
# Needs lessons 2 and 3. About fifteen minutes.
#
# Training walks downhill from somewhere. This lesson asks where, and shows that the answer decides whether a deep
# network learns at all: before the first step a signal has to get up to the loss, and a gradient has to get down again.
#
# ## One layer
#
# A unit adds up $D$ inputs, $z = \sum_i w_i x_i$. Let the weights be drawn independently, with mean 0 and variance $v$.
# Products of different weights cancel in the mean, and only the squares stay:
#
# $$ E \, z^2 = D \, v \, E \, x^2 $$
#
# ReLU cuts off one half of $z$, and $z$ and $-z$ are equally likely, since the weights are drawn symmetrically about 0:
# $E \, \text{relu}(z)^2 = E \, z^2 / 2$. So one layer with its ReLU multiplies the mean square by $D v / 2$. A factor
# of 1 needs $v = 2 / D$: that is "he", for He and others (2015). Downwards it is the same sum over the layer's $U$
# outputs, so there the factor is $U v / 2$. "glorot" (2010) thinks of layers without ReLU, wants both directions at
# once, and takes $v = 2 / (D + U)$. The package draws both in `draw`
# ([batik_scratch/nn/initializers.py](../../batik_scratch/nn/initializers.py)).
#
# What that means for a tower of layers 128 wide, after twenty of them:
#
# ```text
# glorot_normal: a layer multiplies the mean square by 0.50, twenty layers the size by 0.0010
# he_normal: a layer multiplies the mean square by 1.00, twenty layers the size by 1.0000
# twice he: a layer multiplies the mean square by 2.00, twenty layers the size by 1024.0000
# ```

# %%
import numpy as np

from batik_scratch import nn
from batik_scratch.figures import style
from batik_scratch.learn import lesson
from batik_scratch.nn import initializers

DEPTH, UNITS = 20, 128
fan_in, fan_out = initializers.fans((UNITS, UNITS))
variances = {"glorot_normal": 2 / (fan_in + fan_out), "he_normal": 2 / fan_in, "twice he": 2 * 2 / fan_in}
for name, v in variances.items():
    factor = fan_in * v / 2
    print(
        f"{name}: a layer multiplies the mean square by {factor:.2f}, "
        f"twenty layers the size by {factor ** (DEPTH / 2):.4f}"
    )

# %% [markdown]
# The package's own draws have the variance that the formula asks for:
#
# ```text
# drawn variance over the wanted one, glorot_normal: 1.0, he_normal: 1.0
# ```

# %%
ratios = {}
for name, wanted in (("glorot_normal", 2 / (512 + 512)), ("he_normal", 2 / 512)):
    ratios[name] = initializers.draw(name, (512, 512), np.random.default_rng(0)).var() / wanted
print(f"drawn variance over the wanted one, {', '.join(f'{name}: {ratio:.1f}' for name, ratio in ratios.items())}")

# %% [markdown]
# ## Twenty layers
#
# Now the tower itself, on drawn cloths. `model.trace` (`batik_scratch/nn/trace.py`) goes up and down once and keeps
# what it meets. We take the size (root of the mean square) of every layer's activations, and of the loss's gradient
# there. The derivation is about means over all possible draws; one draw of 128 units wanders around it, so we promise
# no more than this:
#
# ```text
# glorot: sizes shrink by more than 100, up and down: True
# he: sizes stay within a factor of 10, up and down: True
# twice he: sizes grow by more than 100, up and down: True
# zeros: layers whose kernel gets any gradient: 0 of 21
# ```

# %%
images, y, _ = lesson.drawn_cloths(16, 32)
x = ((images - images.mean()) / images.std()).reshape(len(images), -1)  # (N, D), mean 0, mean square 1


def tower(initializer, scale=1.0):
    """Twenty dense layers with ReLU and three logits; all kernels but the last are multiplied by `scale`."""
    layers = [part for _ in range(DEPTH) for part in (nn.Dense(UNITS, kernel_initializer=initializer), nn.ReLU())]
    model = nn.Sequential([*layers, nn.Dense(3), nn.Softmax()], x.shape[1:], random_state=0)
    for layer in model.layers[:-2]:
        for kernel in layer.params.values():  # a bias of 0 stays 0
            kernel *= scale
    model.compile(nn.SGD(0.005))
    return model


def size(values):
    """Root of the mean square."""
    return float(np.sqrt((values.astype(np.float64) ** 2).mean()))


starts = {"glorot": ("glorot_normal", 1.0), "he": ("he_normal", 1.0), "twice he": ("he_normal", 2**0.5)}
starts["zeros"] = ("zeros", 1.0)
up, down, learning = {}, {}, {}
for name, (initializer, scale) in starts.items():
    trace = tower(initializer, scale).trace(x, y)
    hidden = [step for step in trace.steps if step.kind == "ReLU"]
    up[name], down[name] = [size(s.activation) for s in hidden], [size(s.gradient) for s in hidden]
    ends = (up[name][0], up[name][-1], down[name][-1], down[name][0])
    print("  {:9s} up: {:.2g} to {:.2g}   down: {:.2g} to {:.2g}".format(name, *ends))
    learning[name] = sum(bool(step.grads["kernel"].any()) for step in trace.steps if step.grads)


def growth(sizes):
    return sizes[-1] / sizes[0]


both = {name: (growth(up[name]), growth(down[name][::-1])) for name in ("glorot", "he", "twice he")}
lesson.check(
    "glorot: sizes shrink by more than 100, up and down",
    max(both["glorot"]) < 1 / 100,
    f"by {1 / both['glorot'][0]:.0f} and {1 / both['glorot'][1]:.0f}",
)
lesson.check(
    "he: sizes stay within a factor of 10, up and down",
    all(0.1 < g < 10 for g in both["he"]),
    f"to {both['he'][0]:.2f} and {both['he'][1]:.2f}",
)
lesson.check(
    "twice he: sizes grow by more than 100, up and down",
    min(both["twice he"]) > 100,
    f"by {both['twice he'][0]:.0f} and {both['twice he'][1]:.0f}",
)
print(f"zeros: layers whose kernel gets any gradient: {learning['zeros']} of {DEPTH + 1}")

# %% [markdown]
# Zeros die at once. The signal is 0 in every layer, so the last kernel's gradient (signal times upstream) is 0; and
# every gradient on the way down is multiplied by a kernel of 0. Only the last bias learns: how frequent each class is.
#
# What of another constant, 0.01 say? The units of a layer then all compute the same, get the same gradient, and make
# the same step. They stay twins for ever: a layer of 128 units is as good as a layer of one. Random numbers break that
# symmetry.
#
# ```text
# after ten steps from a constant all units of a layer are still the same: True
# and from a random start: False
# ```

# %%
for constant, text in (
    (True, "after ten steps from a constant all units of a layer are still the same"),
    (False, "and from a random start"),
):
    small = nn.Sequential([nn.Dense(16), nn.ReLU(), nn.Dense(3), nn.Softmax()], x.shape[1:], random_state=0)
    small.compile(nn.Adam(1e-3))
    if constant:
        small.set_weights([np.full_like(w, 0.01) if w.ndim == 2 else w for w in small.get_weights()])
    for _ in range(10):
        small.train_step(x, y)
    kernel = small.layers[0].params["kernel"]  # (D, 16)
    apart = np.abs(kernel - kernel[:, :1]).max()
    lesson.check(text, apart < 1e-4, f"largest difference {apart:.0e}")

# %% [markdown]
# ## A unit that never wakes
#
# ReLU has a way of dying of its own. A unit that is negative for *every* picture is shut for every picture; its gate
# lets no gradient through to its weights, and only a change in the layers below could wake it. A step that is too long
# is enough to bring that about. Here we push half of the units down by hand, and train.
#
# ```text
# sleeping units whose weights have changed after 20 steps: 0 of 8
# units that were awake and have changed: True
# ```

# %%
sleepy = nn.Sequential([nn.Dense(16), nn.ReLU(), nn.Dense(3), nn.Softmax()], x.shape[1:], random_state=0)
sleepy.compile(nn.Adam(1e-3))
sleepy.layers[0].params["bias"][:8] = -1000
before = sleepy.get_weights()[0]  # (D, 16)
for _ in range(20):
    sleepy.train_step(x, y)
changed = (sleepy.get_weights()[0] != before).any(axis=0)  # (16,)
print(f"sleeping units whose weights have changed after 20 steps: {changed[:8].sum()} of 8")
lesson.check("units that were awake and have changed", changed[8:].any(), f"{changed[8:].sum()} of 8")

# %% [markdown]
# ## What training makes of it
#
# The same steps of plain gradient descent from two starts. In the glorot tower every kernel gets a gradient hundreds of
# times too small, since $dW = X^\top dY$: the low ones because $dY$ has shrunk on its way down, the high ones because
# $X$ has shrunk on its way up. (Adam, in lesson 10, divides by the gradient's own size and would hide a part of this.)
#
# ```text
# he: the loss has fallen below a half of where it started: True
# glorot: the loss is still within a tenth of where it started: True
# ```

# %%
steps, losses = 150, {}
for name in ("glorot", "he"):
    model = tower(*starts[name])
    losses[name] = [float(model.train_step(x, y)[0]) for _ in range(steps)]
lesson.check(
    "he: the loss has fallen below a half of where it started",
    losses["he"][-1] < losses["he"][0] / 2,
    f"{losses['he'][0]:.3f} to {losses['he'][-1]:.3f}",
)
still = abs(losses["glorot"][-1] - losses["glorot"][0]) < losses["glorot"][0] / 10
lesson.check(
    "glorot: the loss is still within a tenth of where it started",
    still,
    f"{losses['glorot'][0]:.3f} to {losses['glorot'][-1]:.3f}",
)

# %% [markdown]
# Does the paper's network, which starts from glorot as Keras does, suffer from this? It has four layers with ReLU, not
# twenty: Keras' default is wrong for deep ReLU networks and does this one little harm.
#
# ```text
# glorot leaves 0.10 of the size after the paper's four layers with ReLU
# ```
#
# ($D / (D + U)$ of the mean square per layer; the poolings between them raise it again.)

# %%
shapes = [part.params["kernel"].shape for part in nn.paper_cnn().layers if part.params][:4]
factors = [d / (d + u) for d, u in map(initializers.fans, shapes)]  # of the mean square: D v / 2, with v = 2 / (D + U)
print(f"glorot leaves {np.sqrt(np.prod(factors)):.2f} of the size after the paper's four layers with ReLU")

# %% [markdown]
# ## What all pictures share
#
# That network is harmed by something else: its biases. Pixels lie in [0, 1], all on one side of 0, so all pictures
# point into nearly the same direction. Write a pixel as 1/2 plus the rest, and a filter's answer falls into two parts:
#
# $$ w \cdot x + b = w \cdot (x - 1/2) + \Big( \frac{1}{2} \sum_i w_i + b \Big) $$
#
# The second part is the same for every picture in the world. With random weights and $b = 0$ it is larger than the
# first, and whether a ReLU is open then hangs on the filter and hardly on the picture. Three layers later two cloths
# look the same. The cosine of the angle between two pictures' features, a mean over all pairs (1: the same direction):
#
# ```text
# pixels: cosine above 0.8: True
# pixels less 1/2: cosine below 0.1: True
# features of the paper's network, biases at 0: cosine above 0.9: True
# ```
#
# The cure costs nothing: let the first bias begin at $b = -\frac{1}{2} \sum_i w_i$. The second part is then 0 at the
# start, and the layer answers as if 1/2 had been taken from every pixel. The paper names no initialisers, so this is
# still its network: `bias_initializer="centred"`, `draw_bias` in the same file.
#
# ```text
# features, first bias centred: the cosine is lower: True
# centred is the same as pixels less 1/2: True
# ```


# %%
def cosine(features):
    """Mean cosine between the rows of features (N, D), over all pairs."""
    rows = features / np.linalg.norm(features, axis=1, keepdims=True)  # (N, D)
    return float((rows @ rows.T)[np.triu_indices(len(rows), 1)].mean())


side, epochs = (32, 14) if lesson.quick() else (48, 25)
cloths, kinds, _ = lesson.drawn_cloths(20, side)


def papers_network(first_bias):
    """The paper's network for the cloths, fresh."""
    model = nn.paper_cnn((side, side, 3), random_state=0, algorithm="auto", first_bias=first_bias)
    model.compile(nn.Adam(1e-3))
    return model


seen = {bias: papers_network(bias).trace(cloths)["flatten"].activation for bias in ("zeros", "centred")}
flat = cloths.reshape(len(cloths), -1)  # (N, D)
similar = {"pixels": cosine(flat), "less 1/2": cosine(flat - 0.5)} | {k: cosine(v) for k, v in seen.items()}
print("  " + ", ".join(f"{name} {value:.2f}" for name, value in similar.items()))
lesson.check("pixels: cosine above 0.8", similar["pixels"] > 0.8, f"{similar['pixels']:.2f}")
lesson.check("pixels less 1/2: cosine below 0.1", similar["less 1/2"] < 0.1, f"{similar['less 1/2']:.2f}")
lesson.check(
    "features of the paper's network, biases at 0: cosine above 0.9", similar["zeros"] > 0.9, f"{similar['zeros']:.2f}"
)
lesson.check(
    "features, first bias centred: the cosine is lower",
    similar["centred"] < similar["zeros"] - 0.05,
    f"{similar['centred']:.2f}",
)
as_if = papers_network("zeros").trace(cloths - 0.5)["flatten"].activation
lesson.check(
    "centred is the same as pixels less 1/2",
    np.allclose(seen["centred"], as_if, atol=1e-5),
    f"largest difference {np.abs(seen['centred'] - as_if).max():.0e}",
)

# %% [markdown]
# What does it cost? A network that answers the same to every cloth can only learn how frequent the classes are, and
# the loss stays near log 3 until the filters have turned away from what all pictures share. This is no matter of one
# step: on the study's drawn cloths at 150 pixels it took 5 to 20 epochs from biases of 0, and one seed of ten had not
# begun after 30. A rule that lowers the learning rate when nothing improves (lesson 11) makes it worse: it takes the
# wait for the end.
#
# ```text
# from a centred bias the loss leaves log 3 sooner: True
# ```

# %%
starting = {}
for first_bias in ("zeros", "centred"):
    model = papers_network(first_bias)
    starting[first_bias] = model.fit(cloths, kinds, batch_size=20, epochs=epochs, verbose=0).history["loss"]


def leaves(values):
    """The first epoch whose loss is under nine tenths of log 3; the one after the last if there is none."""
    return next((e for e, value in enumerate(values, 1) if value < 0.9 * np.log(3)), len(values) + 1)


print("  " + ", ".join(f"{name}: epoch {leaves(values)}" for name, values in starting.items()))
lesson.check(
    "from a centred bias the loss leaves log 3 sooner",
    leaves(starting["centred"]) < leaves(starting["zeros"]),
    f"epoch {leaves(starting['centred'])}, not {leaves(starting['zeros'])}",
)

# %% tags=["hide-input"] jupyter={"source_hidden": true}
colours = {name: style.OKABE_ITO[c] for name, c in (("glorot", "vermillion"), ("he", "blue"), ("twice he", "orange"))}
dashes = {"glorot": "--", "he": "-", "twice he": "-."}
layers = np.arange(1, DEPTH + 1)
figure = style.new_figure(style.WIDE, 7.2)
(left, middle), (right, last) = figure.subplots(2, 2)
titles = ("signal, going up \N{RIGHTWARDS ARROW}", "\N{LEFTWARDS ARROW} gradient, coming down")
for axes, sizes, title in zip((left, middle), (up, down), titles, strict=True):
    for name, colour in colours.items():
        axes.plot(layers, sizes[name], dashes[name], color=colour, linewidth=2.2, label=name)
    axes.set_yscale("log")
    axes.set_xlabel("layer", fontsize=style.TEXT_SIZE)
    axes.set_xticks((1, 5, 10, 15, 20))
    axes.set_title(title, fontsize=style.TITLE_SIZE, loc="left")
left.set_ylabel("size (root mean square)", fontsize=style.TEXT_SIZE)
for name, values in losses.items():
    right.plot(np.arange(1, steps + 1), values, dashes[name], color=colours[name], linewidth=2.2)
right.axhline(np.log(3), color=style.MUTED, linewidth=1, linestyle=":")
right.text(steps, np.log(3) + 0.03, "guessing, log 3", ha="right", fontsize=style.SMALL_SIZE, color=style.MUTED)
right.set_xlabel("step of gradient descent", fontsize=style.TEXT_SIZE)
right.set_ylabel("loss", fontsize=style.TEXT_SIZE)
right.set_ylim(0, 1.35)
right.set_title("what training makes of it", fontsize=style.TITLE_SIZE, loc="left")
for name, values, colour, dash in (
    ("first bias 0", starting["zeros"], "vermillion", "--"),
    ("first bias centred", starting["centred"], "blue", "-"),
):
    last.plot(np.arange(1, epochs + 1), values, dash, color=style.OKABE_ITO[colour], linewidth=2.2, label=name)
last.axhline(np.log(3), color=style.MUTED, linewidth=1, linestyle=":")
last.text(epochs, np.log(3) + 0.03, "guessing, log 3", ha="right", fontsize=style.SMALL_SIZE, color=style.MUTED)
last.set_ylim(0, 1.35)
last.set_xlabel("epoch", fontsize=style.TEXT_SIZE)
last.set_ylabel("loss", fontsize=style.TEXT_SIZE)
last.set_title("the paper's network, two first biases", fontsize=style.TITLE_SIZE, loc="left")
last.legend(frameon=False, fontsize=style.SMALL_SIZE, loc="lower left")
for axes in (left, middle, right, last):
    style.dress(axes)
figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
lesson.show(figure, "09_initialisation")

# %% [markdown]
# ## Try it
#
# - Draw from he *uniform*. Does the shape of the distribution matter, or only its variance?
#
#   <details><summary>Answer</summary>
#
#   Only the variance matters, for the mean square of a sum of many terms knows nothing else of the weights.
#
#   ```python
#   for kind in ("he_normal", "he_uniform"):
#       trace = tower(kind).trace(x, y)
#       sizes = [size(step.activation) for step in trace.steps if step.kind == "ReLU"]
#       within = 0.1 < sizes[-1] / sizes[0] < 10
#       lesson.check(f"{kind}: the signal stays within a factor of 10", within, f"{sizes[-1] / sizes[0]:.2f}")
#   ```
#
#   ```text
#   he_normal: the signal stays within a factor of 10: True
#   he_uniform: the signal stays within a factor of 10: True
#   ```
#
#   </details>
#
# - Make the tower narrow in the middle (128, 16, 128). Which of the two directions does he keep, and which not?
#
#   <details><summary>Answer</summary>
#
#   He keeps the signal, since its variance is 2 over the number of *inputs*. The gradient comes down with a factor of
#   $U v / 2 = U / D$ per layer in its mean square: from 128 units down to 16 it gains a factor of 8, from 16 down to
#   128 it loses it again. So in the narrow layers it is larger by about $\sqrt 8 = 2.8$. In a tower that goes on
#   narrowing, the factors would not cancel.
#
#   ```python
#   layers = [nn.Dense(128, kernel_initializer="he_normal"), nn.ReLU()]
#   for units in (16, 128, 16, 128, 16, 128):
#       layers += [nn.Dense(units, kernel_initializer="he_normal"), nn.ReLU()]
#   narrow = nn.Sequential([*layers, nn.Dense(3), nn.Softmax()], x.shape[1:], random_state=0)
#   narrow.compile()
#   steps = [step for step in narrow.trace(x, y).steps if step.kind == "ReLU"]
#   signals, gradients = [size(step.activation) for step in steps], [size(step.gradient) for step in steps]
#   print("  units   ", *(f"{step.activation.shape[1]:7d}" for step in steps))
#   print("  signal  ", *(f"{value:7.3f}" for value in signals))
#   print("  gradient", *(f"{value:7.4f}" for value in gradients))
#   lesson.check(
#       "the signal stays within a factor of 2", max(signals) < 2 * min(signals), f"{signals[-1] / signals[0]:.2f}"
#   )
#   jumps = [gradients[i] / gradients[i + 1] for i in (1, 3)]
#   lesson.check("a narrow layer's gradient is more than twice as large", min(jumps) > 2, f"{min(jumps):.1f} times")
#   ```
#
#   ```text
#   the signal stays within a factor of 2: True
#   a narrow layer's gradient is more than twice as large: True
#   ```
#
#   </details>
#
# - Give the first bias the mean of your own pictures in place of 1/2. Is it better? What would you do if the pictures
#   were nearly black?
#
#   <details><summary>Answer</summary>
#
#   It is no better here, since the drawn cloths' mean is near 1/2. For nearly black pictures the bias for 1/2 would be
#   wrong: all pictures would share what it takes away. Take your own mean then; and as what is left is small as well,
#   divide it by the pictures' own deviation (`nn.Standardization` does both, picture by picture).
#
#   ```python
#   mean = cloths.mean(axis=(0, 1, 2))  # (3,)
#   own = papers_network("zeros")
#   first = own.layers[0].params
#   first["bias"][...] = -np.einsum("uvcf,c->f", first["kernel"], mean)
#   found = cosine(own.trace(cloths)["flatten"].activation)
#   same = abs(found - similar["centred"]) < 0.05
#   lesson.check(
#       "hardly any difference: the cloths' mean is near 1/2", same, f"{found:.3f}, {similar['centred']:.3f}"
#   )
#   dark = papers_network("centred").trace(cloths / 20)["flatten"].activation
#   lesson.check("nearly black, bias for 1/2: all alike again", cosine(dark) > 0.95, f"cosine {cosine(dark):.3f}")
#   ```
#
#   ```text
#   hardly any difference: the cloths' mean is near 1/2: True
#   nearly black, bias for 1/2: all alike again: True
#   ```
#
#   </details>
#
# - Take `model = nn.paper_cnn((32, 32, 3))`, then `model.compile()` and `model.trace(images, y)` with some images of
#   that size and their labels: where do its signals shrink, and where do its gradients?
#
#   <details><summary>Answer</summary>
#
#   The signal shrinks most in the first convolution (glorot allows for no ReLU, and there $D = 27$ is much smaller than
#   $U = 288$). The gradient halves at every pooling: of four places one gets it, a quarter of the mean square. It
#   shrinks as well at the dense layers, where it spreads over more and more numbers.
#
#   ```python
#   model = nn.paper_cnn((32, 32, 3), random_state=0)
#   model.compile()
#   trace = model.trace(images, y)
#   for step in trace.steps[:-1]:
#       print(f"  {step.name:16s} signal {size(step.activation):.3f}  gradient {size(step.gradient):.6f}")
#   first = size(trace["re_lu"].activation) / size(trace["input"].activation)
#   lesson.check("the first convolution leaves less than a fifth of the signal", first < 0.2, f"{first:.2f}")
#   pool = size(trace["re_lu"].gradient) / size(trace["max_pooling2d"].gradient)
#   lesson.check("a pooling halves the gradient's size", 0.45 < pool < 0.55, f"{pool:.2f}")
#   ```
#
#   ```text
#   the first convolution leaves less than a fifth of the signal: True
#   a pooling halves the gradient's size: True
#   ```
#
#   </details>
