"""ONNX: every layer and both networks give the same numbers in another runtime, and the checker is content."""

import numpy as np
import pytest
from exchange_models import inputs, made, moved, shared_models

from batik_scratch import exchange, nn
from batik_scratch.errors import InputError

onnx, runtime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")


def models():
    return shared_models() | {
        "cloth": moved(nn.cloth_cnn((32, 32, 3))),
        "pictures": made(nn.Standardization(), nn.Absolute(), nn.Log(0.1), nn.Flatten(), nn.Dense(2), nn.Softmax()),
        "doubles": made(nn.Dense(4), nn.Tanh(), nn.Dense(2), shape=(7,), dtype="float64"),
    }


def run(path, x):
    session = runtime.InferenceSession(path)
    assert [given.name for given in session.get_inputs()] == ["images"]
    return session.get_outputs()[0].name, session.run(None, {"images": x})[0]


@pytest.mark.parametrize("name", models())
def test_a_model_says_the_same_in_another_runtime(name, tmp_path):
    model = models()[name]
    x = inputs(model).astype(model.dtype)
    exchange.to_onnx(model, tmp_path / "m.onnx")
    told, y = run(tmp_path / "m.onnx", x)
    np.testing.assert_allclose(y, model.predict(x), rtol=1e-5, atol=1e-5)
    assert told == ("probabilities" if model.ends_in_softmax else "logits") and y.dtype == model.dtype
    assert [entry.version for entry in onnx.load(tmp_path / "m.onnx").opset_import] == [17]


def test_logits_stop_before_the_softmax_and_any_number_of_images_is_taken(tmp_path):
    model = shared_models()["paper"]
    exchange.to_onnx(model, tmp_path / "m.onnx", logits=True)
    for n in (1, 3):
        told, y = run(tmp_path / "m.onnx", inputs(model, n))
        np.testing.assert_allclose(y, model.logits(inputs(model, n)), rtol=1e-5, atol=1e-5)
        assert told == "logits"


def test_what_has_no_operator_is_refused_and_nothing_is_written(tmp_path):
    own = made(type("Mine", (nn.ReLU,), {})(), nn.Flatten(), nn.Dense(2))
    for model, words in [
        (own, "your own Mine, which has no operator"),
        (nn.Sequential([nn.Dense(2)]), "not built yet"),
        (nn.Sequential([nn.Dense(2)], (3,), dtype="complex128"), "got a model of complex128"),
    ]:
        with pytest.raises(InputError, match=words):
            exchange.to_onnx(model, tmp_path / "m.onnx")
    assert list(tmp_path.iterdir()) == []


def test_every_layer_is_among_the_models_compared():
    ours = {cls for name in nn.__all__ if isinstance(cls := getattr(nn, name), type) and issubclass(cls, nn.Layer)}
    assert {type(layer) for model in models().values() for layer in model.layers} == ours - {nn.Layer}
