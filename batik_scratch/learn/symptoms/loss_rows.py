"""A loss' gradient that is right but for a factor: of an epsilon, of a weight to each image, of one that is held fixed.

`pt` is the probability that the loss gives to the target: of the true class, (N, 1), or of each zero or one, (N, U).
"""

from collections.abc import Iterator

import numpy as np

from .checkup import ATOL, RTOL, Checkup, close, try_to_check_up
from .claim import Claim, Words
from .loss_formulas import loss_of, sigmoid, softmax
from .sides import ENOUGH

SMALL = 1e-3  # an error, beside the largest value, that no training notices
ALIKE = 1e-3  # of the factors' spread: so near are those that are the same


def epsilon_on_one_side(claim: Claim) -> Iterator[Words]:
    """Right up to 1 + e / pt: an epsilon stands in the logarithm of one pass and not in that of the other."""
    if not np.isfinite(claim.given).all() or (np.abs(claim.true) > ATOL).sum() < ENOUGH:
        return
    for pt in _probabilities_of_the_target(claim):
        for with_it, without in ((claim.true, claim.given), (claim.given, claim.true)):
            pattern, off = with_it / pt, without - with_it
            if not (size := (pattern**2).sum()):
                continue
            epsilon = float((off * pattern).sum() / size)
            rest, largest = float(np.abs(off - epsilon * pattern).max()), float(np.abs(off).max())
            if epsilon <= 0 or rest > min(0.1 * largest, ATOL + RTOL * np.abs(without).max()):
                continue
            where, other = ("forward", "backward") if with_it is claim.true else ("backward", "forward")
            share = largest / float(np.abs(claim.true).max())
            weight = " It is so small that it hardly matters for training." if share < SMALL else ""
            yield f"""epsilon on one side: The gradient is off by {share:.2g} of its largest value, and that is what an
                epsilon of {epsilon:.2g} in the logarithm makes: {where} has log(p + epsilon), and {other} takes it for
                log(p).{weight} The derivative of log(p + epsilon) is 1 / (p + epsilon); or keep p from zero by
                np.maximum(p, epsilon), or take the logarithm of the logits, and no epsilon is needed."""
            return


def weight_held_fixed(claim: Claim) -> Iterator[Words]:
    """The gradient of cross-entropy times each image's weight, where the weight itself depends on the outputs."""
    loss, n = loss_of(claim), len(claim.x)
    if loss.targets not in ("classes", "one-hot") or claim.x.shape[1] < ENOUGH:
        return
    t = loss.one_hot(n)
    p = claim.x if loss.probabilities else softmax(claim.x)
    entropy = -np.log((p * t).sum(axis=1))
    if (alone := values_of_images(claim)) is None:
        return
    weights = alone / entropy
    ways = {"p less the targets, that of cross-entropy at the logits": p - t}
    if loss.probabilities:
        ways["-t / p, that of cross-entropy"] = -t / p
    for words, gradient in ways.items():
        for scale in (1.0, 1 / n):
            if np.ptp(weights) > 1e-3 and close(claim.given, scale * weights[:, None] * gradient):
                yield f"""weight held fixed: Image by image the gradient is {words}, times the weight that forward
                    gives to the image's loss, from {weights.min():.4g} to {weights.max():.4g}. That weight depends on
                    the outputs too, and its own derivative is missing: by the product rule (w l)' = w l' + w' l."""
                return


def weights_by_column(claim: Claim) -> Iterator[Words]:
    """Each column has the weight of its own class, where each row should have that of the image's class."""
    loss, given, true = loss_of(claim), claim.given, claim.true
    if loss.targets not in ("classes", "one-hot") or true.shape[1] < ENOUGH or (np.abs(true) <= ATOL).any():
        return
    t = loss.one_hot(len(true))
    weights = given[0] / true[0]  # up to that of the first image's class
    if np.ptp(weights) > 1e-3 and (weights > 0).all() and close(given * (t @ weights)[:, None], true * weights):
        told = " : ".join(f"{weight:.4g}" for weight in weights / weights.min())
        yield f"""weights by column: Each column is multiplied by the weight of its own class ({told}, but for one
            factor), and forward multiplies each image's loss by the weight of the image's class. So a whole row has one
            weight: that of its target, weights[y][:, None] (or (weights * t).sum(axis=1, keepdims=True))."""


