"""One update of one tensor by Adam or AdamW: m, v and the weights in a single pass over memory."""

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
    decay: float = 0.0,
) -> None:
    """Change w, m, v in place (all of one shape): Keras' form, epsilon beside the uncorrected root.

    m += (g - m)(1 - beta_1);  v += (g*g - v)(1 - beta_2);  w -= alpha m / (sqrt(v) + epsilon)

    decay is the share of itself that AdamW takes off a weight besides: w -= alpha m / (sqrt(v) + epsilon) + decay w. It
    never enters m and v, and both parts are added before they meet w: alone, a small decay would be rounded away.
    """
    m += (g - m) * (1 - beta_1)
    v += (g * g - v) * (1 - beta_2)
    step = alpha * m / (np.sqrt(v) + epsilon)
    w -= step + decay * w if decay else step


def update(
    w: np.ndarray,
    g: np.ndarray,
    m: np.ndarray,
    v: np.ndarray,
    alpha: float,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    decay: float = 0.0,
) -> None:
    """`update_plain` on all threads, reading and writing each number once."""
    flat = all(a.flags.c_contiguous for a in (w, m, v))  # of others there is no flat view to change
    if runs_plain(w) or not flat:
        return update_plain(w, g, m, v, alpha, beta_1, beta_2, epsilon, decay)
    number = w.dtype.type  # scalars of the tensors' own type, or float32 arithmetic would turn into float64
    scalars = number(alpha), number(1 - beta_1), number(1 - beta_2), number(epsilon), number(decay)
    _update(w.reshape(-1), np.ascontiguousarray(g).reshape(-1), m.reshape(-1), v.reshape(-1), *scalars)


@compiled(parallel=True)
def _update(w, g, m, v, alpha, rest_1, rest_2, epsilon, decay):
    for i in prange(w.size):
        m[i] += (g[i] - m[i]) * rest_1
        v[i] += (g[i] * g[i] - v[i]) * rest_2
        step = alpha * m[i] / (np.sqrt(v[i]) + epsilon)
        w[i] -= step if decay == 0 else step + decay * w[i]
