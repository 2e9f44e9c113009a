"""One tiny study, run once and looked at by many tests; and two odd ones, held against a second account."""

import dataclasses
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from study.study_witness import COPIES, DRAWN, PHOTOGRAPHED, Trained, Witness, drawn_images, odd_photos

from batik_scratch.study import RunFolder, TwoStageConfig, run_two_stage

TINY = TwoStageConfig(image_size=32, draw_counts=(16, 14, 12), epochs=2, seed=5)


@pytest.fixture(scope="session")
def run_tiny(tmp_path_factory):
    def run(**changes):
        out = tmp_path_factory.mktemp("run") / "run"
        return run_two_stage(dataclasses.replace(TINY, **changes), out, say=lambda text: None, verbose=0)

    return run


@pytest.fixture(scope="session")
def tiny_run(run_tiny):
    return run_tiny()


@dataclass
class Study:
    """A run, the second account of it, and what was said and when."""

    folder: RunFolder
    witness: Witness
    began: datetime
    said: list[str] = field(default_factory=list)

    def png_names(self) -> list[str]:
        """Where each image's overlay is: CLASS/STEM.png, or its number where that is taken or very long."""
        names: list[str] = []
        for number, path in enumerate(self.witness.paths):
            name = f"{path.split('/')[0]}/{Path(path).stem}.png"
            names.append(f"{path.split('/')[0]}/image_{number:06d}.png" if name in names or len(name) > 200 else name)
        return names

    def overlaid(self) -> np.ndarray:
        """The pixels (N, H, W, 3) of the overlaid pictures, in the order of the images."""
        return np.stack([np.asarray(Image.open(self.folder / "overlaid" / name)) for name in self.png_names()])

    def pixels(self, stage: str) -> np.ndarray:
        """What a stage saw."""
        return self.witness.pixels if stage == "stage1" else self.overlaid()

    def trained(self, stage: str) -> Trained:
        return self.witness.stage(stage, self.pixels(stage))


@pytest.fixture(scope="session")
def photos(tmp_path_factory):
    return odd_photos(tmp_path_factory.mktemp("photos") / "my batik")


@pytest.fixture(scope="session", params=["drawn", "photographed"])
def study(request, tmp_path_factory):
    place = tmp_path_factory.mktemp(request.param)
    if request.param == "drawn":
        config, folder, copies = DRAWN, drawn_images(place / "drawn", DRAWN), []
    else:
        folder, copies = request.getfixturevalue("photos"), COPIES
        config = dataclasses.replace(PHOTOGRAPHED, data=str(folder))
    said: list[str] = []
    began = datetime.now(UTC)
    run = run_two_stage(config, place / "run", command=f"run {request.param}", say=said.append, verbose=0)
    return Study(run, Witness(config, folder, copies), began, said)
