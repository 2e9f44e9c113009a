"""Every file of a run against a second account: which images, which seed, which split, which maps go where."""

import csv
import json

import numpy as np
import pytest
from sklearn import metrics
from study.study_witness import STAGES, table

from batik_scratch import nn, saliency
from batik_scratch.study import load_config

both_stages = pytest.mark.parametrize("stage", STAGES)


def unit(pixels):
    return pixels.astype(np.float32) / 255


def gradient_maps(model, pixels):
    """|d logit of the predicted class / d pixel|, the largest of the three colours."""

    def predicted(logits):
        return np.eye(logits.shape[1], dtype=logits.dtype)[logits.argmax(axis=1)]

    return np.abs(model.input_gradient(unit(pixels), predicted)).max(axis=3)  # (N, H, W)


def assert_same_maps(found, expected):
    assert found.dtype == np.float32 and found.shape == expected.shape
    largest = expected.max(axis=(1, 2), keepdims=True)  # (N, 1, 1)
    assert largest.min() > 0 and np.abs(found - expected).max(axis=(1, 2)).max() < 1e-4 * largest.max()
    assert np.allclose(found / largest, expected / largest, atol=1e-4)


def test_the_split_names_every_image_in_order_with_its_class_and_side(study):
    w = study.witness
    held = set(w.validation.tolist())
    expected = [
        (path, w.class_names[label], str(label), "validation" if i in held else "train")
        for i, (path, label) in enumerate(zip(w.paths, w.labels.tolist(), strict=True))
    ]
    assert [tuple(row.values()) for row in table(study.folder / "split.csv")] == expected
    assert list(table(study.folder / "split.csv")[0]) == ["path", "class", "label", "split"]
    assert 0 < len(held) < len(w.paths) and sorted({*w.train.tolist(), *held}) == list(range(len(w.paths)))


def test_the_data_are_described_as_they_are(study):
    w = study.witness
    found = json.loads((study.folder / "data.json").read_text(encoding="utf-8", errors="surrogateescape"))
    assert found["class_names"] == w.class_names
    counts = {
        side: {name: int((w.labels[rows] == i).sum()) for i, name in enumerate(w.class_names)}
        for side, rows in (("train", w.train), ("validation", w.validation))
    }
    assert found["counts"] == counts and len({*counts["train"].values()}) == len(w.class_names)
    keys = {"source", "class_names", "counts", "skipped", "near_duplicate_groups", "key", "passed_over", "warnings"}
    assert set(found) == keys


def test_the_run_says_what_it_does_with_how_many_images(study):
    w, said = study.witness, study.said
    assert len(said) == 5 and said[0].startswith("data: ")
    each = [f"{name} {sum(path.startswith(f'{name}/') for path in w.paths)}" for name in w.class_names]
    assert f"{len(w.paths)} images in {len(w.class_names)} classes ({', '.join(each)})" in said[1]
    assert f"{len(w.train)} train, {len(w.validation)} validate" in said[1]
    assert [text.split(":")[0] for text in said[2:]] == ["stage 1", "saliency", "stage 2"]


def test_the_recorded_config_is_the_one_asked_for(study):
    assert load_config(study.folder / "config.toml") == study.witness.config


def test_the_networks_table_is_that_of_this_network(study, capsys):
    study.witness.network().summary()
    assert (study.folder / "network.txt").read_text() == capsys.readouterr().out


@both_stages
def test_each_row_of_the_history_is_what_a_loop_by_hand_logs(study, stage):
    trained, rows = study.trained(stage), table(study.folder / stage / "history.csv")
    assert list(rows[0]) == ["epoch", "accuracy", "loss", "val_accuracy", "val_loss", "learning_rate"]
    found = np.array([[float(value) for value in row.values()] for row in rows])
    assert found.shape == (len(trained.rows), 6)
    np.testing.assert_allclose(found, trained.rows, rtol=1e-4)
    assert rows[0]["epoch"] == "1" and rows[0]["loss"] == repr(float(rows[0]["loss"]))  # read back to the same bits


@both_stages
def test_the_weights_are_those_of_the_last_epoch_of_a_loop_by_hand_bit_for_bit(study, stage):
    model = nn.Sequential.load(study.folder / stage / "model.npz")
    for found, expected in zip(model.get_weights(), study.trained(stage).weights[-1], strict=True):
        assert np.array_equal(found, expected)


@both_stages
def test_the_model_file_knows_its_classes_and_the_size_of_its_images(study, stage):
    config = study.witness.config
    model = nn.Sequential.load(study.folder / stage / "model.npz")
    assert model.metadata["class_names"] == study.witness.class_names
    assert model.metadata["image_size"] == config.image_size
    assert "255" in model.metadata["preprocessing"]
    rates = [layer.rate for layer in model.layers if isinstance(layer, nn.Dropout)]
    assert rates == [config.dropout]


@both_stages
def test_the_best_model_is_that_of_the_epoch_with_the_lowest_validation_loss(study, stage):
    trained = study.trained(stage)
    epoch = int(np.argmin([row[4] for row in trained.rows]))
    model = nn.Sequential.load(study.folder / stage / "checkpoint/best.npz")
    assert all(map(np.array_equal, model.get_weights(), trained.weights[epoch]))
    assert [p.name for p in (study.folder / stage / "checkpoint").iterdir()] == ["best.npz"]


