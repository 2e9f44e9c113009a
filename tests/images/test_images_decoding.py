"""Decoding against values worked out by hand: alpha, 16 bits, floats, CMYK, orientation, size, and every refusal."""

import os
import struct
import zlib

import numpy as np
import pytest
from folders_of_photos import blocks
from PIL import Image

from batik_scratch.errors import InputError
from batik_scratch.images import UnreadableImage, cache, read_image, read_pixels, reading
from batik_scratch.images.reading import read_with_notes


def pixels(path):
    image = read_image(path)
    assert image.mode == "RGB"
    return np.asarray(image).astype(int)


def test_pixels_are_squeezed_to_a_square_by_antialiased_bilinear_means(tmp_path):
    blocks(3, 60, 28).save(tmp_path / "a.png")
    got = read_pixels(tmp_path / "a.png", 14)
    assert got.shape == (14, 14, 3) and got.dtype == np.uint8
    wide = np.asarray(blocks(3, 60, 28)).astype(float)  # (28, 60, 3)
    for channel in range(3):
        expected = triangle_means(triangle_means(wide[:, :, channel].T, 14).T, 14)
        assert np.abs(got[:, :, channel] - expected).max() <= 1.5


def triangle_means(values, n):
    """(H, W) -> (n, W): each new row is a mean weighted by a triangle as wide as two new rows."""
    scale = len(values) / n
    centres = (np.arange(n) + 0.5) * scale
    weight = 1 - np.abs(np.arange(len(values)) + 0.5 - centres[:, None]) / max(scale, 1)
    weight = np.clip(weight, 0, None)  # (n, H)
    return weight / weight.sum(axis=1, keepdims=True) @ values


def test_a_smaller_picture_is_enlarged_by_straight_lines(tmp_path):
    Image.fromarray(np.array([[0, 100]], np.uint8)).save(tmp_path / "a.png")
    assert read_pixels(tmp_path / "a.png", 4)[2, :, 1].tolist() == [0, 25, 75, 100]


@pytest.mark.parametrize("kind", ["RGBA", "LA"])
def test_half_transparent_is_half_white(tmp_path, kind):
    colour = (200, 40, 0, 51) if kind == "RGBA" else (40, 51)
    Image.new(kind, (3, 2), colour).save(tmp_path / "a.png")
    expected = [c * 51 / 255 + 255 * 204 / 255 for c in (colour[:3] if kind == "RGBA" else [40] * 3)]
    assert np.abs(pixels(tmp_path / "a.png") - expected).max() <= 1


@pytest.mark.parametrize("kind", ["RGBA", "LA"])
def test_opaque_is_left_as_it_is(tmp_path, kind):
    grey = (70, 70, 70, 255) if kind == "RGBA" else (70, 255)
    Image.new(kind, (3, 2), grey).save(tmp_path / "a.png")
    assert (pixels(tmp_path / "a.png") == 70).all()


def test_a_colour_that_a_file_declares_transparent_is_white(tmp_path):
    two = np.zeros((2, 4, 3), np.uint8) + np.array([10, 20, 30], np.uint8)
    two[:, 2:] = 90, 80, 70
    Image.fromarray(two).save(tmp_path / "a.png", transparency=(10, 20, 30))
    assert pixels(tmp_path / "a.png")[0].tolist() == [[255] * 3] * 2 + [[90, 80, 70]] * 2


@pytest.mark.parametrize("kind", ["P", "L", "1"])
def test_palettes_greys_and_bits_keep_their_colours(tmp_path, kind):
    if kind == "P":
        image = Image.new("P", (2, 1))
        image.putpalette([10, 200, 30, 250, 60, 7])
        image.putpixel((1, 0), 1)
        expected = [[10, 200, 30], [250, 60, 7]]
    else:
        image = Image.fromarray(np.array([[0, 255]], np.uint8)).convert(kind)
        expected = [[0] * 3, [255] * 3]
    image.save(tmp_path / "a.png")
    assert pixels(tmp_path / "a.png")[0].tolist() == expected


def test_inks_are_turned_into_light(tmp_path):
    cmyk = [(0, 0, 0, 0), (255, 0, 0, 0), (0, 255, 0, 0), (0, 0, 255, 0), (0, 0, 0, 255), (51, 102, 0, 0)]
    image = Image.new("CMYK", (6, 1))
    image.putdata(cmyk)
    image.save(tmp_path / "a.tif")
    expected = [[255 - min(255, ink + k) for ink in (c, m, y)] for c, m, y, k in cmyk]
    assert np.abs(pixels(tmp_path / "a.tif")[0] - expected).max() <= 1


