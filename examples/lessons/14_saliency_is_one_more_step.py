# %% [markdown]
# # 14. Saliency: one more step of the same walk
#
# Needs lesson 13. About fifteen minutes.
#
# Training stops at the first layer. It wants gradients of *parameters*, and the pixels have none to learn. A saliency
# map asks for the one gradient that training leaves out: $dS/dX$, the score's gradient at the pixels. This lesson takes
# that step by hand, says what it costs, and what one may read from it.
#
# ## The step
#
# The lowest layer is a convolution, $Y_{ijf} = b_f + \sum_{u, v, c} X_{i+u, j+v, c} \, W_{uvcf}$. The pixel $X_{pqc}$
# is in every window that covers it, and the gradient collects from all of them:
#
# $$ \frac{dS}{dX_{pqc}} = \sum_{u, v, f} \frac{dS}{dY_{p-u, q-v, f}} \, W_{uvcf} $$
#
# Every output gives its gradient back to the pixels that it came from, in the kernel's proportions. That is the adjoint
# of lesson 6, and `backward` of `batik_scratch/nn/layers/conv.py` does it when it is asked for `dx`. Four ways to the
# same map:
#
# ```text
# by hand: True
# model.input_gradient: True
# saliency.Gradient: True
# ```

# %%
import numpy as np

from batik_scratch import nn, saliency
from batik_scratch.figures import style
from batik_scratch.learn import lesson
from batik_scratch.nn.summary import backward_multiply_adds
from batik_scratch.saliency.scores import seed

model = lesson.small_network()
cloths, labels, _ = lesson.drawn_cloths(8, model.input_shape[0], seed=5)
sure = model.predict(cloths)[np.arange(len(labels)), labels]  # (N,) probability of the true class
chosen = int(sure.argmax())
x, label = cloths[chosen : chosen + 1], labels[chosen : chosen + 1]  # (1, H, W, 3), (1,)

trace = model.trace(x, seed=lambda logits: seed("logit", logits, label))
gradient = trace["input"].gradient  # (1, H, W, 3)
dy = trace["conv2d"].gradient  # (1, OH, OW, F)
kernel = model.get_layer("conv2d").params["kernel"]  # (3, 3, C, F)


def give_back(dy, kernel):
    """dS/dX from dS/dY (1, OH, OW, F): each output's gradient, added to the pixels of its window."""
    dx = np.zeros_like(x)
    oh, ow = dy.shape[1:3]
    for u in range(3):
        for v in range(3):
            dx[:, u : u + oh, v : v + ow] += dy @ kernel[u, v].T  # (1, OH, OW, F) @ (F, C)
    return dx


def compare(name, found):
    """Is it the trace's map, as far as float32 can tell?"""
    off = np.abs(found - gradient).max() / np.abs(gradient).max()
    lesson.check(name, off < 1e-4, f"largest difference {off:.0e} of the largest")


compare("by hand", give_back(dy, kernel))
compare("model.input_gradient", model.input_gradient(x, lambda logits: seed("logit", logits, label)))
compare("saliency.Gradient", saliency.Gradient(model).attribute(x, target=label))

# %% [markdown]
# ## What it costs
#
# Backwards, every layer with parameters makes two products: one for its parameters' gradients, one for $dX$. Training
# leaves out the first layer's $dX$. An explanation leaves out all parameters' gradients. For the paper's network at 150
# pixels, in multiply-adds per image (`batik-scratch summary` prints them by layer):
#
# ```text
# forward 202,073,792
# backward in training 385,222,528
# backward to the pixels 202,073,792
# of which the last step 18,925,056
# ```

# %%
paper = nn.paper_cnn()
forward = sum(layer.multiply_adds() for layer in paper.layers)
training = sum(backward_multiply_adds(paper, layer) for layer in paper.layers)
print(f"forward {forward:,}")
print(f"backward in training {training:,}")
print(f"backward to the pixels {forward:,}")  # one product per layer, each of its forward product's size
print(f"of which the last step {paper.layers[0].multiply_adds():,}")

# %% [markdown]
# ## What it says
#
# A gradient is a promise about *small* changes: if the pixels move by $d$, the score moves by $\sum d \, dS/dX$. Let
# every pixel move by the same little, up where the gradient is positive and down where it is negative. Then the promise
# is that the score grows by the sum of $|dS/dX|$ times that little. One step of an 8-bit picture is 1/255; a tenth of
# it nobody can see.
#
# ```text
# a tenth of a step: the score grows as the gradient promised, to a fifth: True
# a whole step: it still grows: True
# a whole step with random signs moves it less than a third as much: True
# ```

# %%
signs = np.sign(gradient)  # (1, H, W, 3)


