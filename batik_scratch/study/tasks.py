"""The paper's Fig. 1 as a list of tasks: data, train, saliency maps, overlaid data set, train again, examples.

A task takes what it needs from the data and from the run folder, and leaves all that it makes in the folder. So a run
that was interrupted goes on by asking each task whether it is done. Stage two uses the same split by identity: an image
that trained the first network never validates the second. Maps are made by the stage-one network for its *predicted*
class, for training and validation images alike.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import nn
from ..images.passed_over import shortened
from ..images.reading import printable
from ..nn.summary import summary_table
from ..record import Examples, Maps, RunFiles, StageName, overlaid_names
from .config import TwoStageConfig
from .data import StudyData, to_unit
from .maps import map_in_batches, overlay_maps, raw_maps
from .progress import Steps
from .stage import train_stage
from .training import build_model, probabilities

EXAMPLES_PER_CLASS = 4


@dataclass(frozen=True)
class Task:
    """One part of a run, which an interrupted run does once more unless it is done.

    name   as its seconds are recorded; says: one line, before it begins ("" for none)
    done   whether the run folder has all that it leaves
    do     does it, from its beginning or from a checkpoint of its own; its last file appears when the others are whole
    """

    name: str
    says: str
    done: Callable[[], bool]
    do: Callable[[], None]


@dataclass(frozen=True)
class Session:
    """How one process goes about a run; none of it changes a result.

    command            as it was typed, for the record
    say                takes the lines that tell what is being done
    verbose            1: a line for each epoch; 0: none
    checkpoint_every   epochs between two checkpoints
    at                 is told how many images of a task are done
    """

    command: str = ""
    say: Callable[[str], None] = print
    verbose: int = 1
    checkpoint_every: int = 1
    at: Callable[[int], None] = lambda images: None


def images_of_tasks(config: TwoStageConfig, data: StudyData) -> dict[str, int]:
    """{name of a task: how many images it trains on or explains, at most}; those that do neither are left out."""
    training = config.epochs * len(data.train)
    explained, held_out = len(data.labels), len(data.validation)
    return {StageName.FIRST: training, "saliency": explained, StageName.SECOND: training, "examples": held_out}


def two_stage_tasks(config: TwoStageConfig, data: StudyData, files: RunFiles, session: Session) -> Sequence[Task]:
    """The tasks of a two-stage study, in the order in which each finds what it needs."""
    first, second = (files.stages[stage] for stage in StageName)
    steps = Steps(session.at, len(data.train), config.batch_size)
    settings: dict[str, Any] = {"verbose": session.verbose, "checkpoint_every": session.checkpoint_every}
    settings["extra"] = [steps]
    each = np.bincount(data.labels, minlength=len(data.class_names)).tolist()
    names = shortened([f"{printable(name)} {n}" for name, n in zip(data.class_names, each, strict=True)])
    counts = (
        f"{len(data.labels)} images in {len(data.class_names)} classes ({names}): "
        f"{len(data.train)} train, {len(data.validation)} validate"
    )
    return (
        Task("data", "\n".join([*data.said(), counts]), lambda: False, lambda: describe(config, data, files)),
        Task(
            StageName.FIRST,
            "stage 1: training on the images",
            first.metrics.exists,
            lambda: train_stage(config, data, data.images, first, **settings),
        ),
        Task(
            "saliency",
            "saliency: explaining every image, laying the maps over them in blue",
            first.saliency.exists,
            lambda: overlay_images(config, data, files, session.at),
        ),
        Task(
            StageName.SECOND,
            "stage 2: training the same network on the overlaid images",
            second.metrics.exists,
            lambda: train_stage(config, data, files.overlaid_pixels.open(), second, **settings),
        ),
        Task(
            "examples",
            "",
            lambda: second.saliency.exists() and files.examples.exists(),
            lambda: keep_examples(data, files, session.at),
        ),
    )


def describe(config: TwoStageConfig, data: StudyData, files: RunFiles) -> None:
    """Write the split and the network's table."""
    files.split.write(data.split_rows())
    files.network.write(summary_table(build_model(config, data.class_names)) + "\n")


def overlay_images(
    config: TwoStageConfig, data: StudyData, files: RunFiles, at: Callable[[int], None] = lambda images: None
) -> None:
    """Make the second data set: every image under its map by the first network, as pictures and as one mapped array.

    The raw maps are written last: if they are there, the rest is. Memory stays flat: both arrays are on the disk.
    """
    n, h, w, _ = data.images.shape
    first = files.stages[StageName.FIRST]
    overlaid = files.overlaid_pixels.new(np.uint8, (n, h, w, 3))
    maps = files.maps_in_work.new(np.float32, (n, h, w))
    names = overlaid_names(data.paths, [data.class_names[label] for label in data.labels])
    for rows, batch in map_in_batches(nn.Sequential.load(first.model.path), data.images, np.arange(n), "saliency"):
        maps[rows] = batch
        overlaid[rows] = overlay_maps(config, data.images[rows], batch)
        for row in rows:
            files.overlaid.write(names[row], overlaid[row])
        at(int(rows[-1]) + 1)
    overlaid.flush()
    first.saliency.write(Maps(maps, np.arange(n)))
    del maps  # Windows removes no file that is mapped
    files.maps_in_work.remove()


def keep_examples(data: StudyData, files: RunFiles, at: Callable[[int], None] = lambda images: None) -> None:
    """Keep the second network's maps of the validation images, and a few pictures of each class for the report."""
    overlaid = files.overlaid_pixels.open()  # (N, H, W, 3)
    first, second = (nn.Sequential.load(files.stages[stage].model.path) for stage in StageName)
    maps: list[np.ndarray] = []
    for _, batch in map_in_batches(second, overlaid, data.validation, "saliency, stage 2"):
        maps.append(batch)
        at(sum(map(len, maps)))
    files.stages[StageName.SECOND].saliency.write(Maps(np.concatenate(maps), data.validation))

    each = [data.validation[data.labels[data.validation] == c] for c in range(len(data.class_names))]
    rows = np.concatenate([of_class[:EXAMPLES_PER_CLASS] for of_class in each])  # (M,)
    pixels, covered = np.asarray(data.images[rows]), np.asarray(overlaid[rows])  # (M, H, W, 3) both
    shares = probabilities(first, to_unit(pixels))  # (M, U)
    files.examples.write(
        Examples(
            images=pixels,
            maps=raw_maps(first, pixels),
            overlays=covered,
            maps_stage2=raw_maps(second, covered),
            labels=data.labels[rows],
            predicted=shares.argmax(axis=1),
            probabilities=shares,
            paths=np.array([data.paths[i].encode("utf-8", "replace").decode() for i in rows]),
            split=np.array(["validation"] * len(rows)),
        )
    )
