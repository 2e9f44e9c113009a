"""Every file operation of a run fails once: a clear error, nothing lost, and a resumed run ends on the same bits."""

import os
import shutil
import warnings
from pathlib import Path

import pytest
from images.folders_of_photos import make_folder
from study.faulty_files import SHORT, WAYS, FaultyDisk

from batik_scratch.errors import InputError
from batik_scratch.images import cache
from batik_scratch.study import TwoStageConfig, resume_two_stage, run_two_stage

EVERY = [*WAYS, SHORT]
SAMPLE = 12  # operations of a quick test, spread over the run


def quiet(text):
    pass


def contents(folder: Path) -> dict[str, bytes]:
    names = [path for path in folder.rglob("*") if path.is_file() and path.name != "run.json"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in names}


class Trials:
    """A run on 12 images at 32 pixels, one epoch, again and again in an empty place with an empty cache."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.photos = make_folder(place / "photos", {"kawung": 4, "lereng": 4, "parang": 4})
        self.config = TwoStageConfig(data=str(self.photos), image_size=32, epochs=1, batch_size=4)
        self.out, self.cache = place / "run", place / "cache"
        disk = self.begin(FaultyDisk(place))
        self.operations = disk.operations
        self.undisturbed, self.given = contents(self.out), contents(self.photos)

    def begin(self, disk: FaultyDisk) -> FaultyDisk:
        for folder in (self.out, self.cache):
            shutil.rmtree(folder, ignore_errors=True)
        with disk.at_work(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "the cache folder .* cannot be written")
            run_two_stage(self.config, self.out, say=quiet, verbose=0)
        return disk

    def fail(self, number: int, way: str) -> str:
        """What happens if operation `number` fails in this way, and then the run is resumed; "" if all is well."""
        disk = FaultyDisk(self.place, number, way)
        try:
            self.begin(disk)
        except InputError as error:
            if not str(error).strip():
                return "an error without words"
        except OSError as error:
            if not error.filename:
                return f"an error that names no file: {error}"
        except Exception as error:
            return f"{error!r}"
        if not disk.failed:
            return ""
        torn = sorted(k for k, v in contents(self.out).items() if v != self.undisturbed.get(k, v))
        if torn or contents(self.photos) != self.given:
            return f"torn: {torn or 'the photos'}"
        try:
            if (self.out / "config.toml").exists():
                resume_two_stage(self.out, say=quiet, verbose=0)
            else:
                run_two_stage(self.config, self.out, say=quiet, verbose=0)
        except Exception as error:
            return f"not resumed: {error!r}"
        found = contents(self.out)
        differing = sorted(k for k in found.keys() | self.undisturbed.keys() if found.get(k) != self.undisturbed.get(k))
        return f"differing: {differing}" if differing else ""


@pytest.fixture(scope="module")
def trials(tmp_path_factory):
    place = tmp_path_factory.mktemp("faults").resolve()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BATIK_SCRATCH_CACHE", str(place / "cache"))
        patch.setattr(cache, "cpu_count", lambda: 1)  # one order of operations
        yield Trials(place)


def trouble(trials, numbers, ways):
    found = {(n, way): trials.fail(n, way) for n in numbers for way in ways}
    return [f"{trials.operations[n - 1]}, {way}: {what}" for (n, way), what in found.items() if what]


def test_a_sample_of_the_operations_may_fail(trials):
    total = len(trials.operations)
    assert total > 100
    numbers = [1 + (total - 1) * k // (SAMPLE - 1) for k in range(SAMPLE)]
    found = [trouble(trials, [n], [EVERY[k % len(EVERY)]]) for k, n in enumerate(numbers)]
    assert not any(found), found


@pytest.mark.slow
@pytest.mark.parametrize("way", EVERY)
def test_operations_all_along_a_run_may_fail(trials, way):
    """Every 97th of some 1,800; BATIK_FAULTS_STEP=1 takes them all, as every_fault.py does."""
    step = int(os.environ.get("BATIK_FAULTS_STEP", "97"))
    assert not trouble(trials, range(1, len(trials.operations) + 1, step), [way])
