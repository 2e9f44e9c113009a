"""Keras' files, written and read without Keras: the same numbers, and clear words for what cannot be read."""

import json
import zipfile

import numpy as np
import pytest
from exchange_models import inputs, made, shared_models
from PIL import Image

from batik_scratch import exchange, nn
from batik_scratch.cli import main
from batik_scratch.errors import InputError

pytest.importorskip("h5py")


@pytest.mark.parametrize("name", shared_models())
def test_a_model_comes_back_from_both_kinds_of_file_to_the_bit(name, tmp_path):
    model = shared_models()[name]
    x = inputs(model)
    exchange.to_keras(model, tmp_path / "m.keras")
    again = exchange.from_keras(tmp_path / "m.keras")
    assert np.array_equal(again.predict(x), model.predict(x))
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]
    exchange.to_keras(model, tmp_path / "m.weights.h5")
    again.set_weights([0 * w for w in again.get_weights()])
    assert exchange.from_keras(tmp_path / "m.weights.h5", again) is again
    assert np.array_equal(again.predict(x), model.predict(x))


def file_with(folder, change):
    """A .keras file of a small model whose config was changed."""
    exchange.to_keras(made(nn.Conv2D(2, 3), nn.Flatten(), nn.Dense(2), nn.Softmax()), folder / "good.keras")
    with zipfile.ZipFile(folder / "good.keras") as good, zipfile.ZipFile(folder / "m.keras", "w") as other:
        for name in good.namelist():
            raw = good.read(name)
            if name == "config.json":
                config = json.loads(raw)
                change(config)
                raw = json.dumps(config).encode()
            other.writestr(name, raw)
    return folder / "m.keras"


def options(number, **changes):
    return lambda config: config["config"]["layers"][number]["config"].update(changes)


def test_an_activation_inside_and_a_missing_bias_are_read(tmp_path):
    path = file_with(tmp_path, options(1, activation="relu"))
    assert [type(layer).__name__ for layer in exchange.from_keras(path).layers][:2] == ["Conv2D", "ReLU"]


