# %% [markdown]
# # 21. One cloth, from a distance to a photograph
#
# The embedded data set holds no photograph: every cloth is computed. This lesson builds one, step by step, with the
# package's own functions. You need no earlier lesson; it takes about ten minutes.
#
# The whole data set rests on one idea. A shape is not a list of points but a *function*: at every place $(x, y)$ it
# says how far the outline is, with a minus sign inside. Such a function is called a signed distance field.

# %%
import numpy as np

from batik_scratch.figures import style
from batik_scratch.learn import lesson
from batik_scratch.motifs import camera, cloth, fields, photograph
from batik_scratch.motifs.mega_mendung import mega_mendung
from batik_scratch.motifs.motif import banded

# %% [markdown]
# ## A field
#
# The distance to a circle of radius $r$ around $c$ is $|p - c| - r$. At the centre that is $-r$, on the outline 0, and
# outside it grows by one per unit of length.
#
# ```text
# circle of radius 0.50: centre -0.50, outline 0.00, half a unit outside 0.50
# ```

# %%
places = np.array([0.0, 0.5, 1.0])  # along the x axis
centre, outline, outside = fields.circle(places, np.zeros(3), 0, 0, 0.5)
print(f"circle of radius 0.50: centre {centre:.2f}, outline {outline:.2f}, half a unit outside {outside:.2f}")

# %% [markdown]
# Two shapes become one by taking the smaller distance: the nearest outline counts. That leaves a sharp seam where they
# meet. A smooth minimum rounds it: where the two distances are equal it digs $k / 4$ deeper than the plain minimum, and
# further than $k$ apart it *is* the plain minimum.
#
# ```text
# at the seam: union 0.10, smooth union 0.05
# far from it: union -0.40, smooth union -0.40
# ```

# %%
left, right = np.array([0.1, -0.4]), np.array([0.1, 0.6])  # distances to two shapes at two places
hard, soft = np.minimum(left, right), fields.smooth_union(left, right, 0.2)
print(f"at the seam: union {hard[0]:.2f}, smooth union {soft[0]:.2f}")
print(f"far from it: union {hard[1]:.2f}, smooth union {soft[1]:.2f}")

# %% [markdown]
# ## Bands
#
# Mega mendung is famous for its clouds nested like contour lines. Contour lines of what? Of the distance field: all
# places at the same depth below the outline. `banded` cuts the depth into steps of one width, and each step gets a tone
# from 0 to 4.
#
# ```text
# depths 0.01, 0.05, 0.09, 0.13 lie in bands of width 0.04 with tones 0.0, 1.3, 2.7, 4.0
# ```

# %%
depths = np.array([0.01, 0.05, 0.09, 0.13])
tones, _ = banded(-depths, 0.04, 4, inwards_lighter=True)
print(
    f"depths {', '.join(f'{d:.2f}' for d in depths)} lie in bands of width 0.04 "
    f"with tones {', '.join(f'{t:.1f}' for t in tones)}"
)

# %% [markdown]
# ## A cloth is asked, not painted
#
# No canvas is ever moved or resampled. The camera says where on the cloth each pixel looks (`view.x`, `view.y`), and
# the motif is evaluated there. A straight view gives evenly spaced places; a slanted one gives others; the motif's code
# does not know the difference. That is why the mask, "distance below zero", is exact in both.

# %%
SIZE = 150 if lesson.quick() else 300
straight = camera.take_view(np.random.default_rng(4), SIZE, difficulty=0.0)
slanted = camera.take_view(np.random.default_rng(6), SIZE, difficulty=0.9)
flat = mega_mendung(straight.x, straight.y, np.random.default_rng(5))
seen = mega_mendung(slanted.x, slanted.y, np.random.default_rng(5))  # the same cloth
print("the cloth:", flat.drawn)

# %% [markdown]
# ## Wax, dye, and what goes wrong
#
# The batik maker draws lines in hot wax; the dye does not reach the cloth below them. Here a wax line is where
# |distance| is small. `coverage` turns a distance into the share of a pixel that is covered, so that edges are smooth:
# a line half as wide as a pixel covers half of it.
#
# ```text
# an outline through a pixel's centre covers 0.50 of it, one half a pixel away 1.00
# ```
#
# `cloth.dye` does the rest: a palette, a filling (isen) on the ground, wax lines, dye that crept under the wax,
# crackle, weave. All of these are drawn from one pool, whatever the motif: a network that wants to tell motifs apart
# has to look at their shape.

# %%
through, beside = fields.coverage(np.array([0.0, -0.5]), 1.0)
print(f"an outline through a pixel's centre covers {through:.2f} of it, one half a pixel away {beside:.2f}")
dyed, _, drawn = cloth.dye(straight, flat, np.random.default_rng(15), difficulty=0.3)
print("the dyes:", drawn)

# %% [markdown]
# ## The photograph
#
# Light from one side, a white balance that is a little off, blur, noise, JPEG: all of it changes colours only. The one
# step that covers the cloth is a border or a caption, and it leaves the mask where it hides the motif.

# %%
colours, mask, _ = cloth.dye(slanted, seen, np.random.default_rng(15), difficulty=0.3)
photo, mask, faults = photograph.expose(colours, slanted.shade, mask, np.random.default_rng(8), difficulty=0.6)
print("the photograph:", slanted.drawn | faults)

