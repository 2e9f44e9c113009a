"""Which data of a run folder each figure of the report shows, and what its words say of them."""

import csv

import numpy as np
import pytest
from artists import bars, image, lines, names, panels, pixels, texts, titles
from matplotlib.text import Text
from synthetic_run import NAMES

from batik_scratch import figures
from batik_scratch.figures import style
from batik_scratch.report import paper
from batik_scratch.report.pictures import confusion, curve_pictures, headline, intervals, prediction, saliency, samples
from batik_scratch.report.recorded import read_run

# of synthetic_run's examples: validation before training images, right before wrong ones
SHOWN_FIRST, SHOWN_NEXT = [5, 2, 0], [3, 6, 7]
CLASSES = [f"class {letter}" for letter in "abcdefghij"]


def examples(folder):
    with np.load(folder / "examples.npz") as archive:
        return dict(archive)


def history(folder, stage, column):
    with (folder / stage / "history.csv").open(newline="") as file:
        return [float(row[column]) for row in csv.DictReader(file)]


def some_of(classes):
    """One rightly read validation example of each class."""
    return [(c, c, "validation") for c in range(classes)]


# ------------------------------------------------------------------ pictures of the cloths


@pytest.mark.parametrize("narrow", [False, True])
def test_the_headline_shows_a_picture_of_each_class_beside_its_overlay(folder, pictures, narrow):
    kept, picture = examples(folder), pictures["headline"]
    shown = panels(picture.narrow if narrow else picture.figure)
    assert len(shown) == 6
    for place, row in enumerate(SHOWN_FIRST):
        one, other = shown[2 * place : 2 * place + 2]
        np.testing.assert_array_equal(pixels(one), kept["images"][row])
        np.testing.assert_array_equal(pixels(other), kept["overlays"][row])
        true, said = (NAMES[kept[key][row]].replace("_", " ") for key in ("labels", "predicted"))
        assert titles(one) == (true if said == true else f"{true}\nread as {said}") and not titles(other)
        (title,) = [text for text in one.findobj(Text) if text.get_text() == titles(one)]
        assert (title.get_color() == style.WRONG) == (said != true)
    assert {axes.get_subplotspec().rowspan.start for axes in shown} == ({0, 1, 2} if narrow else {0})


@pytest.mark.parametrize("classes, wide, narrow", [(2, 2, 1), (4, 3, 2), (7, 3, 2)])
def test_the_headline_has_at_most_six_classes_and_then_says_where_all_are(read, classes, wide, narrow):
    picture = headline(read(names=CLASSES[:classes]))
    for figure, columns in ((picture.figure, wide), (picture.narrow, narrow)):
        shown = panels(figure)
        assert len(shown) == 2 * min(classes, 6)
        first_line = [axes for axes in shown if axes.get_subplotspec().rowspan.start == 0]
        assert len(first_line) == 2 * columns
    assert ("Fig. 11 shows all 7 classes." in picture.caption) == (classes == 7)
    assert "Images of " + ", ".join(CLASSES[: min(classes, 6)]) in picture.alt
    assert not (classes < 7 and "shows all" in picture.caption)


def test_the_samples_are_all_kept_images_of_a_class_up_to_four(folder, pictures):
    kept, picture = examples(folder), pictures["samples"]
    rows = [row for c in range(3) for row in np.flatnonzero(kept["labels"] == c)]
    for axes, row in zip(panels(picture.figure), rows, strict=True):
        np.testing.assert_array_equal(pixels(axes), kept["images"][row])
    assert [titles(axes) for axes in panels(picture.figure) if titles(axes)] == [
        "keratonan",
        "mega mendung",
        "singa barong",
    ]
    assert picture.alt == "Up to 3 images of each of: keratonan, mega mendung, singa barong."
    assert "8x6 pixels" in picture.caption  # wide x high


