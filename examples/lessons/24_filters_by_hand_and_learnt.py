# %% [markdown]
# # 24. Filters by hand, and filters that go on learning
#
# Needs lessons 5, 14 and 23. About twenty minutes.
#
# The first filters of a network that has learnt from many photographs look like short waves: stripes of one direction
# and one width, under a bell. One can also write them down. This lesson writes them down, looks at batik through them,
# and then lets training go on from there.
#
# ## A wave under a bell
#
# Gabor's filter (1946; Daugman gave it two dimensions) of direction $t$, frequency $f$ and phase $p$:
#
# $$
# \begin{aligned}
# u &= x \cos t + y \sin t, \qquad v = -x \sin t + y \cos t \\
# g(x, y) &= \exp \Big( -\frac{u^2 + (a v)^2}{2 s^2} \Big) \cos(2 \pi f u + p)
# \end{aligned}
# $$
#
# It answers where stripes run across $u$, $f$ of them to a pixel. With $p = 0$ a crest is in the middle, with p = 90
# degrees a flank: two filters a quarter of a wave apart see the stripe wherever it lies. The package's bank has 4
# scales, 8 directions, and these two phases ([batik_scratch/nn/gabor.py](../../batik_scratch/nn/gabor.py)). A multiple
# of the bell is taken off each filter, so that its sum is 0: it is blind to brightness. And each has energy 1.
#
# ```text
# a bank of 15 x 15 x 1 x 64: True
# no filter sees brightness: sums below 1e-12: True
# the first is the formula, to ten digits: True
# filters that hang on the seed: 0 of 64
# ```

# %%
import numpy as np

from batik_scratch import motifs, nn, saliency
from batik_scratch.figures import style
from batik_scratch.learn import lesson
from batik_scratch.nn import gabor

WINDOW, SCALES, DIRECTIONS = 15, 4, 8
bank = gabor.gabor_kernel((WINDOW, WINDOW, 1, 64))  # (kh, kw, 1, F): scale, direction, phase, the last fastest
lesson.check("a bank of 15 x 15 x 1 x 64", bank.shape == (15, 15, 1, 64), f"shape {bank.shape}")
lesson.check(
    "no filter sees brightness: sums below 1e-12",
    np.abs(bank.sum(axis=(0, 1))).max() < 1e-12,
    f"{np.abs(bank.sum(axis=(0, 1))).max():.0e}",
)
y, x = np.mgrid[-7:8, -7:8].astype(float)  # (kh, kw): of the first filter t = 0, so u = x and v = y
spread = min(gabor.SPREAD / (f := gabor.WIDEST / WINDOW), gabor.LARGEST_SPREAD * WINDOW)
bell = np.exp(-(x**2 + (gabor.ASPECT * y) ** 2) / (2 * spread**2))
wave = bell * np.cos(2 * np.pi * f * x)
wave -= bell * wave.sum() / bell.sum()
off = np.abs(bank[..., 0, 0] - wave / np.linalg.norm(wave)).max()
lesson.check("the first is the formula, to ten digits", off < 1e-10, f"off by {off:.0e}")
seeds = [nn.Conv2D(64, 15, kernel_initializer="gabor") for _ in range(2)]
for seed, layer in enumerate(seeds):
    layer.build((32, 32, 1), np.random.default_rng(seed))
different = (seeds[0].params["kernel"] != seeds[1].params["kernel"]).any(axis=(0, 1, 2)).sum()
print(f"filters that hang on the seed: {different} of 64")

# %% [markdown]
# ## What the filters see
#
# How much of a filter's stripes there is in a picture, wherever it is, is one number: the mean size of the filter's
# answer over the picture. Bovik, Clark & Geisler (1990) and Jain & Farrokhnia (1991) told textures apart by such
# energies. Here are those of three patterns: the kawung and the mega mendung of the package, plain, without dyes or
# camera; and a pattern in the manner of parang, rows of blades on the diagonal, in one line of sines. The two phases
# are averaged. Directions are those in which the wave travels: 0 degrees to the right, 90 downwards; its stripes lie
# across.
#
# ```text
# parang-like: the strongest wave travels at 45 degrees, more than 10 times as strong as at 135: True
# mega mendung: the strongest wave travels at 90 degrees, more than twice as strong as at 0: True
# kawung: turned by 90 degrees, the same energies to a twentieth: True
# ```
#
# A cloud lies along the weft, so its bands follow each other downwards. Kawung's ovals stand on both diagonals alike:
# it looks the same after a quarter turn, and so do its energies. You can read off the picture which motif it was.

