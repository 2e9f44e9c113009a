"""One Adam update of one tensor: m, v and the weights in a single pass over memory."""

import numpy as np

from .jit import compiled, prange, runs_plain


def update_plain(
    w: np.ndarray,
    g: np.ndarray,
    m: np.ndarray,
    v: np.ndarray,
    alpha: float,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> None:
    """Change w, m, v in place (all of one shape): Keras' form, epsilon beside the uncorrected root.

    m += (g - m)(1 - beta_1);  v += (g*g - v)(1 - beta_2);  w -= alpha m / (sqrt(v) + epsilon)
    """
    m += (g - m) * (1 - beta_1)
    v += (g * g - v) * (1 - beta_2)
    w -= alpha * m / (np.sqrt(v) + epsilon)


def update(
    w: np.ndarray,
    g: np.ndarray,
    m: np.ndarray,
    v: np.ndarray,
    alpha: float,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> None:
    """`update_plain` on all threads, reading and writing each number once."""
    flat = all(a.flags.c_contiguous for a in (w, m, v))  # of others there is no flat view to change
    if runs_plain(w) or not flat:
        return update_plain(w, g, m, v, alpha, beta_1, beta_2, epsilon)
    number = w.dtype.type  # scalars of the tensors' own type, or float32 arithmetic would turn into float64
    scalars = number(alpha), number(1 - beta_1), number(1 - beta_2), number(epsilon)
    _update(w.reshape(-1), np.ascontiguousarray(g).reshape(-1), m.reshape(-1), v.reshape(-1), *scalars)


@compiled(parallel=True)
def _update(w, g, m, v, alpha, rest_1, rest_2, epsilon):
    for i in prange(w.size):
        m[i] += (g[i] - m[i]) * rest_1
        v[i] += (g[i] * g[i] - v[i]) * rest_2
        w[i] -= alpha * m[i] / (np.sqrt(v[i]) + epsilon)