@pytest.mark.parametrize(
    "change, words",
    [
        (options(1, dilation_rate=[2, 2]), r"layers\[1\], 'conv2d': dilation_rate=\[2, 2\] is not read"),
        (options(1, groups=3), "groups=3 is not read; only 1 is"),
        (options(1, data_format="channels_first"), "data_format='channels_first' is not read"),
        (options(1, activation="gelu"), "activation 'gelu' is not read; only linear, relu"),
        (options(1, activation={"class_name": "Mine", "config": {}}), "activation {} is not read"),
        (options(1, padding="causal"), 'padding is "valid" or "same"'),
        (options(1, filters=7), r"kernel of layer 'conv2d' has shape \(3, 3, 3, 2\)"),
        (options(3, units="many"), "units needs"),
        (options(4, axis=1), "axis=1 is not read"),
        (lambda c: c["config"]["layers"][2].update(class_name="LSTM"), "there is no LSTM here; what can be read is"),
        (lambda c: c.update(class_name="Functional"), "holds a Functional; only Sequential"),
        (lambda c: c["config"].pop("layers"), "config.json is damaged"),
        (lambda c: c["config"]["layers"].append(3), "config.json is damaged"),
        (lambda c: c["config"]["layers"][1].pop("config"), "config.json is damaged"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(change, words, tmp_path):
    with pytest.raises(InputError, match=words) as error:
        exchange.from_keras(file_with(tmp_path, change))
    assert str(tmp_path / "m.keras") in str(error.value)


def test_files_that_are_damaged_or_none_are_refused(tmp_path):
    path = file_with(tmp_path, lambda config: None)
    whole = path.read_bytes()
    for cut in (b"", b"PK", whole[: len(whole) // 2], b"{}" * 100):
        path.write_bytes(cut)
        with pytest.raises(InputError, match=r"not a readable .keras file"):
            exchange.from_keras(path)
    with pytest.raises(InputError, match="no such file"):
        exchange.from_keras(tmp_path / "nowhere.keras")
    (tmp_path / "m.weights.h5").write_bytes(b"no HDF5")
    with pytest.raises(InputError, match="weights cannot be read"):
        exchange.from_keras(tmp_path / "m.weights.h5", made(nn.Dense(2), shape=(3,)))
    with pytest.raises(InputError, match="holds weights alone; give the built model"):
        exchange.from_keras(tmp_path / "m.weights.h5")


@pytest.mark.parametrize("layer", [nn.Standardization(), nn.Absolute(), nn.Log()], ids=lambda layer: layer.name)
def test_a_layer_that_keras_has_not_is_named_and_nothing_is_written(layer, tmp_path):
    with pytest.raises(InputError, match=f"{layer.name}: Keras has no layer"):
        exchange.to_keras(made(layer, nn.Flatten(), nn.Dense(2)), tmp_path / "m.keras")
    assert list(tmp_path.iterdir()) == []


def test_an_imported_model_with_classes_answers_for_photos(tmp_path, capsys):
    model = made(nn.Flatten(), nn.Dense(2), nn.Softmax(), shape=(8, 8, 3))
    exchange.to_keras(model, tmp_path / "m.keras")
    Image.new("RGB", (8, 8), (255, 0, 51)).save(tmp_path / "a.png")
    words = ["import", str(tmp_path / "m.keras"), str(tmp_path / "m.npz")]
    ask = ["predict", str(tmp_path / "a.png"), "--model", str(tmp_path / "m.npz"), "--json"]
    assert main(words) == 0 and "--classes NAME" in capsys.readouterr().err
    assert main(ask) == 2 and "import FILE OUT --classes" in capsys.readouterr().err
    (tmp_path / "m.npz").unlink()
    assert main([*words, "--classes", "kawung", "parang"]) == 0
    capsys.readouterr()
    assert main(ask) == 0
    said = json.loads(capsys.readouterr().out)["images"][0]["probabilities"]
    pixel = np.broadcast_to(np.float32([1, 0, 0.2]), (1, 8, 8, 3))  # the colour, from 0 to 1
    assert list(said) == ["kawung", "parang"]
    assert np.allclose(list(said.values()), model.predict(pixel)[0], atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "names", "told"),
    [
        ((8, 8, 3), ["a"], "has 2 outputs, and 1 names"),
        ((8, 8, 3), ["a", "a"], "a name of its own"),
        ((8, 9, 3), ["a", "b"], "squares of three colours"),
        ((8, 8, 1), ["a", "b"], "squares of three colours"),
        ((8,), ["a", "b"], "squares of three colours"),
    ],
)
def test_classes_that_do_not_fit_the_imported_model_are_refused_and_nothing_is_written(shape, names, told, tmp_path):
    exchange.to_keras(made(nn.Flatten(), nn.Dense(2), shape=shape), tmp_path / "m.keras")
    with pytest.raises(InputError, match=told):
        exchange.import_model(tmp_path / "m.keras", tmp_path / "m.npz", names)
    assert not (tmp_path / "m.npz").exists()


def test_the_commands_export_and_import_what_the_functions_do(tmp_path, capsys):
    model = shared_models()["averages"]
    model.save(tmp_path / "m.npz")
    assert main(["export", str(tmp_path / "m.npz"), str(tmp_path / "m.keras")]) == 0
    assert main(["import", str(tmp_path / "m.keras"), str(tmp_path / "again.npz")]) == 0
    x = inputs(model)
    assert np.array_equal(nn.Sequential.load(tmp_path / "again.npz").predict(x), model.predict(x))
    capsys.readouterr()
    for words in (["export", "m.npz", "m.keras"], ["import", "m.keras", "again.npz"], ["export", "m.npz", "m.txt"]):
        assert main([words[0], *(str(tmp_path / name) for name in words[1:])]) == 2
        said = capsys.readouterr().err
        assert "end in .keras" in said if "m.txt" in words else "exists; nothing was touched" in said
