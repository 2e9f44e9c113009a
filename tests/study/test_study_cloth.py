"""The study with the network for real cloth: what it trains, what it answers, and how it goes on after a kill."""

import dataclasses

import numpy as np
import pytest
from PIL import Image
from study.conftest import TINY
from study.test_study_resume import killed_at, quiet
from study.test_study_two_stage import contents

from batik_scratch import images, nn, saliency
from batik_scratch.study import make_config, resume_two_stage, run_two_stage
from batik_scratch.study.answers import Answers
from batik_scratch.study.data import load_study_data
from batik_scratch.study.maps import raw_maps
from batik_scratch.study.single import train_model
from batik_scratch.study.training import build_model, probabilities, train_network

CLOTH = dataclasses.replace(
    make_config({"network": "cloth"}), image_size=32, draw_counts=(16, 14, 12), epochs=3, seed=5
)


@pytest.fixture(scope="module")
def cloth_run(tmp_path_factory):
    return run_two_stage(CLOTH, tmp_path_factory.mktemp("run") / "run", say=quiet, verbose=0)


def test_both_stages_train_the_cloth_network_and_say_so(cloth_run):
    wanted = [type(layer).__name__ for layer in nn.cloth_cnn((32, 32, 3)).layers]
    for stage in cloth_run.stages.values():
        model = nn.Sequential.load(stage.model.path)
        assert [type(layer).__name__ for layer in model.layers] == wanted
        assert model.metadata["views"] == 8 and model.get_layer("dropout").rate == CLOTH.dropout
    assert "filters (Conv2D)" in cloth_run.network.read()


def test_what_is_recorded_is_the_mean_over_the_eight_views(cloth_run):
    data, stage = load_study_data(CLOTH), cloth_run.stages["stage1"]
    model = nn.Sequential.load(stage.model.path)
    x = data.images[data.validation].astype(np.float32) / 255  # (N, H, W, 3)
    turned = [np.rot90(laid, k, axes=(1, 2)) for laid in (x, x[:, :, ::-1]) for k in range(4)]
    expected = np.mean([model.predict(np.ascontiguousarray(view)) for view in turned], axis=0)  # (N, U)
    found = np.array([p.probabilities for p in stage.predictions.read(3)])
    assert found == pytest.approx(expected, abs=1e-6)
    assert np.abs(found - model.predict(x)).max() > 1e-4  # one view says something else


def test_maps_and_pictures_are_of_the_class_that_the_eight_views_name(cloth_run):
    data, stage = load_study_data(CLOTH), cloth_run.stages["stage1"]
    model = nn.Sequential.load(stage.model.path)
    said = {p.path: p for p in stage.predictions.read(3)}
    examples, maps = cloth_run.examples.read(3), stage.saliency.read()
    rows = [data.paths.index(str(path)) for path in examples["paths"]]
    for row, shares, map_ in zip(rows, examples["probabilities"], examples["maps"], strict=True):
        recorded = said[data.paths[row]]
        assert shares == pytest.approx(recorded.probabilities, abs=1e-6) and shares.argmax() == recorded.predicted
        x = data.images[row : row + 1].astype(np.float32) / 255
        expected = np.abs(saliency.Gradient(model).attribute(x, np.array([recorded.predicted])))[0].max(axis=2)
        assert map_ == pytest.approx(expected, abs=1e-4 * float(expected.max()))
        assert maps.maps[maps.rows.tolist().index(row)] == pytest.approx(expected, abs=1e-4 * float(expected.max()))


def test_the_class_that_is_explained_is_not_that_of_the_upright_view_where_the_views_differ(cloth_run):
    model = nn.Sequential.load(cloth_run.stages["stage1"].model.path)
    data = load_study_data(CLOTH)
    pixels = np.concatenate([np.roll(data.images, shift, axis=1) for shift in (0, 5, 11)])  # (N, 32, 32, 3)
    x = pixels.astype(np.float32) / 255
    last = model.layers[-2]
    last.params["bias"] -= np.log(model.predict(x)).mean(axis=0)  # no class is the surest one: views may differ
    upright, together = model.predict(x).argmax(axis=1), probabilities(model, x).argmax(axis=1)
    differ = np.flatnonzero(upright != together)
    assert len(differ)
    row = differ[:1]
    by_class = [np.abs(saliency.Gradient(model).attribute(x[row], np.array([c]))).max(axis=3) for c in range(3)]
    found = raw_maps(model, pixels[row])
    distances = [np.abs(found - expected).max() for expected in by_class]
    assert np.argmin(distances) == together[row[0]] and min(distances) < 1e-4 * found.max()


def test_a_killed_run_of_the_cloth_network_goes_on_to_the_same_bits(cloth_run, tmp_path, monkeypatch):
    for call in (2, 4):
        out = tmp_path / f"run{call}"
        killed_at(
            monkeypatch, nn.Checkpoint, "save", call, lambda out=out: run_two_stage(CLOTH, out, say=quiet, verbose=0)
        )
        assert contents(resume_two_stage(out, say=quiet, verbose=0)) == contents(cloth_run)


def test_predict_takes_as_many_views_as_the_model_was_made_to(tmp_path):
    config = dataclasses.replace(CLOTH, epochs=1)
    train_model(config, tmp_path / "m.npz")
    model, pixels = nn.Sequential.load(tmp_path / "m.npz"), load_study_data(config).images[3]  # (H, W, 3)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    mean = images.mean_over_views(model.predict, pixels[None].astype(np.float32) / 255)[0]  # (U,)
    (answer,) = Answers(tmp_path / "m.npz", [tmp_path / "a.png"])
    assert list(answer.probabilities.values()) == pytest.approx(mean.tolist())


def test_the_rate_follows_the_plan_and_nothing_ends_training_early():
    config = dataclasses.replace(CLOTH, epochs=5)
    data = load_study_data(config)
    _, history = train_network(config, data, data.images, verbose=0)
    rates = history.history["learning_rate"]
    assert len(rates) == 5 and rates[:3] == pytest.approx([0.001, 0.002, 0.003]) and rates[2] > rates[3] > rates[4] > 0
    short = dataclasses.replace(CLOTH, epochs=1)  # fewer epochs than the warm-up has
    _, history = train_network(short, data, data.images, verbose=0)
    assert history.history["learning_rate"] == pytest.approx([0.003])


def test_the_papers_network_answers_by_one_view():
    assert "views" not in build_model(TINY, ["a", "b"]).metadata


@pytest.mark.parametrize("name", saliency.catalogue.METHODS)
def test_every_method_explains_the_cloth_network(cloth_run, name):
    model = nn.Sequential.load(cloth_run.stages["stage2"].model.path)
    x = load_study_data(CLOTH).images[:2].astype(np.float32) / 255  # (N, H, W, 3)
    entry = saliency.catalogue.METHODS[name]
    maps = entry.reduce(entry.make(model).attribute(x))  # (N, H, W)
    assert maps.shape == (2, 32, 32) and np.isfinite(maps).all()
