"""Layers of one's own in model files: registered or given, and warned of while the work is not lost yet."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from own_layer_module import Scaled

from batik_scratch import nn
from batik_scratch.errors import InputError
from batik_scratch.nn import registry

IN_ANOTHER_PROCESS = """
import sys
import numpy as np
from batik_scratch import nn
from own_layer_module import Scaled

model = nn.Sequential.load(sys.argv[1], layers=[Scaled])
x, y = np.random.default_rng(0).random((9, 4)), np.arange(9) % 2
print(model.predict(x).tobytes().hex())
model.compile(nn.Adam(0.05))
before = model.evaluate(x, y)["loss"]
model.fit(x, y, epochs=9, verbose=0)
assert model.evaluate(x, y)["loss"] < before and np.abs(model.layers[0].params["shift"]).min() > 0
"""


@pytest.fixture(autouse=True)
def nothing_registered(monkeypatch):
    monkeypatch.setattr(registry, "_registered", {})


def model_with(layer):
    return nn.Sequential([layer, nn.Dense(2), nn.Softmax()], (4,), random_state=1)


def save_with_a_warning(model, path, words):
    with pytest.warns(UserWarning, match=words) as said:
        model.save(path)
    assert len(said) == 1 and str(path) in str(said[0].message)
    return path


def test_a_layer_that_is_not_registered_is_saved_with_a_warning_that_says_how_to_load_it(tmp_path):
    words = r"layer 'scaled': Scaled is not registered; put @nn.register .*layers=\[Scaled\]"
    save_with_a_warning(model_with(Scaled(2.5)), tmp_path / "m.npz", words)


def test_a_file_whose_layer_is_unknown_says_which_class_and_how_to_give_it(tmp_path):
    path = save_with_a_warning(model_with(Scaled(2.5)), tmp_path / "m.npz", "not registered")
    with pytest.raises(InputError, match=r"unknown layer type 'Scaled'.*layers=\[Scaled\]\), or put @nn.register"):
        nn.Sequential.load(path)


def test_a_layer_given_loads_in_another_process_predicts_the_same_and_trains_on(tmp_path):
    model = model_with(Scaled(2.5))
    path = save_with_a_warning(model, tmp_path / "m.npz", "not registered")
    places = os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, "-c", IN_ANOTHER_PROCESS, str(path)],
        env=os.environ | {"PYTHONPATH": places},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    x = np.random.default_rng(0).random((9, 4))
    assert done.stdout.strip() == model.predict(x).tobytes().hex()


def test_a_registered_layer_is_saved_without_a_word_and_loaded_without_being_given(tmp_path):
    assert nn.register(Scaled) is Scaled
    model = model_with(Scaled(2.5))
    model.save(tmp_path / "m.npz")  # a warning would be an error here
    again = nn.Sequential.load(tmp_path / "m.npz")
    assert type(again.layers[0]) is Scaled and again.layers[0].factor == 2.5


def test_a_class_that_is_defined_again_takes_the_place_of_the_one_before():
    def cell():
        class Mine(nn.ReLU):
            pass

        return nn.register(Mine)

    first, second = cell(), cell()
    assert registry.known()["Mine"] is second is not first


def test_a_name_that_another_module_registered_is_refused():
    nn.register(Scaled)
    other = type("Scaled", (nn.ReLU,), {"__module__": "elsewhere"})
    with pytest.raises(InputError, match=r"Scaled is taken by .*own_layer_module.Scaled"):
        nn.register(other)


@pytest.mark.parametrize(
    "cls, words",
    [
        (3, "inherit from nn.Layer, got 3"),
        (dict, "inherit from nn.Layer"),
        (nn.Layer, "inherit from nn.Layer"),
        (Scaled(1.0), "give its class, Scaled"),
        (type("Dense", (nn.ReLU,), {}), "Dense is a layer's of this package"),
    ],
)
def test_what_is_no_layer_class_of_ones_own_is_refused(cls, words, tmp_path):
    with pytest.raises(InputError, match=words):
        nn.register(cls)
    model_with(nn.ReLU()).save(tmp_path / "m.npz")
    with pytest.raises(InputError, match=words):
        nn.Sequential.load(tmp_path / "m.npz", layers=[cls])


def without_config(layer):
    cls = nn.register(type("Forgetful", (type(layer),), {"config": lambda self: nn.Layer.config(self)}))
    return cls(*([layer.factor] if isinstance(layer, Scaled) else []))


class Doubled(Scaled):
    """A constructor that takes nothing, beside a config that says something."""

    def __init__(self):
        super().__init__(2)


class Optional(Scaled):
    """A config that leaves a default out."""

    def __init__(self, factor=3.0, name=None):
        super().__init__(factor, name)

    def config(self):
        return {} if self.factor == 3.0 else super().config()


def test_a_config_that_leaves_an_argument_out_is_warned_of(tmp_path):
    words = "its config.. says nothing of factor"
    save_with_a_warning(model_with(without_config(Scaled(2.5))), tmp_path / "m.npz", words)


def test_a_config_may_leave_out_what_is_the_default(tmp_path):
    nn.register(Optional)
    model_with(Optional()).save(tmp_path / "m.npz")
    assert nn.Sequential.load(tmp_path / "m.npz").layers[0].factor == 3.0


def test_a_config_that_the_constructor_does_not_take_is_warned_of_and_the_file_says_why_it_fails(tmp_path):
    nn.register(Doubled)
    path = save_with_a_warning(model_with(Doubled()), tmp_path / "m.npz", r"Doubled\(\*\*config.* fails .TypeError")
    with pytest.raises(InputError, match=r"Doubled cannot be made of what the file says of it, \{'factor': 2\}"):
        nn.Sequential.load(path)


def test_a_class_with_the_name_of_one_of_this_package_is_warned_of(tmp_path):
    mine = type("ReLU", (nn.ReLU,), {})
    save_with_a_warning(model_with(mine()), tmp_path / "m.npz", "name of one of this package's")


def test_a_config_that_no_file_takes_is_an_error_before_anything_is_written(tmp_path):
    nn.register(Scaled)
    with pytest.raises(InputError, match=r"config\(\) of Scaled needs what JSON takes .*tolist"):
        model_with(Scaled(np.ones(4))).save(tmp_path / "m.npz")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["x.keras", "x.weights.h5", "x.hdf5", "x.onnx"])
def test_another_programs_file_names_are_refused_both_ways(name, tmp_path):
    with pytest.raises(InputError, match="another program's"):
        model_with(nn.ReLU()).save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / name).write_bytes(b"PK")
    with pytest.raises(InputError, match="another program's"):
        nn.Sequential.load(tmp_path / name)
