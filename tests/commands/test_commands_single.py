"""train, evaluate and predict: every printed number is that of the API on the same model and the same files."""

import math
import re

import numpy as np
import pytest
from command_pictures import SIDE, decoded, photo, photos, unit
from PIL import Image
from sklearn.metrics import accuracy_score, precision_recall_fscore_support

from batik_scratch import images, nn
from batik_scratch.study import TwoStageConfig
from batik_scratch.study.data import load_study_data
from batik_scratch.study.single import load_classifier
from batik_scratch.study.training import train_network


def figures_of(text):
    """The numbers of the first line of metrics: images, accuracy, low, high, precision, recall, F1."""
    line = next(line for line in text.splitlines() if " images: accuracy " in line)
    words = (
        r"(\d+) images: accuracy (\S+) \(95% interval (\S+) to (\S+)\), "
        r"weighted precision (\S+), recall (\S+), F1 (\S+)"
    )
    return [float(part) for part in re.fullmatch(words, line).groups()]


def expected_figures(labels, predicted):
    """The same by scikit-learn, and Wilson's interval by its formula."""
    n, p, z = len(labels), accuracy_score(labels, predicted), 1.959964
    centre, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    interval = [(centre - half) / (1 + z * z / n), (centre + half) / (1 + z * z / n)]
    weighted = precision_recall_fscore_support(labels, predicted, average="weighted", zero_division=0)[:3]
    return [n, p, *interval, *weighted]


def counts_of(text, names):
    """{true name: {predicted name: images}}, from the lines below."""
    rows = [line.split("predicted as") for line in text.splitlines() if "predicted as" in line]
    assert [true.strip() for true, _ in rows] == list(names)
    return {true.strip(): {n: int(k) for n, k in re.findall(r"(\S+): (\d+)", row)} for true, row in rows}


# ------------------------------------------------------------------ train


