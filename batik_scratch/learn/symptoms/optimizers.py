"""What is wrong with an optimiser: its steps are held against the rule, and against the usual wrong rules."""

import copy

import numpy as np

from ...nn import Optimizer
from ...nn.gradcheck.optimizers import UpdateRule, trajectories
from ..update_rules import wrong_rules
from .claim import Diagnosis

Parting = tuple[int, str, float, float]  # first step and tensor that differ, and both numbers at the worst place
ADAM = {
    "no bias correction": """m and v start at zero, and alpha lacks sqrt(1 - beta_2^t) / (1 - beta_1^t), which makes up
        for it.""",
    "t counts tensors": """t is advanced for every tensor; it counts steps, so advance it once, before the loop over the
        tensors.""",
    "epsilon inside the root": """epsilon stands under the square root, sqrt(v + epsilon); the rule has sqrt(v) +
        epsilon.""",
    "betas swapped": "beta_1 and beta_2 have changed places.",
    "wrong sign": "The step goes uphill: it must be subtracted.",
    "gradient not squared": "v is the mean of |g|; it must be that of g*g.",
    "m alone corrected": "Only m's bias is corrected, v's is not: sqrt(1 - beta_2^t) is missing.",
}
ADAMW = ADAM | {
    "decay through the gradient": """The decay is added to g, and m and v see it: that is an L2 penalty, divided by
        sqrt(v). Take learning rate times weight_decay times w off w itself.""",
    "no decay": "The kernel does not decay: the steps are Adam's.",
    "biases decay": "The bias decays as well; only tensors of two axes and more do.",
    "decay without the rate": "The decay is weight_decay times w; the rule multiplies it by the learning rate.",
}
DESCENT = {
    "wrong sign": "The step goes uphill: learning rate times g is subtracted.",
    "momentum forgotten": "Each step is that of plain descent: the velocity is not carried over.",
    "nesterov confused": "nesterov is {nesterov}, and the steps are those of {other}.",
}


def steps_apart(optimizer: Optimizer, rule: UpdateRule, steps: int) -> Parting | None:
    """Step and place in which optimiser and rule first part; None if they agree in all steps."""
    trained, expected = trajectories(copy.deepcopy(optimizer), rule, steps)
    for number, (ours, theirs) in enumerate(zip(trained, expected, strict=True), 1):
        for key, w in ours.items():
            if not np.allclose(w, theirs[key], rtol=1e-12, atol=1e-14):
                worst = np.unravel_index(int(np.nan_to_num(np.abs(w - theirs[key]), nan=np.inf).argmax()), w.shape)
                return number, key, float(w[worst]), float(theirs[key][worst])
    return None


def explain(optimizer: Optimizer, steps: int, apart: Parting) -> Diagnosis:
    """The wrong rule that fits all steps, or where they part."""
    number, tensor, ours, theirs = apart
    evidence = f"Step {number} is the first that differs: {tensor} holds {ours:.8g} where the rule has {theirs:.8g}. "
    nesterov, rules = bool(getattr(optimizer, "nesterov", False)), wrong_rules(optimizer)
    for name, words in _mistakes(optimizer).items():
        if any(steps_apart(optimizer, rule, steps) is None for rule in rules[name]):
            told = words.format(nesterov=nesterov, other=not nesterov)
            return Diagnosis.told(tensor, f"{name}: {told} {evidence}All {steps} steps fit this explanation.")
    words = f"unexplained: {evidence}It is none of the usual mistakes; print m and v after one step."
    return Diagnosis.told(tensor, words)


def _mistakes(optimizer: Optimizer) -> dict[str, str]:
    if not hasattr(optimizer, "beta_1"):
        return DESCENT
    return ADAMW if hasattr(optimizer, "weight_decay") else ADAM
