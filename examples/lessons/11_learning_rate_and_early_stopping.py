# %% [markdown]
# # 11. When to take shorter steps, and when to stop
#
# Needs lessons 3, 7 and 10. About fifteen minutes.
#
# A batch of 32 pictures does not know the slope; it guesses it. The gradient of a batch is the true one plus noise, and
# as long as the pictures disagree about the slope, the noise does not get smaller at the bottom of the valley, where
# the true slope is nearly nothing. What does descent do there?
#
# ## The floor
#
# Take $f(w) = a w^2 / 2$ and a gradient $a w + s e$, with $e$ random, mean 0, mean square 1, anew at every step. Then
#
# $$
# w \rightarrow (1 - r a) \, w - r s e, \qquad \text{so} \qquad E \, w^2 \rightarrow (1 - r a)^2 \, E \, w^2 + r^2 s^2
# $$
#
# The walk never arrives. Its mean square settles where both sides agree:
#
# $$ V = \frac{r s^2}{a (2 - r a)} $$
#
# A third of the learning rate leaves a bit less than a third of the error. That is why the learning rate is reduced;
# and the price, that everything takes three times as many steps, is why it is not small from the start. With
# $a = s = 1$:
#
# ```text
# learning rate 0.30: mean square 0.1765
# learning rate 0.10: mean square 0.0526
# learning rate 0.03: mean square 0.0152
# ```

# %%
import numpy as np
from scipy.stats import binom

from batik_scratch import nn
from batik_scratch.figures import style
from batik_scratch.learn import lesson

for rate in (0.3, 0.1, 0.03):
    print(f"learning rate {rate:.2f}: mean square {rate / (2 - rate):.4f}")

# %% [markdown]
# `nn.SGD` (`batik_scratch/nn/optimizers.py`) walks so, if we put such gradients into a layer's `grads`. Ten thousand
# weights are ten thousand independent walks at once, all from $w = 3$:
#
# ```text
# after 300 steps all three are within a tenth of the formula: True
# reduced at steps 40 and 90, the walk ends on the floor of the smallest: True
# and it gets below 0.1 in fewer steps than the smallest alone: True
# ```

# %%


def walks(schedule, steps=300):
    """Mean square (steps,) of 10,000 noisy walks; `schedule` gives {step: learning rate from there on}."""
    rng = np.random.default_rng(1)
    layer = nn.Dense(10_000).astype("float64")
    layer.build((1,), rng)
    w = layer.params["kernel"]  # (1, 10000), changed in place
    w[...] = 3
    optimizer, found = nn.SGD(schedule[0]), []
    for step in range(steps):
        optimizer.learning_rate = schedule.get(step, optimizer.learning_rate)
        layer.grads = {"kernel": w + rng.standard_normal(w.shape), "bias": np.zeros(10_000)}
        optimizer.step([layer])
        found.append(float((w**2).mean()))
    return np.array(found)


constant = {rate: walks({0: rate}) for rate in (0.3, 0.1, 0.03)}
reduced = walks({0: 0.3, 40: 0.1, 90: 0.03})
close = all(abs(found[-50:].mean() / (rate / (2 - rate)) - 1) < 0.1 for rate, found in constant.items())
lesson.check(
    "after 300 steps all three are within a tenth of the formula",
    close,
    f"{', '.join(f'{found[-50:].mean():.4f}' for found in constant.values())}",
)
floor = 0.03 / 1.97
lesson.check(
    "reduced at steps 40 and 90, the walk ends on the floor of the smallest",
    reduced[-50:].mean() < 1.1 * floor,
    f"{reduced[-50:].mean():.4f}, the floor is {floor:.4f}",
)
sooner = (reduced < 0.1).argmax() < (constant[0.03] < 0.1).argmax()
lesson.check(
    "and it gets below 0.1 in fewer steps than the smallest alone",
    sooner,
    f"{(reduced < 0.1).argmax()} steps, not {(constant[0.03] < 0.1).argmax()}",
)

