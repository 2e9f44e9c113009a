"""A study of photos as people keep them: odd names, copies, damage; and photos that changed while a run was away."""

import dataclasses
import json
import os
import shutil

import numpy as np
import pytest
from study.study_witness import COPIES, LEFT_OUT, PHOTOGRAPHED, table
from study.test_study_two_stage import contents

from batik_scratch import nn
from batik_scratch.errors import InputError
from batik_scratch.study import load_config, resume_two_stage, run_two_stage

photographed = pytest.mark.parametrize("study", ["photographed"], indirect=True)


@photographed
def test_photos_come_sorted_by_class_and_path_whatever_their_names(study):
    paths = [row["path"] for row in table(study.folder / "split.csv")]
    assert [path.split("/")[0] for path in paths] == ["Parang rusak"] * 15 + ["kawung"] * 23 + ["Ébène"] * 13
    assert paths == sorted(paths) and "kawung/from a friend/the same.png" in paths
    assert paths[1:3] == ["Parang rusak/xx.bmp", "Parang rusak/xx.png"]
    assert os.fsdecode(b"kawung/Z\xff no text.png") in paths


@photographed
def test_copies_of_a_picture_are_counted_and_kept_on_one_side(study):
    side = {row["path"]: row["split"] for row in table(study.folder / "split.csv")}
    assert all(len({side[path] for path in group}) == 1 for group in COPIES)
    assert json.loads((study.folder / "data.json").read_text(errors="surrogateescape"))["near_duplicate_groups"] == 2


@photographed
def test_photos_left_out_are_recorded_with_a_reason_and_nowhere_else(study):
    found = json.loads((study.folder / "data.json").read_text(encoding="utf-8", errors="surrogateescape"))
    assert [path for path, _ in found["skipped"]] == LEFT_OUT
    assert all("decode" in reason or "not an image" in reason for _, reason in found["skipped"])
    assert found["source"] == "my batik"
    assert not any("broken" in row["path"] for row in table(study.folder / "split.csv"))


@photographed
def test_json_is_written_for_readers(study):
    text = (study.folder / "data.json").read_text(encoding="utf-8", errors="surrogateescape")
    assert '\n    "Ébène"' in text and text.endswith("}\n")


@photographed
def test_overlays_of_one_stem_are_kept_apart_and_long_names_shortened(study):
    overlaid = study.folder / "overlaid"
    assert (overlaid / "Parang rusak/xx.png").is_file() and (overlaid / "Parang rusak/image_000002.png").is_file()
    assert len(list((overlaid / "kawung").iterdir())) == 23
    assert max(len(path.name) for path in (overlaid / "kawung").iterdir()) <= 200


def test_without_skip_bad_a_damaged_photo_stops_the_run_before_its_folder_appears(photos, tmp_path):
    config = dataclasses.replace(PHOTOGRAPHED, data=str(photos), skip_bad=False)
    with pytest.raises(InputError, match=r"2 of its files cannot be read(.|\n)*broken\.jpg"):
        run_two_stage(config, tmp_path / "run", say=lambda text: None, verbose=0)
    assert not list(tmp_path.iterdir())


def test_a_home_folder_is_found_by_its_tilde(photos, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(photos.parent))
    config = dataclasses.replace(PHOTOGRAPHED, data="~/no such photos")
    with pytest.raises(InputError, match=f"{photos.parent}/no such photos: there is no such folder"):
        run_two_stage(config, tmp_path / "run", say=lambda text: None, verbose=0)


@pytest.fixture
def interrupted(study, photos, tmp_path):
    """A copy of the run, all of it done but the last line, with photos of its own."""
    mine = tmp_path / photos.name
    shutil.copytree(photos, mine, symlinks=True)
    run = tmp_path / "run"
    shutil.copytree(study.folder.path, run)
    (run / "run.json").unlink()
    np.save(run / "overlaid.npy", study.overlaid())
    config = dataclasses.replace(load_config(run / "config.toml"), data=str(mine))
    (run / "config.toml").write_text(config.to_toml(), encoding="utf-8")
    return run, mine


def change_a_byte(mine):
    photo = mine / "Parang rusak/xxx.bmp"
    raw = bytearray(photo.read_bytes())
    raw[-9] ^= 1
    photo.write_bytes(raw)


def rename(mine):
    (mine / "kawung/IMG 2.JPG").rename(mine / "kawung/IMG 2b.JPG")


def take_away(mine):
    (mine / "kawung/IMG 2.JPG").unlink()


@photographed
@pytest.mark.parametrize(
    "meddle", [change_a_byte, *(pytest.param(meddle, marks=pytest.mark.slow) for meddle in (rename, take_away))]
)
def test_a_resumed_run_refuses_other_photos_and_changes_nothing(interrupted, meddle):
    run, mine = interrupted
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    meddle(mine)
    with pytest.raises(InputError, match=r"the images in .*my batik are not those that this run began with"):
        resume_two_stage(run, say=lambda text: None, verbose=0)
    assert before == {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}


@photographed
def test_a_resumed_run_keeps_what_is_done_and_trains_nothing_again(interrupted, study, monkeypatch):
    run, _ = interrupted

    def no_training(*arguments):
        pytest.fail("all training was done")

    monkeypatch.setattr(nn.Sequential, "train_step", no_training)
    done = {path: path.stat().st_mtime_ns for path in run.rglob("*") if path.parent.name in ("stage1", "overlaid")}
    resumed = resume_two_stage(run, command="again", say=lambda text: None, verbose=0)
    assert done == {path: path.stat().st_mtime_ns for path in done}
    before, after = contents(study.folder), contents(resumed)
    assert before.pop("config.toml") != after.pop("config.toml")  # the photos are elsewhere
    assert before == after and json.loads((run / "run.json").read_text())["command"] == "again"
