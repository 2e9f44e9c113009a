"""All exhibits, room by room."""

from . import activations, checkers, conv_input, conv_weights, dense, dropout, losses, optimizers, pooling
from .exhibit import Exhibit

ROOMS = (conv_input, conv_weights, pooling, dense, dropout, activations, losses, optimizers, checkers)
EXHIBITS: tuple[Exhibit, ...] = tuple(exhibit for room in ROOMS for exhibit in room.EXHIBITS)