def test_a_class_without_kept_images_has_no_samples(read):
    kept = [(2, 2, "validation")] * 6 + [(0, 1, "validation")]
    picture = samples(read(examples=kept))
    shown = panels(picture.figure)
    assert len(shown) == 4 + 1
    assert [titles(axes) for axes in shown if titles(axes)] == ["keratonan", "singa barong"]
    assert picture.alt == "Up to 4 images of each of: keratonan, singa barong."


def test_the_prediction_is_of_the_first_class_and_gives_the_recorded_probabilities(folder, pictures):
    kept, picture = examples(folder), pictures["fig10_prediction"]
    shares = kept["probabilities"][5]
    percents = figures.percentages(shares)
    order = sorted(range(3), key=lambda c: -shares[c])
    for figure in (picture.figure, picture.narrow):
        left, right = panels(figure)
        np.testing.assert_array_equal(pixels(left), kept["images"][5])
        assert titles(left) == "true: keratonan" and titles(right) == "predicted: keratonan (right)"
        assert [width for _, width, _ in bars(right)] == pytest.approx([percents[c] for c in order])
    assert picture.alt == "An image of keratonan; " + ", ".join(
        f"{NAMES[c].replace('_', ' ')} {percents[c]:.2f} %" for c in order
    )
    assert picture.caption.startswith("A validation image that the network reads correctly (kept/picture_5.jpg).")
    assert picture.narrow.get_size_inches()[0] == style.NARROW < picture.figure.get_size_inches()[0] == style.WIDE


@pytest.mark.parametrize(
    "kept, said",
    [
        ([(0, 2, "validation")], "A validation image that the network misreads"),
        ([(0, 0, "train")], "A training image that the network reads correctly"),
        ([(0, 2, "train"), (0, 0, "train"), (0, 1, "validation")], "A validation image that the network misreads"),
    ],
)
def test_the_prediction_says_whose_image_it_is_and_whether_it_was_read_rightly(read, kept, said):
    picture = prediction(read(examples=kept))
    assert picture.caption.startswith(said + f" (kept/picture_{len(kept) - 1}.jpg).")


def test_the_words_of_a_prediction_name_the_five_likeliest(read):
    picture = prediction(read(names=CLASSES[:7]))
    shares = [float(part.split()[-2]) for part in picture.alt.split("; ")[1].split(", ")]
    assert len(shares) == 5 and shares == sorted(shares, reverse=True)


def test_the_saliency_panel_shows_two_pictures_of_each_of_few_classes(folder, pictures):
    kept, picture = examples(folder), pictures["fig11_saliency"]
    shown = panels(picture.figure)
    columns = {(axes.get_subplotspec().rowspan.start, axes.get_subplotspec().colspan.start): axes for axes in shown}
    assert len(shown) == 4 * 6
    for place, row in enumerate([*SHOWN_FIRST, *SHOWN_NEXT]):
        block, column = divmod(place, 8)
        for line, what in enumerate(("images", "maps", "overlays", "maps_stage2")):
            axes = columns[4 * block + line, column]
            np.testing.assert_array_equal(pixels(axes), kept[what][row])
            if "maps" in what:
                assert image(axes).get_clim()[1] == pytest.approx(np.percentile(kept[what][row], 97.5))
        label, guess = NAMES[kept["labels"][row]], NAMES[kept["predicted"][row]]
        share = f"{100 * kept['probabilities'][row].max():.1f} %"
        said = f"right\n{share}" if label == guess else f"read as\n{guess}\n{share}"
        title = columns[4 * block, column].title
        assert title.get_text() == f"{label}\n{said}".replace("_", " ")
        assert (title.get_color() == style.WRONG) == (label != guess)
    assert picture.alt.startswith("Columns for keratonan, mega mendung, singa barong; rows are the original")


@pytest.mark.parametrize("classes, pictures_, columns", [(4, 8, 8), (5, 5, 5), (6, 6, 6), (9, 9, 8)])
def test_the_saliency_panel_shows_one_picture_of_each_of_many_classes(read, classes, pictures_, columns):
    picture = saliency(read(names=CLASSES[:classes], examples=2 * some_of(classes)))
    shown = panels(picture.figure)
    assert len(shown) == 4 * pictures_
    assert 1 + max(axes.get_subplotspec().colspan.start for axes in shown) == columns


