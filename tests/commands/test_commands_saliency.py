"""`saliency`: the pictures, maps and colours that it writes are those of the methods it names, class by class."""

import numpy as np
import pytest
from command_pictures import SIDE, decoded, only_methods, photo, unit
from matplotlib.colors import to_hex
from PIL import Image

from batik_scratch import nn, saliency
from batik_scratch.explain import explain_images
from batik_scratch.figures import style

FAST = ("gradient", "gradient-x-input", "grad-cam", "lrp")


@pytest.fixture
def few_methods():
    """ "all" means four methods that cost little and treat a map's channels in three ways."""
    with only_methods(FAST):
        yield


@pytest.fixture
def pair(judge, cloths, tmp_path):
    """Two files, of which the network names another class each."""
    wide = photo(tmp_path / "wide.jpg", 8, (61, 38))
    drawn = sorted((cloths / "images").rglob("*.png"))
    predicted = judge.model.predict(unit(decoded([wide, *drawn]))).argmax(axis=1)
    return [drawn[np.flatnonzero(predicted[1:] != predicted[0])[0]], wide]


def expected_maps(model, image, method, target):
    """The raw map (H, W, C) and the shades (H, W) of one image (H, W, C) by one method."""
    entry = saliency.METHODS[method]
    raw = entry.make(model).attribute(image[None], target=target)
    return raw[0], entry.reduce(raw)[0]


def in_unit(shades):
    """From the lowest value to the 99th percentile."""
    low, high = shades.min(), np.percentile(shades, 99)
    return np.clip((shades - low) / (high - low), 0, 1)


def near(found, expected, share=1e-4):
    np.testing.assert_allclose(found, expected, rtol=0, atol=share * np.abs(expected).max())


def test_the_raw_maps_of_every_method_are_written_for_the_predicted_class(judge, pair, few_methods, tmp_path, command):
    out = tmp_path / "new" / "maps"
    said = command(0, "saliency", *pair, "--model", judge.file, "--method", "all", "--out", out).out.splitlines()
    names = [f"{path.stem}_{what}" for path in pair for what in ("methods.png", "overlay.png", "map.npz")]
    assert said == [str(out / name) for name in names] and sorted(names) == sorted(p.name for p in out.iterdir())
    x = unit(decoded(pair))
    predicted = judge.model.predict(x).argmax(axis=1)
    assert predicted[0] != predicted[1]
    for path, image, target in zip(pair, x, predicted, strict=True):
        with np.load(out / f"{path.stem}_map.npz") as stored:
            assert list(stored.files) == [*(name.replace("-", "_") for name in FAST), "map"]
            for method in FAST:
                near(stored[method.replace("-", "_")], expected_maps(judge.model, image, method, target)[0])
            shades = in_unit(expected_maps(judge.model, image, FAST[0], target)[1])
            near(stored["map"], shades, 1e-3)


def test_the_overlay_is_the_first_methods_map_for_the_target_in_blue_over_the_picture(judge, pair, tmp_path, command):
    words = ["--method", "lrp", "--target", judge.names[0], "--out", tmp_path / "o"]
    command(0, "saliency", *pair, "--model", judge.file, *words)
    for path, pixels in zip(pair, decoded(pair), strict=True):
        raw, shades = expected_maps(judge.model, unit(pixels), "lrp", 0)
        weight = 0.8 * in_unit(shades)[..., None]
        blue = (1 - weight) * pixels + weight * np.array([30, 110, 255])
        with Image.open(tmp_path / "o" / f"{path.stem}_overlay.png") as written:
            assert written.format == "PNG" and written.size == (SIDE, SIDE)
            assert np.abs(np.asarray(written, float) - blue).max() <= 1
        with np.load(tmp_path / "o" / f"{path.stem}_map.npz") as stored:
            assert list(stored.files) == ["lrp", "map"]
            near(stored["lrp"], raw)


def test_the_picture_of_methods_has_a_row_per_class_and_a_column_per_method(
    judge, pair, few_methods, tmp_path, figures
):
    explain_images(judge.file, pair, judge.names[2], tmp_path / "o", "all")
    assert len(figures) == 2
    for figure, pixels in zip(figures, decoded(pair), strict=True):
        grid = np.array(figure.axes).reshape(3, 1 + len(FAST))  # (classes, picture and methods)
        assert [axes.get_title() for axes in grid[0]] == ["", *FAST]
        shares = judge.model.predict(unit(pixels)[None])[0]
        for c, row in enumerate(grid):
            name = judge.names[c].replace("_", " ")
            assert row[0].get_ylabel() == f"{name}\n{shares[c]:.1%}"
            assert to_hex(row[0].yaxis.label.get_color()).upper() == (style.RIGHT if c == 2 else style.INK).upper()
            np.testing.assert_array_equal(row[0].images[0].get_array(), pixels)
            for axes, method in zip(row[1:], FAST, strict=True):
                shades = expected_maps(judge.model, unit(pixels), method, c)[1]
                drawn = axes.images[0]
                near(drawn.get_array(), shades)
                low, high = drawn.get_clim()
                assert low == 0 and high == pytest.approx(np.percentile(shades, 99) or 1, rel=1e-3)


