"""The claimed and the true derivative, drawn: what a diagnosis says in words, seen."""

from dataclasses import replace
from typing import Any

import numpy as np

from .checkup import Checkup, zero
from .claim import Diagnosis


def drawn(done: Checkup, found: Diagnosis) -> Diagnosis:
    """The diagnosis with its figure; as it is, if it is of nothing that can be measured."""
    figure = _figure(done, found.tensor, f"{found.tensor}: {found.name}")
    if figure is not None:
        _display(figure)
    return replace(found, figure=figure)


def _figure(done: Checkup, name: str, title: str) -> Any:
    """A matplotlib Figure, or None."""
    from ...figures import derivative  # here, because matplotlib takes its time, and most diagnoses are not drawn

    given = done.analytic.get(name)
    if given is None or given.shape != (true := done.numeric(name)).shape or np.isnan(true).any():
        return None
    jacobian = done.jacobian(name)
    if name == "dx" and given.shape == done.y.shape and zero(jacobian - np.diag(np.diagonal(jacobian))).all():
        sure = np.abs(done.dy) > 1e-2
        return derivative.over_x(done.x[sure], given[sure] / done.dy[sure], true[sure] / done.dy[sure], title)
    claimed = done.claimed(name)
    if claimed is not None and claimed.shape == jacobian.shape:
        return derivative.as_matrices(claimed, jacobian, title)
    return derivative.against(given.reshape(-1), true.reshape(-1), title)


def _display(figure: Any) -> None:
    """In a notebook the figure appears where the doctor is asked."""
    try:
        from IPython import get_ipython
        from IPython.display import display
    except ImportError:
        return
    if get_ipython() is not None:
        display(figure)
