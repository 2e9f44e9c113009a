"""The schema of the run folder: what each writer writes to the byte, and that each reader gives it back."""

import json

import numpy as np
import pytest
from study.conftest import TINY

from batik_scratch import nn
from batik_scratch.record import (
    STAGES,
    BadRunFile,
    Examples,
    HistoryRow,
    Maps,
    Prediction,
    RunFiles,
    SplitRow,
    StageName,
)
from batik_scratch.study import RunFolder, load_config


@pytest.fixture
def files(tmp_path):
    files = RunFiles(tmp_path)
    for stage in files.stages.values():
        stage.folder.mkdir()
    return files


def example_arrays(count=2, classes=3):
    rng = np.random.default_rng(1)
    return Examples(
        split=np.array(["validation"] * count),  # the order of the file is the schema's, whatever the order here
        images=rng.integers(0, 256, (count, 4, 5, 3), np.uint8),
        maps=rng.random((count, 4, 5), np.float32),
        overlays=rng.integers(0, 256, (count, 4, 5, 3), np.uint8),
        maps_stage2=rng.random((count, 4, 5), np.float32),
        labels=np.arange(count),
        predicted=np.arange(count)[::-1],
        probabilities=rng.random((count, classes), np.float32),
        paths=np.array(["a/é.png"] * count),
    )


def test_the_stages_are_two_in_order_and_their_names_are_their_folders():
    assert STAGES == ("stage1", "stage2") == (StageName.FIRST, StageName.SECOND)
    assert [f"{stage}" for stage in STAGES] == ["stage1", "stage2"]
    assert {"stage1": 1}[StageName.FIRST] == 1 and json.dumps([StageName.SECOND]) == '["stage2"]'
    assert [stage.words for stage in STAGES] == ["stage one", "stage two"]
    assert [stage.sees for stage in STAGES] == ["images", "images with saliency"]


