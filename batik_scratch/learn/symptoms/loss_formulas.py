"""What a loss' gradient has in place of the right formula: other labels, another activation, another term.

Each asks whether the gradient as given is, to all digits, what that mistake gives. `t` are the targets (N, U): y
one-hot if it names classes. For most losses on logits the gradient is (activation - t) / N, so an activation
that stands twice, or that is missing, shows as another one in its place.
"""

from collections.abc import Callable, Iterator

import numpy as np

from .checkup import ATOL, RTOL, close
from .claim import Claim, Words
from .formulas import formula
from .loss_layer import LossAsLayer
from .sides import ENOUGH, parted

Activation = Callable[[np.ndarray], np.ndarray]


def softmax(z: np.ndarray, axis: int = 1) -> np.ndarray:
    """Rows (or columns) of positive numbers that add up to 1."""
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def sigmoid(z: np.ndarray) -> np.ndarray:
    """Each number by itself, squeezed between 0 and 1."""
    return 1 / (1 + np.exp(-z))


RIGHT: dict[str, Activation] = {"softmax(z)": softmax, "sigmoid(z)": sigmoid, "z": lambda z: z, "tanh(z)": np.tanh}
TAKEN: dict[str, Activation] = {
    "softmax(softmax(z))": lambda z: softmax(softmax(z)),
    "sigmoid(sigmoid(z))": lambda z: sigmoid(sigmoid(z)),
    "sigmoid(softmax(z))": lambda z: sigmoid(softmax(z)),
    "softmax(sigmoid(z))": lambda z: softmax(sigmoid(z)),
    "softmax(z) over the images": lambda z: softmax(z, axis=0),
    "softmax(z)": softmax,
    "sigmoid(z)": sigmoid,
    "the logits z": lambda z: z,
    "exp(z), not divided by its sum": np.exp,
    "log softmax(z)": lambda z: np.log(softmax(z)),
}
TWICE = ("softmax(softmax", "sigmoid(sigmoid", "sigmoid(softmax", "softmax(sigmoid")
SLOPES: dict[str, Activation] = {
    "p (1 - p), p = sigmoid(z)": lambda z: sigmoid(z) * (1 - sigmoid(z)),
    "p (1 - p), p = softmax(z)": lambda z: softmax(z) * (1 - softmax(z)),
    "z (1 - z), the slope of a sigmoid whose output is z": lambda z: z * (1 - z),
    "p, p = softmax(z)": softmax,
    "p, p = sigmoid(z)": sigmoid,
    "1 - tanh(z)^2": lambda z: 1 - np.tanh(z) ** 2,
    "z": lambda z: z,
}


def labels_not_one_hot(claim: Claim) -> Iterator[Words]:
    """y itself is subtracted where its row of zeros and a one should be."""
    loss = loss_of(claim)
    if loss.targets not in ("classes", "one-hot"):
        return
    y = loss.labels(len(claim.x))
    numbers = y if y.ndim == 1 else y.argmax(axis=1)
    off = claim.given - claim.true
    for scale in (1.0, 1 / len(claim.x), 1 / claim.x.size):
        if close(off, scale * (loss.one_hot(len(claim.x)) - numbers[:, None])):
            yield f"""labels not one-hot: The number of the class itself ({", ".join(map(str, numbers[:3]))}, ...) is
                subtracted from every entry of its row; subtract 1 from the entry of the true class alone, which is y
                one-hot: p[np.arange(N), y] -= 1."""
            return


