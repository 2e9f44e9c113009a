"""The dy of one output taken for that of another: reshaped but not transposed, parts in another order, tile for repeat.

Where backward differs from the true one by nothing else, what it gives is the true gradient of another dy: one with the
same values in other places.
"""

from collections.abc import Iterator
from itertools import groupby, permutations, product

import numpy as np

from .checkup import ATOL, close
from .claim import Claim, Words, place_of
from .matrices import pair_of, tensor_word
from .sides import ENOUGH

AXES = {2: ("image", "unit"), 3: ("image", "step", "unit"), 4: ("image", "row", "column", "channel")}
HEADS = ("image", "step", "head", "unit of a head")
CHANNELS_FIRST = (0, 3, 1, 2)
SAMPLES = 12  # values of the gradient by which most candidates are seen not to fit
MOST_PLACES = 64  # of an axis whose order is looked for


def dy_of_another_output(claim: Claim) -> Iterator[Words]:
    """Every share is right but for the output whose dy it is multiplied by."""
    if claim.dy.ndim in AXES and not np.isnan(claim.true).any():
        yield from _reshaped(claim)
        yield from _tile_for_repeat(claim)
        yield from _parts_exchanged(claim)


def outputs_exchanged(claim: Claim) -> Iterator[Words]:
    """The same, by no rule that is known here: each row of the claimed matrix is another row of the true one."""
    if claim.dy.ndim not in AXES or (pair := pair_of(claim)) is None:
        return
    mixed = np.random.default_rng(0).standard_normal(pair[0].shape[1])
    keys = [matrix @ mixed for matrix in pair]
    claimed, true = (key.argsort() for key in keys)
    if np.diff(keys[1][true]).min(initial=1) < 1e-6 or not close(pair[0][claimed], pair[1][true]):
        return
    moved = np.flatnonzero(claimed != true)
    if (np.abs(pair[1]) > ATOL).sum() < 2 * len(true) or moved.size < ENOUGH:
        return  # with one value to a row the gradient itself tells it better
    stands, belongs = (place_of(int(order[moved[0]]), claim.y.shape) for order in (claimed, true))
    yield f"""dy of another output: Output by output every share in {claim.name} is right, but at {moved.size} of the
        {len(true)} outputs it is multiplied by the dy of another one: that of y{stands} stands where that of
        y{belongs} belongs. Backward takes dy in another order than forward made y: undo forward's reshapes,
        transposes and joins one by one, the last one first."""


def _reshaped(claim: Claim) -> Iterator[Words]:
    """dy lies in memory in one order of its axes, and was reshaped as if in another."""
    dy, jacobian, given = claim.dy, claim.checkup.jacobian(claim.name), claim.given.reshape(-1)
    some = np.random.default_rng(0).permutation(np.flatnonzero(np.abs(jacobian).max(axis=0) > ATOL))[:SAMPLES]
    for said, meant, taken in _wrong_reshapes(dy):
        if not close(given[some], taken.reshape(-1) @ jacobian[:, some]) or not claim.is_of(taken):
            continue
        place = next(place for place in np.ndindex(dy.shape) if taken[place] != dy[place])
        origin = place_of(int(np.flatnonzero(dy.reshape(-1) == taken[place])[0]), dy.shape)
        across = any(here != there for here, there in zip(*_images(dy, taken), strict=True))
        mixed = ", by which the images are mixed as well" if across else ""
        yield f"""dy of another output: {claim.name} is, to all digits, the gradient of a dy whose values stand in other
            places: dy lies in memory as ({said}) and was reshaped as if it were ({meant}){mixed}. So the dy of
            y{origin} stands where that of y{list(place)} belongs. A reshape moves no axis: bring the axes into that
            order by transpose first, then reshape."""
        return


