"""Gradient checks that are wrong themselves."""

from .exhibit import hang


@hang(None, "3 x", "constant factor")
def over_h_instead_of_2h(f, eps):
    """(f(x + h) - f(x - h)) / h: every numerical derivative is twice the true one.

    Looks right   it is the quotient from school, with both sides. A layer that is wrong by 2 passes, right ones fail,
                  and who has just written both believes the checker.
    The check     of the checker: functions whose derivative is known.
    Numbers       2.000000 at every point of every function.
    """
    return (f(eps) - f(-eps)) / eps


@hang(None, "x^2", "one-sided difference")
def one_sided(f, eps):
    """(f(x + h) - f(x)) / h: half the work, and at h = 1e-5 more than a hundred thousand times the error.

    Looks right   it is the definition of the derivative. Tolerances are then widened until it passes: and let bugs
                  through.
    The check     of the checker, at the tolerance of the central difference.
    Numbers       right for a line; else off by h f''/2: with ten times the step, ten times the error, not a hundred.
    """
    return (f(eps) - f(0.0)) / eps
