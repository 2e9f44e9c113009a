"""Each sentence of the report, from runs of which the right sentence is known by construction."""

import dataclasses
import re

import pytest

from batik_scratch.report.notes import DRAWN, data_warnings, in_short, notes, verdict
from batik_scratch.report.recorded import read_run


def judged(read, first, second, intervals=((0.0, 0.1), (0.9, 1.0)), **changes):
    """The verdict on two accuracies with the intervals given."""
    pairs = zip((first, second), intervals, strict=True)
    return verdict(read(metrics=[{"accuracy": a, "accuracy_interval": list(i)} for a, i in pairs], **changes))


def sentence(run, pattern):
    """The note that says `pattern`, the only one."""
    (found,) = [note for note in notes(run) if re.search(pattern, note)]
    return found


# ------------------------------------------------------------------ the verdict


@pytest.mark.parametrize(
    "first, second, change",
    [(0.612, 0.748, "13.6 points higher than"), (0.748, 0.612, "13.6 points lower than"), (0.5, 0.5, "the same as")],
)
def test_the_verdict_says_by_how_many_points_stage_two_is_better_or_worse(read, first, second, change):
    assert judged(read, first, second).startswith(f"With saliency overlaid, the accuracy is {change} without it: ")


def test_a_gain_of_one_point_is_one_point(read):
    assert "1.0 points higher" in judged(read, 0.75, 0.76)


def paired(mended, broken, both=40):
    """Answers (label, stage one's, stage two's) of which so many are mended and broken by stage two."""
    return [(0, 0, 0)] * both + [(1, 0, 1)] * mended + [(2, 2, 0)] * broken


@pytest.mark.parametrize("low, told", [(0.79, True), (0.81, False)])
def test_an_accuracy_that_always_one_answer_reaches_is_said_to_show_nothing(read, low, told):
    answers = paired(6, 4)  # 40, 6 and 4 of the classes
    metrics = [{"accuracy": 0.85, "accuracy_interval": [low, 0.95]}] * 2
    said = in_short(read(answers=answers, metrics=metrics))[0]
    assert ("is right in 0.800: that the network has learned anything is not shown." in said) == told


@pytest.mark.parametrize(
    "mended, broken, p",
    [(8, 24, "p = 0.007"), (24, 8, "p = 0.007"), (0, 6, "p = 0.031"), (60, 10, "p < 0.001")],  # binomial tails
)
def test_a_lopsided_count_of_pairs_is_more_than_luck_with_the_images(read, mended, broken, p):
    said = verdict(read(answers=paired(mended, broken)))
    assert f"it got {mended} images right that stage one had wrong, and {broken} the other way round." in said
    assert f"hardly explains that ({p}, McNemar's exact test), but luck with this split" in said


def test_one_image_is_one(read):
    assert "it got 1 image right that stage one had wrong, and 5 the other way round." in verdict(
        read(answers=paired(1, 5))
    )


@pytest.mark.parametrize("mended, broken, p", [(8, 9, "p = 1.000"), (1, 5, "p = 0.219"), (5, 15, "p = 0.041")])
def test_a_count_that_luck_may_bring_shows_no_difference(read, mended, broken, p):
    said = verdict(read(answers=paired(mended, broken)))
    lucky = float(p.split()[-1]) >= 0.05
    assert (f"no more than luck may bring ({p}, McNemar's exact test): this one split shows no difference" in said) == (
        lucky
    )


def test_intervals_that_overlap_decide_nothing_any_more(read):
    """What the verdict went by before: the same intervals, and the pairs decide."""
    apart, over = ((0.0, 0.1), (0.9, 1.0)), ((0.4, 0.6), (0.45, 0.65))
    for intervals in (apart, over):
        assert "hardly explains" in judged(read, 0.2, 0.8, intervals, answers=paired(8, 24))
        assert "shows no difference" in judged(read, 0.2, 0.8, intervals, answers=paired(8, 9))


# ------------------------------------------------------------------ what weakens a number


def test_the_first_note_gives_the_images_and_the_interval_of_stage_one(read):
    run = read(metrics=[{"accuracy_interval": [0.5512, 0.7634]}, {"accuracy_interval": [0.1, 0.2]}])
    note = notes(run)[0]
    assert note.startswith("There are 21 validation images. The 95% interval (Wilson) of stage one's accuracy runs ")
    assert "from 0.551 to 0.763, about ±10.6 points." in note


def test_images_mended_and_broken_by_stage_two_are_counted_apart(read):
    answers = [(0, 0, 0)] * 3 + [(0, 1, 0)] * 8 + [(1, 1, 0)] * 24 + [(1, 0, 0)] * 5 + [(2, 2, 2)] * 2 + [(2, 0, 1)]
    said = sentence(read(answers=answers), "Image by image")
    assert "stage two got 8 right that stage one had wrong, and 24 wrong that stage one had right." in said
    assert "would come in 0.7% of all cases (McNemar's exact test)" in said


