"""Sequential: structure, weights, files, threads, and its errors."""

import io
import json
import pickle
import threading
import zipfile

import numpy as np
import pytest

from batik_scratch import nn
from batik_scratch.errors import InputError
from batik_scratch.nn import explaining


def everything():
    """A small model with every kind of layer."""
    layers = [
        nn.Conv2D(4, (3, 2), strides=(1, 2), padding="same", kernel_initializer="he_normal"),
        nn.ReLU(),
        nn.MaxPooling2D(3, strides=2),
        nn.Conv2D(5, 2, algorithm="loops", name="second"),
        nn.GlobalAveragePooling2D(),
        nn.Dropout(0.1),
        nn.Dense(3),
        nn.Softmax(),
    ]
    return nn.Sequential(layers, (12, 11, 3), random_state=4)


def images(n=5, seed=0):
    return np.random.default_rng(seed).random((n, 12, 11, 3), dtype=np.float32)


def test_the_papers_network_has_2460995_parameters(capsys):
    model = nn.paper_cnn()
    model.summary()
    text = capsys.readouterr().out
    assert sum(w.size for w in model.get_weights()) == 2_460_995 and "2,460,995" in text
    assert [layer.output_shape[0] for layer in model.layers[:9]] == [148, 148, 74, 72, 72, 36, 34, 34, 17]
    assert [layer.parameter_count for layer in model.layers if layer.params] == [896, 18_496, 73_856, 2_367_552, 195]


def test_layers_are_named_as_in_keras():
    names = [layer.name for layer in nn.paper_cnn((32, 32, 3)).layers]
    assert names[:6] == ["conv2d", "re_lu", "max_pooling2d", "conv2d_1", "re_lu_1", "max_pooling2d_1"]
    with pytest.raises(InputError, match="there are conv2d, re_lu"):
        nn.paper_cnn((32, 32, 3)).get_layer("conv3d")
    with pytest.raises(InputError, match="unique"):
        nn.Sequential([nn.ReLU(name="a"), nn.ReLU(name="a")])


def test_weights_come_in_keras_order_and_layout():
    shapes = [w.shape for w in everything().get_weights()]
    assert shapes == [(3, 2, 3, 4), (4,), (2, 2, 4, 5), (5,), (5, 3), (3,)]


def test_set_weights_takes_all_or_nothing():
    model, other = everything(), everything()
    other.set_weights([w + 1 for w in model.get_weights()])
    assert np.array_equal(other.get_weights()[0], model.get_weights()[0] + 1)
    before = model.get_weights()
    with pytest.raises(InputError, match="needs arrays of shapes"):
        model.set_weights([w + 1 for w in before[:-1]] + [np.zeros(9)])
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), before, strict=True))


def test_changing_what_get_weights_returned_changes_nothing():
    model = everything()
    model.get_weights()[0][:] = 0
    assert model.get_weights()[0].any()


def test_an_initial_bias_is_zero_and_a_kernel_within_glorots_limit():
    kernel, bias = nn.Sequential([nn.Dense(100)], (200,), 0).get_weights()
    limit = np.sqrt(6 / 300)
    assert (
        not bias.any() and np.abs(kernel).max() <= limit and kernel.std() == pytest.approx(limit / np.sqrt(3), rel=0.02)
    )


@pytest.mark.parametrize(
    ("name", "variance"), [("glorot_normal", 2 / 500), ("he_normal", 2 / 300), ("he_uniform", 2 / 300)]
)
def test_initialisers_have_their_variance(name, variance):
    kernel = nn.Sequential([nn.Dense(200, kernel_initializer=name)], (300,), 0).get_weights()[0]
    assert kernel.var() == pytest.approx(variance, rel=0.03)


def test_probabilities_add_up_and_logits_stop_before_the_softmax():
    model, x = everything(), images()
    p, z = model.predict(x), model.logits(x)
    assert np.allclose(p.sum(axis=1), 1) and np.allclose(
        np.log(p), z - np.log(np.exp(z).sum(1, keepdims=True)), atol=1e-5
    )
    without = nn.Sequential([nn.Flatten(), nn.Dense(3)], (12, 11, 3), 0)
    assert np.array_equal(without.predict(x), without.logits(x))


