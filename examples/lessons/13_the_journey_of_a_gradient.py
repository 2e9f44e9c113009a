# %% [markdown]
# # 13. The journey: one cloth up, one gradient down
#
# Needs lessons 2 and 5 to 8. About twenty minutes.
#
# By now every layer has been taken apart on its own. This lesson follows one picture through all of them, and one
# gradient all the way back. Training does nothing else, 32 pictures at a time.
#
# Write the network as a chain, $A_k = f_k(A_{k-1})$, from the pixels $A_0$ to the logits $A_L$, and let $S$ be a number
# computed from the logits. The chain rule says
#
# $$ \frac{dS}{dA_{k-1}} = J_k^\top \, \frac{dS}{dA_k}, \qquad J_k = \frac{dA_k}{dA_{k-1}} $$
#
# $J_k$ is huge. Nobody writes it down: a layer's `backward` is a recipe for multiplying with its transpose, and that is
# all it is. Starting at the top, each product is a vector times a matrix. Starting at the bottom it would be a matrix
# times a matrix, layer after layer. The order of the brackets is what makes learning affordable.
#
# `model.trace` ([batik_scratch/nn/trace.py](../../batik_scratch/nn/trace.py)) walks up and down and keeps everything
# that it meets. Without further arguments $S$ is the logit of the predicted class, so that the gradient starts as a 1
# for this class and a 0 for the others.
#
# ```text
# steps 0 to 3: input, conv2d, re_lu, max_pooling2d
# and the last 4: dense, re_lu_3, dense_1, softmax
# the gradient at the logits holds one 1 and two 0: True
# ```

# %%
import numpy as np

from batik_scratch.figures import style
from batik_scratch.learn import lesson

model = lesson.small_network()
cloths, labels, _ = lesson.drawn_cloths(8, model.input_shape[0], seed=5)
sure = model.predict(cloths)[np.arange(len(labels)), labels]  # (N,) probability of the true class
chosen = int(sure.argmax())
x = cloths[chosen : chosen + 1]  # (1, H, W, 3)
trace = model.trace(x)
names = [step.name for step in trace.steps]
print(f"steps 0 to 3: {', '.join(names[:4])}")
print(f"and the last 4: {', '.join(names[-4:])}")
start = trace["dense_1"].gradient
lesson.check(
    "the gradient at the logits holds one 1 and two 0",
    sorted(start.ravel().tolist()) == [0, 0, 1],
    f"{' '.join(f'{v:g}' for v in start.ravel())}",
)
for step in trace.steps[:-1]:
    zeros = (step.activation == 0).mean(), (step.gradient == 0).mean()
    shape = " x ".join(map(str, step.activation.shape[1:]))
    print(f"  {step.name:16s} {shape:14s} zeros: {zeros[0]:4.0%} of the signal, {zeros[1]:4.0%} of the gradient")

# %% [markdown]
# ## What each kind of layer does to the gradient
#
# The table shows a comb. A convolution spreads: its $dS/dX$ is different from 0 wherever one of its windows reaches.
# (The zeros that remain are in the last rows and columns: a pooling drops an odd row at the end, and what lies under it
# was never seen.) A max-pooling picks: of four places one gets the gradient, the one that won on the way up. A ReLU
# cuts: where the signal was shut, so is the gradient.
#
# ```text
# under every 2x2 pooling at least three quarters of the gradient are 0: True
# under every ReLU the gradient is 0 wherever the signal was not above 0: True
# ```

# %%
position = {step.name: index for index, step in enumerate(trace.steps)}
# what a pooling looks at, and a ReLU: the step before
pools = [trace.steps[position[step.name] - 1] for step in trace.steps if step.kind == "MaxPooling2D"]
picked = all((s.gradient == 0).mean() >= 0.75 for s in pools)
lesson.check(
    "under every 2x2 pooling at least three quarters of the gradient are 0",
    picked,
    f"{min((s.gradient == 0).mean() for s in pools):.0%} or more",
)
gates = [trace.steps[position[step.name] - 1] for step in trace.steps if step.kind == "ReLU"]
cut = all((s.gradient[s.activation <= 0] == 0).all() for s in gates)
lesson.check(
    "under every ReLU the gradient is 0 wherever the signal was not above 0",
    cut,
    f"{sum((s.activation <= 0).sum() for s in gates)} places",
)

# %% [markdown]
# ## Three checks on the way
#
# *Is it true?* A gradient at a layer says what nudging that layer's output does to the score. So nudge, and run the
# layers above. We nudge along the gradient itself: the score must grow by the length of the nudge times the size of the
# gradient. float32 leaves a few digits for such a difference, so we promise a twentieth.
#
# ```text
# a nudge at every pooling changes the score as its gradient says, to a twentieth: True
# ```

# %%
off = []
for step in trace.steps:
    if step.kind == "MaxPooling2D":
        size = np.sqrt((step.gradient**2).sum())
        scores = []
        for nudge in (0.02, -0.02):
            y = step.activation + np.float32(nudge / size) * step.gradient
            for layer in model.layers[position[step.name] : -1]:  # the input is step 0, so this is the next layer
                y = layer.forward(y)
            scores.append((y * start).sum())
        off.append(abs((scores[0] - scores[1]) / (0.04 * size) - 1))
