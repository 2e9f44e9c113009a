"""Two layers of one class in a network: each keeps its own, or the second takes the place of what the first kept."""

import copy

import numpy as np

from ...nn.gradcheck.specimen import Failure
from .checkup import Checkup, close
from .claim import Diagnosis


def shared_with_another(done: Checkup) -> list[Diagnosis]:
    """The gradients change if another layer of the class runs forward between this one's forward and backward.

    Not asked of two functions that were adapted: what they keep in common is in the copy that is made here as well.
    """
    if getattr(done.layer, "of_functions", False) or done.case.of_a_loss:
        return []
    try:
        first, second = copy.deepcopy(done.specimen), copy.deepcopy(done.specimen)
        first.forward(done.x)
        alone = first.backward(done.dy)
        first.forward(done.x)
        second.forward(done.earlier_x)
        beside = first.backward(done.dy)
    except Failure:
        return []
    both = [(name, alone[name], beside[name]) for name in alone]
    wrong = [n for n, a, b in both if isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and not close(b, a)]
    if not wrong:
        return []
    words = f"""shared between layers: Everything is right of a layer that is alone; but if a second layer of this class
        runs forward before the first one's backward, as in every network that has two, {" and ".join(wrong)} of the
        first {"is" if len(wrong) == 1 else "are"} wrong. What forward keeps is held in common: by an attribute of the
        class (a dict or list above the methods), a default argument or a global. Make it in __init__, on self."""
    return [Diagnosis.told(wrong[0], words)]
