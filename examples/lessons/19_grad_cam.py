# %% [markdown]
# # 19. Grad-CAM beside the gradient: where to stop on the way down
#
# Needs lesson 16, and an idea of what a convolution's feature maps are. About ten minutes.
#
# The backward pass runs from the score to the pixels. Grad-CAM stops it half-way, at the feature maps $A$ of one layer,
# and puts together two things that are both there: how strong each map is at a place, and how much the score likes that
# map.
#
# $$
# \alpha_k = \text{mean}_{ij} \, \frac{dS}{dA_{ijk}}, \qquad M_{ij} = \max \Big( 0, \sum_k \alpha_k A_{ijk} \Big)
# $$
#
# ## A case with a closed form
#
# Let the layers above $A$ be a global mean and one dense layer:
# $S_c = \sum_k w_{kc} \, \text{mean}_{ij} A_{ijk} + b_c$. Then every place has the same gradient $w_{kc} / (H W)$, and
# Grad-CAM is what was known before it as the class activation map, $\max(0, \sum_k w_{kc} A_{ijk})$, divided by $H W$.
#
# ```text
# largest difference to the class activation map: 0.0000
# HiResCAM adds up to the score minus its bias, difference 0.0000
# ```

# %%
import numpy as np

from batik_scratch import nn, saliency
from batik_scratch.figures import style
from batik_scratch.learn import lesson

layers = [nn.Conv2D(6, 3), nn.ReLU(), nn.GlobalAveragePooling2D(), nn.Dense(3), nn.Softmax()]
pooled = nn.Sequential(layers, (12, 12, 3), random_state=1, dtype="float64")
pooled.layers[3].params["bias"][...] = (0.1, 0.2, 0.3)
picture = np.random.default_rng(0).random((1, 12, 12, 3))
a = pooled.layers[1].forward(pooled.layers[0].forward(picture))  # (1, 10, 10, 6)
cam = np.maximum(a @ pooled.layers[3].params["kernel"][:, 2], 0) / 100  # (1, 10, 10)
ours = saliency.GradCAM(pooled, upsample=False).attribute(picture, target=2)[..., 0]
print(f"largest difference to the class activation map: {np.abs(ours - cam).max():.4f}")
hires = saliency.HiResCAM(pooled, upsample=False).attribute(picture, target=2)
left_over = hires.sum() - (pooled.logits(picture)[0, 2] - 0.3)
print(f"HiResCAM adds up to the score minus its bias, difference {abs(left_over):.4f}")

# %% [markdown]
# ## Where averaging goes wrong
#
# Grad-CAM takes the mean of the gradient over all places before it multiplies. If the score likes a feature on the left
# and dislikes it on the right, the mean is zero, and Grad-CAM sees nothing at all. HiResCAM multiplies place by place.
#
# Here is such a score: the brightness on the left minus the brightness on the right.
#
# ```text
# Grad-CAM finds 0.00, HiResCAM finds 4.00 on the left and -4.00 on the right
# ```

# %%
split = nn.Sequential([nn.Conv2D(1, 1), nn.Flatten(), nn.Dense(1)], (4, 4, 1), dtype="float64")
split.layers[0].params["kernel"][...] = 1.0
split.layers[2].params["kernel"][...] = np.where(np.arange(16) % 4 < 2, 0.5, -0.5)[:, None]
flat = np.ones((1, 4, 4, 1))
coarse = saliency.GradCAM(split, "conv2d", upsample=False).attribute(flat, target=0)[0, :, :, 0]
fine = saliency.HiResCAM(split, "conv2d", upsample=False).attribute(flat, target=0)[0, :, :, 0]
print(
    f"Grad-CAM finds {np.abs(coarse).sum():.2f}, HiResCAM finds {fine[:, :2].sum():.2f} on the left "
    f"and {fine[:, 2:].sum():.2f} on the right"
)