def test_batch_size_does_not_change_a_prediction():
    model, x = everything(), images(7)
    assert np.allclose(model.predict(x, batch_size=2), model.predict(x, batch_size=32), atol=1e-7)


def test_a_model_without_input_shape_is_built_by_its_first_batch():
    model = nn.Sequential([nn.Flatten(), nn.Dense(2), nn.Softmax()], random_state=0)
    model.summary()
    assert model.predict(images()).shape == (5, 2) and model.input_shape == (12, 11, 3)


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda m: m.predict(images()[0]), "first axis counts the images"),
        (lambda m: m.predict((images() * 255).astype(np.uint8)), "divide by 255"),
        (lambda m: m.predict(images() + 0j), "in float32 and got complex64; .*complex128"),
        (lambda m: m.predict(images().astype(str)), "in float32 and got <U32; convert the array to numbers"),
        (lambda m: m.predict(images()[:0]), "at least one"),
        (lambda m: m.predict(images(), batch_size=0), "batch_size"),
        (lambda m: m.fit(images(), np.zeros(5, int)), "compile"),
        (lambda m: m.compile(loss=nn.SparseCategoricalCrossentropy(from_logits=True)), "ends in Softmax"),
    ],
)
def test_misuse_is_explained(use, message):
    with pytest.raises(InputError, match=message):
        use(everything())


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([0, 1, 2, 3, 0], "0..2 for 3 classes, got 0..3"),
        ([0, 1], "one label per image"),
        (np.eye(3)[[0, 1, 2, 0, 1]], "argmax"),
    ],
)
def test_wrong_labels_are_explained(y, message):
    model = everything()
    model.compile()
    with pytest.raises(InputError, match=message):
        model.fit(images(), np.array(y), verbose=0)


def test_the_fused_loss_is_the_one_of_softmax_then_logarithm():
    model, x, y = everything(), images(), np.array([0, 1, 2, 0, 1])
    model.compile()
    value, dp = nn.SparseCategoricalCrossentropy()(model.predict(x), y)
    assert model.evaluate(x, y)["loss"] == pytest.approx(value, rel=1e-6)
    logits = model.logits(x)
    softmax = nn.Softmax()
    softmax.forward(logits, training=True)
    fused = nn.SparseCategoricalCrossentropy(from_logits=True)(logits, y)[1]
    assert np.allclose(softmax.backward(dp), fused, atol=1e-7)


def test_a_file_brings_back_the_model_bit_for_bit(tmp_path):
    model, x = everything(), images()
    model.metadata = {"class_names": ["a", "b", "ü"], "image_size": 12}
    model.save(tmp_path / "m.npz")
    again = nn.Sequential.load(tmp_path / "m.npz")
    assert np.array_equal(again.predict(x), model.predict(x)) and again.metadata == model.metadata
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]
    again.save(tmp_path / "n.npz")
    model.save(tmp_path / "o.npz")
    assert (tmp_path / "m.npz").read_bytes() == (tmp_path / "o.npz").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m.npz", "n.npz", "o.npz"]


