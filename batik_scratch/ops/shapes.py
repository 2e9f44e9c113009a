"""Sizes of sliding windows: the integer arithmetic that convolution and pooling share."""

from collections.abc import Sequence

from ..errors import InputError


def pair(value: int | Sequence[int], what: str) -> tuple[int, int]:
    """Return `value` as (vertical, horizontal): an int counts for both axes. Every entry must be at least 1."""
    entries = (value, value) if isinstance(value, int) else tuple(value)
    if len(entries) != 2 or any(not isinstance(v, int) or v < 1 for v in entries):
        raise InputError(f"{what}: needs one whole number >= 1, or two (vertical, horizontal); got {value!r}")
    return entries[0], entries[1]


def window_count(n: int, k: int, s: int) -> int:
    """How many windows of length `k` at stride `s` fit into length `n`: floor((n - k) / s) + 1, at least 0."""
    return max((n - k) // s + 1, 0)


def same_padding(n: int, k: int, s: int) -> tuple[int, int]:
    """Zeros before and after, so that ceil(n / s) windows fit; an odd one goes after (as TensorFlow does)."""
    total = max((-(-n // s) - 1) * s + k - n, 0)
    return total // 2, total - total // 2