def test_images_are_paired_by_their_path_not_by_their_line(make_run):
    folder = make_run(answers=[(0, 0, 0)] * 4 + [(1, 0, 1)] * 3 + [(2, 2, 0)] * 2)
    path = folder / "stage2" / "predictions.csv"
    header, *rows = path.read_text().splitlines()
    path.write_text("\n".join([header, *reversed(rows)]))
    assert "got 3 right that stage one had wrong, and 2 wrong" in sentence(read_run(folder), "Image by image")


def test_an_image_that_only_one_stage_judged_is_not_counted(make_run):
    folder = make_run(answers=[(0, 0, 0)] * 4 + [(1, 0, 1)] * 3 + [(2, 2, 0)] * 2)
    path = folder / "stage1" / "predictions.csv"
    path.write_text(path.read_text().replace("mega_mendung/image_005.jpg", "another.jpg"))
    assert "got 2 right that stage one had wrong, and 2 wrong" in sentence(read_run(folder), "Image by image")


def test_classes_that_a_stage_never_answers_are_named_with_the_stage(read):
    """Stage one answers 0 and 2 only, stage two 1 only; every class has images."""
    said = sentence(read(answers=[(0, 0, 1), (1, 2, 1), (1, 0, 1), (2, 2, 1)]), "never answered")
    assert "Stage one never answered mega mendung." in said
    assert "Stage two never answered keratonan, singa barong." in said
    assert "precision 0" in said


def test_a_class_without_images_that_is_answered_is_not_called_unanswered(read):
    run = read(answers=[(0, 0, 0), (0, 1, 1), (2, 2, 2)])
    assert not any("never answered" in note for note in notes(run))


def test_only_the_stage_that_leaves_a_class_out_is_named(read):
    said = sentence(read(answers=[(0, 0, 0), (1, 1, 1), (2, 2, 0)]), "never answered")
    assert said.startswith("Stage two never answered singa barong.") and "Stage one" not in said


def test_networks_that_answer_every_class_are_not_blamed(run):
    assert not any("never answered" in note for note in notes(run))


@pytest.mark.parametrize(
    "first, second, who",
    [
        ("accuracy", "epochs", "Stage one ended"),
        ("epochs", "accuracy", "Stage two ended"),
        ("accuracy", "accuracy", "Stage one and Stage two ended"),
    ],
)
def test_the_stage_that_stopped_at_its_accuracy_is_named(read, first, second, who):
    said = sentence(read(metrics=[{"stopped": first}, {"stopped": second}]), "ended at the first epoch")
    assert said.startswith(f"{who} at the first epoch whose validation accuracy reached the threshold")
    assert "optimistic" in said


def test_stages_that_ran_all_their_epochs_are_not_called_optimistic(run):
    assert not any("ended at the first epoch" in note for note in notes(run))


def test_files_left_out_are_counted(read):
    said = sentence(read(described={"skipped": [["a.jpg", "broken"]] * 7}), "left out")
    assert "Files that could not be read and were left out: 7." in said


def test_groups_of_near_duplicates_are_counted(read):
    assert ": 5. Each was kept on one side" in sentence(
        read(described={"near_duplicate_groups": 5}), "nearly the same picture"
    )


def test_nothing_is_said_of_files_or_duplicates_where_there_are_none(run):
    assert not any("left out" in note or "nearly the same" in note for note in notes(run))


def test_notes_that_hold_for_every_run_are_there(run):
    said = " ".join(notes(run))
    for words in (
        "explains the class that the network predicted, not the true one",
        "Both stages use the same split",
        "maps of training and validation images alike come from the stage-one network",
        "does not show that the network has understood",
        "There is no test set",
        "142 validation images in Table I and 128 in Fig. 12",
    ):
        assert words in said


def test_drawn_images_are_said_to_prove_nothing_about_cloth():
    assert "drawn by code" in DRAWN and "nothing about real cloth" in DRAWN


@pytest.mark.parametrize("source, drawn", [("drawn", True), ("photos", False)])
def test_a_run_knows_whether_its_images_were_drawn(read, source, drawn):
    assert read(source=source).drawn is drawn


def test_warnings_about_the_images_come_first(read):
    run = read(described={"warnings": ["a is lost.", "b is lost", "c", "d", "e"]})
    assert data_warnings(run)[0] == (
        "The images are perhaps not what you think: a is lost; b is lost; c. 2 more warnings are listed under Images."
    )


def test_settings_that_were_changed_on_the_way_are_told(read):
    run = dataclasses.replace(read(), changes=[{"epochs": [1, 2]}])
    assert (
        "changed while this run was interrupted" in data_warnings(run)[0]
        and "{'epochs': [1, 2]}" in data_warnings(run)[0]
    )
