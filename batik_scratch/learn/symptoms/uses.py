"""A tensor that forward uses several times: each use adds its share to the gradient, and one of them is not there."""

from collections.abc import Iterator

import numpy as np

from .checkup import ATOL, Checkup, close, try_to_check_up
from .claim import Claim, Words
from .matrices import Pair, pair_of, tensor_word

ENOUGH = 4
STRETCH = 1.3  # of a parameter, in the second look


def one_use_of_several(claim: Claim) -> Iterator[Words]:
    """The share of the last product with a parameter is missing, or is all that there is.

    y is linear in the parameter's last use, so by Euler's theorem this share times the parameter is y (less what is
    left of y without the parameter), whatever the other uses are.
    """
    if claim.name == "dx" or (pair := pair_of(claim)) is None:
        return
    claimed, true = pair
    w, used = claim.checkup.params[claim.name].reshape(-1), _made_by(claim)
    lacking = true - claimed
    if not np.isfinite(used).all() or close(true @ w, used) or not (_some(claimed) and _some(lacking)):
        return
    for share, has in ((lacking, False), (claimed, True)):
        if close(share @ w, used):
            what = "is the share of the last use alone" if has else "lacks the share of the last use"
            how = "What is there" if has else "What is missing"
            yield f"""one use of several: Forward uses {claim.name} more than once, and its gradient {what}. {how},
                times {claim.name}, is y less what y is without {claim.name}, at all {len(used)} outputs: so it belongs
                to the product by which {claim.name} makes y at the end. The product rule gives each use its turn, the
                others being held: add up the shares of all uses, transposed where the use is."""


def linear_path_missing(claim: Claim) -> Iterator[Words]:
    """What is missing does not change with the tensor: a use in which it stands linearly."""
    if (pairs := _looks(claim)) is None:
        return
    (claimed, true), (claimed_there, true_there) = pairs
    word, lacking = tensor_word(claim), true - claimed
    if close(true_there - claimed_there, lacking):
        yield f"""linear path missing: {claim.name} lacks a share that does not change with {word}, as a second look
            with another {word} shows: {word} also reaches y by a path on which it is only multiplied by something
            else{_matrix(claim, lacking)}. The shares of all paths are added up: add that path's own."""


def constant_derivative(claim: Claim) -> Iterator[Words]:
    """What is there does not change with the tensor, and should."""
    if (pairs := _looks(claim)) is None:
        return
    word, claimed = tensor_word(claim), pairs[0][0]
    if close(pairs[1][0], claimed):
        yield f"""constant derivative: What {claim.name} has of the derivative does not change with {word}, as a second
            look with another {word} shows, and the true one does. Either backward takes a function of forward for a
            straight line (multiply by its slope), or it has the share of a path on which {word} is only multiplied by
            something else{_matrix(claim, claimed)}, and lacks that of a path through a product or a function."""


def repeated_index(claim: Claim) -> Iterator[Words]:
    """Of several outputs that read the same values one counts, the others not at all."""
    if (pair := pair_of(claim)) is None:
        return
    claimed, true = pair
    reaches = np.abs(true) > ATOL
    counted, reached = np.any(np.abs(claimed) > ATOL, axis=1), np.any(reaches, axis=1)
    lost = reached & ~counted
    if lost.sum() < ENOUGH or not close(claimed[counted], true[counted]):
        return
    groups: dict[bytes, list[int]] = {}
    for row in np.flatnonzero(reached):
        groups.setdefault(reaches[row].tobytes(), []).append(int(row))
    kept = {tuple(np.flatnonzero(counted[rows])) for rows in groups.values() if len(rows) > 1}
    ends = [(np.flatnonzero(counted[rows]), len(rows)) for rows in groups.values()]
    if not kept or any(len(places) != 1 for places, _ in ends):
        return
    which = "last" if all(places[0] == size - 1 for places, size in ends) else "first"
    most = max(size for _, size in ends)
    yield f"""repeated use counted once: {lost.sum()} of the {reached.sum()} outputs count for nothing: of
        those that read the same values of {tensor_word(claim)} (up to {most} of them) only the {which} sends its dy
        back. An assignment by a repeated index keeps one of the values: write np.add.at(table, index, ...), not
        table[index] += ..., and not =."""


def _some(matrix: np.ndarray) -> bool:
    return int((np.abs(matrix) > ATOL).sum()) >= ENOUGH


def _made_by(claim: Claim) -> np.ndarray:
    """y less what y is if the tensor is zero."""
    return (claim.y - claim.checkup.without(claim.name)).reshape(-1)


def _looks(claim: Claim) -> tuple[Pair, Pair] | None:
    """Both matrices here and elsewhere, if the true one changes, and both what is there and what is missing is some."""
    if (pair := pair_of(claim)) is None or not (_some(pair[0]) and _some(pair[1] - pair[0])):
        return None
    if (other := _elsewhere(claim)) is None:
        return None
    second = pair_of(Claim(other, claim.name, claim.given))
    if second is None or second[1].shape != pair[1].shape or close(second[1], pair[1]):
        return None
    return pair, second


def _elsewhere(claim: Claim) -> Checkup | None:
    """The same checkup with another x, or with the parameter stretched."""
    case, params = claim.checkup.case, claim.checkup.params
    if claim.name == "dx":
        return try_to_check_up(case.changed(x=STRETCH * claim.checkup.earlier_x, params=params))
    stretched = params | {claim.name: STRETCH * params[claim.name]}
    return try_to_check_up(case.changed(x=claim.x, params=stretched))


def _matrix(claim: Claim, share: np.ndarray) -> str:
    """Which parameter that path multiplies x by, if it is one of them alone."""
    if claim.name != "dx" or claim.x.ndim != 2:
        return ""
    n = len(claim.x)
    for key, value in claim.checkup.params.items():
        for matrix, word in ((value, key), (value.T, f"{key}.T")):
            if value.ndim == 2 and close(share, np.kron(np.eye(n), matrix.T)):
                return f" (it is x @ {word})"
    return ""