def another_activation(claim: Claim) -> Iterator[Words]:
    """The gradient is right but for the activation in it: one that stands twice, or none."""
    z, off = claim.x, claim.given - claim.true
    if not np.isfinite(off).all():
        return
    for right, activation in RIGHT.items():
        for words, taken in TAKEN.items():
            if words.removeprefix("the logits ") == right:
                continue
            with np.errstate(all="ignore"):
                difference = taken(z) - activation(z)
            for scale in (1.0, 1 / len(z), 1 / z.size, 2 / z.size, 2 / len(z)):
                if close(off, scale * difference):
                    twice = words.startswith(TWICE)
                    name, mend = (
                        ("activation twice", "The loss applies it itself: hand it the logits, and apply it once.")
                        if twice
                        else ("another activation", f"Forward has {right}: so has its derivative.")
                    )
                    yield f"""{name}: Where {right} should stand the gradient has {words}, at all {z.size} places.
                        {mend}"""
                    return


def smoothing_differs(claim: Claim) -> Iterator[Words]:
    """Forward smooths the labels and backward does not, or the other way about."""
    loss = loss_of(claim)
    if loss.targets not in ("classes", "one-hot"):
        return
    one_hot, off = loss.one_hot(len(claim.x)), claim.given - claim.true
    for others in (1 / loss.classes, 1 / max(loss.classes - 1, 1)):
        spread = others - one_hot if others * loss.classes == 1 else others * (1 - one_hot) - one_hot
        size = float((off * spread).sum() / (spread**2).sum())
        if abs(size) > 1e-6 and close(off, size * spread):
            share = abs(size) * len(claim.x)
            if size > 0:
                where = "Forward smooths the labels, and backward takes them as they are"
            else:
                where = "Backward smooths the labels, and forward takes them as they are"
            yield f"""smoothing differs: {where}: the gradient is off by {share:.6g}/N times (onehot(y) less its mean).
                The targets must be the same in both, (1 - s) onehot(y) + s / U."""
            return


def slope_of_the_activation(claim: Claim) -> Iterator[Words]:
    """Place by place right but for the slope of an activation, which is missing or stands once too often."""
    given, true = claim.given, claim.true
    if not np.isfinite(given).all() or (np.abs(true) > ATOL).sum() < ENOUGH or (np.abs(given) > ATOL).sum() < ENOUGH:
        return
    if close(given * sigmoid(claim.x) * (1 - sigmoid(claim.x)), true * claim.x * (1 - claim.x)):
        yield """input for output: The slope of the sigmoid is taken as z (1 - z), with the logits in it; it is
            p (1 - p), p = sigmoid(z): written in terms of the sigmoid's output."""
        return
    for words, slope in SLOPES.items():
        with np.errstate(all="ignore"):
            factor = slope(claim.x)
        for what, product in (("lacks the factor", (given * factor, true)), ("has the factor", (given, true * factor))):
            if close(*product):
                mend = (
                    "Forward applies that activation before it compares: multiply by its slope."
                    if what.startswith("lacks")
                    else "It is there once too often: together with the loss it cancels, or the next layer applies it."
                )
                if words == "z":
                    mend = "The slope of log z is 1/z: is the output itself divided by, or multiplied by, once?"
                yield f"""activation's slope: Every value {what} {words}. {mend}"""
                return


def gradient_at_the_logits(claim: Claim) -> Iterator[Words]:
    """A loss on probabilities that gives the gradient at the logits before them."""
    loss, p, n = loss_of(claim), claim.x, len(claim.x)
    if not loss.probabilities:
        return
    t = loss.one_hot(n) if loss.targets in ("classes", "one-hot") else loss.labels(n)
    off = p - t
    scale = float((claim.given * off).sum() / (off**2).sum())
    if abs(scale) > ATOL and close(claim.given, scale * off):
        what = "p less the targets, which is"
        if scale < 0:
            what = "the targets less p: its sign is wrong, with it the loss climbs. And p less the targets is"
        yield f"""gradient at the logits: The gradient is {what} that of the logits: the loss and the softmax (or
            sigmoid) before it, together.{_beside(scale, claim.true, p, t)} This loss is given probabilities, so it is
            -t / p at each place (and (1 - t) / (1 - p) beside it, if it is binary); or let the loss take the logits."""


