"""The arms: what stage two is shown. Each is a short function with the sentence that says what it is there to show.

All arms of a fold get the same images, split, order and augmentation; they differ in what lies over the images. The
blue is laid on before augmentation turns and shifts image and map together.
"""

import difflib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from ..errors import InputError
from ..saliency.evaluation.controls import centre_prior
from ..saliency.evaluation.controls import sobel as sobel_filter
from ..study import TwoStageConfig
from ..study.training import build_model
from .cells import REFERENCE, Group, stream
from .config import ExperimentConfig
from .maps import eight_bits, lay_over, network_maps
from .material import Fold, Material, split


class Kind(StrEnum):
    """What an arm is for."""

    REFERENCE = "reference"
    CLAIM = "claim"
    LEAK = "leak"
    CONTROL = "control"
    BOUND = "bound"
    ALONE = "alone"  # maps without images: what is in them


@dataclass(frozen=True)
class View:
    """What an arm may look at: the images, the fold, and the stage-one maps that it asked for.

    maps    of the names in `Arm.maps`, each uint8 (N, S, S):
            predicted   of the predicted class, by a network that did not train on the image
            in_fold     of the predicted class, by the one stage-one network, which trained on the training images
            true        as `predicted`, but of the true class
            true_in_fold    as `in_fold`, but of the true class
    """

    config: ExperimentConfig
    material: Material
    group: Group
    fold: Fold
    maps: Mapping[str, np.ndarray]

    @property
    def study(self) -> TwoStageConfig:
        return self.config.study

    @property
    def images(self) -> np.ndarray:
        return self.material.images

    def rng(self, purpose: str) -> np.random.Generator:
        """Random numbers of this fold, other ones for each purpose."""
        return np.random.default_rng(self.seed(purpose))

    def seed(self, purpose: str) -> int:
        """The seed of such random numbers."""
        return stream(self.study.seed, purpose, *self.group)


@dataclass(frozen=True)
class Seen:
    """What stage two is shown: pixels uint8 (N, S, S, C), and the fold in which it is."""

    pixels: np.ndarray
    fold: Fold


Sees = Callable[[View], Seen]


@dataclass(frozen=True)
class Arm:
    """title and shows are for readers; maps: what `sees` needs; stages: it trains for the epochs of so many."""

    title: str
    kind: Kind
    shows: str
    sees: Sees
    maps: tuple[str, ...] = ()
    stages: int = 1


ARMS: dict[str, Arm] = {}  # by the names of their functions, in the order of this file


def arm(title: str, kind: Kind, maps: tuple[str, ...] = (), stages: int = 1) -> Callable[[Sees], Sees]:
    """Make an arm of the function below, whose docstring is the sentence that readers are shown."""

    def put(sees: Sees) -> Sees:
        ARMS[sees.__name__] = Arm(title, kind, " ".join((sees.__doc__ or "").split()), sees, maps, stages)
        return sees

    return put


@arm("images again", Kind.REFERENCE, stages=2)
def images(view: View) -> Seen:
    """No map: the images again, from new initial weights, for the epochs of both stages. All are compared with
    it."""
    return Seen(view.images, view.fold)


def under(view: View, maps: np.ndarray) -> Seen:
    """The images under the blue of maps uint8 (N, S, S)."""
    return Seen(lay_over(view.study, view.images, maps), view.fold)


@arm("saliency", Kind.CLAIM, maps=("predicted",))
def saliency(view: View) -> Seen:
    """The claim: the map of the predicted class, made by a network that did not train on the image."""
    return under(view, view.maps["predicted"])


@arm("saliency, in fold", Kind.CLAIM, maps=("in_fold",))
def in_fold(view: View) -> Seen:
    """The claim as published: the one stage-one network explains its own training images too."""
    return under(view, view.maps["in_fold"])


@arm("true class", Kind.LEAK, maps=("true",))
def true_class(view: View) -> Seen:
    """The map of the true class: the label is written into the picture, also where it validates."""
    return under(view, view.maps["true"])


@arm("true class, in fold", Kind.LEAK, maps=("true_in_fold",))
def true_in_fold(view: View) -> Seen:
    """The same leak with one network making all maps, so that it writes every label in one hand."""
    return under(view, view.maps["true_in_fold"])


@arm("split anew", Kind.LEAK, maps=("in_fold",))
def resplit(view: View) -> Seen:
    """The overlaid set is split anew: images that trained stage one now validate stage two."""
    anew = split(view.config, view.material, view.group, "resplit")
    return Seen(in_fold(view).pixels, Fold(anew.train, anew.validation, view.fold.labels))


