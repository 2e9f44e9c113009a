"""Cloths look as they were recorded for their VERSION: else cached and published sets would silently be others."""

import numpy as np
import pytest
from recorded_cloths import FILE, PHOTOS, from_text, geometries, photos

from batik_scratch.motifs import ALL_MOTIFS

HOW = "the drawing changed: raise VERSION, and record anew (tests/motifs/recorded_cloths.py)"


@pytest.fixture(scope="module")
def record():
    assert FILE.is_file(), HOW
    with np.load(FILE) as found:
        return dict(found)


def same_parameters(found, recorded):
    assert len(found) == len(recorded)
    for one, other in zip(found, recorded, strict=True):
        assert list(one) == list(other) and one == pytest.approx(other, abs=2e-3), HOW


@pytest.mark.parametrize("motif", ALL_MOTIFS)
def test_geometry_is_as_recorded_at_every_point(motif, record):
    values, drawn = geometries(motif)
    same_parameters(drawn, from_text(record[f"{motif}_drawn"]))
    off = np.abs(np.clip(values, -3, 3.2) - record[motif] / 1e4) > 2e-4  # (S, 3, POINTS)
    # a tone may jump where rounding chooses the other band
    assert not off[:, [0, 2]].any() and off[:, 1].mean() < 1e-3, HOW


def test_photographs_and_masks_are_as_recorded(record):
    pixels, masks, drawn = photos()
    same_parameters(drawn, from_text(record["photos_drawn"]))
    for number, case in enumerate(PHOTOS):
        difference = np.abs(pixels[number].astype(int) - record["pixels"][number])
        assert np.quantile(difference, 0.98) <= 2, (case, HOW)
        assert np.mean(masks[number] != record["masks"][number]) < 0.02, (case, HOW)
