"""An optimiser whose rule no attribute tells: recognised by its steps, by its one mistake, or called unknown.

An unknown rule is no mistake. What holds for any rule is asked of it all the same, and what is said then is a remark.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..update_guesses import Guess
from ..update_rules import SENTENCES
from ..update_trials import Trial, side_by_side, try_out
from .claim import Diagnosis, Words

HOW = "diagnose_optimizer(optimizer, rule=rule), with rule(w, g, memory, t) that returns the new w"


def recognised(tried: list[Guess], trial: Trial) -> Diagnosis | None:
    """The remark that all steps are those of a rule, with the numbers that were found; None if they are of none."""
    for guess in tried:
        if any(trial.follows(rule) for rule in guess.right()):
            name, decays = _decay_words(guess)
            if min(guess.decay.share, guess.decay.penalty) < 0:
                return Diagnosis.told(
                    "step",
                    f"""decay with the wrong sign: All steps are those of {guess.words}, but for the decay: weights grow
                    by {-min(guess.decay.share, guess.decay.penalty):g} of themselves where a decay makes them smaller.
                    Subtract it from w, or add it to the gradient.""",
                )
            words = f"""{name}: No mistake: all {len(trial.gradients)} steps are those of {guess.words}, whose numbers
                were found by trying.{decays}{_neighbour(guess)} If another rule was meant, hold it against that one:
                {HOW}."""
            return Diagnosis.told("step", words, mistake=False)
    return None


def one_mistake(tried: list[Guess], trial: Trial) -> Diagnosis | None:
    """The usual mistake with which all steps are those of a known method."""
    forgets = any(slot.keeps == 0 for slot in trial.slots()) or trial.never_writes()
    for guess in tried:
        for name, (words, rules) in guess.wrong().items():
            if name in FORGETFUL and not forgets:
                continue  # its steps are those of the gradient's sign, by whatever rule they come to that
            if any(trial.follows(rule) for rule in rules):
                said = words or SENTENCES.get(name, "") or ANY_METHOD[name]
                return Diagnosis.told(
                    "step",
                    f"""{name}: {said} All {len(trial.gradients)} steps are those of {guess.words} with this one
                    mistake; the numbers were found by trying.{_decay_words(guess)[1]}""",
                )
    return None


FORGETFUL = ("v is the newest square", "memory forgotten")
ANY_METHOD = {
    "betas swapped": "beta_1 and beta_2 have changed places: m keeps beta_1 of itself, v keeps beta_2.",
    "momentum forgotten": "Each step is that of plain descent: the velocity is not carried over.",
    "wrong sign": "The step goes uphill: it must be subtracted.",
    "nesterov confused": "The steps are those of the other form of momentum.",
}


def whatever_the_rule(optimizer: Any, trial: Trial) -> Iterator[Words]:
    """What is wrong by any rule."""
    if trial.touched:
        yield """gradient changed: step writes into the gradients that it is handed. They are the layer's, and whoever
            reads them after the step (a callback, a second optimiser) reads something else. Write `g = g + ...`, not
            `g += ...`."""
    dead = try_out(optimizer, 3, dead=True)
    if not all(np.isfinite(w).all() for w in dead.weights[-1].values()):
        yield """not a number: Gradients of zero, as a dead unit has them, make NaN of its w: look for a division by
            what the gradients were, and put epsilon beside it."""
        return
    equal = side_by_side(optimizer, 3, 1.0)
    parted = next((number for number, (a, b) in enumerate(equal, 1) if not np.allclose(a, b, rtol=1e-9)), None)
    if parted is not None:
        scaled = side_by_side(optimizer, 3, -3.0)
        shared = not all(np.allclose(a, b) for (a, _), (b, _) in zip(equal, scaled, strict=True))
        why = "one memory serves both: keep one for each tensor, by its place and not by its name or shape"
        if not shared:
            why = "a count goes on from tensor to tensor: advance t once in a step, before the loop over the tensors"
        yield f"""tensors not treated alike: Two layers with equal weights were given equal gradients, and part in step
            {parted}: {why}."""
    first = {key: w - trial.weights[0][key] for key, w in trial.weights[1].items()}
    climbed = float((first["bias"] * trial.gradients[0]["bias"]).sum())  # the bias starts at zero: nothing decays
    if climbed > 0:
        yield """wrong sign: The first step goes uphill, along the gradient: a loss falls if the step is subtracted."""


def unknown(tried: list[Guess], trial: Trial, evidence: str) -> Diagnosis:
    """The remark that the rule is not known, with the one that comes nearest."""
    ways = [(trial.apart(rule), guess) for guess in tried for rule in guess.right()]
    distance, nearest = min(ways, key=lambda one: one[0])
    words = f"""unknown rule: No mistake was found, and the rule is none that is known here. Nearest comes
        {nearest.words}: but for one factor its steps differ from these by {distance:.0%} of their length.
        {evidence}What can be asked without a rule is right: the first step goes downhill, equal tensors are treated
        alike, each with a memory of its own, gradients are left as they are, weights change in place and keep their
        shape, and a unit whose gradients are zero comes to no harm. To have the steps themselves examined, write the
        rule down a second time and call {HOW}."""
    return Diagnosis.told("step", words, mistake=False)


def _decay_words(guess: Guess) -> tuple[str, str]:
    """The name of the finding, and what to say of the decay."""
    decay = guess.decay
    where = "of kernels" if decay.kernels_alone else "of every tensor, biases too,"
    if decay.penalty:
        adaptive = guess.family.name not in ("momentum", "gradient descent")
        divided = " It is divided by the root like all of g; AdamW takes the decay off w itself." if adaptive else ""
        return "decay through the gradient", f" {decay.penalty:g} w {where} is added to the gradient.{divided}"
    if decay.share:
        return "rule recognised", f" {decay.share:g} w {where} is taken off in each step."
    return "rule recognised", ""


def _neighbour(guess: Guess) -> str:
    if guess.family.name != "momentum":
        return ""
    if guess.numbers.get("nesterov"):
        return " It is Nesterov's form, which looks ahead."
    return """ Nesterov's form would look ahead, by the velocity after its update: w += mu v - lr g with the new v; with
        the old v it is what stands here, plain momentum."""