def test_maps_are_drawn_to_their_99th_percentile_where_the_settings_do_not_say(make_run):
    folder = make_run()
    (folder / "config.toml").write_text("")
    figure = saliency(read_run(folder)).figure
    (axes,) = [axes for axes in panels(figure) if axes.get_subplotspec().rowspan.start == 1 and axes.get_ylabel()]
    assert image(axes).get_clim()[1] == pytest.approx(np.percentile(pixels(axes), 99))


# ------------------------------------------------------------------ curves and numbers


@pytest.mark.parametrize(
    "name, kind, label", [("fig08_loss", "loss", "cross-entropy loss"), ("fig09_accuracy", "accuracy", "accuracy")]
)
def test_the_curves_of_both_stages_are_those_of_their_histories(folder, pictures, name, kind, label):
    picture = pictures[name]
    for figure, across in ((picture.figure, [0, 1]), (picture.narrow, [0, 0])):
        shown = panels(figure)
        assert [titles(axes) for axes in shown] == ["stage one: images", "stage two: images with saliency"]
        assert [axes.get_subplotspec().colspan.start for axes in shown] == across
        assert shown[0].get_ylabel() == label
        for axes, stage, reduced in zip(shown, ("stage1", "stage2"), ([5, 9], [7]), strict=True):
            drawn = lines(axes)
            assert list(drawn["training"].get_xdata()) == history(folder, stage, "epoch")
            assert list(drawn["training"].get_ydata()) == history(folder, stage, kind)
            assert list(drawn["validation"].get_ydata()) == history(folder, stage, f"val_{kind}")
            assert [line.get_xdata()[0] for line in axes.lines if line.get_linestyle() == ":"] == reduced
    top = panels(picture.figure)[0].get_ylim()[1]
    everything = [x for stage in ("stage1", "stage2") for c in (kind, f"val_{kind}") for x in history(folder, stage, c)]
    assert top == (1.02 if kind == "accuracy" else pytest.approx(1.06 * max(everything)))
    assert panels(picture.narrow)[0].get_ylim()[1] == top


@pytest.mark.parametrize("name, kind", [("fig08_loss", "loss"), ("fig09_accuracy", "accuracy")])
def test_the_words_of_the_curves_give_first_and_last_values(folder, pictures, name, kind):
    said = []
    for stage, title in (("stage1", "stage one: images"), ("stage2", "stage two: images with saliency")):
        ends = [f"from {v[0]:.3f} to {v[-1]:.3f}" for v in (history(folder, stage, c) for c in (kind, f"val_{kind}"))]
        epochs = {"stage1": 14, "stage2": 12}[stage]
        said.append(f"{title}, training {ends[0]}, validation {ends[1]} in {epochs} epochs")
    assert pictures[name].alt == "; ".join(said)
    assert name[3:5].lstrip("0") in pictures[name].title


def test_one_epoch_is_not_called_epochs(read):
    alt = curve_pictures(read(epochs=(1, 2)))[0].alt
    assert "in 1 epoch;" in alt and alt.endswith("in 2 epochs")


def test_the_accuracies_stand_beside_the_papers_and_the_largest_class(run, pictures):
    picture = pictures["accuracy"]
    first, second = (run.stages[stage] for stage in ("stage1", "stage2"))
    for figure, width in ((picture.figure, style.WIDE), (picture.narrow, style.NARROW)):
        (axes,) = panels(figure)
        assert names(axes.yaxis) == {0: "stage one", 1: "stage two", 2: "paper, Table II", 3: "paper, abstract"}
        drawn = {
            int(line.get_ydata()[0]): list(line.get_xdata()) for line in axes.lines[:-1] if len(line.get_xdata()) == 1
        }
        assert drawn == {0: [13 / 21], 1: [16 / 21], 2: [0.87], 3: [0.82]}
        ranges = {
            int(line.get_ydata()[0]): tuple(line.get_xdata()) for line in axes.lines[:-1] if len(line.get_xdata()) == 2
        }
        assert ranges == {0: first.interval, 1: second.interval}
        assert set(axes.lines[-1].get_xdata()) == {9 / 21}
        assert figure.get_size_inches()[0] == width
    assert picture.alt.startswith("Stage one 0.619, stage two 0.762, the paper 0.87 in Table II and 0.82")
    assert "always answering the largest class gives 0.429" in picture.alt


