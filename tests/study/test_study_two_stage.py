"""The promises of the two-stage study, on a tiny run."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from study.conftest import TINY

from batik_scratch import nn
from batik_scratch.errors import InputError
from batik_scratch.ops import jit
from batik_scratch.record import overlaid_names
from batik_scratch.study import TwoStageConfig, load_config, run_two_stage

EXCEPT = {"run.json"}  # alone holds times and versions


def contents(folder):
    return {
        str(p.relative_to(folder.path)): p.read_bytes()
        for p in folder.path.rglob("*")
        if p.is_file() and p.name not in EXCEPT
    }


def rows_of(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_the_run_folder_holds_every_promised_file(tiny_run):
    for name in ("config.toml", "split.csv", "data.json", "network.txt", "run.json", "examples.npz"):
        assert (tiny_run / name).stat().st_size > 0
    for stage in ("stage1", "stage2"):
        for name in ("history.csv", "metrics.json", "predictions.csv", "model.npz", "saliency.npz"):
            assert (tiny_run / stage / name).stat().st_size > 0
    assert len(list(tiny_run.path.glob("overlaid/*/*.png"))) == 42
    assert not list(tiny_run.path.rglob("*.npy")) and not list(tiny_run.path.rglob(".new*"))


def test_the_recorded_config_reads_back_equal(tiny_run):
    assert load_config(tiny_run / "config.toml") == TwoStageConfig(
        image_size=32, draw_counts=(16, 14, 12), epochs=2, seed=5
    )


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(tiny_run, run_tiny):
    again, other = contents(run_tiny()), contents(run_tiny(seed=6))
    assert again == contents(tiny_run)
    assert other["stage1/metrics.json"] != again["stage1/metrics.json"]


def test_no_image_trains_and_validates_in_any_stage(tiny_run):
    split = rows_of(tiny_run / "split.csv")
    validation = [row["path"] for row in split if row["split"] == "validation"]
    assert len(validation) == round(0.25 * 42 + 0.5) and len({row["path"] for row in split}) == 42
    for stage in ("stage1", "stage2"):
        assert [row["path"] for row in rows_of(tiny_run / stage / "predictions.csv")] == validation


def test_overlays_lie_where_the_recorded_maps_are_high(tiny_run):
    maps = np.load(tiny_run / "stage1/saliency.npz")["maps"]
    with np.load(tiny_run / "examples.npz") as examples:
        difference = np.abs(examples["overlays"].astype(int) - examples["images"]).sum(axis=-1)  # (M, H, W)
        shades = examples["maps"]
    high = shades > np.percentile(shades, 95, axis=(1, 2), keepdims=True)
    low = shades < np.percentile(shades, 30, axis=(1, 2), keepdims=True)
    assert maps.shape == (42, 32, 32)
    assert difference[high].mean() > 3 * difference[low].mean()


def test_the_overlaid_pngs_are_what_stage_two_saw(tiny_run):
    with np.load(tiny_run / "examples.npz") as examples:
        names, overlays = overlaid_names(examples["paths"].tolist()), examples["overlays"]
    for name, overlay in zip(names, overlays, strict=True):
        with Image.open(tiny_run / "overlaid" / name) as png:
            assert np.array_equal(np.asarray(png), overlay)


def test_a_saved_model_predicts_what_was_recorded(tiny_run):
    model = nn.Sequential.load(tiny_run / "stage1/model.npz")
    with np.load(tiny_run / "examples.npz") as examples:
        p = model.predict(examples["images"].astype(np.float32) / 255)
        assert np.array_equal(p, examples["probabilities"])
    assert model.metadata["class_names"] == ["keratonan", "mega_mendung", "singa_barong"]
    assert np.allclose(p.sum(axis=1), 1, atol=1e-6)


def test_metrics_agree_with_the_recorded_predictions(tiny_run):
    for stage in ("stage1", "stage2"):
        rows = rows_of(tiny_run / stage / "predictions.csv")
        hits = np.mean([row["label"] == row["predicted"] for row in rows])
        metrics = json.loads((tiny_run / stage / "metrics.json").read_text())
        history = rows_of(tiny_run / stage / "history.csv")
        assert metrics["accuracy"] == hits == float(history[-1]["val_accuracy"])
        assert [row["epoch"] for row in history] == ["1", "2"] and metrics["epochs_run"] == 2


def test_both_stages_start_from_the_same_weights(tiny_run, run_tiny):
    # with no overlay at all, stage two is stage one again, bit for bit
    folder = run_tiny(overlay_strength=0.0)
    assert (folder / "stage1/history.csv").read_bytes() == (folder / "stage2/history.csv").read_bytes()
    assert (tiny_run / "stage1/history.csv").read_bytes() != (tiny_run / "stage2/history.csv").read_bytes()


def test_compiling_is_announced_when_the_data_will_do_and_not_before_an_error(tmp_path, monkeypatch):
    class Enough(Exception):
        """What follows is not waited for."""

    def say(text):
        said.append(text)
        if text.startswith("compiling kernels, once"):
            raise Enough

    said = []
    monkeypatch.setattr(jit, "cache_is_cold", lambda: True)
    with pytest.raises(InputError, match="no such folder"):
        run_two_stage(replace(TINY, data=str(tmp_path / "nowhere")), tmp_path / "run", say=say, verbose=0)
    with pytest.raises(Enough):
        run_two_stage(TINY, tmp_path / "run", say=say, verbose=0)
    assert said[0].startswith("data: reading") and said[1] == "data: drawing batik" and len(said) == 3


def test_an_existing_folder_is_refused_and_untouched(tmp_path):
    (tmp_path / "keep").write_text("mine")
    with pytest.raises(InputError, match="not empty"):
        run_two_stage(TwoStageConfig(), tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["keep"]


def test_images_of_equal_stem_get_names_of_their_own():
    names = overlaid_names(["a/x.jpg", "a/x.png", "b/x.jpg", f"b/{'y' * 246}.jpg"])
    assert names[:3] == ["a/x.png", "a/image_000001.png", "b/x.png"] and len(set(names)) == 4
    assert all(len(Path(name).name) <= 255 for name in names)


def test_a_name_that_stands_in_for_another_is_taken_from_nobody():
    assert overlaid_names(["a/image_000002.jpg", "a/x.jpg", "a/x.png", "a/image_000003.bmp", "a/x.tif"]) == [
        "a/image_000002.png",
        "a/x.png",
        "a/image_000003.png",
        "a/image_000004.png",
        "a/image_000005.png",
    ]


def test_names_are_kept_up_to_200_characters_with_their_class():
    kept, long = f"b/c/{'y' * 194}.jpg", f"b/c/{'z' * 195}.jpg"
    assert overlaid_names(["a/x.png", kept, long]) == ["a/x.png", f"b/{'y' * 194}.png", "b/image_000002.png"]
    assert overlaid_names([f"{'c' * 250}/x.jpg"]) == [f"{'c' * 250}/image_000000.png"]
