"""The judgement: whose maps, of which class, on which images; what beats what; and the printed table, cell by cell."""

import re

import numpy as np
import pytest
from saliency_networks import cnn

from batik_scratch import saliency
from batik_scratch.saliency import evaluation
from batik_scratch.saliency.catalogue import Entry
from batik_scratch.saliency.evaluation import table
from batik_scratch.saliency.evaluation.localisation import chance

MEASURES = [*evaluation.METRICS, "deletion", "insertion"]
METHODS = {
    "signed": Entry(saliency.GradientTimesInput, lambda maps: np.abs(maps.sum(axis=-1))),
    "coarse": Entry(saliency.GradCAM, lambda maps: maps[..., 0]),
}


@pytest.fixture(scope="module")
def judged():
    """A network, another one, images, masks, and what was found and said."""
    model, other = cnn(3), cnn(4)
    rng = np.random.default_rng(5)
    images, masks = rng.random((7, 9, 8, 3)), rng.random((7, 9, 8)) < 0.3
    told = []
    found = evaluation.evaluate_methods(model, images, masks, METHODS, {"twin": model, "other": other}, say=told.append)
    assert told == ["signed", "coarse"]
    return model, other, images, masks, found


def test_every_row_is_judged_by_every_measure_for_the_predicted_class(judged):
    model, _, images, masks, found = judged
    classes = model.predict(images).argmax(axis=1)
    assert len(set(classes)) > 1
    maps = {"centre prior": evaluation.centre_prior(images), "Sobel": evaluation.sobel(images)}
    for name, entry in METHODS.items():
        maps[name] = entry.reduce(entry.make(model).attribute(images, target=classes))
    assert list(found.values) == ["chance", "centre prior", "Sobel", "signed", "coarse"]
    for name, expected in maps.items():
        row = found.values[name]
        assert list(row) == MEASURES
        for measure, metric in evaluation.METRICS.items():
            assert np.array_equal(row[measure], metric(expected, masks), equal_nan=True)
        assert np.allclose(row["deletion"], evaluation.deletion(model, images, expected, classes, "mean", 20))
        assert np.allclose(row["insertion"], evaluation.insertion(model, images, expected, classes, "blur", 20))
    for measure in evaluation.METRICS:
        assert np.array_equal(found.values["chance"][measure], chance(measure, masks))
    assert list(found.values["chance"]) == MEASURES[:5]


def compared(judged, images, masks, found):
    """Whether the other networks' maps, of the first network's classes, are beside its own for all of these images."""
    model, other = judged[:2]
    classes = model.predict(images).argmax(axis=1)
    assert (classes != other.predict(images).argmax(axis=1)).any()
    assert list(found.likeness) == list(found.theirs) == ["twin", "other"]
    for called, network in {"twin": model, "other": other}.items():
        for name in found.likeness[called]:
            make, reduce = METHODS[name]
            ours, theirs = (make(m).attribute(images, target=classes).sum(axis=-1) for m in (model, network))
            for kind, values in evaluation.similarity(ours, theirs).items():
                assert np.allclose(found.likeness[called][name][kind], values, equal_nan=True)
            auc = evaluation.roc_auc(reduce(make(network).attribute(images, target=classes)), masks)
            assert np.allclose(found.theirs[called][name], auc, equal_nan=True) and len(auc) == len(images)


def test_other_networks_are_asked_for_the_first_ones_classes(judged):
    compared(judged, *judged[2:])
    assert list(judged[-1].likeness["twin"]) == list(judged[-1].theirs["other"]) == ["signed", "coarse"]


def test_sixty_images_are_compared_and_all_are_judged(judged):
    model, other = judged[:2]
    images, masks = np.random.default_rng(8).random((62, 9, 8, 3)), np.random.default_rng(9).random((62, 9, 8)) < 0.3
    signed = {"signed": METHODS["signed"]}
    found = evaluation.evaluate_methods(model, images, masks, signed, {"twin": model, "other": other}, faithful=False)
    compared(judged, images[:60], masks[:60], found)
    assert all(len(values) == 62 for row in found.values.values() for values in row.values())


