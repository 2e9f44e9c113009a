# %% [markdown]
# # 0. Arrays, shapes, and `zip`
#
# Needs three weeks of Python: numbers, lists, loops, functions. About fifteen minutes.
#
# The lessons after this one compute with whole tables of numbers at once. This one shows how: what an array is, what
# its shape says, and the few pieces of Python that every lesson uses. If you know what `x.mean(axis=0)` does to an
# array of the shape (5, 3), go on to lesson 1.
#
# Each piece of text says what the code below it prints. Before you look at the code, guess.
#
# ## An array is a table of numbers
#
# NumPy is a library that everybody calls `np`. `np.array` makes an array of a list, or of a list of lists:
#
# ```text
# the table has the shape (2, 3): 2 rows, 3 columns, 6 numbers
# row 0: [1. 2. 3.]
# row 1, column 2: 6.0
# column 0: [1. 4.]
# all but the first column: [[2. 3.] [5. 6.]]
# ```
#
# The *shape* says how many rows and how many columns there are. Python counts from 0, so the first row is row 0.
# `table[1, 2]` is one number. A colon alone means "all of them", so `table[:, 0]` is all rows of column 0. `1:` means
# "from 1 on". The code of these lessons writes the shape of an array behind it, as a comment: `# (2, 3)`.

# %%
import numpy as np

from batik_scratch.figures import style
from batik_scratch.figures.boxes import draw_numbers, outline, tint
from batik_scratch.learn import lesson

table = np.array([[1.0, 2, 3], [4, 5, 6]])  # (2, 3)
rows, columns = table.shape
print(f"the table has the shape {table.shape}: {rows} rows, {columns} columns, {table.size} numbers")
print(f"row 0: {table[0]}")
print(f"row 1, column 2: {table[1, 2]}")
print(f"column 0: {table[:, 0]}")
print("all but the first column:", str(table[:, 1:]).replace("\n", ""))

# %% [markdown]
# Two things in that code may be new. `rows, columns = table.shape` takes a pair apart and gives both parts a name. And
# in a text with an f in front, `f"row 0: {table[0]}"`, what stands in braces is computed and put in its place. After a
# colon it may say how: `{1 / 3:.2f}` is 0.33, two digits after the point.
#
# ## Arithmetic on all numbers at once
#
# A list times 2 is a longer list. An array times 2 is an array with every number doubled. Two arrays of one shape are
# added, multiplied and compared number by number:
#
# ```text
# a list times 2: [1, 2, 3, 1, 2, 3]
# an array times 2: [2 4 6]
# [1 2 3] + [10 20 30] = [11 22 33]
# [1 2 3] * [10 20 30] = [10 40 90]
# [1 2 3] > 1 is [False True True]
# two of three are above 1: their share is 0.67
# ```
#
# The last line is a trick that you will meet often: True counts as 1 and False as 0, so the mean of a comparison is the
# share for which it holds.

# %%
small, large = np.array([1, 2, 3]), np.array([10, 20, 30])  # (3,) both
print(f"a list times 2: {[1, 2, 3] * 2}")
print(f"an array times 2: {small * 2}")
print(f"{small} + {large} = {small + large}")
print(f"{small} * {large} = {small * large}")
above = small > 1  # (3,) of True and False
print(f"{small} > 1 is [{' '.join(str(value) for value in above)}]")
print(f"two of three are above 1: their share is {above.mean():.2f}")

# %% [markdown]
# ## Along which axis?
#
# `table.sum()` adds up everything. `table.sum(axis=0)` adds along axis 0, which runs down through the rows: it makes
# the rows disappear, and a number is left for each column. `axis=1` makes the columns disappear. Look at the shapes: of
# (2, 3), axis 0 is the 2 and axis 1 is the 3, and the one that you name is gone.
#
# ```text
# sum of all: 21
# sum along axis 0: [5. 7. 9.], shape (3,)
# sum along axis 1: [ 6. 15.], shape (2,)
# mean along axis 1, kept as a column: shape (2, 1)
# ```
#
# (3,) is how Python writes a shape with a single axis. With `keepdims=True` the axis stays, with a length of 1.

# %%
print(f"sum of all: {table.sum():g}")
print(f"sum along axis 0: {table.sum(axis=0)}, shape {table.sum(axis=0).shape}")
print(f"sum along axis 1: {table.sum(axis=1)}, shape {table.sum(axis=1).shape}")
means = table.mean(axis=1, keepdims=True)  # (2, 1)
print(f"mean along axis 1, kept as a column: shape {means.shape}")

