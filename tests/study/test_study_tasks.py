"""A study as a list of tasks: which are done, what each leaves, and that each can be done alone."""

import shutil

import pytest
from study.conftest import TINY
from study.test_study_two_stage import contents

from batik_scratch.record import RunFiles
from batik_scratch.study.data import load_study_data
from batik_scratch.study.run_folder import RunFolder
from batik_scratch.study.tasks import Session, two_stage_tasks


@pytest.fixture(scope="module")
def data():
    return load_study_data(TINY)


@pytest.fixture
def tasks_in(data):
    return lambda folder: {
        task.name: task for task in two_stage_tasks(TINY, data, RunFiles(folder), Session(verbose=0))
    }


def done(tasks):
    return [name for name, task in tasks.items() if task.done()]


def test_each_task_is_done_when_its_last_file_is_there(tiny_run, tmp_path, tasks_in):
    run = tmp_path / "run"
    shutil.copytree(tiny_run.path, run)
    tasks = tasks_in(run)
    assert list(tasks) == ["data", "stage1", "saliency", "stage2", "examples"]
    assert done(tasks) == ["stage1", "saliency", "stage2", "examples"]  # the data are described each time
    for last, undone in (
        ("examples.npz", "examples"),
        ("stage2/metrics.json", "stage2"),
        ("stage1/saliency.npz", "saliency"),
        ("stage1/metrics.json", "stage1"),
    ):
        (run / last).unlink()
        assert undone not in done(tasks)
    assert done(tasks) == []


def test_the_examples_need_the_maps_of_stage_two_as_well(tiny_run, tmp_path, tasks_in):
    run = tmp_path / "run"
    shutil.copytree(tiny_run.path, run)
    (run / "stage2/saliency.npz").unlink()
    assert "examples" not in done(tasks_in(run))


def test_tasks_done_one_by_one_in_processes_of_their_own_make_the_run(tiny_run, tmp_path, data, tasks_in):
    """Nothing is handed from task to task but the folder: each list here is a fresh one."""
    with RunFolder.create(tmp_path / "run", TINY) as folder:
        folder.data.write(data.description())
        for name in tasks_in(folder.path):
            tasks_in(folder.path)[name].do()
        folder.drop_scratch()
    assert contents(folder) == contents(tiny_run)


def test_each_task_but_the_last_says_what_it_does(tmp_path, tasks_in):
    said = [task.says for task in tasks_in(tmp_path).values()]
    assert said == [
        "42 images in 3 classes (keratonan 16, mega_mendung 14, singa_barong 12): 31 train, 11 validate",
        "stage 1: training on the images",
        "saliency: explaining every image, laying the maps over them in blue",
        "stage 2: training the same network on the overlaid images",
        "",
    ]