# %% [markdown]
# ## When is the floor reached?
#
# Nobody tells us $a$ and $s$. But on the floor the loss no longer falls, and that can be seen. `ReduceLROnPlateau`
# (`batik_scratch/nn/fitting/callbacks.py`) counts epochs in which the validation loss was not better than its best so
# far. When `patience` of them have gone by in a row, it multiplies the learning rate by `factor`. The paper divides by
# three. Here it is, fed by hand:
#
# ```text
# epoch 1: val_loss 1.00, then learning rate 0.0090
# epoch 2: val_loss 0.80, then learning rate 0.0090
# epoch 3: val_loss 0.85, then learning rate 0.0090
# epoch 4: val_loss 0.82, then learning rate 0.0090
# epoch 5: val_loss 0.81, then learning rate 0.0030
# epoch 6: val_loss 0.70, then learning rate 0.0030
# epoch 7: val_loss 0.70, then learning rate 0.0030
# ```

# %%
model = nn.Sequential([nn.Dense(2)], (3,))
model.compile(nn.Adam(0.009))
callback = nn.ReduceLROnPlateau("val_loss", factor=1 / 3, patience=3)
callback.model = model
callback.on_train_begin({})
for epoch, val_loss in enumerate((1.0, 0.8, 0.85, 0.82, 0.81, 0.7, 0.7)):
    callback.on_epoch_end(epoch, {"val_loss": val_loss})
    print(f"epoch {epoch + 1}: val_loss {val_loss:.2f}, then learning rate {model.optimizer.learning_rate:.4f}")

# %% [markdown]
# ## When to stop
#
# The training loss can go down for ever: the network learns its pictures by heart. The validation loss turns round at
# some time, because what is learnt by heart does not help with new cloths. `EarlyStopping` waits for that turn, for
# `patience` epochs, stops, and with `restore_best_weights` goes back to where the validation loss was lowest. The same
# network twice:
#
# ```text
# left alone, it ends with a lower loss on its training cloths than on new ones: True
# early stopping gave back the weights of its best epoch: True
# each reduction divided the learning rate by 3: True
# ```

# %%
size, epochs = (32, 28) if lesson.quick() else (64, 30)
x, y, _ = lesson.drawn_cloths(40, size)
x_new, y_new, _ = lesson.drawn_cloths(30, size, seed=1)


def train(callbacks):
    """A half-wide paper network without dropout, and its history."""
    layers = [part for filters in (16, 32, 64) for part in (nn.Conv2D(filters, 3), nn.ReLU(), nn.MaxPooling2D(2))]
    layers += [nn.Flatten(), nn.Dense(64), nn.ReLU(), nn.Dense(3), nn.Softmax()]
    network = nn.Sequential(layers, (size, size, 3), random_state=0)
    network.compile(nn.Adam(2e-3))
    fitted = network.fit(x, y, epochs=epochs, validation_data=(x_new, y_new), callbacks=callbacks, verbose=0)
    return network, fitted.history


_, alone = train([])
helped = [nn.ReduceLROnPlateau(factor=1 / 3, patience=3), nn.EarlyStopping(patience=7, restore_best_weights=True)]
stopped_model, stopped = train(helped)
by_heart = alone["loss"][-1] < alone["val_loss"][-1]
lesson.check(
    "left alone, it ends with a lower loss on its training cloths than on new ones",
    by_heart,
    f"{alone['loss'][-1]:.3f}, {alone['val_loss'][-1]:.3f}",
)
best = np.isclose(stopped_model.evaluate(x_new, y_new)["loss"], min(stopped["val_loss"]), rtol=1e-4)
lesson.check("early stopping gave back the weights of its best epoch", best, f"{min(stopped['val_loss']):.3f}")
rates = np.array(stopped["learning_rate"])
falls = rates[1:][np.diff(rates) < 0] / rates[:-1][np.diff(rates) < 0]
lesson.check(
    "each reduction divided the learning rate by 3",
    len(falls) > 0 and np.allclose(falls, 1 / 3),
    f"{len(falls)} reductions",
)
for name, history in (("alone", alone), ("with both", stopped)):
    losses = history["val_loss"]
    low = f"lowest val_loss {min(losses):.3f} in epoch {int(np.argmin(losses)) + 1}"
    print(f"  {name:9s} {len(losses)} epochs, {low}, last {losses[-1]:.3f}")