# %% [markdown]
# ## Broadcasting: a row added to a table
#
# A table of (2, 3) and a row of (3,) have different shapes, and still they can be added: the row is added to *every*
# row of the table. A column of (2, 1) is added to every column. The rule: write the shapes one below the other, aligned
# on the *right*. Two lengths fit if they are equal, or if one of them is 1 or missing; that one is repeated.
#
# $$
# (2, 3) + (3,) \rightarrow (2, 3), \qquad (2, 3) - (2, 1) \rightarrow (2, 3), \qquad (2, 3) + (2,) \text{ does not fit}
# $$
#
# ```text
# table + row: [[11. 22. 33.] [14. 25. 36.]]
# each row less its own mean: [[-1. 0. 1.] [-1. 0. 1.]]
# by loops the same: True
# ```
#
# Below, the second of these beside what it means, as two loops. `np.zeros_like(table)` is a table of zeros of the same
# shape; `range(3)` is 0, 1, 2.

# %%


def on_one_line(values):
    """The array as text on one line, with one space between numbers."""
    return " ".join(str(values).split()).replace("[ ", "[")


row = np.array([10.0, 20, 30])  # (3,)
print(f"table + row: {on_one_line(table + row)}")
centred = table - means  # (2, 3) - (2, 1) -> (2, 3)
print(f"each row less its own mean: {on_one_line(centred)}")
by_loops = np.zeros_like(table)
for i in range(2):
    for j in range(3):
        by_loops[i, j] = table[i, j] - means[i, 0]
lesson.check(
    "by loops the same", np.array_equal(centred, by_loops), f"largest difference {(centred - by_loops).max():g}"
)

# %% [markdown]
# ## Reading an error
#
# Sooner or later shapes do not fit, and Python stops with many lines. Read the *last* line first: it says what is
# wrong. Then go up to the last line that is your own code: it says where. Here somebody adds two numbers, meant for the
# two rows, to the table:
#
# ```text
# ValueError: operands could not be broadcast together with shapes (2,3) (2,)
# as a column it fits: (2, 3)
# ```
#
# The error names both shapes. Aligned on the right, the 3 stands above a 2. The cure is to make a column of the two
# numbers: `reshape` gives the same numbers another shape, and -1 means "as many as are left". Whenever you are lost in
# one of the lessons, print `x.shape`.

# %%
two = np.array([100.0, 200])  # (2,)
try:
    table + two
except ValueError as problem:  # so that the lesson goes on; without these lines Python would stop here
    print(f"ValueError: {problem}".strip())
print(f"as a column it fits: {(table + two.reshape(-1, 1)).shape}")

# %% [markdown]
# ## `zip`, `enumerate`, and lists in one line
#
# `zip` walks along two lists side by side, like a zip fastener. `enumerate` walks along one and counts. A list
# comprehension is a loop that builds a list: `[2 * v for v in values]` is "2 times v, for every v in values", and with
# an `if` only some of them.
#
# ```text
# keratonan has 217 photographs
# mega mendung has 200 photographs
# singa barong has 151 photographs
# number 0 is keratonan, number 1 is mega mendung, number 2 is singa barong
# more than 160: keratonan, mega mendung
# as a dictionary: 200
# ```
#
# With `strict=True`, `zip` stops with an error if one list is longer; without it, the rest would be dropped in silence.
# A dictionary, `{name: count, ...}`, is a list that is asked by name in place of a number.

# %%
names, counts = ["keratonan", "mega mendung", "singa barong"], [217, 200, 151]  # the photographs of the paper
for name, count in zip(names, counts, strict=True):
    print(f"{name} has {count} photographs")
print(", ".join(f"number {i} is {name}" for i, name in enumerate(names)))
many = [name for name, count in zip(names, counts, strict=True) if count > 160]
print(f"more than 160: {', '.join(many)}")
asked = dict(zip(names, counts, strict=True))
print(f"as a dictionary: {asked['mega mendung']}")

# %% [markdown]
# ## A picture is an array
#
# A picture has three axes: its rows, its columns, and three numbers per place, for red, green and blue. A number of
# pictures has a fourth axis in front. All lessons use this order, and these letters: N pictures, H rows (height), W
# columns (width), C channels (colours).
#
# ```text
# three cloths: shape (3, 48, 48, 3)
# one of them: shape (48, 48, 3)
# its red alone: shape (48, 48)
# its upper half: shape (24, 48, 3)
# as one long row of numbers: shape (6912,)
# its mean colour has the shape (3,)
# ```
#
# Nothing here is more than slicing and axes. `axis=(0, 1)` makes two axes disappear at once.

# %%
cloths, _, _ = lesson.drawn_cloths(1, 48, seed=5)  # (N, H, W, C); the underscores: two more results that we do not need
cloth = cloths[1]
print(f"three cloths: shape {cloths.shape}")
print(f"one of them: shape {cloth.shape}")
print(f"its red alone: shape {cloth[:, :, 0].shape}")
print(f"its upper half: shape {cloth[:24].shape}")
print(f"as one long row of numbers: shape {cloth.reshape(-1).shape}")
colour = cloth.mean(axis=(0, 1))  # (3,)
print(f"its mean colour has the shape {colour.shape}")