def test_every_file_of_a_real_run_is_in_the_schema_and_reads_back_as_it_was_written(tiny_run, tmp_path):
    """What is read and written again gives the same bytes: so nothing is lost on either way."""
    found, again = RunFiles(tiny_run.path), RunFiles(tmp_path)
    classes = found.data.read()["class_names"]
    again.config.write(load_config(found.config.path).to_toml())
    again.begun.write(found.begun.read())
    again.data.write(found.data.read())
    again.split.write(found.split.read())
    again.network.write(found.network.read())
    again.run.write(found.run.read())
    again.examples.write(found.examples.read(len(classes)))
    for stage in STAGES:
        one, two = found.stages[stage], again.stages[stage]
        two.folder.mkdir()
        two.history.write(one.history.read())
        two.metrics.write(one.metrics.read_for(len(classes)))
        two.predictions.write(one.predictions.read(len(classes)), classes)
        two.saliency.write(one.saliency.read())
    written = {str(p.relative_to(tmp_path)): p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    kept = {str(p.relative_to(tiny_run.path)): p for p in tiny_run.path.rglob("*") if p.is_file()}
    rest = {name for name in kept if name not in written}
    assert all(name.startswith("overlaid/") or name.endswith(("model.npz", "checkpoint/best.npz")) for name in rest)
    assert written == {name: path.read_bytes() for name, path in kept.items() if name in written}
    assert len(written) == 7 + 2 * 4


def test_the_configuration_is_read_to_run_by_and_to_be_shown(files):
    files.config.write(TINY.to_toml())
    assert load_config(files / "config.toml") == TINY
    with (files / "config.toml").open("a") as file:
        file.write("of_another_version = 3\n")
    assert files.config.settings()["of_another_version"] == 3 and files.config.settings()["seed"] == TINY.seed


def test_the_split_is_one_line_an_image(files):
    rows = [SplitRow("a/x, y.png", "a", 0, "train"), SplitRow("b/\udcff.png", "b", 1, "validation")]
    files.split.write(rows)
    assert (files / "split.csv").read_bytes() == (
        b'path,class,label,split\n"a/x, y.png",a,0,train\nb/\xff.png,b,1,validation\n'
    )
    assert files.split.read() == rows


def test_bytes_that_are_no_text_are_kept_or_shown_by_a_sign(files):
    files.split.write([SplitRow("b/\udcff.png", "b", 1, "train")])
    files.data.write({"source": "\udcff", "class_names": [], "counts": {}})
    files.network.write("\udcff")
    assert files.data.read()["source"] == files.network.read() == "\udcff"
    shown = RunFiles(files.path, undecodable="replace")
    assert shown.data.read()["source"] == shown.network.read() == "\N{REPLACEMENT CHARACTER}"
    assert shown.split.read()[0].path == "b/\N{REPLACEMENT CHARACTER}.png"


def test_a_label_that_is_no_whole_number_is_refused(files):
    (files / "split.csv").write_text("path,class,label,split\na/x.png,a,first,train\n")
    with pytest.raises(BadRunFile, match=r"split\.csv has a label that is not a whole number: .*first"):
        files.split.read()


def test_json_is_for_readers_and_keeps_its_order_and_unknown_keys(files):
    files.data.write({"source": "é\udcff", "class_names": ["b", "a"], "counts": {}, "later": 1})
    text = b'{\n  "source": "\xc3\xa9\xff",\n  "class_names": [\n    "b",\n    "a"\n  ],\n'
    text += b'  "counts": {},\n  "later": 1\n}\n'
    assert (files / "data.json").read_bytes() == text
    assert files.data.read()["later"] == 1


def test_the_history_has_floats_in_full_and_epochs_as_whole_numbers(files):
    rows = [HistoryRow(1, 0.1 + 0.2, 1e-300, 0.5, 2.0, 0.001), HistoryRow(2, 1.0, 0.5, 0.25, 3.0, 1 / 3)]
    history = files.stages[StageName.FIRST].history
    history.write(rows)
    assert history.path == files / "stage1/history.csv"
    assert history.path.read_text().splitlines() == [
        "epoch,accuracy,loss,val_accuracy,val_loss,learning_rate",
        "1,0.30000000000000004,1e-300,0.5,2.0,0.001",
        "2,1.0,0.5,0.25,3.0,0.3333333333333333",
    ]
    assert history.read() == rows and isinstance(history.read()[0].epoch, int)


@pytest.mark.parametrize("epoch", ["nan", "inf", "one"])
def test_an_epoch_that_is_no_number_is_refused(files, epoch):
    history = files.stages["stage2"].history
    history.path.write_text(f"epoch,accuracy,loss,val_accuracy,val_loss,learning_rate\n{epoch},1,1,1,1,1\n")
    with pytest.raises(BadRunFile, match=r"stage2/history\.csv has a row that is not numbers"):
        history.read()


def test_predictions_have_a_column_for_each_class(files):
    predictions = files.stages["stage1"].predictions
    found = [Prediction("a/1.png", 0, 1, (0.25, 0.75)), Prediction("b/1.png", 1, 1, (0.0, 1.0))]
    predictions.write(found, ["a", "label"])
    assert predictions.path.read_text() == (
        "path,label,predicted,p_a,p_label\na/1.png,0,1,0.25,0.75\nb/1.png,1,1,0.0,1.0\n"
    )
    assert predictions.read(classes=2) == found


def test_maps_and_examples_are_written_in_the_order_of_the_schema(files):
    maps = Maps(np.zeros((2, 3, 3), np.float32), np.array([4, 1]))
    files.stages["stage2"].saliency.write(maps)
    with np.load(files / "stage2/saliency.npz") as archive:
        assert archive.files == ["maps", "rows"]
    assert files.stages["stage2"].saliency.read().rows.tolist() == [4, 1]
    files.examples.write(example_arrays())
    with np.load(files / "examples.npz") as archive:
        names = "images maps overlays maps_stage2 labels predicted probabilities paths split"
        assert archive.files == names.split()
    for name, array in files.examples.read(classes=3).items():
        np.testing.assert_array_equal(array, example_arrays()[name])


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 half of an archive", b"no archive"])
def test_arrays_that_cannot_be_read_are_called_so(files, content):
    (files / "examples.npz").write_bytes(content)
    with pytest.raises(BadRunFile, match=r"examples\.npz cannot be read: "):
        files.examples.read(classes=3)


def test_the_report_replaces_its_own_files(files):
    for text in ("old", "new"):
        files.report.write_figure("loss", text.encode())
        files.report.write_table("table", f"{text},csv\n", f"| {text} |\n")
        files.report.write_page(f"<p>{text}</p>")
    assert (files / "figures/loss.png").read_bytes() == b"new"
    assert (files / "tables/table.csv").read_text() == "new,csv\n"
    assert (files / "tables/table.md").read_text() == "| new |\n"
    assert (files / "report.html").read_text() == "<p>new</p>"


def test_what_only_a_run_at_work_needs_is_dropped_and_nothing_else(files):
    files.overlaid_pixels.new(np.uint8, (1, 2, 2, 3))[:] = 7
    files.maps_in_work.new(np.float32, (1, 2, 2))
    assert files.overlaid_pixels.open().tolist() == np.full((1, 2, 2, 3), 7).tolist()
    for stage in files.stages.values():
        checkpoint = nn.Checkpoint(stage.checkpoint)
        checkpoint.folder.mkdir()
        checkpoint.latest.write_text("to go on")
        (checkpoint.folder / "best.npz").write_text("kept")
    folder = RunFolder(files.path, lock=-1)  # as if locked
    folder.drop_scratch()
    left = sorted(p.relative_to(files.path).as_posix() for p in files.path.rglob("*") if p.is_file())
    assert left == ["stage1/checkpoint/best.npz", "stage2/checkpoint/best.npz"]
    folder.drop_scratch()  # twice is no error


def test_what_is_missing_is_named(files):
    for file, read in (
        (files.data, files.data.read),
        (files.split, files.split.read),
        (files.network, files.network.read),
        (files.examples, lambda: files.examples.read(3)),
        (files.stages["stage1"].metrics, lambda: files.stages["stage1"].metrics.read_for(3)),
    ):
        assert not file.exists()
        with pytest.raises(BadRunFile, match="is missing; give a finished run") as caught:
            read()
        assert str(file.path) in str(caught.value)
