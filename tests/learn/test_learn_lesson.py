"""What lessons share: the quick run, where figures go, easy cloths in turn, and a network that has learnt them."""

import sys
import types

import numpy as np
import pytest
from PIL import Image

from batik_scratch import motifs
from batik_scratch.figures import style
from batik_scratch.learn import lesson


@pytest.mark.parametrize(
    ("arguments", "quick"), [([], False), (["--quick"], True), (["x", "--quick"], True), (["--quic"], False)]
)
def test_a_run_is_quick_where_the_script_was_told_so(monkeypatch, arguments, quick):
    monkeypatch.setattr(sys, "argv", ["--quick", *arguments])
    assert lesson.quick() == quick


@pytest.mark.parametrize(("said", "quick"), [("1", True), ("yes", True), ("0", False), ("", False)])
def test_a_notebook_is_told_by_the_environment_since_it_has_no_arguments(monkeypatch, said, quick):
    monkeypatch.setattr(sys, "argv", ["ipykernel_launcher.py"])
    monkeypatch.setenv("BATIK_LESSON_QUICK", said)
    assert lesson.quick() == quick


def test_a_figure_goes_where_the_environment_says_else_into_the_current_folder(tmp_path, monkeypatch, capsys):
    figure = style.new_figure(3, 2)
    (tmp_path / "figures").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BATIK_LESSON_FIGURES", str(tmp_path / "figures"))
    lesson.show(figure, "one")
    monkeypatch.delenv("BATIK_LESSON_FIGURES")
    lesson.show(figure, "two")
    assert capsys.readouterr().out == f"figure: {tmp_path / 'figures' / 'one.png'}\nfigure: two.png\n"
    with Image.open(tmp_path / "two.png") as picture, Image.open(tmp_path / "figures" / "one.png") as other:
        assert picture.format == "PNG" and picture.size == other.size and picture.width > picture.height


def test_a_verdict_stands_before_the_number_that_was_measured(capsys):
    lesson.check("near enough", np.float64(2e-16) < 1e-10, f"{2e-16:.0e}")
    lesson.check("equal", 1 == 2, "1, 2")
    assert capsys.readouterr().out == "near enough: True (2e-16)\nequal: False (1, 2)\n"


def shown_in(module, folder, monkeypatch):
    """What is displayed from here on, in `folder`, where IPython has a shell of a class from `module`, or none."""
    shown = []
    shell = type("Shell", (), {"__module__": module})()
    ipython = types.SimpleNamespace(get_ipython=lambda: shell if module else None)
    display = types.SimpleNamespace(display=shown.append, Image=lambda data, **options: (data, options))
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    monkeypatch.chdir(folder)
    return shown


@pytest.mark.parametrize("module", ["ipykernel.zmqshell", "pyodide_kernel.interpreter"])
def test_a_notebook_shows_the_very_picture_that_is_written_smaller_than_its_pixels(tmp_path, monkeypatch, module):
    shown = shown_in(module, tmp_path, monkeypatch)
    assert lesson.show(style.new_figure(3, 2), "02_a_figure") is None  # a value would be printed below the cell
    [(data, options)] = shown
    assert data == (tmp_path / "02_a_figure.png").read_bytes()
    assert options == {"format": "png", "width": 288, "alt": "02 a figure"}
    with Image.open(tmp_path / "02_a_figure.png") as picture:
        assert picture.width > 1.5 * options["width"], "sharp on a screen of twice the pixels, or nearly"


@pytest.mark.parametrize("module", ["IPython.terminal.interactiveshell", ""])
def test_in_a_terminal_no_picture_is_displayed(tmp_path, monkeypatch, module):
    shown = shown_in(module, tmp_path, monkeypatch)
    lesson.show(style.new_figure(3, 2), "one")
    assert shown == [] and (tmp_path / "one.png").exists()


def test_cloths_come_in_turn_each_drawn_easily_from_its_own_number():
    x, labels, masks = lesson.drawn_cloths(2, 32, seed=3)
    assert labels.tolist() == [0, 1, 2, 0, 1, 2] and x.shape == (6, 32, 32, 3) and masks.shape == (6, 32, 32)
    assert x.dtype == np.float32
    for i, label in enumerate(labels):
        image, mask = motifs.draw(motifs.MOTIFS[label], np.random.default_rng([3, i]), 32, difficulty=0.0)
        assert np.array_equal(x[i], image.astype(np.float32) / 255) and np.array_equal(masks[i], mask)
    assert np.array_equal(lesson.drawn_cloths(1, 32)[0], lesson.drawn_cloths(1, 32, seed=0)[0])
    assert not np.array_equal(lesson.drawn_cloths(1, 32)[0], lesson.drawn_cloths(1, 32, seed=1)[0])


@pytest.mark.parametrize(("quick", "size", "epochs"), [(True, 32, 12), (False, 64, 20)])
def test_the_small_network_is_the_papers_on_small_cloths_trained_as_long_as_it_says(monkeypatch, quick, size, epochs):
    seen = {}

    class Model:
        def compile(self, optimizer, loss):
            seen["rate"], seen["loss"] = optimizer.learning_rate, type(loss).__name__

        def fit(self, x, y, **options):
            seen["x"], seen["y"], seen["fit"] = x, y, options

    def paper_cnn(shape, random_state):
        seen["shape"], seen["state"] = shape, random_state
        return Model()

    monkeypatch.setattr(lesson.nn, "paper_cnn", paper_cnn)
    monkeypatch.setattr(lesson, "quick", lambda: quick)
    monkeypatch.setattr(lesson, "drawn_cloths", lambda *asked, seed=0: (("cloths", *asked, seed), "labels", "masks"))
    assert isinstance(lesson.small_network(), Model)
    assert (seen["x"], seen["y"]) == (("cloths", 40, size, 0), "labels")
    assert seen["fit"] == {"epochs": epochs, "verbose": 0}
    assert (seen["shape"], seen["state"], seen["rate"]) == ((size, size, 3), 0, 2e-3)
    assert seen["loss"] == "SparseCategoricalCrossentropy"
