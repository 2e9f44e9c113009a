"""Right in an easier case: the layer is run again with stride 1, without padding, on square windows, on one image."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from .diagnosis import Diagnosis, zero
from .run import Case, Run, try_run


def right_in_an_easier_case(run: Run, name: str, given: np.ndarray) -> Diagnosis | None:
    """The first easier case in which the tensor's gradient is right says what the mistake depends on."""
    for slug, easier, was in easier_cases(run.case):
        other = try_run(easier)
        if other is not None and not zero(other.numeric(name)).all() and other.right(name):
            return Diagnosis(
                slug,
                name,
                f"The gradient is wrong for {was}, and {slug.replace(' alone', '')} (the same layer, run again). Look where "
                f"backward uses, or should use, {slug.removeprefix('right for ').removesuffix(' alone')}.",
            )
    return None


def easier_cases(case: Case) -> Iterator[tuple[str, Case, str]]:
    """Slug, case, and what the case at hand was instead; only those that change something."""
    layer, shape = case.layer, case.input_shape
    strides = getattr(layer, "strides", None)
    if _more_than_one(strides):
        yield "right for stride 1 alone", case.changed({"strides": (1, 1)}), f"strides {strides}"
    if getattr(layer, "padding", "valid") != "valid":
        yield "right without padding alone", case.changed({"padding": "valid"}), f"padding {layer.padding!r}"  # type: ignore[attr-defined]
    for option in ("kernel_size", "pool_size"):
        window = getattr(layer, option, None)
        if isinstance(window, tuple) and len(set(window)) > 1:
            square = (min(window), min(window))
            yield "right for square windows alone", case.changed({option: square}), f"{option} {window}"
    if len(shape) == 3 and shape[0] != shape[1]:
        side = max(shape[:2])
        yield "right for square images alone", case.changed(input_shape=(side, side, shape[2])), f"images {shape}"
    if case.n > 1:
        yield "right for one image alone", case.changed(n=1), f"{case.n} images"
    if len(shape) == 3 and shape[2] > 1:
        yield "right for one channel alone", case.changed(input_shape=(*shape[:2], 1)), f"{shape[2]} channels"
    for option, word in (("filters", "filter"), ("units", "unit")):
        count = getattr(layer, option, 1)
        if isinstance(count, int) and count > 1:
            yield f"right for one {word} alone", case.changed({option: 1}), f"{count} {word}s"


def unexplained(run: Run, name: str, given: np.ndarray) -> Diagnosis:
    """Wrong, and nothing here knows why: the worst place, and how much is right."""
    numeric = run.numeric(name)
    difference = np.nan_to_num(np.abs(given - numeric))
    worst = tuple(int(i) for i in np.unravel_index(int(difference.argmax()), difference.shape))
    right = difference <= 1e-7 * np.nanmax(np.abs(numeric)) + 1e-8
    return Diagnosis(
        "unexplained",
        name,
        f"{(~right).sum()} of {right.size} values are wrong, by most at {worst}: {given[worst]:.6g}, and it should be "
        f"{numeric[worst]:.6g}. It is none of the usual mistakes; try one image, one channel and a 1x1 kernel by hand.",
    )


def _more_than_one(strides: Any) -> bool:
    return isinstance(strides, tuple) and any(step > 1 for step in strides)
