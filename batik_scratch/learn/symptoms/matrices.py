"""What the claimed and the true Jacobian, side by side, say: rows that are scaled, gates that are left out.

backward is linear in dy, so that its own matrix can be read off, one dy of zeros and a single one at a time. Row i of
either matrix says how output i moves the tensor.
"""

from collections.abc import Iterator

import numpy as np

from .checkup import ATOL, close
from .claim import Claim, Words, place_of_largest
from .sides import parted

Pair = tuple[np.ndarray, np.ndarray]  # claimed and true, both (y.size, tensor.size)
SLOPES = (
    ("1 - y^2, that of tanh", lambda y: 1 - y**2),
    ("y (1 - y), that of the sigmoid", lambda y: y * (1 - y)),
    ("y, that of exp", lambda y: y),
    ("1 - exp(-y), that of softplus", lambda y: 1 - np.exp(-y)),
    ("2 sqrt(y), that of a square", lambda y: 2 * np.sqrt(np.abs(y))),
)


def gate_not_applied(claim: Claim) -> Iterator[Words]:
    """Outputs that forward shut still count; all others are right."""
    if (pair := pair_of(claim)) is None:
        return
    claimed, true = pair
    shut = np.all(np.abs(true) <= ATOL, axis=1)
    leaking = shut & (np.abs(claimed) > ATOL).any(axis=1)
    if leaking.sum() < 2 or shut.all() or leaking.sum() < 0.6 * shut.sum() or not close(claimed[~shut], true[~shut]):
        return
    yield f"""gate not applied: For {leaking.sum()} of the {len(true)} outputs moving {tensor_word(claim)} changes
        nothing, and yet their dy counts{_side(claim, shut)}; for all other outputs the gradient is
        right.{_others_right(claim)} Multiply dy by forward's gate, or pick those places by its mask, before
        {claim.name} is summed."""


def mask_of_the_outputs(claim: Claim) -> Iterator[Words]:
    """Just those outputs count that forward shut out, or some of both: the mask is another one than forward's."""
    if (pair := pair_of(claim)) is None:
        return
    claimed, true = pair
    open_, counted = (np.any(np.abs(matrix) > ATOL, axis=1) for matrix in (true, claimed))
    wrongly, lost = counted & ~open_, open_ & ~counted
    if min(wrongly.sum(), lost.sum()) < 4 or not close(claimed[open_ & counted], true[open_ & counted]):
        return
    for letter, value in (("x", claim.x), ("y", claim.y)):
        if value.size != len(true):
            continue
        sides = parted(letter, value.reshape(-1)[open_], value.reshape(-1)[wrongly])
        if sides is None:
            continue
        if not value.reshape(-1)[wrongly].any():
            sides = sides[0], f"{letter} = 0"
        where = f"{tensor_word(claim)} reaches the outputs where {sides[0]} alone"
        if not (open_ & counted).any():
            yield f"""mask inverted: Forward's {where}, and its gradient is summed over those where {sides[1]}, all
                {wrongly.sum()} of them.{_others_right(claim)} Take the other side of the mask that forward kept."""
        else:
            yield f"""wrong mask: Forward's {where}; in its gradient {wrongly.sum()} outputs count where {sides[1]},
                and {lost.sum()} that should do not.{_others_right(claim)} Use the very mask of forward."""
        return


def slope_missing(claim: Claim) -> Iterator[Words]:
    """Each output's share lacks the same factor, the slope of the function that forward applies last."""
    if (factors := row_factors(claim)) is None or np.ptp(factors[0]) < 1e-6:
        return
    factor, known = factors
    y = claim.y.reshape(-1)[known]
    for words, slope in SLOPES:
        with np.errstate(all="ignore"):
            if close(factor * slope(y), np.ones_like(y)):
                yield f"""activation's slope missing: Each output's share in the gradient is right but for the factor
                    {words}, at all {known.sum()} outputs.{_others_right(claim)} dy first goes back through the
                    function that forward applied last, and that product is what {claim.name} is made of."""
                return
            if close(factor, slope(y)):
                yield f"""activation's slope twice: Each output's share has the factor {words}, once too often, at all
                    {known.sum()} outputs.{_others_right(claim)} Multiply dy by it once."""
                return


