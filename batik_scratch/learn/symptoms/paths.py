"""One of several ways from x to y forgotten: a skip, a branch, a factor's turn, a term of the product rule."""

from collections.abc import Iterator
from itertools import product

import numpy as np

from .checkup import ATOL, close, zero
from .claim import Claim, Words
from .matrices import pair_of
from .order import subsets

ENOUGH = 4


def path_missing(claim: Claim) -> Iterator[Words]:
    """dx lacks dy itself, or has it once too often."""
    given, true, dy = claim.given, claim.true, claim.dy
    if not claim.elementwise or np.isnan(true).any():
        return
    if close(given + dy, true) and not zero(true - dy).all():
        yield """skip path missing: What lacks is dy itself, at every place: x also goes straight to y, as in
            y = x + f(x). Each path from x to y adds its own share: add dy."""
    elif close(given - dy, true):
        yield """dy added once too often: dx is the true gradient plus dy, at every place. Forward has no path on which
            x goes straight to y beside the others, or it was counted twice."""


def only_dy(claim: Claim) -> Iterator[Words]:
    """dx is nothing but dy."""
    given, true, dy = claim.given, claim.true, claim.dy
    if claim.elementwise and close(given, dy) and not np.isnan(true).any():
        beside = np.abs(true - dy).max()
        yield f"""only dy passed on: dx is dy itself, unchanged, as if forward were y = x; the true gradient differs
            from it by up to {beside:.4g}. If y = x + f(x), the share that comes back through f is missing: add it. If
            y = f(x), dy was not multiplied by the slope of f."""


def one_factor_only(claim: Claim) -> Iterator[Words]:
    """x enters a product several times, and only some of its factors had their turn.

    By Euler's theorem J x = k y for a y of degree k in x, and each factor's turn contributes one y.
    """
    if claim.name != "dx":
        return
    claimed, true = claim.checkup.claimed("dx"), claim.checkup.jacobian("dx")
    if claimed is None or claimed.shape != true.shape or np.isnan(true).any():
        return
    x, y = claim.x.reshape(-1), (claim.y - claim.checkup.without("dx")).reshape(-1)  # a bias is no part of the product
    for degree in (2, 3, 4):
        if not close(true @ x, degree * y):
            continue
        for turns in range(1, degree):
            if close(claimed @ x, turns * y) and not close(claimed * degree, true * turns):
                yield f"""one factor's turn alone: y is a product that contains x {degree} times (scale x by t, and y
                    grows by t^{degree}), and dx has the share of {turns} of these {degree} factors. The product rule
                    gives each factor its turn, the others being held: add the missing {degree - turns}. In a
                    matrix product
                    such as x x' the second turn is that of the transposed factor."""


def factors_in_forward_order(claim: Claim) -> Iterator[Words]:
    """dx = J dy instead of J' dy."""
    if claim.name != "dx" or claim.given.size != claim.dy.size:
        return
    true = claim.checkup.jacobian("dx")
    if np.isnan(true).any() or close(true, true.T):
        return
    if claim.given.shape == claim.x.shape and claim.is_((true @ claim.dy.reshape(-1)).reshape(claim.x.shape)):
        if (ends := _running_sum(claim, true)) is not None:
            axis, taken, owed = ends
            yield f"""running sum not turned: dx is forward's own running sum, of dy along axis {axis}. There y[t] takes
                {taken} with one weight, so x[t] reaches {owed}, and dx[t] is the sum of dy over those: sum from the
                other end, as in np.flip(np.cumsum(np.flip(dy, {axis}), axis={axis}), {axis}) for np.cumsum."""
        if (channels := _slides(claim, true)) is not None:
            mixed = ", and with its inputs and outputs swapped" if channels else ""
            yield f"""kernel not flipped: dx is J dy, to all digits, and it should be J' dy, with the Jacobian
                transposed. Forward slides a kernel over x (each output has the same weights for its neighbours), and
                backward slides the very same one over dy. What y[i] takes from x[i + 1], dx[i + 1] gets from dy[i]:
                so over dy the kernel slides turned by 180 degrees, in both directions{mixed}."""
        yield """factors in forward's order: dx is J dy, to all digits, and it should be J' dy, with the Jacobian
            transposed. So backward does forward's steps in forward's order. It must undo the last one first: if
            forward multiplies by gamma at the end, dy is multiplied by gamma before anything else."""


