"""The whole run folder: which files it has, and where."""

from pathlib import Path

from .about import BegunFile, ConfigFile, DataFile, NetworkFile, RecordFile, SplitFile
from .pictures import ExamplesFile, MapsInWork, OverlaidPictures, OverlaidPixels
from .reported import ReportFiles
from .stage import StageFiles
from .stages import STAGES


class RunFiles:
    """The files of a run folder by name; each knows how it is written and read.

    config.toml begun.json split.csv data.json network.txt
    run.json    holds times, dates, versions, and the command; config.toml and begun.json hold the photos' path
    stage1/ stage2/   history.csv metrics.json predictions.csv model.npz saliency.npz checkpoint/
    overlaid/CLASS/*.png  examples.npz  figures/ tables/ report.html
    overlaid.npy maps.npy   only while a run is at work

    `undecodable` says what reading makes of bytes that are not UTF-8: see `RunFile`.
    """

    def __init__(self, path: Path, undecodable: str = "surrogateescape") -> None:
        self.path = path
        self.config = ConfigFile(path, undecodable)
        self.begun = BegunFile(path, undecodable)
        self.split = SplitFile(path, undecodable)
        self.data = DataFile(path, undecodable)
        self.network = NetworkFile(path, undecodable)
        self.run = RecordFile(path, undecodable)
        self.stages = {stage: StageFiles(path / stage, undecodable) for stage in STAGES}
        self.overlaid = OverlaidPictures(path)
        self.examples = ExamplesFile(path)
        self.report = ReportFiles(path)
        self.overlaid_pixels = OverlaidPixels(path)
        self.maps_in_work = MapsInWork(path)

    def __truediv__(self, name: str) -> Path:
        return self.path / name
