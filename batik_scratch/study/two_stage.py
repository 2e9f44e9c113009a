"""The paper's Fig. 1 as one function: data, split, train, saliency maps, overlaid data set, train again, evaluate.

Stage two uses the same split by identity: an image that trained the first network never validates the second. Maps are
made by the stage-one network for its *predicted* class, for training and validation images alike.
"""

import datetime
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .. import nn
from ..errors import InputError
from ..files import new_array, write_npz, write_text
from ..nn.summary import summary_table
from .config import TwoStageConfig, load_config
from .data import StudyData, load_study_data
from .environment import environment
from .maps import map_in_batches, overlaid_names, overlay_maps, raw_maps, write_png
from .run_folder import RunFolder, check_free
from .stage import build_model, train_stage

EXAMPLES_PER_CLASS = 4


def run_two_stage(
    config: TwoStageConfig,
    out: Path,
    command: str = "",
    say: Callable[[str], None] = print,
    verbose: int = 1,
    checkpoint_every: int = 1,
) -> RunFolder:
    """Run the whole study into the folder `out`, which must not exist or be empty.

    Bad configuration, data or folder raise InputError before `out` appears. Everything in the folder but run.json
    repeats bit for bit from the same configuration, data and machine; a run that was interrupted goes on with
    `resume_two_stage`.
    """
    check_free(out)
    clock = _Clock()
    data = _load(config, say)
    with RunFolder.create(out, config) as folder:
        folder.write_json("data.json", data.description())
        _go_through(config, folder, data, command, say, verbose, checkpoint_every, clock)
    return folder


def resume_two_stage(
    out: Path, command: str = "", say: Callable[[str], None] = print, verbose: int = 1, checkpoint_every: int = 1
) -> RunFolder:
    """Go on with the run in the folder `out` from its last checkpoint, to the bits of an uninterrupted run.

    What is done is kept. Raises InputError where `out` is no run folder, where another process works in it, or where
    the photos are not those that the run began with.
    """
    with RunFolder.open(out) as folder:
        clock = _Clock()
        config = load_config(out / "config.toml")
        if (out / "run.json").is_file():
            say(f"{out}: this run is finished; nothing to train")
            (out / "overlaid.npy").unlink(missing_ok=True)
            return folder
        data = _load(config, say)
        recorded = _read_json(out / "data.json")
        if recorded is None:
            folder.write_json("data.json", data.description())
        elif recorded != json.loads(json.dumps(data.description())):
            raise InputError(
                f"--resume {out}: the images in {config.data or 'the drawn set'} are not those that this run began with; "
                "put them back, or start a new run"
            )
        _go_through(config, folder, data, command, say, verbose, checkpoint_every, clock)
    return folder


def _load(config: TwoStageConfig, say: Callable[[str], None]) -> StudyData:
    say("data: drawing batik" if not config.data else f"data: reading {config.data}")
    return load_study_data(config)


def _go_through(
    config: TwoStageConfig,
    folder: RunFolder,
    data: StudyData,
    command: str,
    say: Callable[[str], None],
    verbose: int,
    checkpoint_every: int,
    clock: "_Clock",
) -> None:
    """All steps, each passed over where an earlier process finished it."""
    _describe(folder, config, data, say)
    clock.lap("data")
    say("stage 1: training on the images")
    first = train_stage(config, folder, "stage1", data, data.images, verbose, checkpoint_every)
    clock.lap("stage1")
    say("saliency: explaining every image, laying the maps over them in blue")
    overlaid = write_overlays(config, folder, data, first)
    clock.lap("saliency")
    say("stage 2: training the same network on the overlaid images")
    second = train_stage(config, folder, "stage2", data, overlaid, verbose, checkpoint_every)
    clock.lap("stage2")
    write_stage_two_maps(folder, data, overlaid, second)
    write_examples(config, folder, data, overlaid, first, second)
    del overlaid
    clock.lap("examples")
    finished = datetime.datetime.now(datetime.UTC)
    folder.write_json(
        "run.json",
        {
            "started": clock.started.isoformat(timespec="seconds"),
            "finished": finished.isoformat(timespec="seconds"),
            "seconds": clock.laps,
            "data": str(Path(config.data).absolute()) if config.data else "drawn",
            "command": command,
            **environment(),
        },
    )
    (folder / "overlaid.npy").unlink()