def score(pictures):
    """The logit of the label."""
    return model.logits(pictures)[:, label[0]].astype(np.float64)


grown = {}
for steps in (0.1, 1, 8):
    length = np.float32(steps / 255)
    promised = length * np.abs(gradient).sum()
    grown[steps] = (score(x + length * signs) - score(x))[0]
    print(f"  every pixel by {steps:3g}/255: promised {promised:7.3f}, measured {grown[steps]:7.3f}")
tenth = grown[0.1] / (np.abs(gradient).sum() * 0.1 / 255)
lesson.check(
    "a tenth of a step: the score grows as the gradient promised, to a fifth",
    abs(tenth - 1) < 0.2,
    f"{tenth:.2f} of the promise",
)
lesson.check("a whole step: it still grows", grown[1] > 0, f"by {grown[1]:.3f}")
random_signs = np.random.default_rng(0).choice(np.float32([-1, 1]), (20, *x.shape[1:]))
by_chance = np.abs(score(x + random_signs / np.float32(255)) - score(x)).mean()
lesson.check(
    "a whole step with random signs moves it less than a third as much",
    by_chance < grown[1] / 3,
    f"{by_chance:.3f}, {grown[1]:.3f}",
)

# %% [markdown]
# That is also how adversarial pictures are made, and it is a warning: a large gradient marks a pixel to which the score
# is *sensitive*. It does not say that this pixel is why the score is high. Integrated gradients (lesson 18), gradient
# times input and occlusion (both in `batik_scratch/saliency/`) ask that other question.
#
# ## From numbers to a picture
#
# A map has a sign and three channels, and no scale. Each step to a picture loses something
# (`batik_scratch/saliency/postprocess.py`):
#
# ```text
# `reduce_channels` keeps the largest |channel| and loses the sign: True
# `normalise` loses the size: ten times the map gives the same picture: True
# and it clips about one pixel of a hundred: True
# `overlay` lays blue on by the map alone: where the map is 0 the cloth is untouched: True
# ```

# %%
largest = saliency.reduce_channels(gradient)  # (1, H, W)
shown = saliency.normalise(largest)  # (1, H, W) in [0, 1]
pixels = np.rint(x * 255).astype(np.uint8)  # (1, H, W, 3)
laid_over = saliency.overlay(pixels, shown)
unsigned = np.array_equal(largest, saliency.reduce_channels(-gradient))
lesson.check(
    "`reduce_channels` keeps the largest |channel| and loses the sign",
    unsigned,
    f"largest difference {np.abs(largest - saliency.reduce_channels(-gradient)).max():g}",
)
scaled = np.allclose(shown, saliency.normalise(10 * largest), atol=1e-5)
lesson.check(
    "`normalise` loses the size: ten times the map gives the same picture",
    scaled,
    f"largest difference {np.abs(shown - saliency.normalise(10 * largest)).max():.0e}",
)
lesson.check(
    "and it clips about one pixel of a hundred", 0.008 < (shown == 1).mean() < 0.012, f"{(shown == 1).mean():.2%}"
)
untouched = np.array_equal(saliency.overlay(pixels, np.zeros_like(shown)), pixels)
lesson.check(
    "`overlay` lays blue on by the map alone: where the map is 0 the cloth is untouched",
    untouched,
    f"{(saliency.overlay(pixels, np.zeros_like(shown)) != pixels).sum()} values changed",
)

# %% [markdown]
# The figure shows the step. Above: the gradient at the first convolution's output, for the three filters that give most
# to the pixels. In the middle: what each of them gives, through its own kernel (drawn in the corner), and the sum of
# all filters. Below: from there to the overlay of the paper's Fig. 11.

# %%
shares = np.stack([give_back(dy[..., [f]], kernel[..., [f]])[0] for f in range(kernel.shape[-1])])  # (F, H, W, C)
strongest = np.argsort(-(shares**2).sum(axis=(1, 2, 3)))[:3]

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure = style.new_figure(style.WIDE, 6.6)
above, below = figure.subfigures(2, 1, height_ratios=[4.3, 2.3])
grid = above.subplots(2, 4)


def draw(axes, values, limit, title=""):
    """A signed map: blue raises the score, red lowers it."""
    axes.imshow(values, cmap="RdBu", vmin=-limit, vmax=limit, interpolation="nearest")
    axes.set_title(title, fontsize=style.TEXT_SIZE)