def test_without_others_and_without_faithfulness_less_is_asked():
    images, masks = np.random.default_rng(6).random((3, 9, 8, 3)), np.zeros((3, 9, 8), bool)
    masks[:, 2:5, 1:4] = True
    found = evaluation.evaluate_methods(cnn(1), images, masks, {"signed": METHODS["signed"]}, faithful=False)
    assert all(list(row) == MEASURES[:5] for row in found.values.values())
    assert found.likeness == found.theirs == {}
    assert "deletion" not in found.text() and "trained" not in found.text()


# ---------------------------------------------------------------------- what beats what

rng = np.random.default_rng(7)
EACH = rng.random(30)  # images differ far more than rows do
SMALL = np.abs(rng.normal(0.02, 0.005, 30))


def made(likeness=None, theirs=None, **rows):
    """An evaluation of rows {name: {measure: values}}."""
    return evaluation.Evaluation(
        {name.replace("_", " "): row for name, row in rows.items()}, likeness or {}, theirs or {}
    )


@pytest.mark.parametrize("measure", MEASURES)
def test_a_row_beats_another_by_paired_differences_on_the_better_side(measure):
    found = made(low={measure: EACH}, high={measure: EACH + SMALL}, noisy={measure: EACH[::-1]})
    better, worse = ("low", "high") if measure == "deletion" else ("high", "low")
    assert found.beats(better, worse, measure) is True
    assert not found.beats(worse, better, measure) and not found.beats("low", "low", measure)
    assert not found.beats("noisy", "low", measure) and not found.beats("low", "noisy", measure)


def test_images_without_an_answer_do_not_decide():
    values = EACH + SMALL
    values[3] = np.nan
    assert made(a={"ROC-AUC": values}, b={"ROC-AUC": EACH}).beats("a", "b", "ROC-AUC")
    assert made(a={"ROC-AUC": values}).interval("a", "ROC-AUC") == evaluation.mean_interval(np.delete(values, 3))


@pytest.mark.parametrize(
    ("signed", "absolute", "said"),
    [
        (0.5, 0.0, "unclear"),
        (0.0, 0.5, "unclear"),
        (0.51, 0.0, "NO"),
        (0.0, 0.51, "NO"),
        (0.49, 0.49, "yes"),
        (-1, -1, "yes"),
    ],
)
def test_a_method_notices_where_both_rank_correlations_are_below_one_half(signed, absolute, said):
    found = {"spearman": np.full(5, signed), "spearman, absolute": np.full(5, absolute), "SSIM": np.full(5, 1.0)}
    assert table.notices(found) == said


# ---------------------------------------------------------------------- the printed table


def cells(text, rows):
    """{(row, column): what stands there}, by the right ends of the names in the heads of the tables."""
    found, ends = {}, {}
    for line in text.splitlines():
        heads = {name: line.find(f" {name}") + len(name) + 1 for name in MEASURES if f" {name}" in line}
        if heads and not line.startswith(tuple(rows)):
            ends = heads
        row = next((name for name in rows if line.startswith(f"{name} ")), None)
        begin = max(map(len, rows))
        for name, end in ends.items():
            if row:
                found[row, name] = line[begin:end].strip()
                begin = end
    return found


@pytest.fixture(scope="module")
def printed():
    """Every cell has numbers of its own; `good` beats both controls, `half` the centre prior alone."""
    tables = {"chance": {}, "centre prior": {}, "Sobel": {}, "good": {}, "half": {}}
    for place, measure in enumerate(MEASURES):
        sign = -1 if measure == "deletion" else 1
        for row, step in (("chance", 3), ("centre prior", 0), ("Sobel", 1), ("good", 2), ("half", 0.5)):
            if row != "chance" or place < 5:
                tables[row][measure] = 0.1 * EACH + place + 0.4 + sign * step * SMALL
    return evaluation.Evaluation(tables, {}, {})


def test_each_cell_is_the_rows_mean_and_interval_with_a_star_for_beating_both_controls(printed):
    text = printed.text()
    found = cells(text, printed.values)
    for row, measures in printed.values.items():
        for measure in MEASURES:
            star = "*" if row == "good" else ""
            expected = f"{evaluation.mean_interval(measures[measure])}{star}" if measure in measures else ""
            assert found[row, measure] == expected, (row, measure)
    assert "95%" in text.splitlines()[0] and "paired" in text.splitlines()[0]


