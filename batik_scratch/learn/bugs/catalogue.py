"""All exhibits, room by room."""

from . import activations, checkers, convolutions, dense, dropout, losses, normalisations, optimizers, pooling
from .exhibit import HUNG, Exhibit

ROOMS = (convolutions, pooling, dense, dropout, normalisations, activations, losses, optimizers, checkers)
EXHIBITS: tuple[Exhibit, ...] = tuple(exhibit for room in ROOMS for exhibit in HUNG[room.__name__])