top = np.percentile(np.abs(dy[..., strongest]), 99.5)
give = np.percentile(np.abs(shares[strongest]).max(axis=-1), 99.5)
for column, f in enumerate(strongest):
    draw(grid[0, column], dy[0, ..., f], top, f"filter {f + 1}")
    green = shares[f][..., 1]  # (H, W): one channel is enough to see it
    draw(grid[1, column], green, give)
    corner = grid[1, column].inset_axes((0.02, 0.68, 0.3, 0.3))
    w = kernel[..., f]  # (3, 3, C)
    corner.imshow((w - w.min()) / (w.max() - w.min()), interpolation="nearest")
    style.dress_picture(corner)
size = np.sqrt((dy[0] ** 2).sum(axis=-1))  # (OH, OW)
grid[0, 3].imshow(size, cmap=style.SALIENCY, vmax=np.percentile(size, 99), interpolation="nearest")
grid[0, 3].set_title(f"size over all {kernel.shape[-1]} filters", fontsize=style.TEXT_SIZE)
draw(grid[1, 3], gradient[0, ..., 1], np.percentile(np.abs(gradient[..., 1]), 99.5), "sum: dS/dX")
grid[0, 0].set_ylabel("dS/dY", fontsize=style.TEXT_SIZE)
grid[1, 0].set_ylabel("given to the pixels", fontsize=style.TEXT_SIZE)
last = below.subplots(1, 4)
last[0].imshow(x[0])
last[1].imshow(largest[0], cmap=style.SALIENCY, interpolation="nearest")
last[2].imshow(shown[0], cmap=style.SALIENCY, interpolation="nearest")
last[3].imshow(laid_over[0])
for axes, title in zip(last, ("cloth", "largest |channel|", "clipped, 0 to 1", "overlay"), strict=True):
    axes.set_title(title, fontsize=style.TEXT_SIZE)
for axes in (*grid.flat, *last):
    style.dress_picture(axes)
lesson.show(figure, "14_saliency_is_one_more_step")

# %% [markdown]
# ## Try it
#
# - Explain another class: `seed("logit", logits, np.array([2]))`. Which parts of the map change, and which belong to
#   the picture?
#
#   <details><summary>Answer</summary>
#
#   What differs is mostly the sign: pixels that speak for the one class speak against the other. What is alike is where
#   the map is strong: that is where the picture has edges, and the same first filters see them for every class. Lesson
#   20 asks how much of a map is only picture.
#
#   ```python
#   def map_of(c):
#       return model.trace(x, seed=lambda logits: seed("logit", logits, np.array([c])))["input"].gradient.ravel()
#
#
#   ours, other = map_of(label[0]), map_of((label[0] + 1) % 3)
#   cosine = ours @ other / np.linalg.norm(ours) / np.linalg.norm(other)
#   lesson.check("the signs are rather opposite than alike", cosine < 0, f"cosine {cosine:.2f}")
#   alike = np.corrcoef(np.abs(ours), np.abs(other))[0, 1]
#   lesson.check("the sizes are alike", alike > 0.25, f"correlation {alike:.2f}")
#   ```
#
#   ```text
#   the signs are rather opposite than alike: True
#   the sizes are alike: True
#   ```
#
#   </details>
#
# - The printed table shows where the promise ends. What has happened between one step and eight? (Kinks: lesson 4.)
#
#   <details><summary>Answer</summary>
#
#   Gates have switched. The promise was made for the linear piece on which the picture lies. With longer steps more and
#   more ReLUs open or shut (and poolings choose other winners), and another gradient holds.
#
#   ```python
#   def gates(pictures):
#       """Which units of all ReLUs are open."""
#       return np.concatenate([s.activation.ravel() > 0 for s in model.trace(pictures).steps if s.kind == "ReLU"])
#
#
#   switched = [(gates(x) != gates(x + np.float32(steps / 255) * signs)).mean() for steps in (0.1, 1, 8)]
#   more = switched[0] < switched[1] < switched[2]
#   lesson.check("the longer the step, the more gates have switched", more, " ".join(f"{s:.2%}" for s in switched))
#   ```
#
#   ```text
#   the longer the step, the more gates have switched: True
#   ```
#
#   </details>
#
# - Make the same map from the *second* convolution's gradient, without the first layer. Grad-CAM, too,
#   stops above the pixels, and multiplies by the feature maps: lesson 19.
#
#   <details><summary>Answer</summary>
#
#   It is coarser, because a pooling lies between it and the pixels, and it has no colours, since its channels are
#   features. It says where features matter, not pixels.
#
#   ```python
#   second = np.abs(trace["conv2d_1"].gradient[0]).max(axis=-1)  # (OH, OW): the largest |channel|
#   rows, columns = second.shape
#   lesson.check(
#       "the map is coarser", rows < x.shape[1] / 2, f"{rows} x {columns} in place of {x.shape[1]} x {x.shape[2]}"
#   )
#   ```
#
#   ```text
#   the map is coarser: True
#   ```
#
#   </details>