# %% [markdown]
# ## Which layer?
#
# Deep layers know more about the class and less about the place. Each pooling halves the resolution: the figure shows
# all three blocks of the network, and the gradient of lesson 16, which goes down to the pixels.
#
# ```text
# the maps are finer in earlier layers: True
# ```

# %%
model = lesson.small_network()
x, y, masks = lesson.drawn_cloths(4, model.input_shape[0], seed=5)
blocks = ["re_lu", "re_lu_1", "re_lu_2"]
sides = [saliency.GradCAM(model, b, upsample=False).attribute(x[:1], target=0).shape[1] for b in blocks]
lesson.check(
    "the maps are finer in earlier layers", sides[0] > sides[1] > sides[2], f"{', '.join(map(str, sides))} pixels"
)

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure = style.new_figure(style.WIDE, 4.9)
grid = figure.subplots(3, 6)
for row in range(3):
    one, target = x[row : row + 1], int(y[row])
    shown = [np.abs(saliency.Gradient(model).attribute(one, target=target)).max(axis=-1)[0]]
    shown += [saliency.GradCAM(model, b).attribute(one, target=target)[0, :, :, 0] for b in blocks]
    shown += [np.maximum(saliency.HiResCAM(model, "re_lu_2").attribute(one, target=target)[0, :, :, 0], 0)]
    grid[row, 0].imshow(one[0])
    for column, values in enumerate(shown, 1):
        grid[row, column].imshow(values, cmap=style.SALIENCY, vmin=0, vmax=np.percentile(values, 99.5) or 1)
names = ["cloth", "gradient", *(f"Grad-CAM, {s}x{s}" for s in sides), f"HiResCAM, {sides[2]}x{sides[2]}"]
for axes, name in zip(grid[0], names, strict=True):
    axes.set_title(name, fontsize=style.SMALL_SIZE)
for axes in grid.flat:
    style.dress_picture(axes)
lesson.show(figure, "19_grad_cam")

# %% [markdown]
# ## Try it
#
# - Give `layer="max_pooling2d_2"`: the map after pooling. Why do places vanish?
#
#   <details><summary>Answer</summary>
#
#   Max-pooling has dropped them: of four places one is left, and Grad-CAM can only put its weights where a place is. A
#   place that was strong but lost to its neighbour is in no map.
#
#   ```python
#   before = saliency.GradCAM(model, "re_lu_2", upsample=False).attribute(x, target=y)[..., 0]
#   after = saliency.GradCAM(model, "max_pooling2d_2", upsample=False).attribute(x, target=y)[..., 0]
#   places = before[0].size, after[0].size
#   lesson.check(
#       "a pooling leaves a quarter of the places, or less", places[1] <= places[0] / 4, f"{places[1]} of {places[0]}"
#   )
#   ```
#
#   ```text
#   a pooling leaves a quarter of the places, or less: True
#   ```
#
#   </details>
#
# - Grad-CAM throws the negative part away. Draw HiResCAM signed, with a diverging colour map: what speaks against the
#   class?
#
#   <details><summary>Answer</summary>
#
#   Red is what speaks against the class. It is a good part of the whole, and Grad-CAM's maximum with 0 throws it away.
#
#   ```python
#   signed = saliency.HiResCAM(model, "re_lu_2", upsample=False).attribute(x, target=y)[..., 0]
#   share = -signed[signed < 0].sum() / np.abs(signed).sum()
#   lesson.check("something speaks against the class", share > 0.01, f"{share:.0%} of the whole")
#
#   figure = style.new_figure(style.WIDE, 3.2)
#   limit = np.abs(signed[:3]).max()
#   for i, axes in enumerate(figure.subplots(1, 6)):
#       options = {"cmap": "RdBu", "vmin": -limit, "vmax": limit} if i % 2 else {}
#       axes.imshow(signed[i // 2] if i % 2 else x[i // 2], **options)
#       style.dress_picture(axes)
#   lesson.show(figure, "19_against_the_class")
#   ```
#
#   ```text
#   something speaks against the class: True
#   ```
#
#   </details>