def test_sixteen_bits_are_divided_by_257_and_rounded(tmp_path):
    values = np.array([[0, 128, 129, 257, 385, 386, 32768, 65535]], np.uint16)
    Image.fromarray(values).save(tmp_path / "a.png")
    assert pixels(tmp_path / "a.png")[0, :, 2].tolist() == [0, 0, 1, 1, 1, 2, 128, 255]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.0, 0.25, 0.5, 1.0], [0, 64, 128, 255]),  # fractions of white
        ([0.0, 1.0, 1.0, 0.0], [0, 255, 255, 0]),
        ([-0.001, 0.5, 1.001, np.nan], [0, 128, 255, 0]),  # as resampled ones are
        ([0.0, 17.0, 254.6, 255.0], [0, 17, 255, 255]),
        ([0.0, 1023.0, 2046.0, 4092.0], [0, 64, 127, 255]),  # twelve bits
        ([0.5, 1.0, 257.0, 65535.0], [0, 0, 1, 255]),
    ],
)
def test_white_of_floating_greys_is_the_smallest_full_scale_that_holds_them(tmp_path, values, expected):
    Image.fromarray(np.array([values], np.float32)).save(tmp_path / "a.tif")
    assert pixels(tmp_path / "a.tif")[0, :, 0].tolist() == expected


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_fewer_bits_in_a_file_of_sixteen_are_not_turned_black(tmp_path, bits):
    values = np.array([[0, 2 ** (bits - 1), 2**bits - 1]], np.uint16)
    for name, kind in (("a.png", np.uint16), ("a.tif", np.uint16), ("b.tif", np.int32)):
        Image.fromarray(values.astype(kind)).save(tmp_path / name)
        assert pixels(tmp_path / name)[0, :, 1].tolist() == [0, 128, 255], name
        assert f"white {2**bits - 1}" in read_with_notes(tmp_path / name)[1]


@pytest.mark.parametrize("values", [[-5.0, 0.5, 1.0], [0.0, 70000.0, 1.0], [np.inf, 0.0, 1.0], [-0.5, 0.5, 1.0]])
def test_numbers_that_fit_no_scale_are_refused_with_their_range(tmp_path, values):
    Image.fromarray(np.array([values], np.float32)).save(tmp_path / "a.tif")
    with pytest.raises(UnreadableImage, match=r"its numbers run from .* to .*, which is no scale of brightness"):
        read_image(tmp_path / "a.tif")


def test_a_black_picture_of_sixteen_bits_is_black(tmp_path):
    Image.fromarray(np.zeros((2, 3), np.uint16)).save(tmp_path / "a.png")
    assert not pixels(tmp_path / "a.png").any() and "white 65535" in read_with_notes(tmp_path / "a.png")[1]