# %%
SIDE, FINE = 64, 4  # drawn four times as fine, then averaged
X, Y = np.meshgrid(*2 * [(np.arange(FINE * SIDE) + 0.5) / (FINE * SIDE) * 2])  # two tile heights of cloth


def averaged(fine):
    """(FINE H, FINE W) -> a grey picture as (H, W, 3)."""
    grey = fine.reshape(SIDE, FINE, SIDE, FINE).mean(axis=(1, 3))  # (H, W)
    return np.repeat(grey[..., None], 3, axis=-1).astype(np.float32)


def plain(motif, seed):
    """The motif's tones on black, its lines black."""
    geometry = motifs.ALL_MOTIFS[motif](X + 3 * seed, Y + 2 * seed, np.random.default_rng(seed))
    return averaged(np.where(geometry.distance < 0, (0.4 + 0.15 * geometry.tone) * (geometry.line > 0), 0))


across, along = (X + Y) / np.sqrt(2), (Y - X) / np.sqrt(2)
blades = np.sin(2 * np.pi * (across / 0.28 + 0.12 * np.sin(2 * np.pi * along / 0.2))) > 0
patterns = {
    "kawung": np.stack([plain("kawung", seed) for seed in range(4)]),
    "parang-like": averaged(blades.astype(float))[None],
    "mega mendung": np.stack([plain("mega_mendung", seed) for seed in range(4)]),
}


def mean_sizes(pictures, up_to=5):
    """The first layers of nn.cloth_cnn, fresh: grey, standardised, filtered, absolute, mean over places: (N, F)."""
    for layer in nn.cloth_cnn(pictures.shape[1:]).layers[:up_to]:
        pictures = layer.forward(pictures)
    return pictures


seen = {}
for name, pictures in patterns.items():
    sizes = mean_sizes(pictures).reshape(-1, SCALES, DIRECTIONS, 2).mean(axis=(0, 3))  # (scales, directions)
    seen[name] = sizes / sizes.mean()
strongest = {name: sizes.max(axis=0) for name, sizes in seen.items()}  # (directions,)
parang, mega, kawung = strongest["parang-like"], strongest["mega mendung"], seen["kawung"]
clear = parang.argmax() == 2 and parang[2] > 10 * seen["parang-like"][:2, 6].max()
lesson.check(
    "parang-like: the strongest wave travels at 45 degrees, more than 10 times as strong as at 135",
    clear,
    f"{parang[2]:.2f}, {seen['parang-like'][:2, 6].max():.3f}",
)
clear = mega.argmax() == 4 and mega[4] > 2 * mega[0]
lesson.check(
    "mega mendung: the strongest wave travels at 90 degrees, more than twice as strong as at 0",
    clear,
    f"{mega[4]:.2f}, {mega[0]:.2f}",
)
turned = np.abs(kawung / np.roll(kawung, 4, axis=1) - 1).max()
lesson.check("kawung: turned by 90 degrees, the same energies to a twentieth", turned < 0.05, f"{turned:.3f}")

# %% [markdown]
# ## The energies as a network
#
# Each step of that is a layer, and each has a backward pass: `nn.cloth_cnn` (`batik_scratch/nn/architectures.py`) is
# grey, standardise, filter, absolute value, mean. By hand, for one cloth:
#
# ```text
# the network's first layers give what loops over windows give: True
# darker and of half the contrast, the energies are the same to a twentieth: True
# ```
#
# But a cloth may lie any way, and turned by a quarter its energies stand four places further. So a dense layer follows
# that begins as a Fourier transform over the eight directions of each scale: how much there is in all, how it comes and
# goes once in half a turn, twice, and so on (`harmonics_kernel` in gabor.py). A turn moves a wave along and leaves its
# size. Absolute value and logarithm make features of that: stripes, crossed stripes and rings, each at four scales,
# however the cloth lies; the logarithm makes "twice as much" the same step on a faint and on a strong pattern. Then a
# normalisation (lesson 23) and a small network.
#
# ```text
# turned by 90 degrees, energies differ by more than a fifth: True
# features differ by less than a hundredth of what cloths differ by: True
# mirrored, too: True
# ```

# %%
size, per_class, per_test, epochs = 49, 60, 40, 40
cloths, kinds, _ = lesson.drawn_cloths(per_class, size)
others, their_kinds, masks = lesson.drawn_cloths(per_test, size, seed=7)