lesson.check(
    "a nudge at every pooling changes the score as its gradient says, to a twentieth",
    max(off) < 0.05,
    f"off by {max(off):.1%}",
)

# %% [markdown]
# *Where do the parameters' gradients come from?* From the same two things, met at a layer: what came up and what comes
# down. For a convolution ([batik_scratch/nn/layers/conv.py](../../batik_scratch/nn/layers/conv.py))
#
# $$ \frac{dS}{dW_{uvcf}} = \sum_{i, j} X_{i+u, j+v, c} \, \frac{dS}{dY_{ijf}} $$
#
# which is one window of the input, shifted by $(u, v)$, times the gradient. Taken by hand from the trace:
#
# ```text
# by hand and by the layer the same: True
# ```

# %%
above = trace["conv2d"]  # its output's gradient
oh, ow = above.gradient.shape[1:3]
u, v, c = 2, 0, 1
by_hand = np.einsum("ij,ijf->f", x[0, u : u + oh, v : v + ow, c], above.gradient[0])  # (F,)
by_layer = above.grads["kernel"][u, v, c]  # (F,)
lesson.check(
    "by hand and by the layer the same",
    np.allclose(by_hand, by_layer, rtol=1e-3, atol=1e-5),
    f"largest difference {np.abs(by_hand - by_layer).max():.0e}",
)

# %% [markdown]
# *Is anything lost?* Between its kinks such a network is linear in its signal, plus its biases. Therefore, at any
# layer, the score is the signal times its gradient, plus every bias above times its own gradient (Euler's theorem on
# homogeneous functions: double the signal and those biases, and the score doubles):
#
# $$ S = \sum A_k \, \frac{dS}{dA_k} + \sum_{\text{biases above } k} b \, \frac{dS}{db} $$
#
# As the walk comes down, the first part hands over to the second whatever the biases gave, and their sum stays what it
# was.
#
# ```text
# at every one of the 15 steps the two parts add up to the score: True
# ```

# %%
score = float(trace["dense_1"].activation.max())
biases, parts = 0.0, []
for step in reversed(trace.steps[:-1]):  # the softmax has no part in a logit
    signal = float((step.activation.astype(np.float64) * step.gradient).sum())
    parts.append((step.name, signal, biases))
    if step.grads:
        biases += float((model.get_layer(step.name).params["bias"].astype(np.float64) * step.grads["bias"]).sum())
for name, signal, given in parts:
    print(f"  {name:16s} signal {signal:8.4f}   biases above {given:8.4f}   together {signal + given:8.4f}")
whole = all(abs(signal + given - score) < 1e-3 * max(1, abs(score)) for _, signal, given in parts)
lesson.check(
    f"at every one of the {len(parts)} steps the two parts add up to the score",
    whole,
    f"{score:.4f}, off by {max(abs(s + g - score) for _, s, g in parts):.0e}",
)

# %% [markdown]
# ## The journey as a picture
#
# Upper row: the signal, in one channel a layer, the one that matters most for the score; of the cloth, all three
# colours. Middle row: the gradient in that channel (of the cloth, one colour), blue where more signal would raise the
# score, red where it would lower it. At the end the logits and their gradient, the explained class in blue. Lower row:
# the gradient's size over all channels. Read the upper row from left to right and the others from right to left. The
# last picture of the lower row, under the cloth, is a saliency map. It came for nothing: lesson 14.

# %% tags=["hide-input"] jupyter={"source_hidden": true}
names = ("input", "re_lu", "max_pooling2d", "re_lu_1", "max_pooling2d_1", "re_lu_2", "max_pooling2d_2")
titles = ("cloth", "conv, ReLU", "pool", "conv, ReLU", "pool", "conv, ReLU", "pool", "logits")
figure = style.new_figure(style.WIDE, 3.8)
grid = figure.subplots(3, len(titles))
for column, name in enumerate(names):
    step = trace[name]
    a, g = step.activation[0], step.gradient[0]  # (H, W, C)
    best = int(np.abs(a * g).sum(axis=(0, 1)).argmax())
    if name == "input":
        grid[0, 0].imshow(a)
    else:
        grid[0, column].imshow(a[..., best], cmap=style.SALIENCY, interpolation="nearest")
    limit = np.percentile(np.abs(g[..., best])[g[..., best] != 0], 99)
    grid[1, column].imshow(g[..., best], cmap="RdBu", vmin=-limit, vmax=limit, interpolation="nearest")
    together = np.sqrt((g**2).sum(axis=-1))
    grid[2, column].imshow(
        together, cmap=style.SALIENCY, vmin=0, vmax=np.percentile(together, 99), interpolation="nearest"
    )
    grid[2, column].set_xlabel(f"{a.shape[0]} x {a.shape[1]} x {a.shape[2]}", fontsize=style.SMALL_SIZE - 1)
