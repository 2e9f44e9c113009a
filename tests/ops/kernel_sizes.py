"""Sizes at which a compiled kernel goes another way, computed from the kernels' own constants.

A changed constant moves them. Every size comes with what it must reach (so many blocks, so much in the last), and the
tests ask the package whether it does.
"""

import numpy as np
from kernel_truth import Size

from batik_scratch.ops import chunks, conv_im2col, conv_winograd, dense, direct_kernels, lanes, threads

PAPER = [Size(1, 150, 150, 3, 32), Size(1, 74, 74, 32, 64), Size(2, 36, 36, 64, 128)]  # its three convolutions


def around(full: int) -> dict[int, tuple[int, int]]:
    """Lengths around blocks of `full`, each with the blocks that it takes and what stands in the last."""
    lengths = [full - 1, full, full + 1, 2 * full, 2 * full + 1, 3 * full - 1]
    return {length: divmod(length - 1, full) for length in sorted(set(lengths)) if length > 0}


def batches(chunks: int) -> list[int]:
    """Fewer images than chunks, as many, one more, and a third round of one."""
    return sorted({1, max(1, chunks - 1), chunks, chunks + 1, 2 * chunks + 1})


# ------------------------------------------------------------------------------------------------ conv_direct


def direct_heights() -> list[tuple[Size, tuple[int, int]]]:
    """Images around one, two and three tasks of rows of squares, of even and of odd size: tasks, rows of the last."""
    found = []
    for j, (rows, (tasks, last)) in enumerate(around(direct_kernels.ROWS).items()):
        found.append((Size(2, 2 * rows + 2 + j % 2, 7 + j // 2 % 2, 1 + j % 3, 2 + j % 3), (tasks + 1, last + 1)))
    return found


def direct_lanes() -> list[tuple[Size, int, int]]:
    """Filters around one, two and three vectors, and channels whose row of four pixels fills vectors or does not.

    Each with the number of vectors and the lanes that the last leaves free.
    """
    width, found = lanes.LANES, []
    for filters, (vectors, last) in around(width).items():
        found.append((Size(1, 6, 7, 3, filters), vectors + 1, width - 1 - last))
    channels = sorted({1, max(1, width // 4), width // 4 + 1, width // 2 + 1})
    return found + [(Size(2, 5, 8, c, width), 1, 0) for c in channels]


# --------------------------------------------------------------------------------------------- conv_winograd


# rows or columns that the last tile lacks; or one that no tile has, which pooling leaves out
LACKING = (0, 1, 2, -1)


def tiles_of(size: Size) -> tuple[int, int]:
    """Tiles below and beside each other, before pooling, as the package says."""
    return conv_winograd._tiles_of(size[:4], pooled=True)


def winograd_lines() -> list[tuple[Size, tuple[int, int], int]]:
    """Lines of tiles around one, two, three vectors: size, vectors and what the last holds, columns a tile lacks."""
    found = []
    for k, f in enumerate((1, 3, lanes.LANES + 1)):
        for j, tiles in enumerate(sorted({1, 2, *(-(-length // f) for length in around(lanes.LANES))})):
            vectors, last = divmod(tiles * f - 1, lanes.LANES)
            for missing in LACKING if k == 0 and j == 1 else (LACKING[(j + k) % 4],):
                if 4 * tiles + 2 - missing > 3:
                    size = Size(1 + k // 2, 4 + j, 4 * tiles + 2 - missing, 1 + j % 2, f)
                    found.append((size, (vectors + 1, last + 1), missing))
    return found


def winograd_channels() -> list[Size]:
    """Channels around one and two vectors: whole vectors of a pixel go in lanes, the rest one by one."""
    return [Size(2, 7, 9, c, 2) for c in around(lanes.LANES)]


def tile_rows(size: Size) -> int:
    """Rows of tiles in one step, as the package says."""
    return conv_winograd._tile_rows(tiles_of(size)[1], size.c, size.f)


def shares(size: Size) -> tuple[int, int]:
    """The parts of a backward pass and the steps of a forward pass, as the package says."""
    down, across = tiles_of(size)
    return (
        conv_winograd._parts(size.n * down, across),
        conv_winograd._steps(size.n * down, across, size.c, size.f),
    )


def winograd_parts() -> list[tuple[Size, int]]:
    """Images whose rows of tiles make as many parts as there may be, and fewer, down to a row alone; the parts."""
    across, halves = conv_winograd.ENOUGH_TILES, [chunks.CHUNKS]
    while halves[-1] > 2:
        halves.append(halves[-1] // 2)
    found = [(Size(1, 6, 4 * across + 2, 2, 3), 1)]
    for j, parts in enumerate(halves):
        for n, rows in ((1, parts), (1, parts + 1), (2, parts // 2 + 1), (3, parts // 2 + 1)):
            most, missing = next(half for half in halves if half <= max(2, n * rows)), LACKING[(j + n // 3) % 4]
            found.append((Size(n, 4 * rows + 2 - missing, 4 * across + 2 - missing, 2, 3), min(most, n * rows)))
        if across > 1:
            most = next(half for half in halves if half <= 2 or half * across <= parts * (across - 1))
            found.append((Size(1, 4 * parts + 2, 4 * (across - 1) + 2, 1, 2), min(most, parts)))
    return found


def winograd_steps(group: int = 3) -> list[tuple[Size, int]]:
    """Images whose parts have one step, and two, and three; the most steps that a part has."""
    c, f, w = next(
        (c, f, w)
        for c, f in ((3, 61), (2, 7), (1, 2))
        for w in range(6, 4000, 4)
        if tile_rows(Size(1, 6, w, c, f)) == group and w >= 4 * conv_winograd.ENOUGH_TILES
    )
    full = chunks.CHUNKS * group
    batch = [(1, full, 1), (1, full + 1, 2), (2, full // 2 + 1, 2), (2, full, 2), (3, full, 3)]
    found = []
    for j, (n, down, steps) in enumerate(batch):
        missing = LACKING[j % 4]
        found.append((Size(n, 4 * down + 2 - missing, w - missing, c, f), steps))
    return found


# ------------------------------------------------------------------------------------------------ conv_im2col


def im2col_rows(size: Size, window: tuple[int, int], stride: int, dtype: str) -> int:
    """Output rows in a tile, as the package says."""
    flat = np.broadcast_to(np.zeros((), dtype), (window[0] * window[1] * size.c, size.f))
    return conv_im2col._tile_rows(flat, (size.w - window[1]) // stride + 1)


def im2col_heights(window: tuple[int, int], strides: tuple[int, int], dtype: str) -> list[tuple[Size, tuple[int, int]]]:
    """Images around one, two and three tiles of output rows; and those of one row each."""
    found = []
    for rows in (3, 1):
        w = next(w for w in range(4, 10**5) if im2col_rows(Size(1, 1, w, 3, 2), window, strides[1], dtype) == rows)
        for j, (out, (tiles, last)) in enumerate(around(rows).items()):
            h = (out - 1) * strides[0] + window[0] + j % strides[0]  # pixels that no window reaches, too
            found.append((Size(2, h, w, 3, 1 + j % 3), (tiles + 1, last + 1)))
    return found


# ------------------------------------------------------------------------------------------------------ dense


def dense_sizes() -> list[tuple[tuple[int, int, int], tuple[int, int, int]]]:
    """N, D, U around blocks and parts of a block: features of the longest block, its parts, features of the last."""
    units = 63
    examples = threads.SMALL_PRODUCT // (64 * units) + 1  # so many that a part is as short as parts get
    part = 64
    enough = -(-dense.LARGE // (units * dense.BLOCKS))  # features of a block from which the kernel is large
    found = []
    for whole in (1, 2):
        for extra in (-1, 0, 1):
            block = whole * part + extra
            while block < enough:
                block += part
            parts, last = divmod(block - 1, part)
            found.append(((examples, block * dense.BLOCKS, units), (block, parts + 1, last + 1)))
    uneven = max(enough, 2) * dense.BLOCKS + dense.BLOCKS // 2 + (dense.BLOCKS == 1)  # half of the blocks have one more
    found.append(((2, uneven, units), (-(-uneven // dense.BLOCKS), 1, -(-uneven // dense.BLOCKS))))
    short = max(1, dense.BLOCKS - 1)  # a block without features
    found.append(((2, short, -(-dense.LARGE // short)), (1, 1, 1)))
    return found