# %% [markdown]
# The figure shows all steps. Look at the last two: the outline follows every bend of the cloth.

# %% tags=["hide-input"] jupyter={"source_hidden": true}
wax = np.minimum(np.abs(flat.distance) - cloth.LINE, np.maximum(flat.line, flat.distance))
edge = mask & ~(np.roll(mask, 1, 0) & np.roll(mask, -1, 0) & np.roll(mask, 1, 1) & np.roll(mask, -1, 1))
outlined = photo.copy()
outlined[edge] = (255, 255, 0)
limit = np.abs(flat.distance).max()
steps = [
    ("1. field: distance to the outline", flat.distance, {"cmap": "RdBu", "vmin": -limit, "vmax": limit}),
    ("2. bands: steps of depth", np.where(flat.distance < 0, flat.tone + 1, 0), {"cmap": style.COUNTS}),
    ("3. wax: where distance is small", fields.coverage(wax, straight.pixel), {"cmap": "gray"}),
    ("4. dye on a filled ground", dyed.astype(np.uint8), {}),
    ("5. photograph", photo, {}),
    ("6. where the motif is, exactly", outlined, {}),
]
figure = style.new_figure(style.WIDE, 6.4)
for axes, (title, picture, options) in zip(figure.subplots(2, 3).flat, steps, strict=True):
    axes.imshow(picture, interpolation="nearest", **options)
    axes.set_title(title, fontsize=style.TEXT_SIZE, color=style.INK)
    style.dress_picture(axes)
lesson.show(figure, "21_one_cloth")

# %% [markdown]
# ## Try it
#
# - Change `np.random.default_rng(5)`: another cloud, other bands, another way of facing.
#
#   <details><summary>Answer</summary>
#
#   The same formula with other numbers: how many lobes, how many bands, and which way the cloud faces are drawn from
#   the generator. (`drawn` holds all of them, and the data set's manifest keeps them.)
#
#   ```python
#   for seed in (5, 6):
#       other = mega_mendung(straight.x, straight.y, np.random.default_rng(seed)).drawn
#       print(f"cloud {seed}: {other['lobes']} lobes, {other['bands']} bands, {other['facing']}")
#   ```
#
#   ```text
#   cloud 5: 3 lobes, 5 bands, mirrored
#   cloud 6: 4 lobes, 5 bands, mirrored
#   ```
#
#   </details>
#
# - Replace `mega_mendung` by `keratonan` or `singa_barong` (each is one file in `batik_scratch/motifs`). Nothing else
#   changes.
#
#   <details><summary>Answer</summary>
#
#   Nothing else changes, since dye, light and camera only ask for the distance.
#
#   ```python
#   from batik_scratch.motifs.keratonan import keratonan
#
#   other = keratonan(straight.x, straight.y, np.random.default_rng(5))
#   colours, mask, _ = cloth.dye(straight, other, np.random.default_rng(15), difficulty=0.3)
#   figure = style.new_figure(style.NARROW, style.NARROW)
#   axes = figure.subplots()
#   axes.imshow(colours.astype(np.uint8))
#   style.dress_picture(axes)
#   lesson.show(figure, "21_keratonan")
#   inside = (other.distance < 0).mean()
#   lesson.check(
#       "the same dye, the mask again where the distance is below zero",
#       abs(mask.mean() - inside) < 0.02,
#       f"{inside:.2f}",
#   )
#   ```
#
#   ```text
#   the same dye, the mask again where the distance is below zero: True
#   ```
#
#   </details>
#
# - Write a motif of your own: a function of x, y and a generator that returns a `Geometry`. `kawung.py` is the shortest
#   example. One line in `ALL_MOTIFS` (`motifs/drawing.py`) and `batik-scratch data draw` knows it.
#
#   <details><summary>Answer</summary>
#
#   Here are coins in a square lattice, in ten lines. To use them as a motif, put the function into a file of
#   `batik_scratch/motifs` and add a line to `ALL_MOTIFS`.
#
#   ```python
#   from batik_scratch.motifs.motif import Geometry
#
#
#   def coins(x, y, rng):
#       """Round coins in a square lattice, each in two or three bands."""
#       period, radius = rng.uniform(0.5, 0.7), rng.uniform(0.15, 0.22)
#       u, v, _, _ = fields.tile(x, y, period, period, 0.0)  # places within a tile
#       distance = fields.circle(u, v, 0, 0, radius)
#       bands = int(rng.integers(2, 4))
#       tone, line = banded(distance, radius / bands, bands, inwards_lighter=True)
#       return Geometry(distance, tone, line - 0.006, {"period": round(period, 3), "bands": bands})
#
#
#   mine = coins(straight.x, straight.y, np.random.default_rng(0))
#   print(f"a picture of {mine.distance.shape[0]} rows: {mine.distance.shape == straight.x.shape}")
#   lesson.check(
#       "some of the cloth is motif, not all",
#       0.1 < (mine.distance < 0).mean() < 0.9,
#       f"{(mine.distance < 0).mean():.2f}",
#   )
#   ```
#
#   ```text
#   a picture of 150 rows: True
#   some of the cloth is motif, not all: True
#   ```
#
#   </details>