@both_stages
def test_predictions_are_the_last_models_on_the_validation_images_of_its_stage(study, stage):
    w = study.witness
    rows = table(study.folder / stage / "predictions.csv")
    assert list(rows[0]) == ["path", "label", "predicted", *(f"p_{name}" for name in w.class_names)]
    model = w.network()
    model.set_weights(study.trained(stage).weights[-1])
    p = model.predict(unit(study.pixels(stage)[w.validation]))  # (V, U)
    assert [row["path"] for row in rows] == [w.paths[i] for i in w.validation]
    assert [int(row["label"]) for row in rows] == w.labels[w.validation].tolist()
    assert [int(row["predicted"]) for row in rows] == p.argmax(axis=1).tolist()
    found = np.array([[float(row[f"p_{name}"]) for name in w.class_names] for row in rows])
    np.testing.assert_allclose(found, p, rtol=1e-5, atol=1e-9)


@both_stages
def test_the_metrics_are_scikit_learns_of_the_recorded_predictions(study, stage):
    w, trained = study.witness, study.trained(stage)
    rows = table(study.folder / stage / "predictions.csv")
    y, p = ([int(row[key]) for row in rows] for key in ("label", "predicted"))
    found = json.loads((study.folder / stage / "metrics.json").read_text(encoding="utf-8"))
    assert found["accuracy"] == metrics.accuracy_score(y, p)
    options = {"average": "weighted", "zero_division": 0}
    assert found["precision"] == pytest.approx(metrics.precision_score(y, p, **options))
    assert found["recall"] == pytest.approx(metrics.recall_score(y, p, **options))
    assert found["f1"] == pytest.approx(metrics.f1_score(y, p, **options))
    assert found["confusion"] == metrics.confusion_matrix(y, p, labels=range(len(w.class_names))).tolist()
    assert found["class_names"] == list(found["per_class"]) == w.class_names
    assert found["loss"] == pytest.approx(trained.rows[-1][4], rel=1e-4)
    assert (found["epochs_run"], found["stopped"]) == (len(trained.rows), trained.stopped)


def test_the_maps_of_stage_one_are_its_networks_gradients_for_every_image(study):
    model = nn.Sequential.load(study.folder / "stage1/model.npz")
    with np.load(study.folder / "stage1/saliency.npz") as found:
        assert found["rows"].tolist() == list(range(len(study.witness.paths)))
        assert_same_maps(found["maps"], gradient_maps(model, study.witness.pixels))


def test_every_overlaid_picture_is_its_own_image_under_its_own_map(study):
    config = study.witness.config
    maps = np.load(study.folder / "stage1/saliency.npz")["maps"]  # (N, H, W)
    level = saliency.normalise(maps, config.saliency_percentile)
    expected = saliency.overlay(study.witness.pixels, level, config.overlay_strength)
    assert np.array_equal(study.overlaid(), expected)
    written = [path.relative_to(study.folder / "overlaid").as_posix() for path in study.folder.path.rglob("*.png")]
    assert sorted(written) == sorted(study.png_names())
    blue = 0.0 + np.array([30, 110, 255])
    weight = config.overlay_strength * level[..., None]  # (N, H, W, 1)
    assert np.abs(expected - ((1 - weight) * study.witness.pixels + weight * blue)).max() <= 0.51


def test_the_maps_of_stage_two_are_its_own_networks_for_the_overlaid_validation_images(study):
    model = nn.Sequential.load(study.folder / "stage2/model.npz")
    validation = study.witness.validation
    with np.load(study.folder / "stage2/saliency.npz") as found:
        assert found["rows"].tolist() == validation.tolist()
        assert_same_maps(found["maps"], gradient_maps(model, study.overlaid()[validation]))


def test_the_examples_are_the_first_four_validation_images_of_each_class(study):
    w = study.witness
    rows = [i for label in range(len(w.class_names)) for i in w.validation[w.labels[w.validation] == label][:4]]
    maps = {stage: np.load(study.folder / stage / "saliency.npz") for stage in STAGES}
    place = {row: k for k, row in enumerate(maps["stage2"]["rows"].tolist())}
    model = nn.Sequential.load(study.folder / "stage1/model.npz")
    p = model.predict(unit(w.pixels[rows]))
    with np.load(study.folder / "examples.npz") as found:
        assert [path.replace("?", "") for path in found["paths"]] == [
            w.paths[i].encode("utf-8", "ignore").decode() for i in rows
        ]
        assert found["labels"].tolist() == w.labels[rows].tolist()
        assert np.array_equal(found["images"], w.pixels[rows])
        assert np.array_equal(found["overlays"], study.overlaid()[rows])
        assert_same_maps(found["maps"], maps["stage1"]["maps"][rows])
        assert_same_maps(found["maps_stage2"], maps["stage2"]["maps"][[place[i] for i in rows]])
        np.testing.assert_allclose(found["probabilities"], p, rtol=1e-5, atol=1e-9)
        assert found["predicted"].tolist() == p.argmax(axis=1).tolist()
        assert found["split"].tolist() == ["validation"] * len(rows)


def test_tables_are_plain_csv_with_one_line_feed_a_row(study):
    for name in ("split.csv", "stage1/history.csv", "stage2/predictions.csv"):
        raw = (study.folder / name).read_bytes()
        assert b"\r" not in raw and raw.count(b"\n") == 1 + len(table(study.folder / name))
        assert next(csv.reader([raw.split(b"\n")[0].decode()]))[0] in ("path", "epoch")