def test_the_row_of_the_predicted_class_is_the_blue_one_where_no_target_is_given(judge, pair, tmp_path, figures):
    explain_images(judge.file, pair, "predicted", tmp_path)
    for figure, target in zip(figures, judge.model.predict(unit(decoded(pair))).argmax(axis=1), strict=True):
        labels = [axes.yaxis.label for axes in figure.axes if axes.get_ylabel()]
        blue = [to_hex(text.get_color()).upper() == style.RIGHT.upper() for text in labels]
        assert blue == [c == target for c in range(3)]
        assert {axes.get_title() for axes in figure.axes} == {"", "gradient"}


def test_images_of_one_name_are_numbered_and_a_second_call_writes_anew(judge, cloths, tmp_path, figures):
    one = photo(tmp_path / "a" / "x.png", 1)
    others = [photo(tmp_path / "b" / "x.jpg", 2), photo(tmp_path / "c" / "x.png", 3)]
    for _ in range(2):
        written = explain_images(judge.file, [one, *others], "predicted", tmp_path / "o")
        assert [path.name for path in written[1::3]] == ["x_overlay.png", "x_2_overlay.png", "x_3_overlay.png"]
    x = unit(decoded([one, *others]))
    for stem, image in zip(["x", "x_2", "x_3"], x, strict=True):
        with np.load(tmp_path / "o" / f"{stem}_map.npz") as stored:
            target = judge.model.predict(image[None]).argmax()
            near(stored["gradient"], expected_maps(judge.model, image, "gradient", target)[0])


def test_a_target_that_the_model_does_not_know_is_refused_with_those_it_knows(judge, pair, tmp_path, command):
    said = command(2, "saliency", *pair, "--model", judge.file, "--target", "kawung", "--out", tmp_path / "o")
    assert "--target kawung" in said.err and ", ".join(judge.names) in said.err and '"predicted"' in said.err
    assert said.out == "" and not (tmp_path / "o").exists()


def test_a_class_that_is_called_predicted_does_not_hide_the_prediction(renamed, judge, pair, tmp_path, figures):
    file = renamed(["predicted", "other\nname", "third"])
    explain_images(file, pair[:1], "predicted", tmp_path / "o")
    labels = [axes.yaxis.label for axes in figures[0].axes if axes.get_ylabel()]
    target = judge.model.predict(unit(decoded(pair[:1]))).argmax()
    assert to_hex(labels[target].get_color()).upper() == style.RIGHT.upper()
    assert labels[1].get_text().startswith("other name\n")  # a line break in a name is no line break in the picture


def test_nothing_is_written_where_the_folder_is_a_file_or_the_network_predicts_nan(judge, pair, tmp_path, command):
    (tmp_path / "taken").write_text("mine")
    said = command(2, "saliency", *pair, "--model", judge.file, "--out", tmp_path / "taken")
    assert f"--out {tmp_path / 'taken'}" in said.err and (tmp_path / "taken").read_text() == "mine"
    model = nn.Sequential.load(judge.file)
    model.layers[-2].params["bias"][1] = np.nan
    model.save(tmp_path / "broken.npz")
    said = command(2, "saliency", *pair, "--model", tmp_path / "broken.npz", "--out", tmp_path / "o")
    assert str(tmp_path / "broken.npz") in said.err and "NaN" in said.err and not (tmp_path / "o").exists()


def test_all_leaves_out_what_cannot_explain_a_network_and_a_method_by_name_says_why(tmp_path, few_methods, command):
    network = nn.Sequential([nn.Flatten(), nn.Dense(2), nn.Softmax()], (22, 22, 3), random_state=0)
    network.metadata = {"class_names": ["a", "b"], "image_size": 22}
    network.save(tmp_path / "m.npz")
    picture = photo(tmp_path / "x.png", 0)
    words = [picture, "--model", tmp_path / "m.npz", "--out", tmp_path / "o"]
    command(0, "saliency", *words, "--method", "all")
    with np.load(tmp_path / "o" / "x_map.npz") as stored:
        assert stored.files == ["gradient", "gradient_x_input", "lrp", "map"]
    assert "convolution" in command(2, "saliency", *words, "--method", "grad-cam").err
    assert "all, gradient" in command(2, "saliency", *words, "--method", "magic").err
