"""One bar for a whole run, with the time that is left: training twice, explaining twice."""

from collections.abc import Callable, Mapping
from types import TracebackType

from tqdm import tqdm

from .. import nn


class RunBar:
    """Counts images that were trained on or explained, of all that a run will; shown on a terminal only.

    parts    {name of a task: how many images it goes through}, in the order of the tasks. Explaining an image costs
             about what training on one does: forwards once and backwards once
    """

    def __init__(self, parts: Mapping[str, int], shown: bool = True) -> None:
        self.parts, self._before, self._part = dict(parts), 0, ""
        hidden = None if shown else True  # None: on a terminal only
        self._bar = tqdm(
            total=sum(self.parts.values()), desc="run", unit="image", leave=False, disable=hidden, smoothing=0.05
        )

    def __enter__(self) -> "RunBar":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._bar.close()

    def begin(self, name: str, done: bool = False) -> None:
        """The task called `name` begins; or was done by an earlier process, which cost no time now."""
        names = list(self.parts)
        self._part = name
        self._before = sum(self.parts[one] for one in names[: names.index(name)]) if name in names else self._bar.n
        if done:
            self._bar.initial = getattr(self._bar, "initial", 0) + self.parts.get(name, 0)  # not there if not shown
        else:
            self._bar.set_description(f"run: {name}", refresh=False)

    def at(self, images: int) -> None:
        """So many images of this task are done."""
        self._bar.update(self._before + images - self._bar.n)

    def end(self) -> None:
        """The task is done, perhaps sooner than it might have been."""
        self.at(self.parts.get(self._part, 0))


class Steps(nn.Callback):
    """Tells a bar how many images were trained on, of `images` in an epoch."""

    def __init__(self, at: Callable[[int], None], images: int, batch_size: int) -> None:
        self.at, self.images, self.batch_size, self.epoch = at, images, batch_size, 0

    def on_epoch_begin(self, epoch: int, logs: dict[str, float]) -> None:
        self.epoch = epoch

    def on_batch_end(self, batch: int, logs: dict[str, float]) -> None:
        self.at(self.epoch * self.images + min((batch + 1) * self.batch_size, self.images))
