"""from_onnx: ONNX' own test vectors, graphs as other programs write them, and clear words for what cannot be read."""

import numpy as np
import pytest
from exchange_models import inputs, made, moved, shared_models

from batik_scratch import exchange, nn
from batik_scratch.cli import main
from batik_scratch.errors import InputError

onnx, runtime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
helper, numbers = onnx.helper, onnx.numpy_helper

import onnx_vectors  # noqa: E402 (needs onnx)

READ = 69  # of the vectors, by onnx 1.19 and later; the others are no row of layers, or have no layer here


@pytest.mark.slow
def test_every_vector_that_layers_can_express_gives_its_numbers_and_the_others_are_refused(tmp_path):
    read, refused = [], []
    for name, model, given, y in onnx_vectors.node_cases() + onnx_vectors.stored_cases():
        onnx.save(onnx_vectors.with_constants(model, given), tmp_path / "m.onnx")
        try:
            ours = onnx_vectors.answer(tmp_path / "m.onnx", np.asarray(given[0]), np.asarray(y))
        except InputError as error:
            assert str(error).startswith(str(tmp_path / "m.onnx")), name
            refused.append(name)
            continue
        np.testing.assert_allclose(ours, y, rtol=1e-5, atol=1e-5, err_msg=name)
        read.append(name)
    assert len(read) >= READ, read
    assert not {"test_conv_with_autopad_same", "test_gemm_beta", "test_maxpool_2d_ceil"} & set(refused)


@pytest.mark.parametrize("name", [*shared_models(), "cloth", "pictures", "doubles"])
def test_what_to_onnx_writes_comes_back_with_the_same_layers_and_numbers(name, tmp_path):
    more = {
        "cloth": lambda: moved(nn.cloth_cnn((32, 32, 3))),
        "pictures": lambda: made(nn.Standardization(), nn.Absolute(), nn.Log(0.1), nn.Flatten(), nn.Dense(2)),
        "doubles": lambda: made(nn.Dense(4), nn.Tanh(), nn.Dense(2), shape=(7,), dtype="float64"),
    }
    model = more[name]() if name in more else shared_models()[name]
    exchange.to_onnx(model, tmp_path / "m.onnx")
    again = exchange.from_onnx(tmp_path / "m.onnx")
    assert [type(layer) for layer in again.layers] == [type(layer) for layer in model.layers]
    assert again.dtype == model.dtype and again.input_shape == model.input_shape
    x = inputs(model).astype(model.dtype)
    np.testing.assert_allclose(again.predict(x), model.predict(x), rtol=1e-5, atol=1e-6)
    for one, other in zip(model.layers, again.layers, strict=True):
        for key in ("rate", "momentum", "epsilon", "negative_slope", "padding", "strides"):
            assert getattr(one, key, None) == pytest.approx(getattr(other, key, None)), (one.name, key)