def _running_sum(claim: Claim, true: np.ndarray) -> tuple[int, str, str] | None:
    """Along which axis y[t] is the sum of all x up to t (or from t on) times one weight, and in words of which."""
    if claim.x.shape != claim.y.shape:
        return None
    shares: np.ndarray = true.reshape(*claim.y.shape, *claim.x.shape)
    for axis in range(1, claim.x.ndim):
        along = np.moveaxis(shares, (axis, claim.x.ndim + axis), (-2, -1))  # (..., T of y, T of x)
        for takes, *words in ((np.tril, "x[0] to x[t]", "y[t] and all after it"),
                              (np.triu, "x[t] to the last", "y[t] and all before it")):  # fmt: skip
            if along.shape[-1] > 2 and close(along, takes(np.ones_like(along) * along[..., :1, :1])):
                return axis, words[0], words[1]
    return None


def _slides(claim: Claim, true: np.ndarray) -> bool | None:
    """None if not every output has the same weights for its neighbours; else whether channels mix."""
    if claim.x.ndim not in (3, 4) or claim.x.shape != claim.y.shape:
        return None
    shares = true.reshape(claim.y.shape * 2)
    for axis in range(1, claim.x.ndim - 1):
        along = np.moveaxis(shares, (axis, claim.x.ndim + axis), (0, 1))  # (H of y, H of x, ...)
        height = len(along)
        for lag in range(1 - height, height):
            blocks = [along[i + lag, i] for i in range(height) if 0 <= i + lag < height]
            if any(not close(block, blocks[0]) for block in blocks):
                return None
    last = (claim.x.ndim - 1, shares.ndim - 1)
    between: np.ndarray = np.abs(shares).max(axis=tuple(axis for axis in range(shares.ndim) if axis not in last))
    return bool((between > ATOL)[~np.eye(len(between), dtype=bool)].any())


def sum_over_other_axes(claim: Claim) -> Iterator[Words]:
    """The sum of a softmax' gradient is taken along other axes than forward's."""
    y, dy = claim.y, claim.dy
    if not claim.elementwise or np.isnan(claim.true).any():
        return

    def softmax_gradient(axes: tuple[int, ...]) -> np.ndarray:
        return y * (dy - (dy * y).sum(axis=axes, keepdims=True))

    ways = subsets(range(y.ndim))  # what runs over the images is told better by images_mixed
    for forward, backward in product(ways, repeat=2):
        if forward == backward or 0 in backward or not close(claim.true, softmax_gradient(forward)):
            continue
        if claim.is_(softmax_gradient(backward)):
            yield f"""sum over the wrong axes: dx is y times (dy less a sum of dy y along axes {backward} of {y.shape});
                forward's values share a sum along axes {forward}, so backward sums along these. An axis=1 from code
                for matrices is another axis in images: axis=-1 is the last one in both."""
            return


def shortcut_not_masked(claim: Claim) -> Iterator[Words]:
    """y = relu(x + f(x)), and dy goes back along the shortcut where the ReLU is shut."""
    if not claim.elementwise or (pair := pair_of(claim)) is None:
        return
    claimed, true = pair
    shut = (np.abs(true) <= ATOL).all(axis=1)
    leaking = shut & (np.abs(claimed) > ATOL).any(axis=1)
    skip = np.eye(len(true))
    if min(leaking.sum(), (~shut).sum()) < ENOUGH or not close(claimed[~shut], true[~shut]):
        return
    if not close(claimed[leaking], skip[leaking]) or close(true[~shut], skip[~shut]):
        return  # without a branch beside it that is an activation's own mask
    where = "y = 0" if (shut == (claim.y.reshape(-1) == 0)).all() else "forward is flat"
    yield f"""shortcut not masked: All is right at the {(~shut).sum()} outputs that are open. At {leaking.sum()} where
        {where} moving x changes nothing, and dx passes dy itself on there: so dy goes back along the shortcut without
        the mask of the activation that comes after the addition. With y = relu(x + f(x)) multiply dy by that mask
        first, then hand the product to both, the shortcut and f."""


def product_rule_term_missing(claim: Claim) -> Iterator[Words]:
    """y = x g(x), and dx has g(x) alone, or x g'(x) alone."""
    x, y, dy, true = claim.x, claim.y, claim.dy, claim.true
    if not claim.elementwise or np.isnan(true).any() or np.abs(x).min() < 1e-6 or claim.given.size < 4:
        return
    first = dy * y / x
    rest = true - first
    if zero(rest).all() or zero(first).all():
        return
    for given, has, lacks in ((first, "g(x) = y / x", "x g'(x)"), (rest, "x g'(x)", "g(x) = y / x")):
        if claim.is_(given):
            yield f"""product rule's term missing: Written as y = x g(x), the derivative is g(x) + x g'(x). dx is dy
                times {has}, at all {claim.given.size} places, and the term {lacks} is missing, which reaches
                {np.abs(true - given).max():.4g}. Differentiate both factors: each has its turn."""