def test_a_star_needs_both_controls():
    """`half` beats the edges alone here, and no measure is left out for having few of them."""
    rows = {"chance": 9, "centre prior": 2, "Sobel": 0, "half": 1, "good": 3}
    found = evaluation.Evaluation({row: {"ROC-AUC": EACH + step * SMALL} for row, step in rows.items()}, {}, {})
    stars = [row for row in rows if cells(found.text(), rows)[row, "ROC-AUC"].endswith("*")]
    assert stars == ["good"] and len(found.text().splitlines()) == 2 + 1 + len(rows)


CONTROL_ROWS = (("centre prior", 0.2), ("Sobel", 0.15))


@pytest.fixture(scope="module")
def beside():
    """30 images, of which 24 were compared; "old/net" leaves `good` as it is, "new" does not."""
    few = slice(24)
    values = {name: {"ROC-AUC": 0.5 * EACH + add} for name, add in (*CONTROL_ROWS, ("good", 0.3), ("poor", 0.1))}
    values["good"]["ROC-AUC"][24:] = 0.0  # of those that were not compared
    likeness = {
        other: {
            name: {
                "spearman": 0.1 * EACH[few] + a,
                "spearman, absolute": 0.1 * EACH[few] + b,
                "SSIM": 0.1 * EACH[few] + c,
            }
            for name, (a, b, c) in methods.items()
        }
        for other, methods in {
            "old/net": {"good": (0.61, 0.72, 0.8), "poor": (0.11, 0.21, 0.9)},
            "new": {"good": (0.12, 0.23, 0.34), "poor": (0.02, 0.45, 0.5)},
        }.items()
    }
    theirs = {
        "old/net": {"good": 0.5 * EACH[few] + 0.31, "poor": 0.5 * EACH[few] + 0.05 + SMALL[few]},
        "new": {"good": 0.5 * EACH[few] + 0.2 + SMALL[few], "poor": 0.5 * EACH[few] + 0.1},
    }
    return evaluation.Evaluation(values, likeness, theirs)


def test_beside_another_network_stand_likeness_both_measures_and_the_verdict(beside):
    parts = re.split(r"^(.*), beside the trained network", beside.text(), flags=re.M)
    assert parts[1::2] == ["old/net", "new"]
    interval = evaluation.mean_interval
    for other, part in zip(parts[1::2], parts[2::2], strict=True):
        lines = part.splitlines()
        head = next(line for line in lines if "notices" in line and "the other" in line)
        places = [
            head.index(f" {word}")
            for word in ("spearman", "spearman, absolute", "SSIM", "trained", "the other", "notices")
        ]
        assert places == sorted(places)
        for name in ("good", "poor"):
            found, theirs = beside.likeness[other][name], beside.theirs[other][name]
            ours = beside.values[name]["ROC-AUC"][:24]
            star = {("old/net", "good"): "", ("new", "poor"): ""}.get((other, name), "*")
            verdict = {("old/net", "good"): "NO", ("new", "poor"): "unclear"}.get((other, name), "yes")
            line = next(line for line in lines if line.startswith(f"{name} "))
            expected = f"{name} {interval(found['spearman']).mean:.3f} {interval(found['spearman, absolute'])} "
            expected += f"{interval(found['SSIM']).mean:.3f} {interval(ours)}{star} {interval(theirs)} {verdict}"
            assert " ".join(line.split()) == expected


def test_all_numbers_go_by_row_and_measure_and_by_network_and_method(beside):
    found = beside.arrays()
    expected = {f"{row}/ROC-AUC": beside.values[row]["ROC-AUC"] for row in ("centre prior", "Sobel", "good", "poor")}
    for other, written in (("old/net", "old net"), ("new", "new")):
        for name in ("good", "poor"):
            for kind, values in beside.likeness[other][name].items():
                expected[f"{written}: {name}/{kind}"] = values
            expected[f"{written}: {name}/ROC-AUC"] = beside.theirs[other][name]
    assert found.keys() == expected.keys()
    assert all(np.array_equal(found[name], values) for name, values in expected.items())


def test_the_measures_of_all_methods_fit_into_a_hundred_columns():
    values = {row: {measure: EACH for measure in MEASURES} for row in (*table.CONTROLS, *saliency.METHODS)}
    lines = evaluation.Evaluation(values, {}, {}).text().splitlines()
    assert max(map(len, lines)) <= 100 and any(line.count("[") == 3 for line in lines)
