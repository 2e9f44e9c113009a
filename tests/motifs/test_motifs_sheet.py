"""The contact sheet: which picture stands where, what is outlined, what is written above."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from study.faulty_files import FaultyDisk

from batik_scratch.errors import InputError
from batik_scratch.motifs import contact_sheet, write_dataset
from batik_scratch.motifs.sheet import GAP, OUTLINE, TILE, TITLE

COUNTS = {"lereng": 7, "Kawung": 2, "parang": 1}  # shown in the order Kawung, lereng, parang
ROWS = ("Kawung", "lereng", "parang")


def colour(name, index):
    return (40 + 30 * index, 60 * ROWS.index(name) + 10, 200 - 20 * index)


@pytest.fixture
def folder(tmp_path):
    for name, count in COUNTS.items():
        (tmp_path / "photos" / name).mkdir(parents=True)
        for i in range(count):
            Image.new("RGB", (20 + i, 30), colour(name, i)).save(tmp_path / "photos" / name / f"{i}.png")
    return tmp_path / "photos"


def sheet(folder, tmp_path, **options):
    with Image.open(contact_sheet(folder, tmp_path / "sheet.png", **options)) as image:
        assert image.format == "PNG" and image.mode == "RGB"
        return np.asarray(image).astype(int)


def tile(pixels, row, column):
    top, left = GAP + row * (TILE + TITLE + GAP) + TITLE, GAP + column * (TILE + GAP)
    return pixels[top : top + TILE, left : left + TILE]


def test_classes_are_rows_and_pictures_are_picked_evenly_from_first_to_last(folder, tmp_path):
    pixels = sheet(folder, tmp_path, per_class=4)
    assert pixels.shape == (GAP + 3 * (TILE + TITLE + GAP), GAP + 4 * (TILE + GAP), 3)
    picked = {"Kawung": [0, 1], "lereng": [0, 2, 4, 6], "parang": [0]}
    expected = np.full_like(pixels, 255)
    for row, name in enumerate(ROWS):
        for column, index in enumerate(picked[name]):
            assert (tile(pixels, row, column) == colour(name, index)).all()
            tile(expected, row, column)[:] = colour(name, index)
        strip = slice(GAP + row * (TILE + TITLE + GAP), GAP + row * (TILE + TITLE + GAP) + TITLE)
        expected[strip] = pixels[strip]
    assert np.array_equal(pixels, expected)  # white between the tiles and where a class has no more


def test_the_title_of_a_row_is_the_class_and_all_its_images(folder, tmp_path):
    pixels = sheet(folder, tmp_path, per_class=2)
    for row, title in enumerate(("Kawung  (2 images)", "lereng  (7 images)", "parang  (1 images)")):
        strip = Image.new("RGB", (pixels.shape[1], TITLE), "white")
        ImageDraw.Draw(strip).text((GAP, 0), title, fill="black", font=ImageFont.load_default(size=16))
        top = GAP + row * (TILE + TITLE + GAP)
        assert np.array_equal(pixels[top : top + TITLE], np.asarray(strip))


def test_eight_are_shown_by_default_and_one_where_one_is_asked(folder, tmp_path):
    assert sheet(folder, tmp_path).shape[1] == GAP + 8 * (TILE + GAP)
    assert (tile(sheet(folder, tmp_path, per_class=1), 1, 0) == colour("lereng", 0)).all()


def test_the_sizes_are_150_pixels_with_gaps_of_8_and_titles_of_26():
    assert (TILE, GAP, TITLE, OUTLINE) == (150, 8, 26, (255, 255, 0))


@pytest.mark.parametrize("per_class", [0, -2])
def test_less_than_one_is_refused(folder, tmp_path, per_class):
    with pytest.raises(InputError, match=f"whole number >= 1, got {per_class}"):
        contact_sheet(folder, tmp_path / "sheet.png", per_class)


def test_a_place_without_a_folder_is_named(folder, tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"there is no folder .*deep; make it first"):
        contact_sheet(folder, tmp_path / "deep" / "sheet.png")
    monkeypatch.chdir(tmp_path)
    assert contact_sheet(str(folder), "sheet.jpg").name == "sheet.jpg"  # beside us; a PNG whatever its name
    with Image.open("sheet.jpg") as image:
        assert image.format == "PNG"


@pytest.fixture
def drawn(tmp_path):
    """Grey pictures of a drawn set whose mask is a rectangle, not the same in both classes."""
    folder = write_dataset(tmp_path / "set", {"kawung": 1, "keratonan": 1}, 1, 75, progress=False)
    for name, box in (("kawung", (10, 20, 40, 50)), ("keratonan", (0, 30, 75, 60))):
        Image.new("RGB", (75, 75), (90, 90, 90)).save(folder / f"images/{name}/{name}_00000.png")
        mask = Image.new("1", (75, 75), 0)
        mask.paste(1, box)
        mask.save(folder / f"masks/{name}/{name}_00000.png")
    return folder


def test_a_mask_is_outlined_by_its_own_edge_pixels(drawn, tmp_path):
    pixels = sheet(drawn, tmp_path)
    expected = np.full((TILE, TILE, 3), 90)
    expected[40:100, 20:80] = OUTLINE
    expected[41:99, 21:79] = 90
    assert np.array_equal(tile(pixels, 0, 0), expected)
    stripe = np.full((TILE, TILE, 3), 90)
    stripe[60:120] = OUTLINE
    stripe[61:119, 1:149] = 90
    assert np.array_equal(tile(pixels, 1, 0), stripe)


def test_outlines_may_be_left_out(drawn, tmp_path):
    assert (tile(sheet(drawn, tmp_path, outline=False), 0, 0) == 90).all()


def test_a_picture_without_a_mask_or_with_another_ending_has_the_mask_of_its_name(drawn, tmp_path):
    (drawn / "masks/keratonan/keratonan_00000.png").unlink()
    picture = drawn / "images/kawung/kawung_00000.png"
    with Image.open(picture) as image:
        image.save(picture.with_suffix(".bmp"))
    picture.unlink()
    pixels = sheet(drawn, tmp_path)
    assert (tile(pixels, 1, 0) == 90).all() and (tile(pixels, 0, 0)[40, 20:80] == OUTLINE).all()


def test_pictures_are_squeezed_to_their_tile_smoothly(tmp_path, folder):
    picture = Image.fromarray(np.random.default_rng(1).integers(0, 256, (330, 200, 3), dtype=np.uint8))
    picture.save(folder / "parang/0.png")
    expected = np.asarray(picture.resize((TILE, TILE), Image.Resampling.LANCZOS))
    assert np.array_equal(tile(sheet(folder, tmp_path), 2, 0), expected)


def test_a_sheet_on_a_full_disk_is_an_error_that_names_it(folder, tmp_path):
    target = tmp_path.resolve() / "sheet.png"
    disk = FaultyDisk(target)
    with disk.at_work():
        contact_sheet(folder, target)
    written = disk.operations.index("write .") + 1
    with FaultyDisk(target, written, "full").at_work(), pytest.raises(OSError) as error:
        contact_sheet(folder, target)
    assert error.value.filename == str(target)
