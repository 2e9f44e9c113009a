"""The methods judged over drawn cloths, whose motifs are known: a table, its numbers, and two figures."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from .. import motifs, nn
from ..errors import InputError
from ..figures import cascade, methods_grid
from ..figures.style import to_png
from ..files import write_bytes, write_npz, write_text
from ..images.reading import printable
from ..saliency import catalogue, evaluation
from ..study.data import to_unit
from ..study.single import load_classifier
from .checks import check_finite, make_folder, usable_methods

SEED = 1_000_003  # of the drawn images that judge: no training set starts from it unless asked to


def evaluate_saliency(
    model_file: Path,
    out: Path,
    method: str = "all",
    images: int = 150,
    controls: Sequence[Path] = (),
    say: Callable[[str], None] = lambda text: None,
) -> str:
    """Judge methods on freshly drawn cloths; returns the table. Writes into `out`:

    table.txt, values.npz    every measure of every method and control; per image
    networks.png             the first image's maps: the trained network's, and those of the others
    randomisation.png        what is left of the maps as layer after layer is drawn anew

    Beside the trained network stands one with random weights, and each model file of `controls`. `say` is told what is
    being done.
    """
    model, names, size = load_classifier(model_file)
    if strange := ", ".join(printable(name) for name in names if name not in motifs.ALL_MOTIFS):
        raise InputError(
            f"--evaluate needs the true masks of drawn cloth, and the model knows {strange}; train one without --data"
        )
    if images < 2 * len(names):
        raise InputError(f"--images: needs at least {2 * len(names)}, two per class; got {images}")
    others = _others(model, names, controls)
    entries = usable_methods(method, model, *others.values())
    x, masks, labels = _drawn(names, size, images)
    for name, network in {str(model_file): model, **others}.items():
        check_finite(network.predict(x[:1]), name)
    make_folder(out)  # before the work: a name that cannot be one costs no minutes
    found = evaluation.evaluate_methods(model, x, masks, entries, others, say=say)
    named = {name: (other.logits(x).argmax(axis=1) == labels).mean() for name, other in {"it": model, **others}.items()}
    head = f"{images} drawn cloths that the network never saw; motif share {masks.mean():.3f}; " + ", ".join(
        f"{name} names {share:.1%} of them" for name, share in named.items()
    )
    text = f"{head}\n\n{found.text()}\n"
    write_text(out / "table.txt", text)
    write_npz(out / "values.npz", found.arrays())
    write_bytes(out / "networks.png", to_png(_networks({"trained": model, **others}, x[0], entries)))
    say("randomisation, layer by layer")
    write_bytes(out / "randomisation.png", to_png(_cascade(model, x[:12], entries)))
    return f"{text}\nwritten: {out}"


def _others(model: nn.Sequential, names: Sequence[str], controls: Sequence[Path]) -> dict[str, nn.Sequential]:
    """The networks beside the trained one, by what they are called in the table."""
    others = {"a network with random weights": _random_twin(model)}
    for file in controls:
        other, other_names, _ = load_classifier(file)
        if other_names != names or other.input_shape != model.input_shape:
            raise InputError(
                f"--control {file}: has the classes {', '.join(map(printable, other_names))} and shape "
                f"{other.input_shape}; the model has {', '.join(map(printable, names))} and {model.input_shape}"
            )
        others[str(file) if file.name in others else file.name] = other
    return others


def _networks(networks: dict[str, nn.Sequential], image: np.ndarray, entries: dict[str, catalogue.Entry]) -> Figure:
    """Every method's map of one image, for the class that the first network predicts: a row per network."""
    target = int(next(iter(networks.values())).logits(image[None]).argmax())
    maps = [
        np.stack([e.reduce(e.make(network).attribute(image[None], target=target))[0] for e in entries.values()])
        for network in networks.values()
    ]  # per network (M, H, W)
    rows = [name.removesuffix(".npz").replace("a network with ", "") for name in networks]
    picture = np.rint(image * 255).astype(np.uint8)  # (H, W, 3)
    return methods_grid(picture, np.stack(maps), rows, list(entries), explained=0)


def _cascade(model: nn.Sequential, x: np.ndarray, entries: dict[str, catalogue.Entry]) -> Figure:
    """How the likeness to the trained network's maps falls as layer after layer is drawn anew."""
    classes = model.logits(x).argmax(axis=1)
    raw = {name: e.make(model).attribute(x, target=classes) for name, e in entries.items()}
    layers, likeness = ["none"], {name: [1.0] for name in entries}
    shown = {name: [entries[name].reduce(maps[:1])[0]] for name, maps in raw.items()}
    for layer, network in evaluation.randomised_layers(model):
        layers.append(layer)
        for name, maps in raw.items():
            theirs = entries[name].make(network).attribute(x, target=classes)
            found = evaluation.similarity(maps.sum(axis=-1), theirs.sum(axis=-1))["spearman, absolute"]
            likeness[name].append(float(np.nanmean(found)) if np.isfinite(found).any() else 0.0)
            shown[name].append(entries[name].reduce(theirs[:1])[0])
    return cascade(x[0], layers, likeness, {name: np.stack(maps) for name, maps in shown.items()})


def _drawn(names: Sequence[str], size: int, images: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x (N, H, W, 3), masks (N, H, W), labels (N,): classes in turn, so that any part of them is balanced."""
    labels = [i % len(names) for i in range(images)]
    drawn = [motifs.draw(names[label], np.random.default_rng([SEED, i]), size) for i, label in enumerate(labels)]
    return to_unit(np.stack([image for image, _ in drawn])), np.stack([mask for _, mask in drawn]), np.array(labels)


def _random_twin(model: nn.Sequential) -> nn.Sequential:
    *_, (_, twin) = evaluation.randomised_layers(model)
    return twin