# %% [markdown]
# ## The price of looking
#
# The paper stops as soon as the accuracy reaches 90% (`StopAtAccuracy`). Suppose a network that is right on 85% of all
# cloths there are, and 142 of them to validate on. By luck alone it will be right on 128 or more of these, which is
# 90%, in one epoch of twenty. But it is asked after every epoch, and stops at the first good one:
#
# ```text
# one epoch shows 90% by luck with probability 0.05
# at least one of 30 independent epochs does with probability 0.78
# ```

# %%
lucky = binom.sf(127, 142, 0.85)
print(f"one epoch shows 90% by luck with probability {lucky:.2f}")
print(f"at least one of 30 independent epochs does with probability {1 - (1 - lucky) ** 30:.2f}")

# %% [markdown]
# Epochs that follow each other are not independent, so the truth lies between the two. The lesson stands: whatever
# chose the moment to stop cannot also say how good the network is. That takes pictures that no decision has seen.
# `EarlyStopping` has the same bias, and so has the lowest loss in the figure.

# %% tags=["hide-input"] jupyter={"source_hidden": true}
blue, red, orange = style.TRAINING, style.VALIDATION, style.OKABE_ITO["orange"]
figure = style.new_figure(style.WIDE, 4.2)
left, middle, right = figure.subplots(1, 3, width_ratios=[1.15, 1, 1])
looks = {0.3: (red, "--"), 0.03: (blue, "-.")}
for rate, (colour, dash) in looks.items():
    left.plot(constant[rate], dash, color=colour, linewidth=1.8, label=f"learning rate {rate}")
left.plot(reduced, color=style.INK, linewidth=1.8, label="0.3, then 0.1, then 0.03")
left.set_yscale("log")
left.set_ylim(0.008, 12)
left.set_xlabel("step", fontsize=style.TEXT_SIZE)
left.set_ylabel("mean square distance", fontsize=style.TEXT_SIZE)
left.set_title("noise has a floor", fontsize=style.TITLE_SIZE, loc="left")
left.legend(frameon=False, fontsize=style.SMALL_SIZE, loc="upper right")
top = 1.05 * max(alone["val_loss"])
for axes, history, title in ((middle, alone, "left alone"), (right, stopped, "both callbacks")):
    places = np.arange(1, len(history["loss"]) + 1)
    low = int(np.argmin(history["val_loss"]))
    axes.plot(places, history["loss"], color=blue, linewidth=1.8, label="training cloths")
    axes.plot(places, history["val_loss"], "--", color=red, linewidth=1.8, label="new cloths")
    axes.plot(low + 1, history["val_loss"][low], "o", color=red, markersize=8, label="lowest on new cloths")
    for place in places[1:][np.diff(history["learning_rate"]) < 0]:
        text = "learning rate / 3" if "learning rate / 3" not in axes.get_legend_handles_labels()[1] else "_"
        axes.axvline(place, color=style.MUTED, linewidth=1.2, linestyle=":", label=text)
    axes.set_xlim(0, epochs + 1)
    axes.set_ylim(0, top)
    axes.set_xlabel("epoch", fontsize=style.TEXT_SIZE)
    axes.set_title(title, fontsize=style.TITLE_SIZE, loc="left")
middle.set_ylabel("loss", fontsize=style.TEXT_SIZE)
for axes in (left, middle, right):
    style.dress(axes)
figure.legend(
    *right.get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False, fontsize=style.SMALL_SIZE
)
lesson.show(figure, "11_learning_rate_and_early_stopping")