def test_train_saves_the_network_that_the_api_trains_with_the_same_settings(trained, cloths):
    config = TwoStageConfig(data=str(cloths), epochs=3, seed=3, image_size=SIDE)
    model, history = train_network(config, load_study_data(config), images.load_folder(cloths, SIDE).images, verbose=0)
    for saved, expected in zip(trained.model.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(saved, expected)
    assert trained.model.metadata == model.metadata and len(history.epoch) == 3


def test_train_prints_an_epoch_a_line_and_the_metrics_of_the_images_it_held_out(trained, cloths):
    found = images.load_folder(cloths, SIDE)
    held_out = images.stratified_split(found.labels, 0.25, 3, found.groups).validation
    predicted = trained.model.predict(unit(found.images[held_out])).argmax(axis=1)
    assert figures_of(trained.said) == pytest.approx(expected_figures(found.labels[held_out], predicted), abs=6e-4)
    lines = trained.said.splitlines()
    assert [line.split()[1] for line in lines if line.startswith("epoch")] == ["1/3", "2/3", "3/3"]
    assert lines[-1] == f"model: {trained.file}"


def test_train_neither_overwrites_a_file_nor_begins_where_it_could_not_write(trained, cloths, tmp_path, command):
    taken = tmp_path / "m.npz"
    taken.write_text("mine")
    said = command(2, "train", "--data", cloths, "--epochs", 1, "--out", taken)
    assert "--out" in said.err and "exists" in said.err and taken.read_text() == "mine" and said.out == ""
    for out in (tmp_path / "nowhere" / "m.npz", taken / "m.npz"):  # no such folder; a file where a folder should be
        said = command(2, "train", "--data", cloths, "--epochs", 1, "--out", out)
        assert f"--out {out}" in said.err and str(out.parent) in said.err and said.out == ""
    assert [path.name for path in tmp_path.iterdir()] == ["m.npz"]


def test_train_leaves_no_file_where_training_fails(cloths, tmp_path, command, noted):
    from batik_scratch import errors

    noted(nn.Sequential, "fit", errors.TrainingDiverged("loss is NaN"))
    said = command(1, "train", "--data", cloths, "--image-size", SIDE, "--out", tmp_path / "m.npz")
    assert "loss is NaN" in said.err and list(tmp_path.iterdir()) == []


# ------------------------------------------------------------------ evaluate


def test_evaluate_prints_the_metrics_of_every_image_of_the_folder(judge, cloths, command):
    text = command(0, "evaluate", "--model", judge.file, "--data", cloths).out
    found = images.load_folder(cloths, SIDE)
    predicted = judge.model.predict(unit(found.images)).argmax(axis=1)
    assert figures_of(text) == pytest.approx(expected_figures(found.labels, predicted), abs=6e-4)
    assert len({line.index("predicted as") for line in text.splitlines()[1:]}) == 1  # under one another
    for label, (true, row) in enumerate(counts_of(text, judge.names).items()):
        for other, name in enumerate(judge.names):
            assert row[name] == ((found.labels == label) & (predicted == other)).sum(), (true, name)


def test_evaluate_counts_classes_as_the_model_does_not_as_the_folder_does(renamed, judge, tmp_path, command):
    """The folder has two of the model's three classes, and sorts them otherwise."""
    names = ["zebra", "mango", "apple"]
    folder = photos(tmp_path / "p", {"apple": 4, "zebra": 7})
    text = command(0, "evaluate", "--model", renamed(names), "--data", folder).out
    paths = sorted(folder.rglob("*.png"))
    labels = np.array([names.index(path.parent.name) for path in paths])
    predicted = judge.model.predict(unit(decoded(paths))).argmax(axis=1)
    assert figures_of(text) == pytest.approx(expected_figures(labels, predicted), abs=6e-4)
    rows = counts_of(text, names)
    assert [sum(rows[name].values()) for name in names] == [7, 0, 4]
    assert [sum(row[name] for row in rows.values()) for name in names] == np.bincount(predicted, minlength=3).tolist()


def test_evaluate_refuses_classes_that_the_model_does_not_know_by_name(renamed, tmp_path, command):
    folder = photos(tmp_path / "p", {"apple": 4, "berry": 4, "fig": 4})
    said = command(2, "evaluate", "--model", renamed(["apple", "cherry", "date"]), "--data", folder)
    assert "berry, fig" in said.err and "apple, cherry, date" in said.err and said.out == ""


def test_evaluate_stops_at_a_bad_file_unless_told_to_skip_it(renamed, tmp_path, command):
    model, folder = renamed(["a", "b", "c"]), photos(tmp_path / "p", {"a": 5, "b": 6})
    (folder / "b" / "broken.png").write_text("no picture")
    said = command(2, "evaluate", "--model", model, "--data", folder)
    assert "b/broken.png" in said.err and "--skip-bad" in said.err and said.out == ""
    assert command(0, "evaluate", "--model", model, "--data", folder, "--skip-bad").out.startswith("11 images: ")


# ------------------------------------------------------------------ predict


def shares_of(line):
    """(path, class, {name: percent} in the printed order) of a line of `predict`."""
    path, name, inside = re.fullmatch(r"(.*): (\S+) \((.*)\)", line).groups()
    return path, name, {part.rsplit(" ", 1)[0]: float(part.rsplit(" ", 1)[1][:-1]) for part in inside.split(", ")}


def test_predict_prints_each_images_percentages_with_the_largest_first(judge, cloths, tmp_path, command):
    chosen = sorted((cloths / "images").rglob("*.png"))[::-3]  # not in the order of their names
    paths = [*chosen, photo(tmp_path / "wide.jpg", 1, (70, 40))]
    lines = command(0, "predict", *paths, "--model", judge.file).out.splitlines()
    assert [shares_of(line)[0] for line in lines] == [str(path) for path in paths]
    probabilities = judge.model.predict(unit(decoded(paths)))
    assert len(set(probabilities.argmax(axis=1))) == 3
    for line, p in zip(lines, probabilities, strict=True):
        _, name, shares = shares_of(line)
        assert list(shares) == [judge.names[c] for c in np.argsort(-p)] and name == judge.names[p.argmax()]
        for c, other in enumerate(judge.names):
            assert shares[other] == pytest.approx(100 * p[c], abs=0.0051), other


def test_classes_that_are_equally_likely_stay_in_the_models_order(tmp_path, command):
    model = nn.paper_cnn((22, 22, 3), 4, random_state=0)
    model.set_weights([np.zeros_like(w) for w in model.get_weights()])
    model.metadata = {"class_names": ["d", "a", "c", "b"], "image_size": 22}
    model.save(tmp_path / "m.npz")
    line = command(0, "predict", photo(tmp_path / "x.png", 0), "--model", tmp_path / "m.npz").out
    assert line == f"{tmp_path / 'x.png'}: d (d 25.00%, a 25.00%, c 25.00%, b 25.00%)\n"


def test_predict_turns_and_flattens_a_picture_as_training_does(judge, tmp_path, command):
    """A photo that lies on its side by its EXIF tag is set upright; transparency becomes white."""
    upright = Image.open(photo(tmp_path / "a.png", 3))
    tag = Image.Exif()
    tag[0x0112] = 6
    upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "b.png", exif=tag)
    glass = upright.convert("RGBA")
    glass.putalpha(0)
    glass.save(tmp_path / "c.png")
    Image.new("RGB", upright.size, "white").save(tmp_path / "d.png")
    paths = [tmp_path / f"{name}.png" for name in "abcd"]
    lines = command(0, "predict", *paths, "--model", judge.file).out.splitlines()
    a, b, c, d = (shares_of(line)[1:] for line in lines)
    assert a == b and c == d and a != c


def test_predict_goes_on_past_what_is_no_picture_names_it_and_ends_with_1(judge, tmp_path, command):
    good, bad = photo(tmp_path / "a.png", 0), tmp_path / "b.png"
    bad.write_text("no picture")
    said = command(1, "predict", bad, good, "--model", judge.file)
    assert said.err.startswith(f"error: {bad}: is not an image") and "1 file could not be read" in said.err
    assert said.out.startswith(f"{good}: ") and said.out.count("\n") == 1


# ------------------------------------------------------------------ which models


def test_a_classifier_comes_with_its_names_in_order_and_its_image_size(renamed, judge):
    assert load_classifier(renamed([3, 1, 2]))[1] == ["3", "1", "2"]
    model, names, size = load_classifier(renamed(["zebra", "mango", "apple"]))
    assert names == ["zebra", "mango", "apple"] and size == SIDE
    np.testing.assert_array_equal(model.get_weights()[-2], judge.model.get_weights()[-2])


@pytest.mark.parametrize("missing", [{"class_names": None}, {"image_size": None}, {"image_size": 33}])
def test_a_model_that_does_not_say_its_classes_or_its_size_is_refused(missing, renamed, tmp_path, command):
    file = renamed(["a", "b", "c"], **missing)
    said = command(2, "predict", photo(tmp_path / "x.png", 0), "--model", file)
    assert str(file) in said.err and "`train`" in said.err and said.out == ""
