"""Model files, version 1, as a stranger would write and read them: with NumPy, json and hashlib alone."""

import hashlib
import io
import json
import zipfile

import numpy as np
import pytest
from sample_layers import everything, images

import batik_scratch
from batik_scratch import nn
from batik_scratch.errors import InputError

DESCRIPTION = {
    "format": "batik_scratch model",
    "format_version": 1,
    "written_by": "0.0.1",
    "input_shape": [4, 5, 2],
    "dtype": "float32",
    "layers": [
        {"type": "Conv2D", "name": "edges",
         "config": {"name": "edges", "filters": 3, "kernel_size": [2, 3], "strides": [1, 2], "padding": "same",
                    "algorithm": "loops", "kernel_initializer": "he_normal"}},
        {"type": "ReLU", "name": "re_lu", "config": {}},
        {"type": "Flatten", "name": "flatten", "config": {}},
        {"type": "Dense", "name": "dense", "config": {"units": 2, "kernel_initializer": "zeros"}},
        {"type": "Softmax", "name": "softmax", "config": {}},
    ],
    "metadata": {"class_names": ["mega mendung", "b"]},
}  # fmt: skip
SHAPES = {"edges/kernel": (2, 3, 2, 3), "edges/bias": (3,), "dense/kernel": (36, 2), "dense/bias": (2,)}


def weights():
    rng = np.random.default_rng(8)
    return {name: rng.standard_normal(shape).astype(np.float32) for name, shape in SHAPES.items()}


def checksum(arrays, told):
    """Over the description's text with sorted keys, then each array in the order of the names: a line, the bytes."""
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode())
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.shape} {array.dtype.str}\n".encode() + array.tobytes())
    return digest.hexdigest()


def write(path, arrays=None, told=DESCRIPTION, signed=None, **others):
    """A file by hand; `signed` is the checksum, the right one where nothing is said."""
    arrays = weights() if arrays is None else arrays
    full = told | {"sha256": signed or checksum(arrays, told)}
    np.savez(path, description=np.frombuffer(json.dumps(full).encode(), np.uint8), **arrays, **others)
    return path


def test_a_file_of_version_1_is_read_into_the_network_that_it_describes(tmp_path):
    model = nn.Sequential.load(write(tmp_path / "m.npz"))
    assert [(type(layer).__name__, layer.name) for layer in model.layers] == [
        (entry["type"], entry["name"]) for entry in DESCRIPTION["layers"]
    ]
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), weights().values(), strict=True))
    assert (model.input_shape, model.dtype.name, model.metadata) == ((4, 5, 2), "float32", DESCRIPTION["metadata"])
    conv = model.layers[0]
    assert (conv.strides, conv.padding, conv.algorithm, conv.kernel_initializer) == (
        (1, 2),
        "same",
        "loops",
        "he_normal",
    )
    assert model.layers[3].kernel_initializer == "zeros"
    model.compile()
    model.fit(np.ones((3, 4, 5, 2)), np.array([0, 1, 1]), verbose=0)  # what was read may be trained


def test_what_is_written_is_what_that_reader_expects(tmp_path):
    model = nn.Sequential.load(write(tmp_path / "m.npz"))
    model.save(tmp_path / "n.npz")
    with np.load(tmp_path / "n.npz") as file:
        arrays = {name: file[name] for name in file.files}
    told = json.loads(arrays.pop("description").tobytes())
    assert told.pop("sha256") == checksum(arrays, told)
    assert told.pop("written_by") == batik_scratch.__version__
    configs = {entry["name"]: entry["config"] | {"name": entry["name"]} for entry in DESCRIPTION["layers"]}
    assert {entry["name"]: entry["config"] | {"name": entry["name"]} for entry in told["layers"]} == configs
    for key in ("format", "format_version", "input_shape", "dtype", "metadata"):
        assert told[key] == DESCRIPTION[key]
    assert list(arrays) == list(SHAPES) and all(np.array_equal(arrays[name], w) for name, w in weights().items())