def rewritten(source, target, **changes):
    """A copy of an archive with members replaced by other bytes."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", changes.pop("how", zipfile.ZIP_STORED)) as new:
        for name in old.namelist():
            new.writestr(name, changes.get(name.removesuffix(".npy").replace("/", "_"), old.read(name)))
    return target


def as_npy(array):
    memory = io.BytesIO()
    np.save(memory, array)
    return memory.getvalue()


def test_hostile_files_are_refused_before_their_data_are_read(tmp_path):
    model = everything()
    model.save(tmp_path / "m.npz")
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": (10**12,)})
    with np.load(tmp_path / "m.npz") as archive:
        description = json.loads(archive["description"].tobytes())
    newer = as_npy(np.frombuffer(json.dumps(description | {"format_version": 99}).encode(), np.uint8))
    huge = description | {
        "layers": [{"type": "Dense", "name": "d", "config": {"units": 10**9}}],
        "input_shape": [10**6],
    }
    cases = {
        "terabytes": rewritten(tmp_path / "m.npz", tmp_path / "1.npz", dense_bias=header.getvalue()),
        "bomb": rewritten(tmp_path / "m.npz", tmp_path / "2.npz", how=zipfile.ZIP_DEFLATED),
        "pickle": rewritten(tmp_path / "m.npz", tmp_path / "3.npz", dense_bias=pickle.dumps([1, 2, 3])),
        "newer": rewritten(tmp_path / "m.npz", tmp_path / "4.npz", description=newer),
        "huge": rewritten(
            tmp_path / "m.npz",
            tmp_path / "5.npz",
            description=as_npy(np.frombuffer(json.dumps(huge).encode(), np.uint8)),
        ),
        "other": rewritten(tmp_path / "m.npz", tmp_path / "6.npz", dense_bias=as_npy(np.ones(3, np.float32))),
    }
    messages = {}
    for name, path in cases.items():
        with pytest.raises(InputError) as error:
            nn.Sequential.load(path)
        messages[name] = str(error.value)
    assert "update batik_scratch" in messages["newer"] and "checksum" in messages["other"]
    assert "parameters" in messages["huge"] and "compressed" in messages["bomb"]


def test_damaged_files_raise_only_the_documented_error(tmp_path):
    model = everything()
    model.save(tmp_path / "m.npz")
    whole = (tmp_path / "m.npz").read_bytes()
    rng = np.random.default_rng(0)
    survived = 0
    for _ in range(300):
        broken = bytearray(whole)
        for _ in range(int(rng.integers(1, 6))):
            broken[int(rng.integers(len(broken)))] = int(rng.integers(256))
        broken = broken[: int(rng.integers(1, len(broken) + 1))] if rng.random() < 0.3 else broken
        (tmp_path / "b.npz").write_bytes(broken)
        try:
            nn.Sequential.load(tmp_path / "b.npz")
            survived += 1
        except InputError:
            pass
    assert survived < 60  # bytes that mean nothing (padding, dates) may change


def test_two_threads_on_one_model_take_turns_and_two_models_run_side_by_side():
    model, x = everything(), images(20)
    expected, wrong = model.predict(x), []

    def ask():
        for _ in range(5):
            if not np.array_equal(model.predict(x), expected):
                wrong.append(1)

    def train(result):
        made = everything()
        made.compile()
        made.fit(x, np.arange(20) % 3, epochs=3, verbose=0)
        result.append(made.get_weights())

    serial, parallel = [], []
    train(serial)
    workers = [threading.Thread(target=ask) for _ in range(2)] + [
        threading.Thread(target=train, args=(parallel,)) for _ in range(2)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong and len(parallel) == 2
    for weights in parallel:
        assert all(np.array_equal(a, b) for a, b in zip(weights, serial[0], strict=True))


def test_a_model_travels_to_another_process():
    model, x = everything(), images()
    assert np.array_equal(pickle.loads(pickle.dumps(model)).predict(x), model.predict(x))


def test_the_output_shape_is_the_last_layers():
    assert everything().output_shape == (3,) and nn.Sequential([nn.Dense(2)]).output_shape is None


@pytest.mark.parametrize("row", [[1.5, -0.5], [0.2, 0.2], [0.7, 0.7]])
def test_what_is_no_probability_is_refused_by_the_loss(row):
    with pytest.raises(InputError, match="rows that add up to 1"):
        nn.SparseCategoricalCrossentropy()(np.array([row]), np.array([0]))


def test_an_activation_that_was_handed_out_is_not_overwritten_by_the_next_call():
    model = nn.paper_cnn((30, 30, 3), random_state=0, algorithm="auto")
    x = np.random.default_rng(0).random((4, 30, 30, 3), np.float32)
    pool = model.get_layer("max_pooling2d_1")
    seed = lambda logits: np.ones_like(logits)  # noqa: E731
    activation, gradient = explaining.gradient_at(model, x[:2], seed, pool)
    kept = activation.copy(), gradient.copy()
    explaining.gradient_at(model, x[2:], seed, pool)
    assert np.array_equal(activation, kept[0]) and np.array_equal(gradient, kept[1])