def factor_by_row(claim: Claim) -> Iterator[Words]:
    """Each image's row is right up to a factor of its own: a weight of its class, mostly."""
    if (factors := factors_of_rows(claim.checkup, claim.given)) is None:
        return
    loss, evidence = loss_of(claim), ""
    again = _with_other_outputs(claim)
    if loss.targets in ("classes", "one-hot"):
        classes = loss.one_hot(len(factors)).argmax(axis=1)
        by_class = {int(c): factors[classes == c] for c in sorted(set(classes))}
        fixed = all(np.ptp(some) < ALIKE * np.ptp(factors) for some in by_class.values())
        if fixed and len(by_class) < len(factors) and again is not None:
            told = ", ".join(f"{c}: {some[0]:.4g}" for c, some in by_class.items())
            evidence = f""" The factor is one to each class ({told}): weights of the classes are in one of the two
                passes and not in the other."""
    between = f"from {factors.min():.7g} to {factors.max():.7g}"
    if again is None or np.abs(again - factors).max() > ALIKE * np.ptp(factors):
        if (belongs := next(gradient_of_another_loss(claim), None)) is not None:
            yield belongs
            return
        yield f"""a factor to each row: Image by image the gradient is right up to a factor, {between}, which is another
            one for other outputs. If forward multiplies an image's loss by something that it computes from the outputs,
            that has a derivative too (product rule), and so has what it adds to them or divides them by."""
        return
    yield f"""a factor to each row: Image by image the gradient is right up to a factor, {between}.{evidence} What
        forward multiplies an image's loss by, its row of the gradient is multiplied by too, and what it divides the sum
        by, the gradient is divided by."""


def gradient_of_another_loss(claim: Claim) -> Iterator[Words]:
    """The gradient is that of a usual loss, to all digits, and the value is not that loss'."""
    loss, z, n = loss_of(claim), claim.x, len(claim.x)
    classes = loss.targets in ("classes", "one-hot")
    t = loss.one_hot(n) if classes else loss.labels(n)
    known: list[tuple[str, np.ndarray, np.ndarray]] = []  # name, gradient and value of each image, summed
    if classes and not loss.probabilities:
        entropy = -np.log((softmax(z) * t).sum(axis=1))
        known.append(("softmax cross-entropy of logits", softmax(z) - t, entropy))
    if not loss.probabilities and loss.targets in ("binary", "one-hot"):
        known.append(("binary cross-entropy of logits", sigmoid(z) - t, (np.logaddexp(0, z) - t * z).sum(axis=1)))
    known.append(("the absolute error", np.sign(z - t), np.abs(z - t).sum(axis=1)))
    known.append(("half the squared error", z - t, (0.5 * (z - t) ** 2).sum(axis=1)))
    for words, gradient, values in known:
        for scale in (1.0, 1 / n, 1 / z.size):
            if close(claim.given, scale * gradient):
                where = "one of the two passes is not that of the loss that is meant"
                if words.startswith("half") and classes:
                    where = """if the outputs are meant to be probabilities, p less the targets is the gradient at the
                        logits before them (examine such a loss with probabilities=True)"""
                yield f"""gradient of another loss: The gradient is that of {words}, to all digits; but the value is
                    {float(claim.y[0]):.6g}, and that loss' is {scale * values.sum():.6g}. So {where}: look at the value
                    too, for a logarithm that is missing, an index that takes more than p[np.arange(N), y], or shapes
                    (N,) and (N, 1), of which NumPy makes (N, N)."""
                return


def values_of_images(claim: Claim) -> np.ndarray | None:
    """(N,) the loss of each image alone; None if it does not master one image alone."""
    loss, n = loss_of(claim), len(claim.x)
    y = loss.labels(n)
    try:
        alone = [loss.loss(claim.x[i : i + 1].copy(), y[i : i + 1].copy())[0] for i in range(n)]
        return np.array([float(np.mean(value)) for value in alone])
    except Exception:
        return None


def factors_of_rows(done: Checkup, given: np.ndarray) -> np.ndarray | None:
    """(N,) if each row of `given` is the true one times a factor that is not the same for all; else None.

    Nothing is said where it could not have been otherwise: each row must have two values at least that the factor had
    to fit; rows that add up to zero have one value fewer.
    """
    true = done.numeric("dx")
    if given.shape != true.shape or len(true) < ENOUGH or not np.isfinite(given).all():
        return None
    sizes, values = (true**2).sum(axis=1), (np.abs(true) > ATOL).sum(axis=1)
    bound = all((np.abs(rows.sum(axis=1)) <= 1e-6 * np.abs(rows).max()).all() for rows in (given, true))
    if (sizes < 1e-16).any() or values.min() < (3 if bound else 2):
        return None
    factors: np.ndarray = (given * true).sum(axis=1) / sizes
    return factors if np.ptp(factors) > 1e-6 and close(given, factors[:, None] * true) else None


def _with_other_outputs(claim: Claim) -> np.ndarray | None:
    """The factors for other outputs with the very same targets."""
    case = claim.checkup.case
    other = try_to_check_up(case.changed(seed=case.seed + 1, x=None))
    given = None if other is None else other.analytic["dx"]
    return None if other is None or given is None else factors_of_rows(other, given)


def _probabilities_of_the_target(claim: Claim) -> Iterator[np.ndarray]:
    loss, n = loss_of(claim), len(claim.x)
    if loss.targets in ("classes", "one-hot"):
        p = claim.x if loss.probabilities else softmax(claim.x)
        yield (p * loss.one_hot(n)).sum(axis=1, keepdims=True)
    if loss.targets in ("binary", "one-hot"):
        p, t = claim.x if loss.probabilities else sigmoid(claim.x), loss.one_hot(n)
        yield np.where(t == 1, p, 1 - p)