def wrong_count(claim: Claim) -> Iterator[Words]:
    """Each output's share has the factor k_i / k: forward divides by the number that each window has."""
    if (factors := row_factors(claim)) is None or claim.name != "dx":
        return
    factor, known = factors
    counts = (np.abs(claim.checkup.jacobian(claim.name)) > ATOL).sum(axis=1)[known]
    if len(set(counts)) < 2 or np.ptp(factor / counts) > 1e-6 * abs(factor[0] / counts[0]):
        return
    divisor = counts[0] / factor[0]
    wrong = int((np.abs(factor - 1) > 1e-6).sum())
    yield f"""wrong count at the edge: Output by output dx is right up to a factor, and that factor is the number of
        inputs which the output has, over {divisor:.6g}: wrong at {wrong} of {len(factor)} outputs. Forward divides each
        window by the number of values that it really has ({", ".join(map(str, sorted(set(counts))))}), backward all of
        them by {divisor:.6g}."""


def factor_by_output(claim: Claim) -> Iterator[Words]:
    """Right up to a factor of each output's own, which nothing above knows."""
    factors = row_factors(claim)
    if factors is None or (np.abs(claim.checkup.jacobian(claim.name)) > ATOL).sum() < 2 * factors[1].sum():
        return  # with one value to an output there is always such a factor
    factor = factors[0]
    if np.ptp(factor) > 1e-5 and len(factor) >= 4:
        yield f"""a factor to each output: Output by output the gradient is right up to a factor, from
            {factor.min():.4g} to {factor.max():.4g}{_equal_to(claim, factors)}. dy[i] is to be multiplied by
            something else before it goes
            back: which factor of output i does forward have, and backward forgets or doubles?"""


def counted_once(claim: Claim) -> Iterator[Words]:
    """A value that reaches several outputs gets the dy of one of them."""
    if (pair := pair_of(claim)) is None:
        return
    claimed, true = pair
    reaches, kept = np.abs(true) > ATOL, np.abs(claimed) > ATOL
    several = reaches.sum(axis=0) > 1
    if several.sum() < 2 or (kept & ~reaches).any() or not close(claimed[kept], true[kept]):
        return
    if not (kept.sum(axis=0) == reaches.any(axis=0)).all() or (claim.dy.ndim == 4 and not several.all()):
        return
    chosen = kept.argmax(axis=0)[several]
    first = (chosen == reaches.argmax(axis=0)[several]).all()
    last = (chosen == len(true) - 1 - reaches[::-1].argmax(axis=0)[several]).all()
    which = "the first" if first else "the last" if last else "one"
    column = int(np.flatnonzero(several)[0])
    place = tuple(int(i) for i in np.unravel_index(column, claim.given.shape))
    total = int(reaches[:, column].sum())
    yield f"""repeated use counted once: {several.sum()} values of {tensor_word(claim)} each reach several outputs, and
        get the dy of {which} of them alone: the value at {place} reaches {total} outputs, so its gradient is the sum of
        {total} terms. If forward repeats values, sum over the repeats; if it looks up rows by an index, use np.add.at:
        table[index] += counts a repeated index once."""


def another_x_taken(claim: Claim) -> Iterator[Words]:
    """A parameter's gradient multiplies dy by the input at another place than forward does."""
    if claim.name == "dx" or claim.true.ndim < 2 or (pair := pair_of(claim)) is None:
        return
    claimed, true = pair
    places = [found for matrix in (true, claimed) if (found := _places_in(claim.x, matrix)) is not None]
    if len(places) < 2:
        return
    both = (np.abs(claimed) > ATOL) & (np.abs(true) > ATOL)
    differ = both & (places[0] != places[1])
    if not differ.any() or not both.any():
        return
    row, column = (int(i) for i in np.argwhere(differ)[0])
    here = tuple(int(i) for i in np.unravel_index(column, claim.given.shape))
    output = tuple(int(i) for i in np.unravel_index(row, claim.y.shape))
    forward, backward = (tuple(int(i) for i in np.unravel_index(place[row, column], claim.x.shape)) for place in places)
    yield f"""another input taken: Between y{list(output)} and {claim.name}{list(here)} forward multiplies by
        x{list(forward)}, and backward by x{list(backward)}; so at {differ.sum()} of {both.sum()} such pairs.
        {_steps(claim, places)}Use the same slice of x in both: the same start, stride and dilation."""


