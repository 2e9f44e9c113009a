"""What is read from a run folder, file by file, and what is said of a file that is not as `run` writes it."""

import csv
import json
import tomllib

import numpy as np
import pytest

from batik_scratch.errors import InputError
from batik_scratch.report.recorded import read_run


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def refused(folder, piece, *words):
    """The folder is refused with one InputError that names the file and says the words."""
    with pytest.raises(InputError) as caught:
        read_run(folder)
    said = str(caught.value)
    assert str(folder / piece) in said
    for word in words:
        assert word in said, said


def change_json(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def change_examples(folder, **changes):
    with np.load(folder / "examples.npz") as archive:
        arrays = dict(archive)
    arrays = {name: array for name, array in (arrays | changes).items() if array is not None}
    np.savez(folder / "examples.npz", **arrays)


def replace(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


# ------------------------------------------------------------------ what is read


def test_settings_description_and_record_are_read_from_their_files(folder, run):
    assert run.config == tomllib.loads((folder / "config.toml").read_text())
    assert run.run == json.loads((folder / "run.json").read_text())
    assert run.data == json.loads((folder / "data.json").read_text())
    assert run.folder_names == ["keratonan", "mega_mendung", "singa_barong"]
    assert run.class_names == ["keratonan", "mega mendung", "singa barong"]  # as the page writes them


def test_the_network_is_read_without_empty_lines_around_it(run):
    assert run.network == "layer    shape         parameters\nconv2d   148x148x32           896"


def test_the_split_holds_path_class_and_part_of_each_image(folder, run):
    assert run.split == [(path, name, part) for path, name, _, part in rows_of(folder / "split.csv")[1:]]
    assert len(run.split) == 22 and run.split[0] == ("other.jpg", "mega_mendung", "train")


@pytest.mark.parametrize("stage", ["stage1", "stage2"])
def test_each_stage_is_read_from_its_own_files(folder, run, stage):
    read, place = run.stages[stage], folder / stage
    history = [[float(x) for x in row] for row in rows_of(place / "history.csv")[1:]]
    assert [[*epoch, rate] for epoch, rate in zip(read.epochs, read.learning_rates, strict=True)] == history
    assert read.metrics == json.loads((place / "metrics.json").read_text())
    assert list(read.interval) == read.metrics["accuracy_interval"]
    given = [[p.path, str(p.label), str(p.predicted), *p.probabilities] for p in read.predictions]
    assert given == [[*row[:3], *map(float, row[3:])] for row in rows_of(place / "predictions.csv")[1:]]


def test_an_epoch_is_a_whole_number_and_its_values_stand_under_their_names(run):
    (epoch, accuracy, loss, val_accuracy, val_loss) = run.stages["stage2"].epochs[-1]
    assert epoch == 12 and isinstance(epoch, int)
    assert accuracy >= 0.7 > val_accuracy >= 0.4 and val_loss >= 1.6 > 1.5 >= loss  # the ranges they are drawn from


def test_columns_of_the_history_are_found_by_name(make_run, run):
    folder = make_run()
    path = folder / "stage1" / "history.csv"
    path.write_text("\n".join(",".join(reversed(row)) for row in rows_of(path)))
    assert read_run(folder).stages["stage1"].epochs == run.stages["stage1"].epochs


def test_a_class_may_be_called_as_a_column_is(read):
    run = read(names=("label", "p_predicted", "path"))
    assert run.stages["stage1"].predictions[0].path.endswith(".jpg")


def test_examples_hold_every_array_as_it_was_recorded(folder, run):
    with np.load(folder / "examples.npz") as archive:
        assert set(run.examples) == set(archive.files)
        for name in archive.files:
            np.testing.assert_array_equal(run.examples[name], archive[name])


def test_text_that_is_no_utf8_is_read_with_a_sign_in_its_place(make_run):
    folder = make_run()
    (folder / "network.txt").write_bytes(b"dense \xff 3")
    for name in ("split.csv", "stage1/predictions.csv"):
        path = folder / name
        path.write_bytes(path.read_bytes().replace(b"image_000.jpg", b"image_\xff.jpg", 1))
    run = read_run(folder)
    assert run.network == "dense \N{REPLACEMENT CHARACTER} 3"
    assert run.split[1][0].endswith("/image_\N{REPLACEMENT CHARACTER}.jpg")


def test_empty_lines_of_a_table_are_passed_over(make_run):
    folder = make_run()
    replace(folder / "stage1" / "history.csv", "\n2,", "\n\n2,")
    assert len(read_run(folder).stages["stage1"].epochs) == 14


# ------------------------------------------------------------------ what is refused


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="no such folder"):
        read_run(tmp_path / "file")


@pytest.mark.parametrize("stage", ["stage1", "stage2"])
def test_a_history_without_epochs_is_refused(make_run, stage):
    folder = make_run()
    path = folder / stage / "history.csv"
    path.write_text(path.read_text().splitlines()[0] + "\n")
    refused(folder, f"{stage}/history.csv", "holds no epoch")


@pytest.mark.parametrize("column", ["epoch", "accuracy", "val_loss", "learning_rate"])
def test_a_history_names_the_column_that_it_lacks(make_run, column):
    folder = make_run()
    replace(folder / "stage2" / "history.csv", column, "another")
    refused(folder, "stage2/history.csv", f"lacks the column {column}")


def test_a_split_names_the_columns_that_it_lacks(make_run):
    folder = make_run()
    replace(folder / "split.csv", "class", "kind")
    refused(folder, "split.csv", "lacks the column class")


def test_a_row_that_is_no_numbers_is_shown(make_run):
    folder = make_run()
    replace(folder / "stage1" / "history.csv", "\n2,", "\ntwo,")
    refused(folder, "stage1/history.csv", "not numbers", "two")


@pytest.mark.parametrize("text", ["split.csv", "stage1/history.csv"])
def test_a_row_of_another_length_is_refused(make_run, text):
    folder = make_run()
    with (folder / text).open("a") as file:
        file.write("1,2\n")
    refused(folder, text, "another length")


@pytest.mark.parametrize("text", ["split.csv", "stage2/history.csv", "stage1/predictions.csv"])
def test_a_file_without_a_line_is_called_empty(make_run, text):
    folder = make_run()
    (folder / text).write_text("\n")
    refused(folder, text, "is empty")


def test_a_table_with_a_text_without_end_is_refused(make_run):
    folder = make_run()
    (folder / "split.csv").write_text("x" * 200_000)
    refused(folder, "split.csv", "cannot be read as CSV")


def test_a_file_that_may_not_be_read_is_named_with_the_reason(make_run, monkeypatch):
    folder = make_run()

    def closed(path, **_):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(type(folder), "read_bytes", closed)
    refused(folder, "data.json", "cannot be read: Permission denied")


@pytest.mark.parametrize(
    "key", ["accuracy", "precision", "recall", "f1", "confusion", "class_names", "per_class", "accuracy_interval"]
)
def test_metrics_name_what_they_lack(make_run, key):
    folder = make_run()
    path = folder / "stage2" / "metrics.json"
    path.write_text(json.dumps({k: v for k, v in json.loads(path.read_text()).items() if k != key}))
    refused(folder, "stage2/metrics.json", f"lacks {key};")


@pytest.mark.parametrize("key", ["class_names", "counts", "source"])
def test_a_description_names_what_it_lacks(make_run, key):
    folder = make_run()
    path = folder / "data.json"
    path.write_text(json.dumps({k: v for k, v in json.loads(path.read_text()).items() if k != key}))
    refused(folder, "data.json", f"lacks {key};")


@pytest.mark.parametrize("piece", ["data.json", "run.json", "stage1/metrics.json"])
def test_json_that_is_no_object_is_refused(make_run, piece):
    folder = make_run()
    (folder / piece).write_text("[1, 2]")
    refused(folder, piece, "lacks")


@pytest.mark.parametrize("piece", ["data.json", "run.json", "stage2/metrics.json"])
def test_a_file_that_is_no_json_is_called_so(make_run, piece):
    folder = make_run()
    (folder / piece).write_text("{'a': 1}")
    refused(folder, piece, "is not JSON")


def test_settings_that_are_no_toml_are_called_so(make_run):
    folder = make_run()
    (folder / "config.toml").write_text("[[[")
    refused(folder, "config.toml", "is not TOML")


def test_a_confusion_matrix_of_other_classes_is_refused(make_run):
    folder = make_run()
    change_json(folder / "stage2" / "metrics.json", confusion=[[20, 0], [0, 1]])
    refused(folder, "stage2/metrics.json", "3x3 confusion matrix")


def test_a_matrix_that_counts_other_images_than_predicted_is_refused(make_run):
    folder = make_run()
    change_json(folder / "stage1" / "metrics.json", confusion=[[3, 2, 0], [0, 4, 3], [3, 0, 7]])
    refused(folder, "stage1/predictions.csv", "as many images as the confusion matrix")


@pytest.mark.parametrize("row", ["x.jpg,0,1", "x.jpg,zero,1,0.2,0.3,0.5", "x.jpg,0,1,a,b,c", "x.jpg"])
def test_a_prediction_that_is_not_numbers_is_shown(make_run, row):
    folder = make_run()
    with (folder / "stage1" / "predictions.csv").open("a") as file:
        file.write(row + "\n")
    refused(folder, "stage1/predictions.csv", "x.jpg")


@pytest.mark.parametrize(
    "label, predicted, refused_as", [(3, 0, True), (0, 3, True), (-1, 0, True), (0, -1, True), (2, 0, False)]
)
def test_a_prediction_names_classes_that_exist(make_run, label, predicted, refused_as):
    folder = make_run()
    path = folder / "stage2" / "predictions.csv"
    header, first, *rest = path.read_text().splitlines()
    name, _, _, *shares = first.split(",")
    path.write_text("\n".join([header, ",".join([name, str(label), str(predicted), *shares]), *rest]))
    if refused_as:
        refused(folder, "stage2/predictions.csv", "does not fit 3 classes")
    else:
        assert read_run(folder).stages["stage2"].predictions[0].label == 2


def test_a_prediction_has_a_probability_for_each_class(make_run):
    folder = make_run()
    with (folder / "stage1" / "predictions.csv").open("a") as file:
        file.write("x.jpg,0,0,0.5,0.5\n")
    refused(folder, "stage1/predictions.csv", "does not fit 3 classes")


@pytest.mark.parametrize(
    "name", ["images", "maps", "overlays", "maps_stage2", "labels", "predicted", "probabilities", "paths", "split"]
)
def test_examples_have_as_many_entries_in_every_array(make_run, run, name):
    folder = make_run()
    change_examples(folder, **{name: run.examples[name][:-1]})
    refused(folder, "examples.npz", "as many entries")
    change_examples(folder, **{name: None})
    refused(folder, "examples.npz", name)


@pytest.mark.parametrize("name", ["images", "maps", "overlays", "maps_stage2", "labels", "predicted", "probabilities"])
def test_examples_have_arrays_of_as_many_axes_as_recorded(make_run, run, name):
    folder = make_run()
    change_examples(folder, **{name: run.examples[name][..., None]})
    refused(folder, "examples.npz", "other shapes")


def test_examples_without_a_picture_are_refused(make_run, run):
    folder = make_run()
    change_examples(folder, **{name: array[:0] for name, array in run.examples.items()})
    refused(folder, "examples.npz", "at least one picture")


def test_examples_have_a_probability_for_each_class(make_run, run):
    folder = make_run()
    change_examples(folder, probabilities=run.examples["probabilities"][:, :2])
    refused(folder, "examples.npz", "with 3 classes")