grey = cloths[0].astype(float) @ np.array(gabor.LUMA)  # (H, W)
grey = (grey - grey.mean()) / np.sqrt(grey.var() + 1e-3)
windows = np.lib.stride_tricks.sliding_window_view(grey, (WINDOW, WINDOW))[::2, ::2]  # (OH, OW, kh, kw)
sizes = np.abs(np.einsum("abij,ijf->abf", windows, bank[:, :, 0])).mean(axis=(0, 1))  # (F,)
STRENGTH = 10  # the network's filters begin so much larger, that a step of Adam turns them less
same = np.allclose(mean_sizes(cloths[:1])[0], STRENGTH * sizes, rtol=1e-3)
lesson.check(
    "the network's first layers give what loops over windows give",
    same,
    f"off by {np.abs(mean_sizes(cloths[:1])[0] / (STRENGTH * sizes) - 1).max():.0e}",
)
dim = np.abs(mean_sizes(0.1 + 0.5 * cloths[:3]) / mean_sizes(cloths[:3]) - 1).max()
lesson.check("darker and of half the contrast, the energies are the same to a twentieth", dim < 0.05, f"{dim:.3f}")

FEATURES = 8  # layers up to the logarithm
energies, new_energies = mean_sizes(cloths, FEATURES), mean_sizes(others, FEATURES)  # (N, 32) both
quarter, mirror = np.rot90(cloths, axes=(1, 2)), cloths[:, :, ::-1]  # (N, H, W, 3) both
moved = np.abs(mean_sizes(np.ascontiguousarray(quarter)) / mean_sizes(cloths) - 1).max()
lesson.check("turned by 90 degrees, energies differ by more than a fifth", moved > 0.2, f"by up to {moved:.2f}")


def change(pictures):
    """Mean size of what turning or mirroring changes, in units of what cloths differ by."""
    laid = mean_sizes(np.ascontiguousarray(pictures), FEATURES)  # (N, 32)
    return float((np.abs(laid - energies) / energies.std(axis=0)).mean())


neighbour = change(np.roll(cloths, 1, axis=0))
print(f"  {change(quarter):.4f} turned, {change(mirror):.4f} mirrored, {neighbour:.2f} another cloth")
lesson.check(
    "features differ by less than a hundredth of what cloths differ by",
    change(quarter) < 0.01,
    f"{change(quarter):.4f}",
)
lesson.check("mirrored, too", change(mirror) < 0.01, f"{change(mirror):.4f}")

# %% [markdown]
# ## Fixed or trained
#
# Now three motifs to tell apart, as drawn cloth with dyes and a camera. The package's drawings have been evened on
# purpose: on every cloth, how much runs at which scale in which direction is drawn from one pool, so that energies say
# *less* than they would on plain patterns (`batik_scratch/motifs/texture.py`). Something is left all the same: guessing
# would name a third of the cloths, and the fixed filters name more than a half.
#
# One network gets the fixed filters' features and learns only what is above them. The other is `nn.cloth_cnn` whole:
# the gradient goes on down through the waves, the mean, the absolute value and the convolution, into the filters. The
# two start from the same features, and both let the learning rate fall to almost nothing, so that the last epoch is a
# quiet one. We even let the fixed one pick its best epoch by looking at the new cloths, which nobody may do in earnest
# (lesson 11). Compare the loss, not the names: on so few cloths, two or three more named rightly are chance.
#
# ```text
# its own cloths, with trained filters: more than nine of ten right: True
# new cloths: more than half right with fixed filters: True
# loss on new cloths: trained filters end more than a tenth below the fixed ones' best: True
# ```

# %%


def top(shape):
    """What cloth_cnn has above its features, alone."""
    return nn.Sequential(nn.cloth_cnn((size, size, 3)).layers[FEATURES:], shape, random_state=0)


fixed = top(energies.shape[1:])
trained = nn.cloth_cnn((size, size, 3), random_state=0)
filters = trained.get_layer("filters").params["kernel"]  # (kh, kw, 1, F), changed in place
before = filters.copy()
curves = {}
for name, model, own, new, count in (
    ("fixed", fixed, energies, new_energies, epochs),
    ("trained", trained, cloths, others, epochs),
):
    model.compile(nn.Adam(2e-3))
    slower = nn.LearningRateSchedule(2e-3, count, warmup_epochs=1)
    options = {"validation_data": (new, their_kinds), "callbacks": [slower], "verbose": 0}
    curves[name] = model.fit(own, kinds, epochs=count, **options).history["val_loss"]