@pytest.mark.parametrize(
    "counts, chance", [({"a": 1}, 1), ({"a": 1, "b": 3}, 0.75), ({"a": 0}, 0), ({"a": 0, "b": 1}, 1)]
)
def test_the_largest_class_is_compared_with_all_images(read, counts, chance):
    picture = intervals(read(described={"counts": {"train": {}, "validation": counts}}))
    (axes,) = panels(picture.figure)
    assert set(axes.lines[-1].get_xdata()) == {chance} and f"the largest class gives {chance:.3f}." in picture.alt


# ------------------------------------------------------------------ confusion

STAGE_ONE, STAGE_TWO = [[3, 2, 0], [0, 4, 3], [3, 0, 6]], [[4, 0, 1], [2, 5, 0], [0, 2, 7]]


def test_both_matrices_stand_beside_the_papers(pictures):
    picture = pictures["fig12_confusion"]
    expected = [("stage one", STAGE_ONE), ("stage two", STAGE_TWO), ("the paper's Fig. 12", paper.FIGURE_12)]
    for figure, across in ((picture.figure, [0, 1, 2]), (picture.narrow, [0, 0, 0])):
        assert [axes.get_subplotspec().colspan.start for axes in panels(figure)] == across
        for axes, (title, matrix) in zip(panels(figure), expected, strict=True):
            assert titles(axes) == title
            assert names(axes.yaxis) == {0: "keratonan", 1: "mega mendung", 2: "singa barong"}
            cells = {(int(y), int(x)): int(text) for x, y, text in texts(axes)}
            assert cells == {(r, c): n for r, row in enumerate(matrix) for c, n in enumerate(row)}
    assert picture.alt == "stage one: 13 of 21 right; stage two: 16 of 21 right; the paper's Fig. 12: 112 of 128 right"
    assert picture.caption.endswith("The paper's matrix counts 128 of its own images.")


@pytest.mark.parametrize("classes, shown, columns", [(6, 3, 3), (7, 2, 2), (8, 2, 2), (9, 2, 1)])
def test_matrices_of_many_classes_stand_below_each_other_without_the_papers(read, classes, shown, columns):
    picture = confusion(read(names=CLASSES[:classes]))
    across = [axes.get_subplotspec().colspan.start for axes in panels(picture.figure)]
    assert len(across) == shown and len(set(across)) == columns
    assert (picture.narrow is None) == (classes > 8)
    assert ("49, 0, 0; 3, 42, 0; 7, 6, 21 (keratonan, mega mendung, singa barong)" in picture.caption) == (shown == 2)


def test_every_picture_is_listed_under_its_own_name(pictures):
    assert list(pictures) == [picture.name for picture in pictures.values()] == [
        "headline", "accuracy", "samples", "fig08_loss", "fig09_accuracy", "fig10_prediction", "fig11_saliency",
        "fig12_confusion",
    ]  # fmt: skip


def test_a_matrix_of_two_hundred_classes_is_cut_to_those_that_are_mistaken_most(make_run):
    from batik_scratch.report import pictures as module
    from batik_scratch.report.recorded import read_run
    from batik_scratch.report.tables import all_tables

    names = [f"class {i:03d}" for i in range(200)]
    folder = make_run(names=names, answers=[(c, (c + 1) % 200 if c in (7, 190) else c, c) for c in range(200)])
    picture = module.confusion(read_run(folder))
    assert "Shown are the 24 of 200 classes that stage one mistook most often" in picture.caption
    assert max(picture.figure.get_size_inches()) < 40 and "198 of 200 right" in picture.alt
    assert len(all_tables(read_run(folder))["confusion_stage1"].rows) == 200
