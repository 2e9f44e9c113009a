"""Lines of numbers that lie side by side, cleared, copied and added in loops that become vector instructions.

Of `target[:] = source` and `target += source`, numba would compile for seconds what it says if their shapes differ.
"""

from .jit import compiled


@compiled()
def clear_line(target):
    """target (n,) = 0."""
    for k in range(target.size):
        target[k] = 0


@compiled()
def copy_line(source, target):
    """target (n,) = the first n numbers of source."""
    for k in range(target.size):
        target[k] = source[k]


@compiled()
def add_line(source, target):
    """target (n,) += the first n numbers of source."""
    for k in range(target.size):
        target[k] += source[k]