ends = {"fixed": fixed.evaluate(energies, kinds), "trained": trained.evaluate(cloths, kinds)}
news = {"fixed": fixed.evaluate(new_energies, their_kinds), "trained": trained.evaluate(others, their_kinds)}
for name in curves:
    print(f"  {name}: own cloths {ends[name]['accuracy']:.2f}, new cloths {news[name]['accuracy']:.2f}, ", end="")
    print(f"loss on new ones {curves[name][-1]:.2f}, at best {min(curves[name]):.2f}")
lesson.check(
    "its own cloths, with trained filters: more than nine of ten right",
    ends["trained"]["accuracy"] > 0.9,
    f"{ends['trained']['accuracy']:.2f}",
)
lesson.check(
    "new cloths: more than half right with fixed filters",
    news["fixed"]["accuracy"] > 0.5,
    f"{news['fixed']['accuracy']:.2f}",
)
better = curves["trained"][-1] < 0.9 * min(curves["fixed"])
lesson.check(
    "loss on new cloths: trained filters end more than a tenth below the fixed ones' best",
    better,
    f"{curves['trained'][-1]:.2f}, {min(curves['fixed']):.2f}",
)

# %% [markdown]
# How far did the filters go? As vectors of 225 numbers, the cosine of the angle between a filter and its start is very
# near 1: to the eye nothing has changed. (They begin ten times as large as they need to, and a step of Adam is as long
# for a large weight as for a small one.) And yet it is these small bends that count, since all places of all cloths go
# through the same 225 numbers: put the filters back as they were, leave all else as trained, and much of what was
# gained is gone.
#
# ```text
# all filters have a cosine to their start above 0.98: True
# with the filters put back, the loss on new cloths is more than a tenth higher: True
# ```

# %%
was, now = (k.reshape(-1, 64) / np.linalg.norm(k.reshape(-1, 64), axis=0) for k in (before, filters))  # (225, F) both
cosines = (was * now).sum(axis=0)  # (F,)
print("  mean cosine by scale, coarse to fine:", ", ".join(f"{c:.4f}" for c in cosines.reshape(4, 16).mean(axis=1)))
lesson.check("all filters have a cosine to their start above 0.98", cosines.min() > 0.98, f"{cosines.min():.4f}")
after = filters.copy()
filters[...] = before
back = trained.evaluate(others, their_kinds)
filters[...] = after
print(f"  with the filters put back: {back['accuracy']:.2f} right, loss {back['loss']:.2f}")
higher = back["loss"] > 1.1 * news["trained"]["loss"]
lesson.check(
    "with the filters put back, the loss on new cloths is more than a tenth higher",
    higher,
    f"{back['loss']:.2f}, {news['trained']['loss']:.2f}",
)

# %% [markdown]
# ## A map through it
#
# Lesson 14's one more step works here as it does anywhere: the gradient of a logit at the pixels. But the network's
# first layers say what the map cannot show. The same brightness added to every pixel changes nothing, because the
# standardisation takes it away; so the gradient adds up to 0 over the picture. And the mean over places has forgotten
# *where*: the map shows which lines would have to change, and lines that count are all over the cloth. Each answer
# counts with its own sign, so that the map is grainy; and towards the edge a pixel lies in fewer windows, so that the
# map fades. Do not ask it where the motif is. The last line that is printed says how little it knows of that.
#
# ```text
# the map adds up to 0, to a thousandth of its size: True
# 0.1 more light on every pixel moves no logit by more than a hundredth: True
# ```

