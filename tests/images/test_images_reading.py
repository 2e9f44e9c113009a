"""Every row of the table of strangers' images, each made here; real odd files where they are at hand."""

import contextlib
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from batik_scratch.images import UnreadableImage, cache, read_image, reading

ODD = os.environ.get("BATIK_ODD_IMAGES")


def picture(mode="RGB"):
    """8 x 6 pixels: left half red, right half blue, top row white."""
    image = Image.new("RGB", (8, 6), "red")
    image.paste((0, 0, 255), (4, 0, 8, 6))
    image.paste((255, 255, 255), (0, 0, 8, 1))
    return image.convert(mode)


def stored_size(path):
    with Image.open(path) as image:
        return image.size


def pixels(path):
    image = read_image(path)
    assert image.mode == "RGB"
    return np.asarray(image).astype(int)


@pytest.mark.parametrize("extension", ["png", "bmp", "webp", "tif", "ppm", "gif", "jpg"])
def test_formats_are_known_by_their_content_not_their_name(tmp_path, extension):
    kind = {"tif": "TIFF", "jpg": "JPEG"}.get(extension, extension.upper())
    options = (
        {"lossless": True} if extension == "webp" else {"quality": 100, "subsampling": 0} if extension == "jpg" else {}
    )
    path = tmp_path / "photo.jpg"
    picture().save(path, format=kind, **options)
    assert np.abs(pixels(path) - np.asarray(picture()).astype(int)).max() < 40


@pytest.mark.parametrize("orientation", range(10))
def test_exif_orientation_is_applied_and_an_invalid_one_ignored(tmp_path, orientation):
    upright = np.asarray(picture()).astype(int)
    # the file's pixels are such that turning them as the tag says gives the upright picture
    undo = {
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }.get(orientation, lambda a: a)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.ascontiguousarray(undo(upright)).astype(np.uint8)).save(tmp_path / "a.png", exif=exif)
    assert np.array_equal(pixels(tmp_path / "a.png"), upright)


def test_transparency_is_laid_on_white(tmp_path):
    image = picture("RGBA")
    image.putalpha(Image.new("L", (8, 6), 0))
    image.save(tmp_path / "a.png")
    assert (pixels(tmp_path / "a.png") == 255).all()
    palette = picture("P")
    palette.info["transparency"] = palette.getpixel((0, 3))
    palette.save(tmp_path / "b.png", transparency=palette.getpixel((0, 3)))
    seen = pixels(tmp_path / "b.png")
    assert (seen[3, 0] == 255).all() and seen[3, 6].tolist()[2] > 200 > seen[3, 6].tolist()[0]


@pytest.mark.parametrize("mode", ["L", "LA", "1", "P", "CMYK"])
def test_every_mode_becomes_rgb(tmp_path, mode):
    path = tmp_path / ("a.jpg" if mode == "CMYK" else "a.png")
    picture(mode).save(path, **({"quality": 100} if mode == "CMYK" else {}))
    seen = pixels(path)
    assert (seen[0] > 200).all() and (seen[3:] < 256).all()
    if mode == "CMYK":
        assert seen[3, 1, 0] > 200 > seen[3, 1, 2] and seen[3, 6, 2] > 200 > seen[3, 6, 0]


def test_sixteen_bits_are_scaled_not_clipped(tmp_path):
    ramp = np.linspace(0, 65535, 48).reshape(6, 8).astype(np.uint16)
    Image.fromarray(ramp).save(tmp_path / "a.png")
    assert np.abs(pixels(tmp_path / "a.png")[..., 0] - ramp / 257).max() <= 1


def test_an_animation_gives_its_first_frame(tmp_path):
    picture().save(tmp_path / "a.gif", save_all=True, append_images=[Image.new("RGB", (8, 6), "lime")])
    assert pixels(tmp_path / "a.gif")[3, 1].tolist() == [255, 0, 0]


def test_what_is_no_image_is_refused_with_its_name_and_reason(tmp_path):
    picture().save(tmp_path / "whole.png")
    whole = (tmp_path / "whole.png").read_bytes()
    for name, content, reason in (
        ("page.jpg", b"<html>", "is not an image"),
        ("empty.jpg", b"", "empty file"),
        ("cut.png", whole[:60], "does not decode"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UnreadableImage, match=reason) as error:
            read_image(tmp_path / name)
        assert name in str(error.value)
    with pytest.raises(UnreadableImage, match="no such file"):
        read_image(tmp_path / "none.jpg")
    (tmp_path / "broken link.jpg").symlink_to(tmp_path / "gone" / "photo.jpg")
    with pytest.raises(UnreadableImage, match=r"no such file$"):  # and not: did you mean "broken link.jpg"?
        read_image(tmp_path / "broken link.jpg")


def test_bombs_are_refused_before_they_are_decoded(tmp_path, monkeypatch):
    picture().save(tmp_path / "a.png")
    monkeypatch.setattr(reading, "MAX_PIXELS", 40)
    with pytest.raises(UnreadableImage, match="8x6 pixels"):
        read_image(tmp_path / "a.png")
    monkeypatch.setattr(reading, "MAX_FILE_BYTES", 20)
    with pytest.raises(UnreadableImage, match="bytes"):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP", "PPM"])
def test_damaged_files_raise_only_the_documented_error(tmp_path, kind):
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 255, (20, 24, 3), dtype=np.uint8)).save(tmp_path / "a", format=kind)
    whole = (tmp_path / "a").read_bytes()
    for _ in range(60):
        broken = bytearray(whole)
        for _ in range(int(rng.integers(1, 8))):
            broken[int(rng.integers(min(len(broken), 200)))] = int(rng.integers(256))
        (tmp_path / "b").write_bytes(broken[: int(rng.integers(1, len(broken) + 1))])
        with cache.quiet_pillow(), contextlib.suppress(UnreadableImage):
            assert read_image(tmp_path / "b").mode == "RGB"


@pytest.mark.skipif(not ODD, reason="BATIK_ODD_IMAGES is unset")
def test_real_odd_files_are_read_or_refused():
    for path in sorted(Path(ODD or "").iterdir()):
        if path.name.startswith("html"):
            with pytest.raises(UnreadableImage):
                read_image(path)
        else:
            image = read_image(path)
            assert image.mode == "RGB" and min(image.size) > 50
            assert not path.name.startswith("exif6") or image.size == stored_size(path)[::-1]


@pytest.mark.parametrize("width", [4, 8])  # of 6 rows: Pillow warns above its limit, and raises above twice that
def test_a_picture_that_pillow_itself_finds_too_large_is_told_in_our_words(width, tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20)
    path = tmp_path / "photo.png"
    Image.new("L", (width, 6)).save(path)
    with pytest.raises(UnreadableImage, match=rf"has {6 * width} pixels, the limit is 64,000,000 in all"):
        read_image(path)
