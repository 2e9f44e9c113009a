"""Whole parts of y whose dy is not used: a join (y = [x, f(x)]) of which backward knows one part alone."""

from collections.abc import Iterator

import numpy as np

from .checkup import ATOL
from .claim import Claim, Words
from .matrices import pair_of, row_factors, tensor_word

AXES = {2: ("", "unit"), 3: ("", "step", "channel"), 4: ("", "row", "column", "channel")}
SAME = 1e-6


def outputs_not_used(claim: Claim) -> Iterator[Words]:
    """All outputs of some places of one axis send nothing back; all others are right."""
    if claim.dy.ndim not in AXES or (factors := row_factors(claim)) is None or (pair := pair_of(claim)) is None:
        return
    factor, known = factors
    of_all = np.full(len(known), np.nan)
    of_all[known] = factor
    unused, used = (np.asarray(np.abs(of_all - value) < SAME).reshape(claim.y.shape) for value in (0, 1))
    if not unused.any() or not used.any() or unused.sum() + used.sum() < known.sum():
        return
    for axis in range(1, claim.dy.ndim):
        others = tuple(a for a in range(claim.dy.ndim) if a != axis)
        silent, heard = (np.asarray(part.any(axis=others)) for part in (unused, used))
        where = np.flatnonzero(silent)
        if (silent & heard).any() or heard[where[0] : where[-1]].any():
            continue
        word = AXES[claim.dy.ndim][axis]
        which = f"{word} {where[0]}" if len(where) == 1 else f"{word}s {where[0]} to {where[-1]}"
        rows = pair[1][unused.reshape(-1)]
        lost = f"forward makes them of {tensor_word(claim)} too"
        copied = ((np.abs(rows) > ATOL).sum(axis=1) == 1).all() and (np.abs(rows.max(axis=1) - 1) < SAME).all()
        if claim.name == "dx" and copied:
            lost = "forward hands a part of x on to them as it is (a concatenation, y = [x, f(x)])"
        yield f"""outputs not used: The dy of the outputs at {which} (axis {axis} of {claim.y.shape}) is not used at
            all: {unused.sum()} outputs that depend on {tensor_word(claim)} send nothing back, and the other
            {used.sum()} are right. But {lost}: take that part of dy too, send it back the way that it came, and add it
            to the rest."""
        return