def _steps(claim: Claim, places: list) -> str:
    """How far forward and backward go in x from one kernel row (or column) to the next, if that tells them apart."""
    shape = claim.given.shape
    if len(shape) != 4 or claim.x.ndim != 4:
        return ""
    said = []
    for axis, word in enumerate(("row", "column")):
        if shape[axis] < 2:
            continue
        ends = [np.ravel_multi_index((*(step if a == axis else 0 for a in (0, 1)), 0, 0), shape) for step in (0, 1)]
        moves = []
        for place in places:
            shared = np.flatnonzero((place[:, ends] >= 0).all(axis=1))
            if not shared.size:
                break
            from_, to = (np.unravel_index(place[shared[0], end], claim.x.shape)[axis + 1] for end in ends)
            moves.append(int(to - from_))
        if len(moves) == 2 and moves[0] != moves[1]:
            said.append(f"From one kernel {word} to the next forward goes {moves[0]} {word}s on, backward {moves[1]}. ")
    return "".join(said)


def _places_in(x: np.ndarray, matrix: np.ndarray) -> np.ndarray | None:
    """The flat index in x of each value of the matrix (-1 for a zero), if every one is a value of x."""
    order = x.argsort(axis=None)
    values = x.reshape(-1)[order]
    nearest = np.clip(np.searchsorted(values, matrix), 1, len(values) - 1)
    nearest -= matrix - values[nearest - 1] < values[nearest] - matrix
    filled = np.abs(matrix) > ATOL
    if not filled.any() or (np.abs(values[nearest] - matrix)[filled] > 1e-6).any():
        return None
    return np.where(filled, order[nearest], -1)


def pair_of(claim: Claim) -> Pair | None:
    """Both matrices, if backward is linear in dy and all could be measured."""
    claimed = claim.checkup.claimed(claim.name)
    true = claim.checkup.jacobian(claim.name)
    if claimed is None or claimed.shape != true.shape or not true.size or np.isnan(true).any():
        return None
    return claimed, true


def row_factors(claim: Claim) -> Pair | None:
    """(factor of each row of the true matrix that is not zero, which rows those are), if the claimed is made so."""
    if (pair := pair_of(claim)) is None:
        return None
    claimed, true = pair
    known = np.any(np.abs(true) > ATOL, axis=1)
    if known.sum() < 4 or not (np.abs(claimed[~known]) <= ATOL).all():
        return None
    factor = (claimed * true)[known].sum(axis=1) / (true**2)[known].sum(axis=1)
    return (factor, known) if close(claimed[known], factor[:, None] * true[known]) else None


def _equal_to(claim: Claim, factors: Pair) -> str:
    factor, known = factors
    for word, value in (("y", claim.y), ("1/y", 1 / claim.y)):
        if close(factor, value.reshape(-1)[known]):
            return f", which is {word} at each place"
    return ""


def tensor_word(claim: Claim) -> str:
    """What the claim's gradient is taken by: x, or the parameter's name."""
    return "x" if claim.name == "dx" else claim.name


def _others_right(claim: Claim) -> str:
    right = [name for name in claim.checkup.analytic if name != claim.name and claim.checkup.right(name)]
    return f" ({' and '.join(right)} {'is' if len(right) == 1 else 'are'} right.)" if right else ""


def _side(claim: Claim, shut: np.ndarray) -> str:
    """Which outputs those are, if a sign says it."""
    for letter, value in (("x", claim.x), ("y", claim.y)):
        for word, there in ((">", value > 0), ("<", value < 0), ("=", value == 0)):
            if there.size == shut.size and (there.reshape(-1) == shut).all():
                return f" (they are those where {letter} {word} 0)"
    first = place_of_largest(shut.reshape(claim.y.shape).astype(int))
    return f" (the first of them is y{list(first)})"