# %% [markdown]
# The figure: the table with what its axes are, the row that is added to each of its rows, and the cloth sliced in four
# ways.

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure = style.new_figure(style.WIDE, 4.2)
above, below = figure.subfigures(2, 1, height_ratios=[1.7, 2.5])
parts = above.subplots(1, 7, width_ratios=[3, 0.5, 3, 0.5, 3, 0.9, 1])
blue, orange = tint("sky blue"), tint("orange")
sums = table.sum(axis=1, keepdims=True)  # (2, 1)
tables = [
    (table, [[blue] * 3] * 2, "table (2, 3)"),
    (np.vstack([row, row]), [[orange] * 3, [tint("orange", 0.15)] * 3], "row (3,), repeated"),
    (table + row, None, "table + row (2, 3)"),
    (sums, [[blue]] * 2, "sum\nalong axis 1"),
]
for axes, (values, fill, title) in zip(parts[::2], tables, strict=True):
    draw_numbers(axes, values, fill, title)
outline(parts[2], 0, 0, 1, 3, "orange")
for axes, sign in zip(parts[1::2], ("+", "=", ""), strict=True):
    axes.axis("off")
    axes.text(0.5, 0.45, sign, ha="center", va="center", fontsize=20, transform=axes.transAxes)
pictures = [
    ("cloth (48, 48, 3)", cloth, {}),
    ("cloth[:, :, 0]: red (48, 48)", cloth[:, :, 0], {"cmap": "gray", "vmin": 0, "vmax": 1}),
    ("cloth[:24, 12:36]", cloth[:24, 12:36], {}),
    ("1 - cloth", 1 - cloth, {}),
    ("cloth - colour, plus 1/2", np.clip(cloth - colour + 0.5, 0, 1), {}),
]
for axes, (title, picture, options) in zip(below.subplots(1, 5), pictures, strict=True):
    axes.imshow(picture, interpolation="nearest", **options)
    axes.set_title(title, fontsize=style.SMALL_SIZE)
    style.dress_picture(axes)
lesson.show(figure, "00_arrays_shapes_and_zip")

# %% [markdown]
# ## Try it
#
# - Guess the shapes before you print them: `cloths[0, :, :, 1]`, `cloths.mean(axis=0)`, `cloths[:, ::2, ::2]`.
#
#   <details><summary>Answer</summary>
#
#   A number in the brackets makes an axis disappear; `axis=0` makes the first one disappear; `::2` takes every second
#   row or column.
#
#   ```python
#   print(cloths[0, :, :, 1].shape, cloths.mean(axis=0).shape, cloths[:, ::2, ::2].shape)
#   ```
#
#   ```text
#   (48, 48) (48, 48, 3) (3, 24, 24, 3)
#   ```
#
#   </details>
#
# - Which of these fit: (48, 48, 3) + (3,), (48, 48, 3) + (48,), (48, 48, 3) * (48, 48, 1)?
#
#   <details><summary>Answer</summary>
#
#   Align on the right. A 48 does not fit a 3, although there are two 48s further left: only the order counts.
#
#   ```python
#   for shape in ((3,), (48,), (48, 48, 1)):
#       try:
#           print(f"{shape}: fits, {np.broadcast_shapes((48, 48, 3), shape)}")
#       except ValueError:
#           print(f"{shape}: does not fit")
#   ```
#
#   ```text
#   (3,): fits, (48, 48, 3)
#   (48,): does not fit
#   (48, 48, 1): fits, (48, 48, 3)
#   ```
#
#   </details>
#
# - Write the mean colour of every cloth in one line, as an array of the shape (3, 3).
#
#   <details><summary>Answer</summary>
#
#   `cloths.mean(axis=(1, 2))` makes rows and columns disappear, and leaves a colour for each cloth.
#
#   ```python
#   colours = cloths.mean(axis=(1, 2))  # (3, 3): a cloth, a colour
#   print(f"shape {colours.shape}")
#   lesson.check("its row 1 is the colour from above", np.allclose(colours[1], colour), str(colours[1].round(2)))
#   ```
#
#   ```text
#   shape (3, 3)
#   its row 1 is the colour from above: True
#   ```
#
#   </details>
#
# - With `zip` and a list comprehension: which motifs have an odd number of photographs?
#
#   <details><summary>Answer</summary>
#
#   `%` gives the rest of a division; an odd number leaves 1.
#
#   ```python
#   print([name for name, count in zip(names, counts, strict=True) if count % 2 == 1])
#   ```
#
#   ```text
#   ['keratonan', 'singa barong']
#   ```
#
#   </details>
