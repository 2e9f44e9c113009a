"""`batik-scratch saliency`: pictures of what mattered, image by image, and the judgement over many drawn images."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from .. import motifs, nn, saliency
from ..errors import InputError
from ..files import write_npz, write_text
from ..images.reading import printable
from ..record import write_png
from ..saliency import catalogue, evaluation
from ..study.data import to_unit
from ..study.single import load_classifier, read_pixels
from .figures import cascade, methods_grid
from .style import to_png

SEED = 1_000_003  # of the drawn images that judge: no training set starts from it unless asked to


def explain_images(
    model_file: Path, paths: Sequence[Path], target: str, out: Path, method: str = "gradient"
) -> list[Path]:
    """Explain each image by one method or "all"; returns the paths written into `out`.

    NAME_methods.png    methods in columns, classes in rows
    NAME_overlay.png    the first method's map for the target, laid over the image
    NAME_map.npz        every method's raw map for the target, and "map": the first one in [0, 1]

    target: "predicted", or a class name of the model.
    """
    model, names, size = load_classifier(model_file)
    if target != "predicted" and target not in names:
        raise InputError(f'--target {target}: the model knows {", ".join(names)}; or use "predicted"')
    entries = _entries(method, model)
    pixels = read_pixels(paths, size)
    x = to_unit(pixels)
    probabilities = model.predict(x)  # (N, U)
    _check_finite(probabilities, model_file)
    _make_folder(out)
    written: list[Path] = []
    for path, image, picture, p in zip(paths, x, pixels, probabilities, strict=True):
        explained = int(p.argmax()) if target == "predicted" else names.index(target)
        repeated = np.repeat(image[None], len(names), axis=0)  # (U, H, W, C): a row per class
        raw = {
            name: entry.make(model).attribute(repeated, target=np.arange(len(names))) for name, entry in entries.items()
        }
        maps = np.stack([entries[name].reduce(maps) for name, maps in raw.items()], axis=1)  # (U, M, H, W)
        shades = saliency.normalise(maps[explained, :1])[0]  # (H, W), of the first method
        stem = _free_name(out, path.stem, written)
        rows = [f"{' '.join(name.split())}\n{share:.1%}" for name, share in zip(names, p, strict=True)]
        figure = methods_grid(picture, maps, rows, list(entries), explained)
        target_file = out / f"{stem}_methods.png"
        target_file.write_bytes(to_png(figure))
        write_png(out / f"{stem}_overlay.png", saliency.overlay(picture, shades))
        arrays = {name.replace("-", "_"): values[explained] for name, values in raw.items()}
        write_npz(out / f"{stem}_map.npz", arrays | {"map": shades})
        written += [target_file, out / f"{stem}_overlay.png", out / f"{stem}_map.npz"]
    return written


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
    missing = [name for name in names if name not in motifs.ALL_MOTIFS]
    if missing:
        raise InputError(
            f"--evaluate needs the true masks of drawn cloth, and the model knows {', '.join(map(printable, missing))}; "
            f"train one without --data"
        )
    if images < 2 * len(names):
        raise InputError(f"--images: needs at least {2 * len(names)}, two per class; got {images}")
    others = _others(model, names, controls)
    entries = _entries(method, model, *others.values())
    x, masks, labels = _drawn(names, size, images)
    for name, network in {str(model_file): model, **others}.items():
        _check_finite(network.predict(x[:1]), name)
    _make_folder(out)  # before the work: a name that cannot be one costs no minutes
    found = evaluation.evaluate_methods(model, x, masks, entries, others, say=say)
    named = {name: (other.logits(x).argmax(axis=1) == labels).mean() for name, other in {"it": model, **others}.items()}
    head = f"{images} drawn cloths that the network never saw; motif share {masks.mean():.3f}; " + ", ".join(
        f"{name} names {share:.1%} of them" for name, share in named.items()
    )
    text = f"{head}\n\n{found.text()}\n"
    write_text(out / "table.txt", text)
    write_npz(out / "values.npz", found.arrays())
    (out / "networks.png").write_bytes(to_png(_networks({"trained": model, **others}, x[0], entries)))
    say("randomisation, layer by layer")
    (out / "randomisation.png").write_bytes(to_png(_cascade(model, x[:12], entries)))
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


def _entries(method: str, *models: nn.Sequential) -> dict[str, catalogue.Entry]:
    """The methods called for; of "all", those that every model can be explained by. InputError where one cannot."""
    entries = {}
    for name, entry in catalogue.chosen(method).items():
        try:
            for model in models:
                entry.make(model)
        except InputError:
            if method != "all":
                raise
            continue
        entries[name] = entry
    return entries


def _check_finite(values: np.ndarray, file: Path | str) -> None:
    if not np.isfinite(values).all():
        raise InputError(f"{file}: predicts NaN or infinity, which nothing can explain; train the network again")


def _make_folder(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise InputError(f"--out {out}: is a file; nothing was touched. Choose a folder")
    out.mkdir(parents=True, exist_ok=True)


def _random_twin(model: nn.Sequential) -> nn.Sequential:
    *_, (_, twin) = evaluation.randomised_layers(model)
    return twin


def _free_name(folder: Path, stem: str, written: Sequence[Path]) -> str:
    """`stem`, numbered where another image of this call has it already."""
    candidate, number = stem, 2
    while folder / f"{candidate}_overlay.png" in written:
        candidate, number = f"{stem}_{number}", number + 1
    return candidate
