"""A layer that is right as it was built, and wrong once training has changed its parameters."""

import copy

import numpy as np

from ...nn.gradcheck.specimen import Failure, Specimen, moved
from .checkup import Checkup
from .claim import Diagnosis

CHANGE = 0.3  # of every parameter, from N(0, 1)
STEPS = (1e-6, 1e-5)
FAR, NEAR = 1e-3, 1e-4  # of the slope: a mistake is larger than the one, two measurements are nearer than the other


def stale(done: Checkup) -> list[Diagnosis]:
    """The tensors whose gradient is wrong in a pass after the parameters were changed in place."""
    if len(done.specimen.names) < 2:
        return []
    specimen, rng = copy.deepcopy(done.specimen), np.random.default_rng(1)
    x = done.x.copy()
    try:
        specimen.forward(x)
        specimen.backward(done.dy)
        for key in specimen.names[1:]:
            specimen.layer.params[key] += CHANGE * rng.standard_normal(np.shape(specimen.layer.params[key]))
        if not np.isfinite(specimen.forward(x)).all():
            return []
        gradients = specimen.backward(done.dy)
        found = [(name, *both) for name in specimen.names if (both := _unlike(specimen, x, done.dy, gradients, name))]
    except Failure:
        return []
    if not found:
        return []
    which = " and ".join(name for name, _, _ in found)
    name, claimed, measured = found[0]
    words = f"""kept from before: Everything is right as the layer was built; after its parameters were changed, as an
        optimiser changes them, {which} {"is" if len(found) == 1 else "are"} wrong in the next pass ({name}: the slope
        along one direction is {measured:.6g} and backward's {claimed:.6g}). Backward uses something that was made of
        the old parameters: make it anew in every kept forward pass, not only in the first one or in build."""
    return [Diagnosis.told(name, words)]


def _unlike(
    specimen: Specimen, x: np.ndarray, dy: np.ndarray, gradients: dict, name: str
) -> tuple[float, float] | None:
    """What backward and forward say of the slope along one direction, if they differ."""
    given, tensor = gradients.get(name), x if name == "dx" else specimen.layer.params[name]
    if not isinstance(given, np.ndarray) or given.shape != tensor.shape:
        return None
    direction = np.random.default_rng(2).standard_normal(tensor.shape)
    slopes, middle = [], specimen.forward(x)
    for step in STEPS:
        for sign in (step, -step):
            with moved((tensor, sign * direction)):
                slopes.append(float((dy * (specimen.forward(x) - middle)).sum() / sign))
    claimed, size = float((given * direction).sum()), abs(slopes[0]) + float(np.linalg.norm(given)) + 1e-3
    if not np.isfinite(slopes).all() or np.ptp(slopes) > NEAR * size:
        return None  # a kink lies here, or between
    return (claimed, slopes[0]) if abs(claimed - slopes[0]) > FAR * size else None