def _beside(scale: float, true: np.ndarray, p: np.ndarray, t: np.ndarray) -> str:
    """How large p - t stands there, beside how large it is where the loss takes the logits."""
    binary = np.abs(true[t == 0]).max(initial=0) > ATOL
    right = (true * p * (1 - p) / (p - t)).reshape(-1) if binary else (-true * p)[t == 1]
    if not np.ptp(right) <= 1e-5 * abs(right[0]) or abs(abs(scale / right[0]) - 1) < 1e-5:
        return ""
    size = abs(scale / right[0])
    known = {len(p): "N", p.shape[1]: "U", p.size: "N U"}
    name = next((f", which is {word}" for value, word in known.items() if abs(size / value - 1) < 1e-5), "")
    name = name or next((f", 1 / ({w})" for value, w in known.items() if abs(size * value - 1) < 1e-5), "")
    return (
        f" And it stands there {size:.6g} times{name}: the mean is taken in one of the two passes and not in the other."
    )


def right_for_some_targets(claim: Claim) -> Iterator[Words]:
    """Right where the target is 1, or where it is 0, or where outputs and targets are near; and wrong elsewhere."""
    loss, given, true = loss_of(claim), claim.given, claim.true
    right = np.abs(given - true) <= ATOL + RTOL * np.abs(true).max(initial=0)
    if min(right.sum(), (~right).sum()) < ENOUGH or not np.isfinite(given).all():
        return
    if loss.targets == "binary":
        t = loss.labels(len(claim.x))
        for here, there in ((1, 0), (0, 1)):
            if (right == (t == here)).all():
                yield f"""one kind of target alone: The gradient is right at all {right.sum()} places where t = {here},
                    and wrong at all {(~right).sum()} where t = {there}: the loss has a term for each, and so has its
                    gradient. {_zeros(given[~right])}"""
                return
    elif loss.targets == "numbers":
        d = claim.x - loss.labels(len(claim.x))
        for letter, value in (("|d|", np.abs(d)), ("d", d)):
            if (sides := parted(letter, value[right], value[~right])) is not None:
                yield f"""right on one side: With d = outputs - targets the gradient is right at all {right.sum()}
                    places where {sides[0]}, and wrong at all {(~right).sum()} where {sides[1]}. Forward has another
                    rule on that side, and so has its derivative: give each side its own."""
                return


def _zeros(values: np.ndarray) -> str:
    return "There it is zero: that term is missing." if (np.abs(values) <= ATOL).all() else "That term is another one."


def another_loss_formula(claim: Claim) -> Iterator[Words]:
    """The gradient as a formula of d = outputs - targets, and the one that it should be."""
    loss, n = loss_of(claim), len(claim.x)
    if claim.given.shape != claim.x.shape or not np.isfinite(claim.given).all():
        return
    t = loss.one_hot(n) if loss.targets in ("classes", "one-hot") else loss.labels(n)
    d = claim.x - t
    for divisor, said in ((1, ""), (n, "/ N"), (claim.x.size, "/ (N U)")):
        flat = [(array * divisor).reshape(-1) for array in (claim.given, claim.true)]
        used, right = (formula(values, d.reshape(-1), t.reshape(-1).astype(float)) for values in flat)
        if used is not None and right is not None:
            used, right = (" ".join(_named(words).split()) for words in (used, right))
            yield f"""another formula: With d = outputs - targets the gradient is {used} {said} at all {d.size} places,
                and the derivative of the loss is {right} {said}. Differentiate the loss once more, term by term."""
            return


def _named(words: str) -> str:
    """d for x and t for y, but not within exp."""
    return words.replace("exp", "EXP").replace("x", "d").replace("y", "t").replace("EXP", "exp")


def loss_of(claim: Claim) -> LossAsLayer:
    """The loss that is examined."""
    layer = claim.checkup.layer
    assert isinstance(layer, LossAsLayer)
    return layer
