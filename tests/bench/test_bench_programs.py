"""The programs side by side do the same work: the same network, the same images in the same order."""

import sys
from itertools import islice

import numpy as np
import pytest
from fake_frameworks import PARAMETERS, FakeKeras, FakeTorch

from batik_scratch import bench, nn, saliency
from batik_scratch.bench import networks, programs

BATCH, SIZE = 3, 34


@pytest.fixture
def chosen():
    """The images and labels of the batches, one after the other, as every program has to take them."""
    x, y = programs.data(BATCH, SIZE)
    return [(x[i], y[i]) for i in islice(programs.rows(BATCH), 7)]


def test_there_are_five_batches_of_images_in_0_to_1_with_every_label():
    x, y = programs.data(7, 5)
    assert x.shape == (35, 5, 5, 3) and x.dtype == np.float32 and x.min() >= 0 and 0.9 < x.max() <= 1
    assert y.shape == (35,) and set(y.tolist()) == {0, 1, 2}
    rng = np.random.default_rng(0)  # the same in every version, so that figures can be compared
    np.testing.assert_array_equal(x, rng.random(x.shape, np.float32))
    np.testing.assert_array_equal(y, rng.integers(0, 3, 35))


def test_five_batches_hold_each_image_once_and_then_come_again():
    batches = list(islice(programs.rows(7), 11))
    assert all(len(rows) == 7 for rows in batches)
    assert sorted(np.concatenate(batches[:5])) == list(range(35)) != list(np.concatenate(batches[:5]))
    np.testing.assert_array_equal(np.concatenate(batches[:5]), np.random.default_rng(1).permutation(35))
    for first, again in zip(batches[:6], batches[5:], strict=True):
        np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("network", ["paper", "cloth"])