# %%
shown = int(trained.predict(others).max(axis=1).argmax())  # the cloth of which it is surest
picture, mask = others[shown : shown + 1], masks[shown]
gradient = saliency.Gradient(trained).attribute(picture)[0]  # (H, W, 3)
lesson.check(
    "the map adds up to 0, to a thousandth of its size",
    abs(gradient.sum()) < 1e-3 * np.abs(gradient).sum(),
    f"{abs(gradient.sum()) / np.abs(gradient).sum():.0e}",
)
brighter = np.abs(trained.logits(picture + 0.1) - trained.logits(picture)).max()
lesson.check(
    "0.1 more light on every pixel moves no logit by more than a hundredth", brighter < 0.01, f"{brighter:.0e}"
)
on_motif = (gradient**2)[mask].sum() / (gradient**2).sum()
print(f"  of the gradient's energy {on_motif:.2f} lies on the motif, which is {mask.mean():.2f} of the picture")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
blue, red = style.OKABE_ITO["blue"], style.OKABE_ITO["vermillion"]
figure = style.new_figure(style.WIDE, 7.6)
grid = figure.add_gridspec(3, 6, height_ratios=(1, 0.7, 0.6))
most = max(sizes.max() for sizes in seen.values())
panels, labels = [], [f"{f * SIDE:.0f}" for f in np.geomspace(gabor.WIDEST / WINDOW, gabor.HIGHEST, SCALES)]
for index, (name, pictures) in enumerate(patterns.items()):
    axes = figure.add_subplot(grid[0, 2 * index : 2 * index + 2])
    axes.imshow(pictures[0])
    axes.set_title(name, fontsize=style.TITLE_SIZE)
    style.dress_picture(axes)
    panels.append(figure.add_subplot(grid[1, 2 * index : 2 * index + 2]))
    image = panels[-1].imshow(seen[name], cmap=style.COUNTS, vmin=0, vmax=most, aspect="auto")
    panels[-1].set_xticks((0, 2, 4, 6), ("0", "45", "90", "135"))
    panels[-1].set_yticks(range(SCALES), labels)
    panels[-1].set_xlabel("wave travels at, degrees", fontsize=style.TEXT_SIZE)
    style.dress(panels[-1], grid=False)
panels[0].set_ylabel("waves across picture", fontsize=style.TEXT_SIZE)
bar = figure.colorbar(image, ax=panels, pad=0.01)
bar.set_label("energy / mean", fontsize=style.TEXT_SIZE)
bar.ax.tick_params(labelsize=style.SMALL_SIZE)

bent = cosines.argsort()[:4]
rows = [np.hstack([np.pad(k[..., 0, i], 1, constant_values=k.max()) for i in bent]) for k in (before, filters)]
axes = figure.add_subplot(grid[2, :2])
axes.imshow(np.vstack([row / np.abs(row).max() for row in rows]), cmap="Greys")
axes.set_title("filters that turned most", fontsize=style.TEXT_SIZE)
style.dress_picture(axes)
axes.set_yticks((8, 25), ("start", "trained"), fontsize=style.SMALL_SIZE)
axes.set_xlabel("cosine " + ", ".join(f"{cosines[i]:.3f}" for i in bent), fontsize=style.SMALL_SIZE)
axes = figure.add_subplot(grid[2, 2:4])
for name, colour, dash in (("fixed", red, "--"), ("trained", blue, "-")):
    axes.plot(
        np.arange(1, len(curves[name]) + 1), curves[name], dash, color=colour, linewidth=2.2, label=f"{name} filters"
    )
axes.set_ylim(0, 1.2)
axes.set_xlabel("epoch", fontsize=style.TEXT_SIZE)
axes.set_ylabel("loss on new cloths", fontsize=style.TEXT_SIZE)
axes.set_title("learning", fontsize=style.TEXT_SIZE)
axes.legend(frameon=False, fontsize=style.SMALL_SIZE, loc="upper right")
style.dress(axes)
for index, (title, values) in enumerate((("cloth", picture[0]), ("its map", np.abs(gradient).max(axis=-1)))):
    axes = figure.add_subplot(grid[2, 4 + index])
    axes.imshow(values, cmap=style.SALIENCY, vmax=np.percentile(values, 99))
    axes.set_title(title, fontsize=style.TEXT_SIZE)
    style.dress_picture(axes)
lesson.show(figure, "24_filters_by_hand_and_learnt")

