"""Pillow's own test images, where they are at hand: read as Pillow reads them, or refused with a reason."""

import contextlib
import os
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from batik_scratch.images import UnreadableImage, cache, read_image

PILLOW = os.environ.get("BATIK_PILLOW_IMAGES", "")  # Tests/images of Pillow's source distribution
PLAIN = ("L", "RGB")  # of these Pillow's own conversion is ours; the others have rules of their own


@pytest.mark.slow
@pytest.mark.skipif(not PILLOW, reason="BATIK_PILLOW_IMAGES is unset")
def test_they_are_read_as_pillow_reads_them_or_refused_by_name():
    read = refused = compared = 0
    wrong = []
    for path in sorted(p for p in Path(PILLOW).rglob("*") if p.is_file()):
        with cache.quiet_pillow():
            try:
                found = read_image(path)
            except UnreadableImage as error:
                refused += 1
                assert error.reason and str(path.name) in str(error)
                continue
            read += 1
            assert found.mode == "RGB"
            with Image.open(path) as image:
                sixteen = any(";16" in str(tile) for tile in image.tile)
                if image.mode not in PLAIN or "transparency" in image.info or sixteen:
                    continue
                image.load()
                expected = image.convert("RGB")
                with contextlib.suppress(SyntaxError, struct.error):  # EXIF that cannot be read turns nothing
                    expected = ImageOps.exif_transpose(expected)
                compared += 1
                wrong += [] if np.array_equal(np.asarray(found), np.asarray(expected)) else [path.name]
    print(f"{read} read, {compared} of them compared, {refused} refused")
    assert read > 100 and not wrong, wrong
