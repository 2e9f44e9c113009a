"""The table of strangers' folders: `scan`, `run` and `predict` know the same of each, and say it."""

from collections import Counter

import numpy as np
import pytest
from folders_of_photos import make_folder
from reported_folders import REPORTED
from strangers_folders import ALL, CASES, has

from batik_scratch import images, nn
from batik_scratch.errors import InputError
from batik_scratch.study import TwoStageConfig
from batik_scratch.study.answers import Answers
from batik_scratch.study.data import load_study_data
from batik_scratch.study.single import evaluate_model

SIZE = 24
CASES = CASES | REPORTED


@pytest.fixture(scope="module")
def model():
    """A network that knows the classes of every case, by other spellings."""
    names = ["KAWUNG", "lereng ", "parang", "train", "lereng (1)", "a b", "a_b"]
    names += sorted({name for case in REPORTED.values() for name in case.trains or ()} - {*ALL})
    network = nn.Sequential([nn.Flatten(), nn.Dense(len(names)), nn.Softmax()], (SIZE, SIZE, 3), random_state=0)
    network.metadata = {"class_names": names, "image_size": SIZE}
    return network, names


@pytest.fixture
def folder(request, tmp_path):
    photos = make_folder(tmp_path / "photos", ALL)
    return CASES[request.param].make(photos) or photos


def by_name(names):
    return pytest.mark.parametrize(("name", "folder"), [(name, name) for name in names], indirect=["folder"])


def test_the_table_is_as_long_as_was_promised():
    assert len(CASES) >= 60


@by_name(CASES)
def test_a_scan_says_it(name, folder):
    case = CASES[name]
    options = {key: value for key, value in case.options.items() if key != "skip_bad"}
    try:
        report = images.scan(folder, progress=False, workers=1, **options)
    except InputError as error:
        assert case.trains is None and case.ok, error  # a folder that cannot be scanned: the run says the same
        assert not has(str(error), case.says), error
        return
    assert report.ok == case.ok, report.table()
    said = f"WARNING: {report.table()}"
    if case.scan is not None:
        assert not has(said, case.scan), said
    elif case.trains is not None or not case.ok:
        assert not has(said, case.says), said
    if case.trains is not None:
        assert +Counter(report.counts) == Counter(case.trains)


@by_name(CASES)
def test_a_run_trains_on_what_it_says_and_on_nothing_else(name, folder):
    case = CASES[name]
    config = TwoStageConfig(data=str(folder), image_size=SIZE, **case.options)
    if case.trains is None:
        with pytest.raises(InputError) as error:
            load_study_data(config)
        assert not has(str(error.value), case.says), error.value
        assert len(str(error.value).splitlines()) <= 7
        return
    data = load_study_data(config)
    said = "\n".join(data.said())
    assert not has(said, case.says), said
    assert case.says or not said, said
    described = data.description()
    both = Counter(described["counts"]["train"]) + Counter(described["counts"]["validation"])
    assert both == Counter(case.trains)
    assert described["warnings"] == data.told() and described["passed_over"] == list(data.passed_over)
    root = folder / "images" if name == "a drawn set given as data" else folder
    for row in (0, len(data.paths) - 1):
        assert np.array_equal(data.images[row], images.read_pixels(root / data.paths[row], SIZE))


@by_name([name for name, case in CASES.items() if case.trains is not None])
def test_predict_reads_what_a_run_reads_and_refuses_what_it_left_out(name, folder, model, tmp_path):
    network, names = model
    file = tmp_path / "m.npz"
    network.save(file)
    case = CASES[name]
    data = load_study_data(TwoStageConfig(data=str(folder), image_size=SIZE, **case.options))
    root = folder / "images" if name == "a drawn set given as data" else folder
    told = list(Answers(file, [root / path for path in data.paths]))
    answers = network.predict(np.asarray(data.images, np.float32) / 255).argmax(axis=1)
    assert [one.predicted for one in told] == [names[a] for a in answers] and not any(one.error for one in told)
    for path, reason in data.skipped:
        (one,) = Answers(file, [root / path])
        assert "is not an image" in one.error and reason in one.error and not one.predicted
    of_the_folder = {one.file: one.error for one in Answers(file, [folder])}
    if not case.options.keys() - {"skip_bad"}:  # links and parts of a split aside, all that a run reads of it is found
        assert set(of_the_folder) >= {str(root / path) for path in [*data.paths, *(path for path, _ in data.skipped)]}
    if "split_folders" not in case.options:
        found = evaluate_model(file, folder, say=lambda line: None, **case.options)
        assert str(found).startswith(f"{len(data.paths)} images") and found.images == len(data.paths)
