"""A cell is one network trained, and everything random in it comes from what it is called."""

import hashlib
from typing import NamedTuple

REFERENCE = "images"  # the arm without maps, with which the others are compared
WHOLE = "stage_one"  # the stage-one network of a fold, trained on all its training images


def inner(part: int) -> str:
    """The "arm" of the stage-one network that did not train on part 0, 1, ... of the training images."""
    return f"inner_{part}"


class Cell(NamedTuple):
    """Which network: of which repeat and fold, of which arm, from which initialisation, all counted from 0.

    permuted    whether it learns labels that were permuted

    Stage-one networks, whose maps the arms lay over the images, are cells like the others: "stage_one", "inner_0", ...
    """

    repeat: int
    fold: int
    arm: str
    init: int = 0
    permuted: bool = False

    @property
    def name(self) -> str:
        """As its file is called."""
        return f"{self.group.name}-{self.arm}-i{self.init}"

    @property
    def group(self) -> "Group":
        """The cells with which it shares its stage-one networks."""
        return Group(self.repeat, self.fold, self.permuted)

    @property
    def is_stage_one(self) -> bool:
        """Whether maps are made of it."""
        return self.arm == WHOLE or self.arm.startswith("inner_")


class Group(NamedTuple):
    """A fold of a repeat."""

    repeat: int
    fold: int
    permuted: bool

    @property
    def name(self) -> str:
        """As the names of its files begin."""
        return f"{'permuted-' if self.permuted else ''}r{self.repeat}-f{self.fold}"


def stream(seed: int, *words: object) -> int:
    """A seed from 0 to 2^63 - 1 for what is called so: equal words give an equal one, on every machine."""
    text = "|".join(map(str, (seed, *words)))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1
