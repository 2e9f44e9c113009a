"""State that survives what people do to it: another folder to start from, a moved run, an edited configuration."""

import dataclasses
import json
import re
import shutil

import pytest
from images.folders_of_photos import make_folder, save

from batik_scratch import nn
from batik_scratch.cli import main
from batik_scratch.errors import InputError
from batik_scratch.record import RunFiles
from batik_scratch.study import TwoStageConfig, load_config, resume_two_stage, run_two_stage

SMALL = TwoStageConfig(image_size=32, epochs=1, batch_size=4)


class Killed(BaseException):
    """Stands for SIGKILL."""


@pytest.fixture
def place(tmp_path, monkeypatch):
    make_folder(tmp_path / "work/photos", {"kawung": 4, "lereng": 4})
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def interrupted(place, monkeypatch):
    """A run on "photos" that is killed at its first step."""

    def die(*arguments, **options):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(nn.Sequential, "train_step", die)
        with pytest.raises(Killed):
            run_two_stage(dataclasses.replace(SMALL, data="photos"), place.parent / "run", say=print, verbose=0)
    return place.parent / "run"


def edit(run, key, value):
    text = (run / "config.toml").read_text()
    (run / "config.toml").write_text(re.sub(rf"(?m)^{key} = .*$", f"{key} = {value}", text))


def test_a_relative_data_folder_is_found_again_from_anywhere(place, monkeypatch):
    run = interrupted(place, monkeypatch)
    assert load_config(run / "config.toml").data == str(place / "photos")
    monkeypatch.chdir("/")
    assert resume_two_stage(run, say=print, verbose=0).run.exists()
    assert json.loads((run / "data.json").read_text())["source"] == "photos"


def test_a_moved_run_folder_goes_on(place, monkeypatch):
    run = interrupted(place, monkeypatch)
    (place / "deep").mkdir()
    moved = shutil.move(run, place / "deep" / "another name")
    assert resume_two_stage(moved, say=print, verbose=0).run.exists()


def test_moved_photos_are_asked_for_and_may_be_named_in_the_configuration(place, monkeypatch):
    run = interrupted(place, monkeypatch)
    (place / "photos").rename(place.parent / "batik")
    with pytest.raises(InputError, match=r"the photos were in .*photos, and there is no such folder.*config\.toml"):
        resume_two_stage(run, say=print, verbose=0)
    edit(run, "data", f'"{place.parent / "batik"}"')
    assert resume_two_stage(run, say=print, verbose=0).run.exists()


def test_an_edited_configuration_is_named_key_by_key_and_refused(place, monkeypatch):
    run = interrupted(place, monkeypatch)
    edit(run, "epochs", 2)
    edit(run, "learning_rate", 0.25)
    with pytest.raises(InputError) as error:
        resume_two_stage(run, say=print, verbose=0)
    assert "\n  epochs: 1 -> 2\n  learning_rate: 0.0003 -> 0.25\n" in str(error.value)
    assert str(error.value).endswith("Put them back, or use --accept-changes")
    assert not (run / "run.json").exists()
    edit(run, "epochs", 1)
    edit(run, "learning_rate", 0.0003)
    assert resume_two_stage(run, say=print, verbose=0).run.exists()


def test_accepted_changes_are_said_used_and_recorded(place, monkeypatch):
    run = interrupted(place, monkeypatch)
    edit(run, "epochs", 2)
    said = []
    resume_two_stage(run, say=said.append, verbose=0, accept_changes=True)
    assert "epochs: 1 -> 2" in said[0]
    assert RunFiles(run).begun.read()["changes"] == [{"epochs": [1, 2]}]
    assert len((run / "stage1/history.csv").read_text().splitlines()) == 3  # its header, and two epochs


def test_a_run_that_recorded_no_beginning_goes_on_by_its_configuration(place, monkeypatch):
    run = interrupted(place, monkeypatch)
    (run / "begun.json").unlink()
    edit(run, "epochs", 2)
    assert resume_two_stage(run, say=print, verbose=0).run.exists()


def test_other_files_beside_the_photos_do_not_stop_a_resumed_run(place, monkeypatch):
    run = interrupted(place, monkeypatch)
    (place / "photos/notes.txt").write_text("x")
    (place / "photos/kawung/.DS_Store").write_text("x")
    assert resume_two_stage(run, say=print, verbose=0).run.exists()


@pytest.mark.parametrize("out", ["photos/run", "photos/kawung/run", "photos", "photos/../photos/a/b"])
def test_no_run_is_written_into_the_photos(place, out):
    with pytest.raises(InputError, match=r"is inside the photos' folder|not empty"):
        run_two_stage(dataclasses.replace(SMALL, data="photos"), place / out, say=print, verbose=0)
    assert sorted(p.name for p in (place / "photos").iterdir()) == ["kawung", "lereng"]


def test_the_default_folder_is_refused_where_one_stands_in_the_photos(place, monkeypatch, capsys):
    monkeypatch.chdir(place / "photos")
    assert main(["run", "--data", ".", "--image-size", "32", "--epochs", "1"]) == 2
    assert re.search(r"--out runs/\S+: is inside the photos' folder", capsys.readouterr().err)
    assert sorted(p.name for p in (place / "photos").iterdir()) == ["kawung", "lereng"]


@pytest.mark.parametrize("given", ["", "  "])
@pytest.mark.parametrize("command", ["run", "train", "evaluate --model m.npz"])
def test_an_empty_name_for_the_photos_is_refused(place, capsys, command, given):
    with pytest.raises(SystemExit) if command.startswith("evaluate") else pytest.MonkeyPatch.context() as stop:
        code = main([*command.split(), "--data", given])
    assert (stop.value.code if command.startswith("evaluate") else code) == 2
    assert "needs the name of a folder" in capsys.readouterr().err


def test_accept_changes_belongs_to_resume(place, capsys):
    assert main(["run", "--data", "photos", "--accept-changes"]) == 2
    assert "--accept-changes: goes with --resume" in capsys.readouterr().err


def test_a_split_that_was_made_already_is_taken_and_resumed(place, monkeypatch):
    (place / "both/train").mkdir(parents=True)
    for name in ("kawung", "lereng"):
        (place / "photos" / name).rename(place / "both/train" / name)
        save(place / f"both/val/{name}/v.png", 700 + len(name) + ord(name[0]))
    (place / "both").rename(place / "photos2")
    config = dataclasses.replace(SMALL, data="photos2", split_folders=True)
    run = run_two_stage(config, place.parent / "run", say=print, verbose=0)
    rows = [(row.path, row.class_name, row.part) for row in run.split.read()]
    assert len(rows) == 10 and ("val/kawung/v.png", "kawung", "validation") in rows
    assert all(part == ("train" if path.startswith("train/") else "validation") for path, _, part in rows)
    assert sorted(p.name for p in (run.path / "overlaid").iterdir()) == ["kawung", "lereng"]
