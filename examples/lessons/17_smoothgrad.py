# %% [markdown]
# # 17. Noise, and what SmoothGrad does about it
#
# Needs lesson 16. About ten minutes.
#
# Gradient maps look noisy. Change the picture by so little that nobody sees it, and its map may change a lot. The
# reason lies in the network. Its score is made of straight pieces: between two kinks of ReLU or max-pooling (lesson 4)
# it is a straight line, and its gradient is one fixed number per pixel. A small change of the picture takes some ReLUs
# over their kink, and from one side to the other the gradient jumps.
#
# SmoothGrad (Smilkov and others, 2017) does not trust one place. It adds noise to the picture, many times anew, takes
# the gradient of each copy, and gives back their mean. So it explains another score: the score *blurred over a
# neighbourhood of pictures*, which has no kinks.
#
# ## A case with a closed form
#
# Take one ReLU unit, $S(x) = \max(0, w x + b)$. Its gradient is $w$ or 0. Under noise of standard deviation $s$ the
# unit is open with probability $\Phi((w x + b) / (s |w|))$, where $\Phi$ is the share of a bell curve that lies below a
# place, so the expected gradient is
#
# $$ E \, \frac{dS}{dx} = w \, \Phi \Big( \frac{w x + b}{s |w|} \Big) $$
#
# ```text
# at the kink the gradient is 0.00 w, and SmoothGrad tends to 0.50 w
# one noise width beyond it: 1.00 w, and 0.84 w
# ```

# %%
import numpy as np
from scipy.stats import norm

from batik_scratch import nn, saliency
from batik_scratch.figures import style
from batik_scratch.learn import lesson

unit = nn.Sequential([nn.Flatten(), nn.Dense(1), nn.ReLU()], (1, 2, 1), random_state=0, dtype="float64")
w = np.array([3.0, 4.0])  # |w| = 5
unit.layers[1].params["kernel"][...] = w[:, None]
image = np.array([[[[0.0], [1.0]]]])  # its range is 1, so sigma is the noise itself
sigma = 0.2
samples = 1000 if lesson.quick() else 4000
measured = []
for text, pre_activation in (("at the kink the gradient is", 0.0), ("one noise width beyond it:", sigma * 5)):
    unit.layers[1].params["bias"][...] = pre_activation - w @ image.ravel()
    plain = saliency.Gradient(unit).attribute(image, target=0).ravel() / w  # (2,)
    expected = norm.cdf(pre_activation / (sigma * 5))
    measured.append((saliency.SmoothGrad(unit, samples, sigma).attribute(image, target=0).ravel() / w)[0] - expected)
    print(f"{text} {plain[0]:.2f} w, and {'SmoothGrad tends to ' * (pre_activation == 0)}{expected:.2f} w")

# %% [markdown]
# The formula is exact; the method estimates it from a finite number of copies, and misses by about $0.5 / \sqrt{n}$.
#
# ```text
# SmoothGrad itself is within 0.05 of it: True
# ```

# %%
lesson.check(
    "SmoothGrad itself is within 0.05 of it", np.abs(measured).max() < 0.05, f"off by {np.abs(measured).max():.3f}"
)

# %% [markdown]
# ## How many copies?
#
# The part of the map that is chance shrinks like $1 / \sqrt{n}$: four times the copies, half of it. We see this by
# running the method with other random numbers and looking at how much its maps differ.
#
# ```text
# sixteen times the copies leave about a quarter of the scatter: True
# ```

# %%
model = lesson.small_network()
x, y, masks = lesson.drawn_cloths(2, model.input_shape[0], seed=5)
few, many = (2, 32) if lesson.quick() else (4, 64)


def scatter(copies):
    """Standard deviation over repeats, in the mean over the pixels."""
    repeats = [saliency.SmoothGrad(model, copies, 0.15, rng=r).attribute(x[:2], target=y[:2]) for r in range(6)]
    return np.std(repeats, axis=0).mean()