def test_two_programs_that_build_the_same_network_write_the_same_bytes(tmp_path):
    one, other = everything(), everything()
    one.metadata = {"b": 1, "a": {"d": 2, "c": 3}}
    other.metadata = {"a": {"c": 3, "d": 2}, "b": 1}
    one.save(tmp_path / "1.npz")
    other.save(tmp_path / "2.npz")
    assert (tmp_path / "1.npz").read_bytes() == (tmp_path / "2.npz").read_bytes()


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_a_network_of_another_dtype_keeps_it(tmp_path, dtype):
    model = nn.Sequential([nn.Dense(3, name="only")], (2,), 4, dtype)
    model.save(tmp_path / "m.npz")
    again = nn.Sequential.load(str(tmp_path / "m.npz"))
    assert again.dtype == dtype and np.array_equal(again.get_weights()[0], model.get_weights()[0])
    assert again.output_shape == (3,) and again.layers[0].units == 3


def changed(**changes):
    return DESCRIPTION | changes


def layers(index, **changes):
    entries = [dict(entry) for entry in DESCRIPTION["layers"]]
    entries[index] |= changes
    return changed(layers=entries)


@pytest.mark.parametrize(
    ("told", "message"),
    [
        (changed(format="another program"), "not a batik_scratch model file$"),
        (changed(format_version=2), "has model format 2, this program reads up to 1; update"),
        (changed(format_version=0), "has model format 0"),
        (changed(format_version="1"), "has model format '1'"),
        (changed(dtype="float16"), "cannot be built: .*float32, float64, complex128"),
        (changed(dtype="rubbish"), "damaged description"),
        (changed(layers=[]), "cannot be built"),
        (changed(layers=None), "damaged description"),
        (changed(metadata=None), "damaged description"),
        (changed(input_shape=[4, 5]), "cannot be built: Conv2D: needs images"),
        (layers(1, type="Layer"), "unknown layer type 'Layer'"),
        (layers(1, type="open"), "unknown layer type 'open'"),
        (layers(1, config={"rate": 1}), "damaged description"),
        (layers(3, name="other"), r"do not match the architecture \('dense/bias.npy, dense/kernel.npy, other/bias.npy"),
        (layers(3, config={"units": 1}), r"dense/kernel has header .*needs \(\(36, 1\), 'float32'\)"),
        (layers(3, config={"units": 3}), "dense/kernel is compressed or has the wrong size"),
    ],
)
def test_a_description_that_is_none_of_ours_is_refused_with_the_reason(tmp_path, told, message):
    with pytest.raises(InputError, match=f"{tmp_path / 'm.npz'}: .*{message}"):
        nn.Sequential.load(write(tmp_path / "m.npz", told=told))


def test_every_array_is_checked_by_name_shape_type_and_checksum(tmp_path):
    path = tmp_path / "m.npz"
    other = weights()
    other["dense/kernel"] = np.ascontiguousarray(other["dense/kernel"].T)
    with pytest.raises(InputError, match=r"dense/kernel has header \(\(2, 36\).*needs \(\(36, 2\), 'float32'\)"):
        nn.Sequential.load(write(path, other))
    other = weights()
    other["edges/bias"] = other["edges/bias"].view(np.int32)
    with pytest.raises(InputError, match="edges/bias has header"):
        nn.Sequential.load(write(path, other))
    other = weights()
    other["dense/kernel"] = np.asfortranarray(other["dense/kernel"])
    with pytest.raises(InputError, match=r"header \(\(36, 2\), True"):
        nn.Sequential.load(write(path, other))
    with pytest.raises(InputError, match=r"extra\.npy"):
        nn.Sequential.load(write(path, extra=np.ones(1)))
    with pytest.raises(InputError, match=r"\('a.npy, b.npy, c.npy, d.npy'\)"):  # some names are enough
        nn.Sequential.load(write(path, **{name: np.ones(1) for name in "badcfe"}))
    short = {name: w for name, w in weights().items() if name != "edges/bias"}
    with pytest.raises(InputError, match=r"edges/bias\.npy"):
        nn.Sequential.load(write(path, short))
    with pytest.raises(InputError, match="the checksum does not match"):
        nn.Sequential.load(write(path, signed="0" * 64))
    told = DESCRIPTION | {"sha256": "0" * 64}  # no part of what is summed
    assert nn.Sequential.load(write(path, signed=checksum(weights(), DESCRIPTION), told=told)).metadata


def with_header(path, version):
    """The file again, its arrays' headers in another version of NumPy's format."""
    arrays, told = weights(), DESCRIPTION
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in [("description", json.dumps(told | {"sha256": checksum(arrays, told)})), *arrays.items()]:
            memory = io.BytesIO()
            if isinstance(array, str):
                array = np.frombuffer(array.encode(), np.uint8)
            np.lib.format.write_array(memory, array, version)
            archive.writestr(f"{name}.npy", memory.getvalue())
    return path