def test_this_package_trains_predicts_and_explains_batch_after_batch(chosen, monkeypatch, network):
    name = f"{network}_cnn"
    made, right = [], getattr(nn, name)
    monkeypatch.setattr(nn, name, lambda *a, **o: made.append(right(*a, **o)) or made[-1])
    work = programs.PROGRAMS[bench.OURS][0](BATCH, SIZE, network)
    assert tuple(work) == bench.WORK
    model = right((SIZE, SIZE, 3), random_state=0, algorithm="auto")
    model.compile(nn.Adam(1e-3), nn.SparseCategoricalCrossentropy())
    for x, y in chosen[:2]:
        work["step"]()
        model.train_step(x, y)
    for found, expected in zip(made[0].get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(work["inference"](), model.predict(chosen[2][0]))
    maps = saliency.Gradient(model).attribute(chosen[3][0], target=1)
    np.testing.assert_array_equal(work["saliency"](), maps)
    np.testing.assert_array_equal(work["inference"](), model.predict(chosen[4][0]))


def test_whole_batches_go_through_this_package_at_once(monkeypatch):
    """Else a batch of more than 32 would be measured in parts."""
    asked = []
    monkeypatch.setattr(nn.Sequential, "predict", lambda self, x, batch_size=32: asked.append((len(x), batch_size)))
    monkeypatch.setattr(
        saliency.Gradient,
        "attribute",
        lambda self, x, target=None, batch_size=32: asked.append((len(x), target, batch_size)),
    )
    work = programs.PROGRAMS[bench.OURS][0](40, 22)
    work["inference"]()
    work["saliency"]()
    assert asked == [(40, 40), (40, 1, 40)]


# ------------------------------------------------------------------ PyTorch


@pytest.fixture(params=["PyTorch NCHW", "PyTorch channels_last"])
def torch(request, monkeypatch):
    """(what it noted, its calls, its layout)."""
    fake = FakeTorch()
    for name, module in fake.modules().items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    work = programs.PROGRAMS[request.param][0](BATCH, SIZE)
    return fake, work, "contiguous" if request.param.endswith("NCHW") else "channels last"


def test_pytorch_has_the_papers_network_in_its_layout(torch):
    fake, work, layout = torch
    assert tuple(work) == bench.WORK and fake.layout == layout
    blocks = [(("Conv2d", c, f, 3), ("ReLU",), ("MaxPool2d", 2)) for c, f in ((3, 32), (32, 64), (64, 128))]
    last = [("Flatten",), ("Dropout", 0.2), ("Linear", 2 * 2 * 128, 64), ("ReLU",), ("Linear", 64, 3)]
    assert fake.built == [*blocks[0], *blocks[1], *blocks[2], *last]
    count = sum(PARAMETERS[kind](*numbers) for kind, *numbers in fake.built if kind in PARAMETERS)
    ours = nn.paper_cnn((SIZE, SIZE, 3))
    assert count == sum(layer.parameter_count for layer in ours.layers)
    assert sorted(fake.log) == [("adam", 1e-3), ("seed", 0), ("threads", 3)]


def test_pytorch_trains_predicts_and_explains_the_same_batches(torch, chosen):
    fake, work, layout = torch
    del fake.log[:]
    work["step"]()
    work["step"]()
    logits = work["inference"]()
    assert work["saliency"]() == "maps" and logits.array.shape == (BATCH, 3)
    work["step"]()
    kinds = [entry[0] for entry in fake.log]
    step = ["zero", "forward", "loss", "backward", "adam's step"]
    assert kinds == [*step, *step, "forward", "forward", "attribute", *step]
    passes = [entry[1:] for entry in fake.log if entry[0] == "forward"]
    assert [training for training, _, _ in passes] == [True, True, False, False, True]
    assert [gradients for _, gradients, _ in passes] == [True, True, False, True, True]
    assert [images.asks for *_, images in passes] == [False, False, False, True, False]
    for (*_, images), (x, _) in zip(passes, chosen, strict=False):
        np.testing.assert_array_equal(images.array, x.transpose(0, 3, 1, 2))
        assert images.layout == layout
    labels = [entry[1].array for entry in fake.log if entry[0] == "loss"]
    for found, number in zip(labels, (0, 1, 4), strict=True):
        np.testing.assert_array_equal(found, chosen[number][1])
    assert [entry[1] for entry in fake.log if entry[0] == "attribute"] == [{"target": 1, "abs": False}]


def test_pytorch_has_the_network_for_cloth_and_does_all_with_it(torch):
    fake, _, layout = torch
    name = "PyTorch NCHW" if layout == "contiguous" else "PyTorch channels_last"
    work = programs.PROGRAMS[name][0](BATCH, SIZE, "cloth")
    first = [("Conv2d", 3, 1, 1), ("LayerNorm", (1, SIZE, SIZE), 1e-3, False), ("Conv2d", 1, 64, 15, 2)]
    last = [("BatchNorm1d", 32, 1e-3), ("Linear", 32, 64), ("ReLU",), ("Dropout", 0.3), ("Linear", 64, 3)]
    named = [layer for layer in fake.built if isinstance(layer, tuple)]  # the others are two small modules of its own
    assert named == [*first, ("Linear", 64, 32), *last] and fake.layout == layout
    layers = [layer for layer in fake.built if isinstance(layer, tuple)]
    count = sum(PARAMETERS[kind](*numbers) for kind, *numbers in layers if kind in PARAMETERS)
    assert count == sum(layer.parameter_count for layer in nn.cloth_cnn((SIZE, SIZE, 3)).layers)
    work["step"]()
    assert work["inference"]().array.shape == (BATCH, 3) and work["saliency"]() == "maps"


# ------------------------------------------------------------------ Keras


@pytest.fixture
def keras(monkeypatch):
    """(what it noted, its calls)."""
    fake = FakeKeras()
    for name, module in fake.modules().items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    for variable in ("KERAS_BACKEND", "TF_CPP_MIN_LOG_LEVEL"):
        monkeypatch.setenv(variable, "something else")
    return fake, programs.PROGRAMS["Keras on TensorFlow"][0](BATCH, SIZE)


def test_keras_has_the_papers_network_and_returns_logits(keras):
    import os

    fake, work = keras
    assert tuple(work) == bench.WORK and os.environ["KERAS_BACKEND"] == "tensorflow"
    blocks = [(("Conv2D", f, 3, "relu"), ("MaxPooling2D", 2)) for f in (32, 64, 128)]
    last = [("Flatten",), ("Dropout", 0.2), ("Dense", 64, "relu"), ("Dense", 3)]
    assert fake.built == [("Input", (SIZE, SIZE, 3)), *blocks[0], *blocks[1], *blocks[2], *last]
    compiled = ("compile", ("adam", 1e-3), ("loss", True), {"jit_compile": False})
    assert sorted(fake.log, key=str) == sorted([compiled, ("seed", 0), ("within", 3), ("between", 3)], key=str)


def test_keras_trains_predicts_and_explains_the_same_batches(keras, chosen):
    fake, work = keras
    del fake.log[:]
    work["step"]()
    assert work["inference"]() == "probabilities" and work["saliency"]() == "maps"
    work["step"]()
    kinds = [entry[0] for entry in fake.log]
    assert kinds == ["train", "predict", "watch", "forward", "gradient", "train"]
    for place, number in (0, 0), (5, 3):
        np.testing.assert_array_equal(fake.log[place][1], chosen[number][0])
        np.testing.assert_array_equal(fake.log[place][2], chosen[number][1])
    np.testing.assert_array_equal(fake.log[1][1], chosen[1][0])
    constant = fake.log[2][1]
    np.testing.assert_array_equal(constant[1], chosen[2][0])
    assert fake.log[3][1] is constant and fake.log[3][2] is False
    assert fake.log[4][1] == ["score 1"] and fake.log[4][2] is constant


def test_keras_has_the_network_for_cloth(keras):
    fake, _ = keras
    programs.PROGRAMS["Keras on TensorFlow"][0](BATCH, SIZE, "cloth")
    first = [("Input", (SIZE, SIZE, 3)), ("Conv2D", 1, 1), ("LayerNormalization", (1, 2, 3), 1e-3, False, False)]
    last = [("BatchNormalization", 0.9, 1e-3), ("Dense", 64, "relu"), ("Dropout", 0.3), ("Dense", 3)]
    convolution, absolute, mean, waves, log = fake.built[3:8]
    assert [*fake.built[:3], *fake.built[8:]] == [*first, *last]
    assert convolution == ("Conv2D", 64, 15, 2) and mean == ("GlobalAveragePooling2D",) and waves == ("Dense", 32)
    smallest = nn.cloth_cnn((SIZE, SIZE, 3)).get_layer("log").epsilon
    assert absolute == ("Activation", np.abs) and log[0] == "Activation"
    assert log[1](-0.5) == pytest.approx(np.log(0.5 + smallest))


# ------------------------------------------------------------------ the frameworks themselves


@pytest.fixture(params=["paper", "cloth"])
def model(request):
    """(its name, this package's model, images): weights and running statistics drawn at random, so that all count."""
    ours = networks.NETWORKS[request.param].ours(SIZE)
    rng = np.random.default_rng(5)
    for layer in ours.layers:
        for key, value in layer.params.items():
            noise = rng.normal(0, 0.1, value.shape)
            value[...] = 1 + np.abs(noise) if key in ("gamma", "moving_variance") else value + noise
    return request.param, ours, rng.random((BATCH, SIZE, SIZE, 3), np.float32)


@pytest.mark.slow
@pytest.mark.peers
def test_the_same_weights_in_pytorch_give_the_same_output(model):
    torch = pytest.importorskip("torch")
    name, ours, x = model
    theirs = torch.nn.Sequential(*networks.NETWORKS[name].torch(SIZE)).eval()
    assert sum(p.numel() for p in theirs.parameters()) == sum(layer.parameter_count for layer in ours.layers)
    having = [layer for layer in ours.layers if layer.params]
    modules = [module for module in theirs if list(module.parameters())]
    for layer, module in zip(having, modules, strict=True):
        state = {key: torch.from_numpy(value) for key, value in layer.params.items()}
        with torch.no_grad():
            if "gamma" in state:
                values = (state[key] for key in ("gamma", "beta", "moving_mean", "moving_variance"))
                for target, value in zip(
                    (module.weight, module.bias, module.running_mean, module.running_var), values, strict=True
                ):
                    target.copy_(value)
            else:
                kernel = layer.params["kernel"]
                if name == "paper" and layer.name == "dense":  # PyTorch flattens (C, H, W), and not (H, W, C)
                    kernel = kernel.reshape(2, 2, 128, 64).transpose(2, 0, 1, 3).reshape(512, 64)  # (D, U)
                kernel = kernel.transpose(3, 2, 0, 1) if kernel.ndim == 4 else kernel.T  # (F, C, kh, kw) or (U, D)
                module.weight.copy_(torch.from_numpy(kernel.copy()))
                module.bias.copy_(state["bias"])
    with torch.no_grad():
        logits = theirs(torch.from_numpy(x.transpose(0, 3, 1, 2).copy())).softmax(1).numpy()
    np.testing.assert_allclose(logits, ours.predict(x), atol=1e-5)


@pytest.mark.slow
@pytest.mark.peers
def test_the_same_weights_in_keras_give_the_same_output(model, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    pytest.importorskip("tensorflow")
    keras = pytest.importorskip("keras")
    name, ours, x = model
    theirs = keras.Sequential(networks.NETWORKS[name].keras(SIZE))
    trained = sum(int(np.prod(weight.shape)) for weight in theirs.trainable_weights)
    assert trained == sum(layer.parameter_count for layer in ours.layers)
    theirs.set_weights(ours.get_weights())  # in the same order: Keras' names are ours
    probabilities = keras.ops.softmax(theirs(x, training=False))
    np.testing.assert_allclose(np.asarray(probabilities), ours.predict(x), atol=1e-5)