for row, values in ((0, trace["dense_1"].activation[0]), (1, start[0])):
    axes = grid[row, -1]
    bars = axes.bar(range(len(values)), values, color=[style.RIGHT if g else style.MUTED for g in start[0]])
    axes.bar_label(bars, [f"{value:.2g}" for value in values], fontsize=style.SMALL_SIZE - 2)
    axes.axhline(0, color=style.MUTED, linewidth=0.8)
    axes.margins(y=0.2)
    axes.set_box_aspect(1)
grid[2, -1].axis("off")
for column, title in enumerate(titles):
    grid[0, column].set_title(title, fontsize=style.SMALL_SIZE)
rows = ("signal \N{RIGHTWARDS ARROW}", "\N{LEFTWARDS ARROW} gradient", "\N{LEFTWARDS ARROW} its size")
for axes, text in zip(grid[:, 0], rows, strict=True):
    axes.set_ylabel(text, fontsize=style.TEXT_SIZE)
for axes in grid.flat:
    style.dress_picture(axes)
lesson.show(figure, "13_the_journey_of_a_gradient")

# %% [markdown]
# ## Try it
#
# - `model.trace(x, labels[chosen : chosen + 1])` follows the loss instead of the logit. What becomes of the pictures,
#   of their sign and of their size? (Lesson 16 has the answer.)
#
#   <details><summary>Answer</summary>
#
#   The loss is $-\log p_y$; its gradient at the logits is $p - (1 \text{ at the true class})$. For a cloth of which the
#   network is sure that is nearly $-(1 - p)$ times what the logit's is, so the pictures of the gradient are the same
#   with blue and red exchanged, and much paler before they are drawn on a scale of their own: a sure network has little
#   to learn here.
#
#   ```python
#   label = labels[chosen : chosen + 1]
#   down, up = model.trace(x, label)["input"].gradient, trace["input"].gradient
#   cosine = float((down * up).sum() / np.linalg.norm(down) / np.linalg.norm(up))
#   lesson.check("the loss's gradient points the other way", cosine < -0.9, f"cosine {cosine:.3f}")
#   smaller, unsure = np.abs(down).max() / np.abs(up).max(), 1 - float(model.predict(x)[0, label[0]])
#   lesson.check("smaller, to a factor of 2 by 1 - p", 0.5 < smaller / unsure < 2, f"{smaller:.1e}, {unsure:.1e}")
#   ```
#
#   ```text
#   the loss's gradient points the other way: True
#   smaller, to a factor of 2 by 1 - p: True
#   ```
#
#   </details>
#
# - Trace a cloth that the network gets wrong, once for the class that it says and once for the true one: `seed` is a
#   function from the logits to their gradient, `model.trace(x, seed=lambda logits: np.eye(3,
#   dtype="float32")[[label]])`. Where do they part?
#
#   <details><summary>Answer</summary>
#
#   They part at once: at the logits one gradient is a 1 for the one class, the other for the other. How far they are
#   apart below depends on the network: what raises the one logit may lower the other, or raise both, where both classes
#   listen to the same features. Read the cosines from top to bottom. The layers below carry that difference along and
#   add little to it.
#
#   ```python
#   hard, truth, _ = lesson.drawn_cloths(40, model.input_shape[0], seed=9)
#   said = model.predict(hard).argmax(axis=1)
#   wrong = int((said != truth).argmax())
#   picture, pair = hard[wrong : wrong + 1], (said[wrong], truth[wrong])
#   one, other = (model.trace(picture, seed=lambda z, c=c: np.eye(3, dtype="float32")[[c]]) for c in pair)
#   cosines = {}
#   for step in one.steps[-2::-1]:
#       a, b = step.gradient.ravel(), other[step.name].gradient.ravel()
#       cosines[step.name] = float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
#       print(f"  {step.name:16s} cosine {cosines[step.name]:5.2f}")
#   print(f"at the logits: cosine {cosines['dense_1']:.2f}")
#   told = f"cosine {cosines['input']:.2f}"
#   lesson.check("at the pixels they are still far from the same", cosines["input"] < 0.9, told)
#   ```
#
#   ```text
#   at the logits: cosine 0.00
#   at the pixels they are still far from the same: True
#   ```
#
#   </details>
#
# - Replace the biases by zeros. What remains of the second part, and how far does the score move?
#
#   <details><summary>Answer</summary>
#
#   Nothing remains of it: the signal times its gradient is the whole score, at every layer. The score itself moves, by
#   what the biases gave and by the gates that open or shut without them.
#
#   ```python
#   kept = model.get_weights()
#   model.set_weights([np.zeros_like(w) if w.ndim == 1 else w for w in kept])
#   bare = model.trace(x)
#   model.set_weights(kept)
#   signal = float((bare["input"].activation.astype(np.float64) * bare["input"].gradient).sum())
#   without = float(bare["dense_1"].activation.max())
#   alone = abs(signal - without) < 1e-3 * without
#   lesson.check("without biases the signal's part is the whole score", alone, f"{signal:.4f}, {without:.4f}")
#   print(f"  the score was {score:.4f}")
#   ```
#
#   ```text
#   without biases the signal's part is the whole score: True
#   ```
#
#   </details>