# %% [markdown]
# ## Try it
#
# - Give the batch more pictures (`batch_size=120`): $s$ falls, and with it the floor. What happens to the time per
#   epoch?
#
#   <details><summary>Answer</summary>
#
#   An epoch computes as much as before, in one step in place of four, so it takes nearly as long: it saves three
#   updates of the weights and some overhead. But it makes one step only, and after as many epochs it has come less far.
#   Less noise is paid for with fewer steps.
#
#   ```python
#   ends = {}
#   for batch in (32, 120):
#       layers = [part for filters in (16, 32, 64) for part in (nn.Conv2D(filters, 3), nn.ReLU(), nn.MaxPooling2D(2))]
#       layers += [nn.Flatten(), nn.Dense(64), nn.ReLU(), nn.Dense(3), nn.Softmax()]
#       network = nn.Sequential(layers, (size, size, 3), random_state=0)
#       network.compile(nn.Adam(2e-3))
#       ends[batch] = network.fit(x, y, batch_size=batch, epochs=epochs, verbose=0).history["loss"][-1]
#       print(f"batches of {batch}: {-(-len(x) // batch)} steps per epoch")
#   measured = f"{ends[120]:.2f} and {ends[32]:.2f}"
#   lesson.check("after as many epochs the large batch's loss is higher", ends[120] > ends[32], measured)
#   ```
#
#   ```text
#   batches of 32: 4 steps per epoch
#   batches of 120: 1 steps per epoch
#   after as many epochs the large batch's loss is higher: True
#   ```
#
#   </details>
#
# - `min_delta` says how much better counts as better. Feed the callback by hand with `min_delta=0.05`.
#
#   <details><summary>Answer</summary>
#
#   Better by less than 0.05 does not count. Three such epochs in a row, and the rate is divided, although the loss fell
#   in every one of them.
#
#   ```python
#   callback = nn.ReduceLROnPlateau("val_loss", factor=1 / 3, patience=3, min_delta=0.05)
#   model.compile(nn.Adam(0.009))
#   callback.model = model
#   callback.on_train_begin({})
#   for epoch, val_loss in enumerate((1.0, 0.98, 0.97, 0.96, 0.9)):
#       callback.on_epoch_end(epoch, {"val_loss": val_loss})
#       print(f"epoch {epoch + 1}: val_loss {val_loss:.2f}, then learning rate {model.optimizer.learning_rate:.4f}")
#   ```
#
#   ```text
#   epoch 1: val_loss 1.00, then learning rate 0.0090
#   epoch 2: val_loss 0.98, then learning rate 0.0090
#   epoch 3: val_loss 0.97, then learning rate 0.0090
#   epoch 4: val_loss 0.96, then learning rate 0.0030
#   epoch 5: val_loss 0.90, then learning rate 0.0030
#   ```
#
#   </details>
#
# - Put the dropout back (lesson 8) between Flatten and Dense. Where does the validation loss turn round now?
#
#   <details><summary>Answer</summary>
#
#   Later, or not before the last epoch: holes make learning by heart hard. The training loss, measured with the holes,
#   falls more slowly, and stays nearer to that on new cloths.
#
#   ```python
#   layers = [part for filters in (16, 32, 64) for part in (nn.Conv2D(filters, 3), nn.ReLU(), nn.MaxPooling2D(2))]
#   layers += [nn.Flatten(), nn.Dropout(0.5), nn.Dense(64), nn.ReLU(), nn.Dense(3), nn.Softmax()]
#   holed = nn.Sequential(layers, (size, size, 3), random_state=0)
#   holed.compile(nn.Adam(2e-3))
#   found = holed.fit(x, y, epochs=epochs, validation_data=(x_new, y_new), verbose=0).history
#   gaps = [history["val_loss"][-1] - history["loss"][-1] for history in (alone, found)]
#   turns = [int(np.argmin(history["val_loss"])) + 1 for history in (alone, found)]
#   lesson.check("it turns round later, or not at all", turns[1] >= turns[0], f"epoch {turns[1]}, not {turns[0]}")
#   lesson.check(
#       "training and new cloths lie closer together", gaps[1] < gaps[0], f"{gaps[1]:.2f}, not {gaps[0]:.2f}"
#   )
#   ```
#
#   ```text
#   it turns round later, or not at all: True
#   training and new cloths lie closer together: True
#   ```
#
#   </details>