def sixteen_bit_colours(path, values):
    """Write a PNG of uint16 (H, W, 3), which Pillow reads and does not write."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    height, width, _ = values.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    whole = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + whole)


def test_colours_of_sixteen_bits_keep_their_upper_eight_and_are_refused_where_those_are_almost_black(tmp_path):
    values = np.array([[[65535, 0, 300], [256, 512, 40000]]], np.uint16)
    sixteen_bit_colours(tmp_path / "a.png", values)
    assert pixels(tmp_path / "a.png").tolist() == (values >> 8).tolist()
    sixteen_bit_colours(tmp_path / "b.png", values >> 4)  # twelve bits
    with pytest.raises(UnreadableImage, match=r"uses the lowest 16 of 256 levels, so it would be read almost black"):
        read_image(tmp_path / "b.png")
    sixteen_bit_colours(tmp_path / "c.png", values * 0)
    assert not pixels(tmp_path / "c.png").any()


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_an_orientation_turns_every_mode(tmp_path, mode):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held with its right side down: turn clockwise
    image = blocks(1, 9, 5).convert(mode)
    image.save(tmp_path / "a.png", exif=exif)
    assert np.array_equal(pixels(tmp_path / "a.png"), np.rot90(np.asarray(image.convert("RGB")), -1))


def test_an_orientation_that_cannot_be_read_leaves_the_picture_as_stored(tmp_path, monkeypatch):
    blocks(1).save(tmp_path / "a.png")

    def broken(image):
        raise SyntaxError("broken EXIF")

    monkeypatch.setattr(Image.Image, "getexif", broken)
    assert np.array_equal(pixels(tmp_path / "a.png"), np.asarray(blocks(1)))


def test_limits_are_the_last_that_is_allowed(tmp_path, monkeypatch):
    blocks(1, 8, 6).save(tmp_path / "a.png")
    size = os.path.getsize(tmp_path / "a.png")
    monkeypatch.setattr(reading, "MAX_PIXELS", 48)
    monkeypatch.setattr(reading, "MAX_FILE_BYTES", size)
    assert read_image(tmp_path / "a.png").size == (8, 6)
    monkeypatch.setattr(reading, "MAX_PIXELS", 47)
    with pytest.raises(UnreadableImage, match="has 8x6 pixels, the limit is 47 in all"):
        read_image(tmp_path / "a.png")
    monkeypatch.setattr(reading, "MAX_FILE_BYTES", size - 1)
    with pytest.raises(UnreadableImage, match=f"has {size} bytes, the limit is {size - 1}"):
        read_image(tmp_path / "a.png")


def test_the_limits_are_64_million_pixels_and_256_megabytes(tmp_path):
    assert reading.MAX_PIXELS == 64e6 and reading.MAX_FILE_BYTES == 256 * 1024 * 1024
    # a header that claims 8001 x 8000 pixels, and none of them
    (tmp_path / "a.ppm").write_bytes(b"P6 8001 8000 255\n")
    with pytest.raises(UnreadableImage, match="8001x8000 pixels"):
        read_image(tmp_path / "a.ppm")
    (tmp_path / "a.ppm").write_bytes(b"P6 8000 8000 255\n")
    with pytest.raises(UnreadableImage, match="does not decode"):
        read_image(tmp_path / "a.ppm")
    with (tmp_path / "large").open("wb") as file:
        file.truncate(256 * 2**20 + 1)  # a hole: no room on the disk
    with pytest.raises(UnreadableImage, match="has 268,435,457 bytes, the limit is 268,435,456"):
        read_image(tmp_path / "large")


def test_a_refusal_carries_path_and_reason_and_shows_odd_names_escaped(tmp_path):
    path = tmp_path / "a\nb.png"
    path.write_bytes(b"")
    with pytest.raises(UnreadableImage) as error:
        read_image(path)
    assert error.value.path == path and error.value.reason == "is an empty file"
    assert str(error.value).endswith("a\\nb.png: is an empty file") and isinstance(error.value, InputError)


def test_a_file_cut_short_is_refused_in_one_line(tmp_path):
    blocks(1).save(tmp_path / "a.png")
    whole = (tmp_path / "a.png").read_bytes()
    (tmp_path / "b.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UnreadableImage, match="does not decode: ") as error:
        read_image(tmp_path / "b.png")
    assert "\n" not in error.value.reason and "truncated" in error.value.reason
    (tmp_path / "folder").mkdir()
    with pytest.raises(UnreadableImage, match=r"folder: is a folder, not an image"):
        read_image(tmp_path / "folder")


@pytest.mark.parametrize(("text", "reason"), [("two\nlines", "two"), ("", "KeyError"), ("x" * 300, "x" * 120)])
def test_a_decoders_error_is_given_by_its_first_words_or_its_name(tmp_path, monkeypatch, text, reason):
    class KeyError(Exception):  # str() of Python's own would add quotation marks
        pass

    monkeypatch.setattr(reading, "_DECODER_ERRORS", (KeyError,))

    def fail(image):
        raise KeyError(text)

    monkeypatch.setattr(reading, "_to_rgb", fail)
    blocks(1).save(tmp_path / "a.png")
    with pytest.raises(UnreadableImage) as error:
        read_image(tmp_path / "a.png")
    assert error.value.reason == f"does not decode: {reason}"


@pytest.mark.parametrize(
    ("name", "shown"),
    [("plain ü.png", "plain ü.png"), ("tab\t", "tab\\t"), ("\x1b[31m", "\\x1b[31m"), (os.fsdecode(b"\xff"), "\\udcff")],
)
def test_names_in_messages_are_printable(name, shown):
    assert reading.printable(name) == shown


def test_formats_that_are_not_ours_are_refused_although_pillow_knows_them(tmp_path):
    from PIL import IcoImagePlugin  # noqa: F401  registers the format

    blocks(1, 32, 32).save(tmp_path / "a.png", format="ICO")
    with pytest.raises(UnreadableImage, match="is not an image in PNG, JPEG"):
        read_image(tmp_path / "a.png")


def test_quiet_pillow_hides_its_warnings_and_gives_back_its_log(tmp_path):
    import logging
    import warnings

    logger = logging.getLogger("PIL")
    logger.setLevel(logging.INFO)
    try:
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            with cache.quiet_pillow():
                assert not logger.isEnabledFor(logging.CRITICAL)
                warnings.warn_explicit("odd metadata", UserWarning, "x.py", 1, module="PIL.TiffImagePlugin")
                warnings.warn_explicit("ours", UserWarning, "y.py", 1, module="batik_scratch.images")
        assert [str(warning.message) for warning in seen] == ["ours"]
        assert logger.level == logging.INFO
    finally:
        logger.setLevel(logging.NOTSET)


def test_a_damaged_heic_photo_is_no_reason_to_install_what_is_there(tmp_path, monkeypatch):
    (tmp_path / "a.jpg").write_bytes(b"\0\0\0\x18ftypheic" + bytes(99))
    monkeypatch.setitem(Image.OPEN, "HEIF", (None, lambda head: False))  # a decoder that knows no such file
    for there, words in ((False, "install pillow-heif"), (True, "is a HEIC photo that is damaged or cut short")):
        monkeypatch.setattr(reading, "heic_is_read", lambda there=there: there)
        with pytest.raises(UnreadableImage, match=words):
            read_image(tmp_path / "a.jpg")