def graph(*nodes, shape=("N", 3, 8, 6), constants=None, kind=onnx.TensorProto.FLOAT, **more):
    """A model of nodes (operator, inputs, attributes) in a row; "x" goes in, and "y" comes out of the last."""
    made_nodes, at = [], "x"
    for number, (operator, taken, attributes) in enumerate(nodes):
        out = "y" if number == len(nodes) - 1 else f"t{number}"
        names = [at, *taken] if more.get("first", True) else [*taken, at]
        made_nodes.append(helper.make_node(operator, names, [out], **attributes))
        at = out
    stored = [numbers.from_array(np.asarray(value, np.float32), name) for name, value in (constants or {}).items()]
    stored += [numbers.from_array(np.asarray(value), name) for name, value in more.get("whole", {}).items()]
    given, made_y = (helper.make_tensor_value_info(n, kind, s) for n, s in (("x", shape), ("y", ("N", "U"))))
    body = helper.make_graph(made_nodes, "g", [given], [made_y], stored)
    return helper.make_model(body, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def rng(*shape):
    return np.random.default_rng(3).normal(size=shape).astype(np.float32)


def as_pytorch_writes_it():
    """(N, C, H, W) in, a convolution, batch normalisation, pooling, rows of (C, H, W), normalised, and two layers."""
    constants = {
        **{"w": rng(4, 3, 3, 3), "b": rng(4), "g": rng(4), "h": rng(4), "m": rng(4), "v": rng(4) ** 2},
        **{"W": rng(5, 48), "B": rng(5), "G": rng(48), "H": rng(48), "M": rng(48), "V": rng(48) ** 2},
        **{"V2": rng(5, 2), "c": rng(2)},
    }
    nodes = [
        ("Conv", ["w", "b"], {"pads": [1, 1, 1, 1], "kernel_shape": [3, 3]}),
        ("BatchNormalization", ["g", "h", "m", "v"], {}),
        ("Relu", [], {}),
        ("MaxPool", [], {"kernel_shape": [2, 2], "strides": [2, 2]}),
        ("Reshape", ["rows"], {}),
        ("BatchNormalization", ["G", "H", "M", "V"], {}),
        ("Dropout", [], {}),
        ("Gemm", ["W", "B"], {"transB": 1}),
        ("Sigmoid", [], {}),
        ("MatMul", ["V2"], {}),
        ("Add", ["c"], {}),
        ("Softmax", [], {"axis": 1}),
    ]
    return graph(*nodes, constants=constants, whole={"rows": np.array([-1, 48])})


def with_a_mean():
    """A mean over height and width that keeps its axes, and a bias of its own behind the convolution."""
    nodes = [
        ("Mul", ["s"], {}),
        ("Sub", ["o"], {}),
        ("Conv", ["w"], {"auto_pad": "SAME_UPPER", "strides": [2, 1]}),
        ("Add", ["b"], {}),
        ("ReduceMean", [], {"axes": [2, 3], "keepdims": 1}),
        ("Squeeze", ["axes"], {}),
        ("Gemm", ["W"], {"alpha": 0.5}),
    ]
    constants = {"s": 2, "o": [0.5], "w": rng(4, 3, 2, 3), "b": rng(4, 1, 1), "W": rng(4, 2)}
    return graph(*nodes, constants=constants, whole={"axes": np.array([2, 3])})


@pytest.mark.parametrize("make", [as_pytorch_writes_it, with_a_mean])
def test_graphs_of_other_programs_say_the_same_here_as_in_their_runtime(make, tmp_path):
    onnx.save(make(), tmp_path / "m.onnx")
    x = rng(3, 3, 8, 6)
    (theirs,) = runtime.InferenceSession(tmp_path / "m.onnx").run(None, {"x": x})
    ours = exchange.from_onnx(tmp_path / "m.onnx").predict(x.transpose(0, 2, 3, 1))
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


def test_a_model_of_another_program_may_want_pixels_of_any_range_and_keeps_that_in_its_file(tmp_path):
    onnx.save(graph(("Conv", ["w"], {}), constants={"w": rng(2, 3, 3, 3)}), tmp_path / "m.onnx")
    model = exchange.from_onnx(tmp_path / "m.onnx")
    x = np.arange(3 * 8 * 6, dtype=np.float32).reshape(1, 8, 6, 3)
    model.save(tmp_path / "m.npz")
    assert np.array_equal(nn.Sequential.load(tmp_path / "m.npz").predict(x), model.predict(x))


POOL = {"kernel_shape": [2, 2]}
KERNEL = {"w": rng(4, 3, 3, 3)}
UNSUPPORTED = {
    "an operator": (graph(("Elu", [], {})), r"node 0 \(Elu\): there is no Elu here; what can be read is Abs, Add"),
    "groups": (graph(("Conv", ["w"], {"group": 3}), constants={"w": rng(3, 1, 3, 3)}), "group=3 is not read"),
    "dilations": (graph(("Conv", ["w"], {"dilations": [2, 2]}), constants=KERNEL), r"dilations=\[2, 2\] is not read"),
    "pads": (graph(("Conv", ["w"], {"pads": [2, 2, 2, 2]}), constants=KERNEL), r"pads=\[2, 2, 2, 2\].*on 8x6"),
    "lower": (graph(("MaxPool", [], POOL | {"auto_pad": "SAME_LOWER"})), "auto_pad=SAME_LOWER"),
    "padded mean": (
        graph(("AveragePool", [], {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "count_include_pad": 1})),
        "count_include_pad=1",
    ),
    "channels": (graph(("Conv", ["w"], {}), constants={"w": rng(4, 2, 3, 3)}), r"needs \(F, 3, kh, kw\)"),
    "large window": (graph(("MaxPool", [], {"kernel_shape": [9, 9]})), "window 9x9 does not fit input 8x6"),
    "1-D": (graph(("MaxPool", [], {"kernel_shape": [2]}), shape=("N", 3, 9)), "needs images as"),
    "axis": (graph(("Flatten", [], {"axis": 2})), "axis=2 is not read; only axis=1"),
    "transposed": (graph(("Transpose", [], {"perm": [3, 2, 1, 0]})), r"perm=\[3, 2, 1, 0\] is not read"),
    "rows": (graph(("Gemm", ["w"], {"transA": 1}), shape=("N", 3), constants={"w": rng(3, 2)}), "transA=1 is not"),
    "kernel": (graph(("MatMul", ["w"], {}), shape=("N", 3), constants={"w": rng(4, 2)}), r"\(4, 2\) does not fit"),
    "bias": (graph(("Add", ["w"], {}), constants={"w": rng(6)}), "only right behind Conv"),
    "order": (graph(("Relu", [], {}), ("Conv", ["w"], {}), ("Flatten", [], {}), constants=KERNEL), "ends in rows of"),
    "training": (
        graph(("Dropout", ["", "t"], {}), whole={"t": np.array(True)}),
        "training_mode=True is not read",
    ),
    "half": (graph(("Relu", [], {}), kind=onnx.TensorProto.FLOAT16), "computes with FLOAT16"),
    "open sizes": (graph(("Relu", [], {}), shape=("N", 3, "H", "W")), "needs an axis of images and then fixed sizes"),
    "skip": (graph(("Relu", [], {}), ("Add", ["x"], {})), "does not take what the node before gave"),
    "mean": (graph(("ReduceMean", [], {"axes": [1]})), r"a mean over the axes \[1\] is not read"),
    "shape": (graph(("Reshape", ["s"], {}), whole={"s": np.array([0, 3, 48])}), r"the shape \[0, 3, 48\] is not read"),
}


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_what_no_layer_can_do_is_named_with_its_node(name, tmp_path):
    model, words = UNSUPPORTED[name]
    onnx.save(model, tmp_path / "m.onnx")
    with pytest.raises(InputError, match=words) as error:
        exchange.from_onnx(tmp_path / "m.onnx")
    assert str(error.value).startswith(str(tmp_path / "m.onnx"))


def test_damaged_files_are_refused_in_a_sentence(tmp_path):
    path = tmp_path / "m.onnx"
    whole = graph(("Conv", ["w"], {}), constants=KERNEL).SerializeToString()
    damaged = {
        "no ONNX": b"no ONNX at all",
        "nothing": b"",
        "cut": whole[: len(whole) // 2],
        "a cut tensor": whole.replace(rng(4, 3, 3, 3).tobytes()[:8], b"", 1),
    }
    for raw in damaged.values():
        path.write_bytes(raw)
        with pytest.raises(InputError, match=r"m\.onnx: (not a valid ONNX file|the tensor)"):
            exchange.from_onnx(path)
    outside = graph(("Conv", ["w"], {}), constants=KERNEL)
    onnx.external_data_helper.set_external_data(outside.graph.initializer[0], "/etc/passwd")
    path.write_bytes(outside.SerializeToString())
    with pytest.raises(InputError, match=r"another file|not a valid ONNX file"):
        exchange.from_onnx(path)
    with pytest.raises(InputError, match="no such file"):
        exchange.from_onnx(tmp_path / "nowhere.onnx")


def test_the_command_imports_an_onnx_file(tmp_path, capsys):
    model = shared_models()["averages"]
    exchange.to_onnx(model, tmp_path / "m.onnx")
    assert main(["import", str(tmp_path / "m.onnx"), str(tmp_path / "m.npz")]) == 0
    x = inputs(model)
    np.testing.assert_allclose(nn.Sequential.load(tmp_path / "m.npz").predict(x), model.predict(x), rtol=1e-5)
    assert main(["import", str(tmp_path / "m.npz"), str(tmp_path / "n.npz")]) == 2
    assert "what can be imported are .keras and .onnx files" in capsys.readouterr().err