# %% [markdown]
# ## Try it
#
# - Start the convolution from glorot: a `Sequential` of `nn.cloth_cnn`'s layers, with `kernel_initializer` left away.
#   Does it need more cloths for the same loss, or fewer?
#
#   <details><summary>Answer</summary>
#
#   With the same cloths, filters that begin as noise end with a *lower* loss. They begin smaller, so that Adam's steps
#   turn them further, and the drawings have been evened in just what Gabor's filters measure. A start that suits
#   photographs need not suit these drawings: measure before you believe.
#
#   ```python
#   from batik_scratch.nn import initializers
#
#   fresh = nn.cloth_cnn((size, size, 3), random_state=0)
#   kernel = fresh.get_layer("filters").params["kernel"]
#   kernel[...] = initializers.draw("glorot_uniform", kernel.shape, np.random.default_rng(0))
#   fresh.compile(nn.Adam(2e-3))
#   options = {"validation_data": (others, their_kinds), "verbose": 0}
#   options["callbacks"] = [nn.LearningRateSchedule(2e-3, epochs, warmup_epochs=1)]
#   found = fresh.fit(cloths, kinds, epochs=epochs, **options).history["val_loss"][-1]
#   told = f"{found:.2f}, from Gabor's filters {curves['trained'][-1]:.2f}"
#   lesson.check("from glorot the loss on new cloths is lower", found < curves["trained"][-1], told)
#   ```
#
#   ```text
#   from glorot the loss on new cloths is lower: True
#   ```
#
#   </details>
#
# - Put a square of another motif into a cloth. Do the energies notice? Does the map?
#
#   <details><summary>Answer</summary>
#
#   The energies notice: they are means over all places, and a quarter of the places has changed. The map does not mark
#   the square: it is as strong there as it was before.
#
#   ```python
#   patched = cloths[:3].copy()
#   patched[:, 12:36, 12:36] = np.roll(cloths[:3], 1, axis=0)[:, 12:36, 12:36]
#   notice = (np.abs(mean_sizes(patched, FEATURES) - energies[:3]) / energies.std(axis=0)).mean()
#   lesson.check("the energies notice: by half of what cloths differ by, or more", notice > 0.5, f"{notice:.2f}")
#   inside = []
#   for pictures in (cloths[:3], patched):
#       size_of = (saliency.Gradient(trained).attribute(pictures) ** 2).sum(axis=-1)  # (3, H, W)
#       inside.append(size_of[:, 12:36, 12:36].sum() / size_of.sum())
#   same = abs(inside[1] - inside[0]) < 0.15
#   lesson.check(
#       "the map's share on the square is what it was, to 15 points", same, f"{inside[1]:.2f}, {inside[0]:.2f}"
#   )
#   ```
#
#   ```text
#   the energies notice: by half of what cloths differ by, or more: True
#   the map's share on the square is what it was, to 15 points: True
#   ```
#
#   </details>
#
# - Turn a cloth by 90 degrees (`np.rot90`). Write what happens to its energies as a permutation of the 64, and show by
#   the sums in `harmonics_kernel` that each output keeps its size. What happens at 45 degrees, and why not exactly?
#
#   <details><summary>Answer</summary>
#
#   Four directions of 22.5 degrees each: energy $k$ goes to place $k + 4$ of its scale, and the last ones to the front.
#   In the sums, $\cos(2 \pi m (k + 4) / 8) = (-1)^m \cos(2 \pi m k / 8)$, and the same for the sine: each output keeps
#   its size, and the odd ones change their sign, which the absolute value removes. At 45 degrees ($k + 2$) a quarter of
#   a wave for odd $m$ turns cosines into sines: the outputs change, and only the pair of them together keeps its size.
#   And not exactly, since pixels lie on a square lattice, which is not the same after half a right angle.
#
#   ```python
#   places = np.arange(64).reshape(SCALES, DIRECTIONS, 2)  # scale, direction, phase
#   moved = np.roll(places, 4, axis=1).ravel()  # four directions on: 4 * 22.5 degrees
#   off = np.abs(mean_sizes(np.ascontiguousarray(quarter[:9])) / mean_sizes(cloths[:9])[:, moved] - 1).max()
#   lesson.check("turned by 90 degrees the 64 energies are permuted so", off < 1e-4, f"off by {off:.0e}")
#   ```
#
#   ```text
#   turned by 90 degrees the 64 energies are permuted so: True
#   ```
#
#   </details>
#
# - Give the features to a support vector machine. Is it better than the small network?
#
#   <details><summary>Answer</summary>
#
#   About as good: what can be told from these features, both tell.
#
#   ```python
#   from sklearn.pipeline import make_pipeline
#   from sklearn.preprocessing import StandardScaler
#   from sklearn.svm import SVC
#
#   machine = make_pipeline(StandardScaler(), SVC()).fit(energies, kinds)
#   right = machine.score(new_energies, their_kinds)
#   close = abs(right - news["fixed"]["accuracy"]) < 0.1
#   lesson.check("as good as the small network, to 10 points", close, f"{right:.2f}, {news['fixed']['accuracy']:.2f}")
#   ```
#
#   ```text
#   as good as the small network, to 10 points: True
#   ```
#
#   </details>