def _wrong_reshapes(dy: np.ndarray) -> Iterator[tuple[str, str, np.ndarray]]:
    """(axes as they lie in memory, as they were read, what comes of it), each result once; steps may have heads."""
    seen = {bytes(dy)}  # the values as they stand are no finding
    views = [(dy.shape, AXES[dy.ndim])]
    if dy.ndim == 3:
        n, t, units = dy.shape
        views += [((n, t, heads, units // heads), HEADS) for heads in range(2, units) if units % heads == 0]
    for shape, names in views:
        orders = sorted(permutations(range(len(shape))), key=lambda order: order != CHANNELS_FIRST)
        for stored, read in product([tuple(range(len(shape)))] if names is HEADS else orders, orders):
            flat = dy.reshape(shape).transpose(stored).reshape([shape[axis] for axis in read])
            taken = np.ascontiguousarray(flat.transpose(np.argsort(read))).reshape(dy.shape)
            if bytes(taken) not in seen:
                seen.add(bytes(taken))
                said, meant = (", ".join(names[axis] for axis in order) for order in (stored, read))
                yield said, meant, taken


def _images(dy: np.ndarray, taken: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The image that each value stands in, and the one that it comes from."""
    order = dy.reshape(-1).argsort()
    origin = order[np.searchsorted(dy.reshape(-1)[order], taken.reshape(-1))]
    size = dy[0].size
    return np.arange(dy.size) // size, origin // size


def _parts_exchanged(claim: Claim) -> Iterator[Words]:
    """Along one axis other places of dy are taken than those that belong there."""
    if close(np.sort(claim.given, axis=None), np.sort(claim.true, axis=None)) and _dx_is_right(claim):
        return  # the values of one parameter were moved, and dy was not
    for axis in range(claim.dy.ndim - 1, 0, -1):
        for order in _orders(claim, axis):
            if not claim.is_of(claim.dy.take(order, axis=axis)):
                continue
            name, runs = AXES[claim.dy.ndim][axis], _runs(order)
            moved = [run for run in runs if run[0] != run[1] and _counts(claim, axis, run)]
            told = " and ".join(
                f"that of {name}{'s' if length > 1 else ''} {_span(there, length)} stands where that of"
                f" {_span(here, length)} belongs"
                for here, there, length in moved[:3]
            )
            more = f" (and so on, {len(moved)} times in all)" if len(moved) > 3 else ""
            mend = f"""Forward puts its {name}s in one order and backward takes them in another: undo the very same
                reshape, transpose or index."""
            if len(runs) <= 3:
                mend = f"""Where forward joins parts, backward splits dy at the same places, in the same order, and
                    each part goes back the way that it came: for [a, b] the first {name}s belong to a."""
            yield f"""dy of another output: {claim.name} is, to all digits, the gradient of a dy whose {name}s stand in
                another order: {told}{more}. {mend}"""
            return


def _counts(claim: Claim, axis: int, run: tuple[int, int, int]) -> bool:
    """True if the outputs whose dy was exchanged depend on the tensor at all."""
    here, _, length = run
    places = np.arange(claim.dy.size).reshape(claim.dy.shape).take(range(here, here + length), axis=axis)
    return bool((np.abs(claim.checkup.jacobian(claim.name)[places.reshape(-1)]) > ATOL).any())


def _dx_is_right(claim: Claim) -> bool:
    return claim.name != "dx" and claim.checkup.analytic["dx"] is not None and claim.checkup.right("dx")


def _orders(claim: Claim, axis: int) -> Iterator[np.ndarray]:
    """Two parts exchanged, one of two halves taken twice, and the order that both matrices tell, if there is one."""
    size = claim.dy.shape[axis]
    places = np.arange(size)
    rolled = [np.roll(places, step) for step in range(1, size)]
    of_one_place = (rolled[:1] + rolled[-1:]) if size > 2 else []  # told as a shift
    yield from rolled[1:-1] if size > 2 else rolled
    if size % 2 == 0 and size > 2:
        yield places % (size // 2)
        yield places % (size // 2) + size // 2
    if 2 < size <= MOST_PLACES and (pair := pair_of(claim)) is not None:
        shape = (*claim.dy.shape, -1)
        claimed, true = (np.moveaxis(matrix.reshape(shape), axis, 0).reshape(size, -1) for matrix in pair)
        order, left = [], list(range(size))
        for here in range(size):  # where the share of `here` is found in the claimed matrix
            found = next(
                (there for there in sorted(left, key=lambda k: k != here) if close(claimed[there], true[here])), None
            )
            if found is None:
                return
            left.remove(found)
            order.append(found)
        if not any(np.array_equal(order, known) for known in (places, places[::-1], *of_one_place)):
            yield np.array(order)


def _runs(order: np.ndarray) -> list[tuple[int, int, int]]:
    """(first place, where its dy is taken from, how many in a row)."""
    runs = []
    for _, group in groupby(enumerate(order), key=lambda one: int(one[1]) - one[0]):
        members = list(group)
        runs.append((members[0][0], int(members[0][1]), len(members)))
    return runs


def _span(first: int, length: int) -> str:
    return f"{first}:{first + length}" if length > 1 else str(first)


def _tile_for_repeat(claim: Claim) -> Iterator[Words]:
    """Between a large and a small map one pass goes by h // r and the other by h mod H, the small one's height."""
    if claim.name != "dx" or claim.x.ndim != claim.y.ndim or claim.x.ndim < 3 or (pair := pair_of(claim)) is None:
        return
    claimed, true = (matrix.reshape(*claim.y.shape, *claim.x.shape) for matrix in pair)
    if not any(close(np.sort(pair[0], axis=axis), np.sort(pair[1], axis=axis)) for axis in (0, 1)):
        return
    between = range(1, claim.x.ndim - 1)
    choices = [ways for axis in between if (ways := _ways(claim.y.shape[axis], claim.x.shape[axis]))]
    if len(choices) != len(between):
        return
    for forward, backward in product(product(*choices), repeat=2):
        if forward == backward or not (_within(true, forward) and _within(claimed, backward)):
            continue
        if not _within(claimed, forward) and not _within(true, backward):
            yield _told_of_tiles(claim, [way[0] for way in forward], [way[0] for way in backward])
            return


Way = tuple[str, bytes, tuple[int, int]]


def _ways(outputs: int, inputs: int) -> list[Way]:
    """How the places of two axes may belong together: by quotients, by remainders; one way alone if these are alike."""
    large, small = max(outputs, inputs), min(outputs, inputs)
    ratio = large // small
    here, there = np.arange(large)[:, None], np.arange(small)[None, :]
    ways: list[Way] = []
    for word, together in (
        ("repeat", here // ratio == there),
        ("tile", (here % small == there) & (here < ratio * small)),
    ):
        matrix = np.ascontiguousarray(together if outputs >= inputs else together.T)
        if not any(bytes(matrix) == known for _, known, _ in ways):
            ways.append((word, bytes(matrix), matrix.shape))
    return ways


def _within(matrix: np.ndarray, ways: tuple[Way, ...]) -> bool:
    """True if only places that belong together in these ways have a share in each other."""
    filled, half = np.abs(matrix) > ATOL, matrix.ndim // 2
    for axis, (_, together, shape) in enumerate(ways, start=1):
        others = tuple(a for a in range(matrix.ndim) if a not in (axis, half + axis))
        if (filled.any(axis=others) & ~np.frombuffer(together, bool).reshape(shape)).any():
            return False
    return True


def _told_of_tiles(claim: Claim, forward: list[str], backward: list[str]) -> Words:
    larger = claim.x if claim.x.size > claim.y.size else claim.y
    smaller = claim.y if larger is claim.x else claim.x
    letters = ("h", "w") if claim.x.ndim == 4 else ("t",)

    def index(words: list[str]) -> str:
        told = []
        for axis, (letter, word) in enumerate(zip(letters, words, strict=True), start=1):
            ratio, size = larger.shape[axis] // smaller.shape[axis], smaller.shape[axis]
            told.append(f"{letter} // {ratio}" if word == "repeat" else f"{letter} % {size}")
        return f"[{', '.join(told)}]"

    place, letter = f"[{', '.join(letters)}]", tensor_word(claim)
    if larger is claim.x:
        what = f"{letter}{place} belongs to y{index(forward)}, and is given the dy of y{index(backward)}"
    else:
        what = f"y{place} comes from {letter}{index(forward)}, and sends its dy to {letter}{index(backward)}"
    return f"""dy of another output: Every value is right but for its place: {what}. A quotient h // r belongs
        to np.repeat, which makes each value r times; a remainder h % H to np.tile, which makes the whole map several
        times. Undo the one of them that forward has, axis by axis."""