@pytest.mark.parametrize(("length", "read"), [(4085, True), (4086, False)])
def test_an_arrays_header_may_be_up_to_4_kilobytes_long(tmp_path, length, read):
    path = tmp_path / "m.npz"
    write(tmp_path / "n.npz")
    with zipfile.ZipFile(tmp_path / "n.npz") as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "edges/bias.npy":  # magic and version 8, length 2, header, 12 of data
                data = data[:8] + length.to_bytes(2, "little") + data[10:-13].ljust(length - 1) + data[-13:]
            new.writestr(name, data)
    if read:
        assert np.array_equal(nn.Sequential.load(path).get_weights()[1], weights()["edges/bias"])
    else:
        with pytest.raises(InputError, match="edges/bias is compressed or has the wrong size"):
            nn.Sequential.load(path)


def test_both_versions_of_numpys_headers_are_read(tmp_path):
    for version in ((1, 0), (2, 0)):
        model = nn.Sequential.load(with_header(tmp_path / "m.npz", version))
        assert np.array_equal(model.get_weights()[0], weights()["edges/kernel"])


def test_the_same_name_twice_is_refused(tmp_path):
    path = write(tmp_path / "m.npz")
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("dense/bias.npy", archive.read("dense/bias.npy"))
    with pytest.raises(InputError, match="do not match the architecture"):
        nn.Sequential.load(path)


def test_a_file_that_is_not_there_or_no_archive_is_said_to_be_so(tmp_path):
    with pytest.raises(InputError, match=r"m\.npz: there is no such model file"):
        nn.Sequential.load(tmp_path / "m.npz")
    with pytest.raises(InputError, match=r"is a folder, not a model; .* such as RUN/stage1/model\.npz"):
        nn.Sequential.load(tmp_path)
    (tmp_path / "model.npz").write_text("hello")
    with pytest.raises(InputError, match=r"is a folder, not a model; .* did you mean .*model\.npz\?"):
        nn.Sequential.load(tmp_path)
    with pytest.raises(InputError, match=r"no such model file; did you mean .*model\.npz\?"):
        nn.Sequential.load(tmp_path / "modle.npz")
    with pytest.raises(InputError, match="is a device, a pipe or a socket, not a file"):
        nn.Sequential.load("/dev/null")
    (tmp_path / "m.npz").write_text("hello")
    with pytest.raises(InputError, match=r"not a model file .*files written by model\.save are"):
        nn.Sequential.load(tmp_path / "m.npz")
    np.savez(tmp_path / "m.npz", a=np.ones(3))
    with pytest.raises(InputError, match="not a batik_scratch model file"):
        nn.Sequential.load(tmp_path / "m.npz")


def test_a_loaded_network_trains_as_one_made_with_random_state_0(tmp_path):
    trained = []
    for load in (True, False):
        layers = [nn.Dropout(0.5), nn.Dense(3), nn.Softmax()]
        model = nn.Sequential(layers, (4,), 0 if not load else 5, "float64")
        model.set_weights([np.arange(12.0).reshape(4, 3) / 12, np.zeros(3)])
        if load:
            model.save(tmp_path / "m.npz")
            model = nn.Sequential.load(tmp_path / "m.npz")
        model.compile()
        model.fit(np.ones((9, 4)) * np.arange(9)[:, None], np.arange(9) % 3, batch_size=2, epochs=2, verbose=0)
        trained.append(model.get_weights()[0])
    assert np.array_equal(*trained)


def test_a_network_without_a_shape_cannot_be_saved(tmp_path):
    with pytest.raises(InputError, match="not built yet"):
        nn.Sequential([nn.Dense(2)]).save(tmp_path / "m.npz")
    assert not list(tmp_path.iterdir())


def test_a_saved_network_goes_on_predicting_and_loading_does_not_tie_two_together(tmp_path):
    model, x = everything(), images()
    model.save(tmp_path / "m.npz")
    one, two = nn.Sequential.load(tmp_path / "m.npz"), nn.Sequential.load(tmp_path / "m.npz")
    one.set_weights([w + 1 for w in one.get_weights()])
    assert np.array_equal(two.predict(x), model.predict(x)) and not np.array_equal(one.predict(x), two.predict(x))