ratio = scatter(many) / scatter(few)
lesson.check("sixteen times the copies leave about a quarter of the scatter", 0.15 < ratio < 0.4, f"{ratio:.2f}")

# %% [markdown]
# ## How much noise?
#
# Without noise the map is the gradient. With too much, it explains another picture. Between them lies the useful range,
# usually 10 to 20% of the picture's range.
#
# ```text
# without noise SmoothGrad is the gradient: True
# ```

# %%
still = saliency.SmoothGrad(model, 3, 0.0).attribute(x, target=y)
off = np.abs(still - saliency.Gradient(model).attribute(x, target=y)).max() / np.abs(still).max()
lesson.check("without noise SmoothGrad is the gradient", off < 1e-5, f"largest difference {off:.0e} of the largest")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
levels, shown = (0.0, 0.05, 0.15, 0.3, 0.6), 20 if lesson.quick() else 50
figure = style.new_figure(style.WIDE, 3.9)
grid = figure.subplots(2, len(levels))
rng = np.random.default_rng(1)
for column, level in enumerate(levels):
    noisy = np.clip(x[1] + level * np.ptp(x[1]) * rng.standard_normal(x[1].shape), 0, 1)
    found = saliency.SmoothGrad(model, shown, level).attribute(x[1:2], target=y[1:2])  # (1, H, W, 3)
    grid[0, column].imshow(noisy)
    grid[0, column].set_title(f"noise {level:.0%}", fontsize=style.TEXT_SIZE)
    grid[1, column].imshow(saliency.normalise(saliency.reduce_channels(found))[0], cmap=style.SALIENCY)
grid[0, 0].set_ylabel("one of the copies", fontsize=style.SMALL_SIZE)
grid[1, 0].set_ylabel(f"mean of {shown} gradients", fontsize=style.SMALL_SIZE)
for axes in grid.flat:
    style.dress_picture(axes)
lesson.show(figure, "17_smoothgrad")

# %% [markdown]
# A smooth map is pleasant. That it is *right* does not follow: lesson 20 asks that question.
#
# ## Try it
#
# - `statistic="variance"` is VarGrad: where does the gradient depend most on where one stands?
#
#   <details><summary>Answer</summary>
#
#   Where the map itself is strong: there are the gates that switch. Where no filter sees anything, nothing switches,
#   and mean and variance are both small. (Divide the one by the root of the other to see more.)
#
#   ```python
#   variance = saliency.SmoothGrad(model, shown, 0.15, statistic="variance").attribute(x, target=y)
#   mean = saliency.SmoothGrad(model, shown, 0.15).attribute(x, target=y)
#   alike = np.corrcoef(np.sqrt(variance).ravel(), np.abs(mean).ravel())[0, 1]
#   lesson.check("it is large where the mean is large", alike > 0.3, f"correlation {alike:.2f}")
#   ```
#
#   ```text
#   it is large where the mean is large: True
#   ```
#
#   </details>
#
# - Replace the mean by the median. For which kinds of noise would that be better?
#
#   <details><summary>Answer</summary>
#
#   For noise in which a few values are huge: the mean is dragged along by them, the median is not. For a bell curve the
#   mean is the better one, though by little. Gradients of a deep network do have a few huge values.
#
#   ```python
#   rng = np.random.default_rng(0)
#   for name, noise in (
#       ("a bell curve", rng.normal(size=(2000, 101))),
#       ("a few huge values", rng.standard_cauchy((2000, 101))),
#   ):
#       mean, median = np.abs(noise.mean(axis=1)).mean(), np.abs(np.median(noise, axis=1)).mean()
#       print(f"{name}: the mean is off by {mean:.2f}, the median by {median:.2f}")
#   ```
#
#   ```text
#   a bell curve: the mean is off by 0.08, the median by 0.10
#   a few huge values: the mean is off by 5.72, the median by 0.13
#   ```
#
#   </details>
