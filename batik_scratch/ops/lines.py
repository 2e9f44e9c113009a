"""Lines of numbers that lie side by side, copied and added: loops that the compiler turns into vector instructions.

Of `target[:] = source` and `target += source`, numba would compile for seconds what it says if their shapes differ.
"""

from .jit import compiled


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
