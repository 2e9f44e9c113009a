"""results.json, from cells whose numbers are made up so that every figure can be worked out."""

import dataclasses
import json

import numpy as np
import pytest
from experiment.conftest import TINY

from batik_scratch import statistics
from batik_scratch.experiment.cells import Cell
from batik_scratch.experiment.graph import all_cells
from batik_scratch.experiment.results import results
from batik_scratch.report.experiment.answer import answer, reading
from batik_scratch.report.experiment.found import Found
from batik_scratch.report.experiment.tables import accuracies, latex, whole

DATA = {"source": "drawn", "class_names": ["a", "b_c"], "counts": {"a": 8, "b_c": 4}, "images": 12, "chance": 2 / 3}
CONFIG = dataclasses.replace(TINY, arms=("images", "saliency", "true_class", "shuffled", "maps_alone"))


def record(cell, accuracy, predicted=(0, 0, 1, 1)):
    labels = [0, 0, 0, 1]
    return {
        "cell": cell._asdict(),
        "accuracy": accuracy,
        **dict.fromkeys(("macro_f1", "log_loss", "ece"), accuracy / 2),
        "confusion": [[2, 1], [0, 1]],
        "curves": {name: [accuracy / 2, accuracy] for name in ("accuracy", "loss", "val_accuracy", "val_loss")},
        "rows": [4 * cell.fold + i for i in range(4)],
        "labels": labels,
        "predicted": list(predicted),
        "probabilities": [[1.0, 0.0]] * 4,
    }


def reached(cell):
    """Saliency is 3 points above the images, with noise of folds and weights; permuted labels are at 0.5."""
    if cell.permuted:
        return 0.5 + 0.02 * cell.fold
    base = {"saliency": 0.73, "true_class": 0.9, "shuffled": 0.705, "maps_alone": 0.4}.get(cell.arm, 0.7)
    return base + 0.01 * cell.fold + 0.02 * cell.repeat + 0.004 * cell.init + 0.001 * (len(cell.arm) * cell.fold % 3)


@pytest.fixture(scope="module")
def made():
    return results(CONFIG, DATA, [record(cell, reached(cell)) for cell in all_cells(CONFIG)], {})


def folds(arm):
    """The means over the initialisations, in order."""
    return [
        np.mean([reached(Cell(repeat, fold, arm, init)) for init in range(2)])
        for repeat in range(2)
        for fold in range(3)
    ]


def test_an_arms_figures_are_means_over_folds_with_the_corrected_interval(made):
    expected = statistics.corrected(folds("saliency"), 1 / 3)
    found = made["arms"]["saliency"]["accuracy"]
    assert (found["mean"], found["low"], found["high"]) == pytest.approx(expected[:3], abs=1e-8)
    assert made["arms"]["saliency"]["folds"] == 6 and made["arms"]["saliency"]["cells"] == 12
    assert made["arms"]["stage_one"]["cells"] == 6  # one network a fold


def test_differences_are_paired_by_fold(made):
    gains = np.subtract(folds("saliency"), folds("images"))
    expected = statistics.corrected(gains.tolist(), 1 / 3)
    (found,) = [one for one in made["differences"] if one["arm"] == "saliency"]
    assert (found["mean"], found["low"], found["high"], found["p"]) == pytest.approx(expected[:4], abs=1e-7)
    assert found["detectable"] == pytest.approx(statistics.smallest_difference(expected), abs=1e-7)
    assert sum(found["belief"].values()) == pytest.approx(1, abs=1e-6)


def test_holm_goes_over_the_arms_that_are_compared(made):
    p = {one["arm"]: (one["p"], one["p_holm"]) for one in made["differences"]}
    assert list(p) == ["saliency", "true_class", "shuffled"]  # maps alone are no overlay
    assert [adjusted for _, adjusted in p.values()] == pytest.approx(
        statistics.holm([raw for raw, _ in p.values()]), abs=1e-6
    )
    assert [one["arm"] for one in made["to_saliency"]] == ["true_class", "shuffled"]


def test_the_claims_are_compared_with_stage_one_as_the_paper_does(made):
    """One network a fold on that side, the mean of two on the other."""
    one = [reached(Cell(repeat, fold, "stage_one")) for repeat in range(2) for fold in range(3)]
    (found,) = made["to_stage_one"]
    assert found["arm"] == "saliency" and found["against"] == "stage_one" and found["folds"] == 6
    assert found["mean"] == pytest.approx(np.mean(folds("saliency")) - np.mean(one), abs=1e-8)
    assert f"Beside stage one, as the paper compares: {100 * found['mean']:+.1f} points" in " ".join(
        reading(Found(made, {}))
    )


def test_mcnemar_counts_each_image_of_the_first_repeat_once():
    def of(cell):
        return (0, 0, 0, 1) if cell.arm == "saliency" and cell.fold == 1 else (0, 1, 0, 1)

    records = [record(cell, 0.5, of(cell)) for cell in all_cells(CONFIG)]
    found = results(CONFIG, DATA, records, {})["differences"][0]["mcnemar"]
    assert found == {"mended": 1, "broken": 0, "p": 1.0, "images": 12}


def test_an_arm_that_judged_other_images_is_not_paired_image_by_image():
    records = [record(cell, 0.5) for cell in all_cells(CONFIG)]
    for one in records:
        if one["cell"]["arm"] == "true_class":
            one["rows"] = [row + 1 for row in one["rows"]]
    found = {one["arm"]: one for one in results(CONFIG, DATA, records, {})["differences"]}
    assert "mcnemar" not in found["true_class"] and "mcnemar" in found["saliency"]


