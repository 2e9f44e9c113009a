"""One choice of algorithm: what the table says is what runs, in a layer alone and in training."""

import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from batik_scratch import nn
from batik_scratch.errors import InputError
from batik_scratch.ops import choose

PIXELS = (14, 13)


def convolution(channels, filters, kernel_size=(3, 3), strides=(1, 1)):
    return choose.Convolution(channels, filters, kernel_size, strides)


@pytest.mark.parametrize(
    ("shape", "name"),
    [
        (convolution(8, 9), "winograd"),
        (convolution(9, 8), "winograd"),
        (convolution(8, 7), "im2col"),
        (convolution(16, 3), "im2col"),
        (convolution(7, 32), "direct"),
        (convolution(3, 1), "direct"),
        (convolution(9, 9, (5, 5)), "im2col"),
        (convolution(3, 9, (3, 2)), "im2col"),
        (convolution(8, 9, strides=(2, 1)), "im2col"),
        (convolution(3, 9, strides=(2, 2)), "im2col"),
    ],
)
def test_auto_takes_the_first_row_of_the_table_that_fits(shape, name):
    choice = choose.choose("auto", shape)
    assert choice.algorithm is choose.ALGORITHMS[name] and choice.reason in {reason for *_, reason in choose.AUTO}


def test_a_name_is_what_runs():
    for name, algorithm in choose.ALGORITHMS.items():
        for shape in (convolution(3, 4), convolution(16, 3), convolution(20, 20)):
            assert choose.choose(name, shape).algorithm is algorithm and algorithm.name == name


@pytest.mark.parametrize("name", ["winograd", "direct"])
@pytest.mark.parametrize(("kernel", "strides"), [((5, 5), (1, 1)), ((3, 1), (1, 1)), ((3, 3), (2, 1))])
def test_what_cannot_do_a_window_refuses_it_at_once(name, kernel, strides):
    with pytest.raises(InputError, match=rf'algorithm="{name}" needs a 3x3 kernel at stride 1, got .*use "auto"'):
        nn.Conv2D(4, kernel, strides, algorithm=name)


def test_a_layer_without_a_shape_has_made_no_choice():
    with pytest.raises(InputError, match="build it first"):
        nn.Conv2D(4, 3).runs  # noqa: B018


def random_options(rng):
    kernel = (3, 3) if rng.random() < 0.6 else tuple(int(k) for k in rng.integers(1, 5, 2))
    strides = (1, 1) if rng.random() < 0.7 else tuple(int(s) for s in rng.integers(1, 3, 2))
    options = {"filters": int(rng.integers(1, 20)), "kernel_size": kernel, "strides": strides}
    return int(rng.integers(1, 20)), options | {"padding": str(rng.choice(["valid", "same"]))}


@contextmanager
def files_of_convolutions():
    """The files in which a convolution's forward or backward pass is entered: {"conv_direct"}, say."""
    entered = set()

    def note(frame, event, _):
        path, name = Path(frame.f_code.co_filename), frame.f_code.co_name
        above = Path(frame.f_back.f_code.co_filename).parent.name if frame.f_back else ""
        if (
            event == "call"
            and path.stem.startswith("conv_")
            and path.parent.name == "ops"
            and above != "ops"
            and name[0] != "_"
        ):
            entered.add((path.stem, name.removesuffix("_pooled").removesuffix("_plain")))

    sys.setprofile(note)
    try:
        yield entered
    finally:
        sys.setprofile(None)


@pytest.mark.parametrize("seed", range(40))
def test_a_layer_alone_and_the_training_step_run_the_algorithm_that_the_summary_names(seed, capsys):
    rng = np.random.default_rng(seed)
    channels, options = random_options(rng)
    layers = [nn.Conv2D(**options, algorithm="auto"), nn.ReLU(), nn.MaxPooling2D(2), nn.Flatten(), nn.Dense(2)]
    model = nn.Sequential([*layers, nn.Softmax()], (*PIXELS, channels), random_state=seed)
    model.compile()
    x = rng.random((3, *PIXELS, channels), np.float32)
    with files_of_convolutions() as alone:
        layers[0].backward(np.ones_like(layers[0].forward(x, training=True)))
    with files_of_convolutions() as training:
        model.train_gradients(x, np.array([0, 1, 1]))
    runs = layers[0].runs.algorithm.name
    assert {file for file, _ in alone} == {file for file, _ in training} == {f"conv_{runs}"}
    model.summary()
    assert capsys.readouterr().out.splitlines()[2].split()[-5] == runs
    assert {name for _, name in alone} == {"forward", "backward"}
