"""Gradient checking: is the derivative in the code the derivative of the code?

    central difference    g ~ (f(x + eps e) - f(x - eps e)) / (2 eps)      error O(eps^2), and O(1/eps) by rounding
    complex step          g = Im f(x + i h e) / h,  h = 1e-20              no subtraction, so no rounding error at all
    random direction      <g, d> against the derivative along d            all tensors of a layer or network at once
    adjoint identity      <L v, dy> = <v, L' dy> for a linear map L        no eps at all

The scalar f is <dy, layer(x)> with dy drawn from N(0, 1): against ones, a softmax that returns zeros would pass,
because its true gradient is zero there. Everything is float64 (or complex128). A place where a ReLU or a pooling
switches between x - eps and x + eps has no derivative to compare with: it is skipped, *counted*, and too many of them
fail.

What passes is right at these inputs, of this size, in training mode. A mistake that needs another one to show (values
beyond 2, a batch of one, the path without need_grads) is not seen: `check_layer(..., thorough=True)` goes through such
circumstances one by one, and thorough.py says which, and what even that does not see.
"""

from .adjoint import check_adjoint
from .layers import check_layer
from .losses import check_loss
from .model import check_model
from .numeric import ATOL, MAX_SKIPPED
from .optimizers import check_optimizer
from .quotient import check_quotient
from .report import GradientReport, TensorCheck

__all__ = [
    "ATOL",
    "MAX_SKIPPED",
    "GradientReport",
    "TensorCheck",
    "check_adjoint",
    "check_layer",
    "check_loss",
    "check_model",
    "check_optimizer",
    "check_quotient",
]