def test_folds_count_once_all_of_their_initialisations_are_there(made):
    records = [record(cell, reached(cell)) for cell in all_cells(CONFIG)]
    some = [one for one in records if Cell(**one["cell"]) != Cell(0, 1, "saliency", 1)]
    found = results(CONFIG, DATA, some, {"r0-f1-saliency-i1": "Error: no"})
    assert found["arms"]["saliency"]["folds"] == 5 and found["arms"]["images"]["folds"] == 6
    assert {one["arm"]: one["folds"] for one in found["differences"]} == {"saliency": 5, "true_class": 6, "shuffled": 6}
    assert found["cells"]["failed"] == {"r0-f1-saliency-i1": "Error: no"}
    said = " ".join(reading(Found(found, {})))
    assert f"1 of {len(records)} cells are missing" in said
    assert "1 cells failed, such as r0-f1-saliency-i1: Error: no" in said


def test_nothing_yet_is_no_error():
    found = results(CONFIG, DATA, [], {})
    assert found["arms"]["images"]["folds"] == 0 and found["differences"][0]["p"] is None
    assert "no answer yet" in answer(Found(found, {}))
    assert "stage one" in whole(Found(found, {})).to_csv()
    json.dumps(found, allow_nan=False)


def test_the_order_of_the_records_changes_no_byte(made):
    records = [record(cell, reached(cell)) for cell in all_cells(CONFIG)]
    assert json.dumps(results(CONFIG, DATA, records[::-1], {})) == json.dumps(made)


def said_of(mean, low, high, equal=0.1):
    one = {"arm": "saliency", "mean": mean, "low": low, "high": high}
    one["belief"] = {"worse": 0.5 - equal / 2, "equal": equal, "better": 0.5 - equal / 2}
    return answer(Found({"differences": [one], "data": DATA}, {}))


def test_the_answer_is_yes_no_the_same_or_not_shown():
    assert said_of(0.031, 0.012, 0.05).startswith("Yes, on these images")
    said = said_of(0.031, 0.012, 0.05)
    assert "3.1 points higher than after training as long on the plain images (95% interval +1.2 to +5.0)" in said
    assert said_of(-0.02, -0.03, -0.01).startswith("No, on these images it hurts")
    assert said_of(0.001, -0.004, 0.006, 0.97).startswith("No, on these images it makes no difference that matters")
    assert said_of(0.02, -0.01, 0.05).startswith("Not shown") and "2.0 points higher" in said_of(0.02, -0.01, 0.05)


def test_permuted_labels_above_chance_are_an_alarm_and_a_leaks_are_its_proof():
    def accuracy(arm, permuted):
        return {"shuffled": 0.9}.get(arm, 0.6) if permuted else 0.8

    alarm = [record(c, accuracy(c.arm, c.permuted) + 0.01 * c.fold) for c in all_cells(CONFIG)]
    assert "shuffled must not be above chance and is" in " ".join(reading(Found(results(CONFIG, DATA, alarm, {}), {})))
    leaks = [
        record(c, (0.95 if c.arm == "true_class" else 0.6) + 0.01 * c.fold if c.permuted else 0.8)
        for c in all_cells(CONFIG)
    ]
    said = " ".join(reading(Found(results(CONFIG, DATA, leaks, {}), {})))
    assert "none is surely above it" in said and "Above it are true class: that is the leak" in said


def test_a_leak_that_does_not_rise_is_explained():
    low = [record(c, 0.7 - 0.1 * (c.arm == "true_class") + 0.01 * c.fold) for c in all_cells(CONFIG)]
    said = " ".join(reading(Found(results(CONFIG, DATA, low, {}), {})))
    assert (
        "Leak, true class: −10.0 points to saliency" in said and "each writes the label in a hand of its own." in said
    )


@pytest.mark.parametrize(("alone", "faint"), [(0.5, True), (0.9, False)])
def test_a_label_that_its_maps_hardly_show_is_called_faint(alone, faint):
    def of(arm):
        return {"true_class": 0.6, "true_maps_alone": alone}.get(arm, 0.8)

    config = dataclasses.replace(CONFIG, arms=(*CONFIG.arms, "true_maps_alone"))
    records = [record(c, of(c.arm) + 0.01 * c.fold) for c in all_cells(config)]
    said = " ".join(reading(Found(results(config, DATA, records, {}), {})))
    assert ("the label is faint: alone these maps give 0.510 right, the images 0.810" in said) == faint


def test_an_accuracys_interval_ends_where_accuracies_do():
    high = [record(c, 0.99 - 0.02 * (c.fold % 2)) for c in all_cells(CONFIG)]
    found = results(CONFIG, DATA, high, {})
    assert found["arms"]["images"]["accuracy"]["high"] > 1
    assert accuracies(Found(found, {})).rows[1][2].endswith("to 1.000")


def test_the_tables_say_what_the_results_say(made):
    found = Found(made, {})
    lines = whole(found).to_csv().splitlines()
    assert lines[0].startswith("arm,title,kind,folds,cells,accuracy,") and len(lines) == 1 + 6
    row = dict(zip(lines[0].split(","), lines[3].split(","), strict=True))
    assert row["arm"] == "saliency" and float(row["difference"]) == made["differences"][0]["mean"]
    tex = latex(found)
    assert tex.count(r"\\") == 7 and r"\begin{tabular}{lrrrrr}" in tex and r"95\% interval" in tex
