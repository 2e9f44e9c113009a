"""Does a map lie on the motif? Each measure pixel by pixel, on masks of unequal size and maps with many ties."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from batik_scratch.errors import InputError
from batik_scratch.saliency import evaluation
from batik_scratch.saliency.evaluation import localisation

SHARES = [1 / 35, 6 / 35, 20 / 35, 34 / 35]  # of the area, below


@pytest.fixture(scope="module")
def maps():
    rng = np.random.default_rng(3)
    found = rng.integers(0, 6, (4, 5, 7)).astype(float)  # (4, 5, 7): whole numbers tie
    found[1] *= 0.01
    found[2, 4, 1] = found[2, 0, 6] = 9  # two equal peaks
    return found


@pytest.fixture(scope="module")
def masks():
    found = np.zeros((4, 5, 7), bool)
    found[0, 3, 5] = True
    found[1, 1:3, 2:5] = True
    found[2, 1:, 1:6] = True
    found[3] = True
    found[3, 0, 0] = False
    return found


def test_pointing_counts_the_equal_peaks_that_lie_inside(maps, masks):
    for one, inside, found in zip(maps, masks, evaluation.pointing_game(maps, masks), strict=True):
        peaks = [place for place in np.ndindex(5, 7) if one[place] == max(one.ravel())]
        assert found == sum(bool(inside[place]) for place in peaks) / len(peaks)
    assert evaluation.pointing_game(maps, masks)[2] == 0.5  # one peak in, one beside


def test_energy_is_the_share_of_the_sum(maps, masks):
    found = evaluation.energy_inside(maps, masks)
    for one, inside, share in zip(maps, masks, found, strict=True):
        assert share == pytest.approx(sum(one[p] for p in np.ndindex(5, 7) if inside[p]) / sum(one.ravel()))
    assert np.isnan(evaluation.energy_inside(maps * 0, masks)).all()
    assert len(evaluation.energy_inside(maps[:0], masks[:0])) == 0
    with pytest.raises(InputError, match="energy_inside: needs maps >= 0"):
        evaluation.energy_inside(maps - 0.001, masks)


def test_auc_is_how_often_a_pixel_of_the_motif_is_larger_than_one_beside_it(maps, masks):
    found = evaluation.roc_auc(maps, masks)
    for one, inside, auc in zip(maps, masks, found, strict=True):
        pairs = [(a > b) + 0.5 * (a == b) for a in one[inside] for b in one[~inside]]
        assert auc == pytest.approx(np.mean(pairs)) == pytest.approx(roc_auc_score(inside.ravel(), one.ravel()))


def test_average_precision_is_summed_over_the_thresholds(maps, masks):
    found = evaluation.average_precision(maps, masks)
    for one, inside, precision in zip(maps, masks, found, strict=True):
        total, before = 0.0, 0.0
        for threshold in sorted(set(one.ravel()), reverse=True):
            above = one >= threshold
            recall = inside[above].sum() / inside.sum()
            total += (recall - before) * inside[above].mean()
            before = recall
        assert precision == pytest.approx(total) == pytest.approx(average_precision_score(inside.ravel(), one.ravel()))


def test_overlap_at_the_masks_area_shares_out_the_pixels_at_the_threshold(maps, masks):
    found = evaluation.iou_at_area(maps, masks)
    for one, inside, iou in zip(maps, masks, found, strict=True):
        area, taken, hit = inside.sum(), 0.0, 0.0
        for level in sorted(set(one.ravel()), reverse=True):
            at = one == level
            share = min(1.0, (area - taken) / at.sum())
            taken, hit = taken + share * at.sum(), hit + share * inside[at].sum()
        assert taken == pytest.approx(area) and iou == pytest.approx(hit / (area + area - hit))


def test_overlap_is_of_the_largest_pixels_of_a_large_map_too():
    rng = np.random.default_rng(5)
    for share in (0.01, 0.1, 0.35, 0.6, 0.9):
        one, inside = rng.random((150, 150)), rng.random((150, 150)) < share
        largest = one >= np.sort(one.ravel())[-inside.sum()]
        (iou,) = evaluation.iou_at_area(one[None], inside[None])
        assert iou == pytest.approx((largest & inside).sum() / (largest | inside).sum())


def test_overlap_without_ties_is_of_as_many_pixels_as_the_motif_has(masks):
    rng = np.random.default_rng(4)
    maps = rng.permutation(4 * 35).reshape(4, 5, 7).astype(float) + 3 * masks
    for one, inside, iou in zip(maps, masks, evaluation.iou_at_area(maps, masks), strict=True):
        largest = np.zeros(35, bool)
        largest[np.argsort(-one.ravel())[: inside.sum()]] = True
        both = largest.reshape(5, 7)
        assert iou == pytest.approx((both & inside).sum() / (both | inside).sum())


@pytest.mark.parametrize(
    ("name", "function", "of_area"),
    [
        ("pointing game", evaluation.pointing_game, lambda a: a),
        ("energy inside", evaluation.energy_inside, lambda a: a),
        ("ROC-AUC", evaluation.roc_auc, lambda a: 0.5),
        ("average precision", evaluation.average_precision, lambda a: a),
        ("IoU at the mask's area", evaluation.iou_at_area, lambda a: a / (2 - a)),
    ],
)
def test_each_name_stands_for_its_measure_and_what_chance_gets(name, function, of_area, maps, masks):
    """A map of one value, whose pixels all tie, scores what chance does."""
    assert np.array_equal(evaluation.METRICS[name](maps, masks), function(maps, masks))
    assert localisation.chance(name, masks) == pytest.approx([of_area(a) for a in SHARES])
    assert function(np.full((4, 5, 7), 0.3), masks) == pytest.approx([of_area(a) for a in SHARES])
    undefined = np.concatenate([masks, np.zeros((1, 5, 7), bool), np.ones((1, 5, 7), bool)])
    more = np.concatenate([maps, maps[:2]])
    for values in (localisation.chance(name, undefined), function(more, undefined)):
        assert np.isnan(values).tolist() == [False] * 4 + [True] * 2


def test_there_are_five_measures_in_the_tables_order():
    names = ["pointing game", "energy inside", "ROC-AUC", "average precision", "IoU at the mask's area"]
    assert list(evaluation.METRICS) == names


def test_auc_is_the_area_under_the_curve(maps, masks):
    for one, inside, auc in zip(maps, masks, evaluation.roc_auc(maps, masks), strict=True):
        false, true, _ = roc_curve(inside.ravel(), one.ravel())
        assert auc == pytest.approx(sum((true[1:] + true[:-1]) / 2 * np.diff(false)))


@pytest.mark.parametrize("metric", evaluation.METRICS.values())
def test_maps_and_masks_belong_together(metric, maps, masks):
    for wrong in ((maps[0], masks[0]), (maps[:3], masks), (maps, masks.astype(float)), (maps * np.nan, masks)):
        with pytest.raises(InputError):
            metric(*wrong)