@arm("random network", Kind.CONTROL)
def random_network(view: View) -> Seen:
    """The map of a network that was never trained: would any texture do?"""
    untrained = build_model(replace(view.study, seed=view.seed("untrained")), view.material.class_names)
    return under(view, network_maps(view.study, untrained, view.images))


@arm("another image's", Kind.CONTROL, maps=("predicted",))
def another_image(view: View) -> Seen:
    """The map of another image: would any blue do?"""
    maps = np.empty_like(view.maps["predicted"])
    rng = view.rng("another_image")
    for rows in (view.fold.train, view.fold.validation):
        order = rng.permutation(rows)
        maps[order] = view.maps["predicted"][np.roll(order, 1)]  # nobody's own
    return under(view, maps)


@arm("shuffled", Kind.CONTROL, maps=("predicted",))
def shuffled(view: View) -> Seen:
    """The map's own pixels, each at a random place: would any noise do?"""
    maps = view.maps["predicted"]
    flat = view.rng("shuffled").permuted(maps.reshape(len(maps), -1), axis=1)  # (N, S*S)
    return under(view, flat.reshape(maps.shape))


@arm("edges (Sobel)", Kind.CONTROL)
def sobel(view: View) -> Seen:
    """The image's edges, without any network."""
    strength = [sobel_filter(np.asarray(image)[None])[0] for image in view.images]  # one by one: it works in float64
    return under(view, eight_bits(view.study, np.stack(strength)))


@arm("centre", Kind.CONTROL)
def centre(view: View) -> Seen:
    """A blot in the middle, the same for every image."""
    return under(view, eight_bits(view.study, centre_prior(view.images)))


@arm("tint", Kind.CONTROL, maps=("predicted",))
def tint(view: View) -> Seen:
    """An even blue, as strong as the maps are on average."""
    mean = np.rint(view.maps["predicted"][view.fold.train].mean())
    return under(view, np.full(view.images.shape[:3], mean, np.uint8))


@arm("true mask", Kind.BOUND)
def true_mask(view: View) -> Seen:
    """Where the motif was drawn: the best map that there could be. Drawn data alone have it."""
    assert view.material.masks is not None  # `chosen` sees to it
    return under(view, view.material.masks)


@arm("fourth channel", Kind.CLAIM, maps=("predicted",))
def fourth_channel(view: View) -> Seen:
    """The map beside the image, not over it: is it the map or the overlay?"""
    return Seen(np.concatenate([view.images, view.maps["predicted"][..., None]], axis=3), view.fold)


def alone(view: View, maps: np.ndarray) -> Seen:
    """Maps uint8 (N, S, S) as grey pictures, and nothing of the images."""
    return Seen(np.repeat(maps[..., None], 3, axis=3), view.fold)


@arm("maps alone", Kind.ALONE, maps=("predicted",))
def maps_alone(view: View) -> Seen:
    """The maps of the predicted class without the images: what do they tell of the class?"""
    return alone(view, view.maps["predicted"])


@arm("true class's maps alone", Kind.ALONE, maps=("true",))
def true_maps_alone(view: View) -> Seen:
    """The maps of the true class without the images: is the label legible in them?"""
    return alone(view, view.maps["true"])


QUICK_ARMS = (REFERENCE, "saliency", "true_class", "shuffled", "maps_alone")


def check_arms(names: Collection[str]) -> None:
    """InputError if one of these arms does not exist."""
    for name in names:
        if name not in ARMS:
            near = difflib.get_close_matches(name, ARMS, 1)
            hint = f"did you mean {near[0]}?" if near else f"arms are {', '.join(ARMS)}"
            raise InputError(f"--arms: there is no arm {name!r}; {hint}")


def possible_arms(network: str, masks: bool) -> list[str]:
    """The arms that such a network can run, on images that have masks or have none."""
    impossible = ("true_mask",) * (not masks) + ("fourth_channel",) * (network == "cloth")
    return [name for name in ARMS if name not in impossible]


def check_possible(names: Sequence[str], network: str, masks: bool) -> None:
    """InputError if one of these arms cannot be run with such a network and such images."""
    why = {
        "true_mask": "needs the motifs' masks, which drawn data alone have",
        "fourth_channel": "needs a network that takes colours apart; the cloth network begins by making them grey",
    }
    for name in [name for name in names if name not in possible_arms(network, masks)]:
        raise InputError(f"--arms: {name} {why[name]}; leave it out")