def _describe(folder: RunFolder, config: TwoStageConfig, data: StudyData, say: Callable[[str], None]) -> None:
    folder.write_csv("split.csv", ("path", "class", "label", "split"), data.split_rows())
    write_text(folder / "network.txt", summary_table(build_model(config, data.class_names)) + "\n")
    say(
        f"{len(data.labels)} images in {len(data.class_names)} classes "
        f"({', '.join(data.class_names)}): {len(data.train)} train, {len(data.validation)} validate"
    )


def write_overlays(config: TwoStageConfig, folder: RunFolder, data: StudyData, model: nn.Sequential) -> np.ndarray:
    """The second data set: every image under its map, as overlaid/CLASS/*.png; raw maps go to stage1/saliency.npz.

    Returns the overlaid pixels uint8 (N, H, W, 3) as a memory map (overlaid.npy, removed at the end): memory stays flat.
    saliency.npz is written last: where it is there, the rest is.
    """
    n, h, w, _ = data.images.shape
    if (folder / "stage1/saliency.npz").is_file():
        return np.load(folder / "overlaid.npy", mmap_mode="r")
    overlaid = new_array(folder / "overlaid.npy", np.uint8, (n, h, w, 3))
    maps = new_array(folder / "maps.npy", np.float32, (n, h, w))
    names = overlaid_names(data.paths)
    for rows, batch in map_in_batches(model, data.images, np.arange(n), "saliency"):
        maps[rows] = batch
        overlaid[rows] = overlay_maps(config, data.images[rows], batch)
        for row in rows:
            write_png(folder / "overlaid" / names[row], overlaid[row])
    overlaid.flush()
    write_npz(folder / "stage1/saliency.npz", {"maps": maps, "rows": np.arange(n)})
    del maps
    (folder / "maps.npy").unlink()
    return overlaid


def write_stage_two_maps(folder: RunFolder, data: StudyData, overlaid: np.ndarray, model: nn.Sequential) -> None:
    """What the second network looks at: raw maps of the overlaid validation images, with their rows of split.csv."""
    maps = [batch for _, batch in map_in_batches(model, overlaid, data.validation, "saliency, stage 2")]
    write_npz(folder / "stage2/saliency.npz", {"maps": np.concatenate(maps), "rows": data.validation})


def write_examples(
    config: TwoStageConfig,
    folder: RunFolder,
    data: StudyData,
    overlaid: np.ndarray,
    first: nn.Sequential,
    second: nn.Sequential,
) -> None:
    """A few validation images per class with maps and predictions, so that the folder can be reported without photos."""
    rows = np.concatenate(
        [data.validation[data.labels[data.validation] == c][:EXAMPLES_PER_CLASS] for c in range(len(data.class_names))]
    )
    pixels, covered = np.asarray(data.images[rows]), np.asarray(overlaid[rows])
    probabilities = first.predict(pixels.astype(np.float32) / 255)  # (M, U)
    write_npz(
        folder / "examples.npz",
        {
            "images": pixels,
            "maps": raw_maps(first, pixels),
            "overlays": covered,
            "maps_stage2": raw_maps(second, covered),
            "labels": data.labels[rows],
            "predicted": probabilities.argmax(axis=1),
            "probabilities": probabilities,
            "paths": np.array([data.paths[i].encode("utf-8", "replace").decode() for i in rows]),
            "split": np.array(["validation"] * len(rows)),
        },
    )


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8", errors="surrogateescape"))
    except FileNotFoundError:
        return None
    except ValueError:
        raise InputError(f"{path}: cannot be read as JSON; this run folder is damaged, start a new run") from None


class _Clock:
    """Seconds of each part of a run, by a clock that never goes backwards; the date is for the reader only."""

    def __init__(self) -> None:
        self.started = datetime.datetime.now(datetime.UTC)
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = round(now - self._last, 2)
        self._last = now
