"""Model files: bit for bit, and those that strangers made."""

import io
import json
import pickle
import zipfile

import numpy as np
import pytest
from sample_layers import everything, images

from batik_scratch import nn
from batik_scratch.errors import InputError
from batik_scratch.nn import model_file


def test_a_file_brings_back_the_model_bit_for_bit(tmp_path):
    model, x = everything(), images()
    model.metadata = {"class_names": ["a", "b", "ü"], "image_size": 12}
    model.save(tmp_path / "m.npz")
    again = nn.Sequential.load(tmp_path / "m.npz")
    assert np.array_equal(again.predict(x), model.predict(x)) and again.metadata == model.metadata
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]
    again.save(tmp_path / "n.npz")
    model.save(tmp_path / "o.npz")
    with np.load(tmp_path / "m.npz") as archive:  # whoever changes this must read the files of version 1 too
        assert json.loads(archive["description"].tobytes())["format_version"] == 1
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


def described(description):
    return as_npy(np.frombuffer(json.dumps(description).encode(), np.uint8))


def test_hostile_files_are_refused_before_their_data_are_read(tmp_path):
    model = everything()
    model.save(tmp_path / "m.npz")
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": (10**12,)})
    with np.load(tmp_path / "m.npz") as archive:
        description = json.loads(archive["description"].tobytes())
    newer = described(description | {"format_version": 99})
    huge = description | {
        "layers": [{"type": "Dense", "name": "d", "config": {"units": 10**9}}],
        "input_shape": [10**6],
    }
    large = json.loads(json.dumps(description))
    large["layers"][6]["config"]["units"] = 1000  # 5,000 weights, in a file that has room for some 800 numbers
    cases = {
        "large": rewritten(tmp_path / "m.npz", tmp_path / "7.npz", description=described(large)),
        "terabytes": rewritten(tmp_path / "m.npz", tmp_path / "1.npz", dense_bias=header.getvalue()),
        "bomb": rewritten(tmp_path / "m.npz", tmp_path / "2.npz", how=zipfile.ZIP_DEFLATED),
        "pickle": rewritten(tmp_path / "m.npz", tmp_path / "3.npz", dense_bias=pickle.dumps([1, 2, 3])),
        "newer": rewritten(tmp_path / "m.npz", tmp_path / "4.npz", description=newer),
        "huge": rewritten(tmp_path / "m.npz", tmp_path / "5.npz", description=described(huge)),
        "other": rewritten(tmp_path / "m.npz", tmp_path / "6.npz", dense_bias=as_npy(np.ones(3, np.float32))),
    }
    messages = {}
    for name, path in cases.items():
        with pytest.raises(InputError) as error:
            nn.Sequential.load(path)
        messages[name] = str(error.value)
    assert "update batik_scratch" in messages["newer"] and "checksum" in messages["other"]
    assert (
        "more than 5,152 parameters" in messages["large"]
        and "parameters" in messages["huge"]
        and "compressed" in messages["bomb"]
    )


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


def test_the_checksum_covers_names_shapes_dtypes_and_numbers():
    ones = np.ones((2, 3), np.float32)
    others = [{"b": ones}, {"a": ones.T}, {"a": ones.view(np.int32)}, {"a": 2 * ones}]
    sums = {model_file._checksum(arrays, {}) for arrays in ({"a": ones}, *others)}
    assert len(sums) == 5 and model_file._checksum({"a": ones}, {"x": 1}) not in sums


@pytest.mark.parametrize("what", ["compressed", "larger than a description ever is"])
def test_a_description_that_could_fill_the_memory_is_not_read(tmp_path, what):
    everything().save(tmp_path / "m.npz")
    how = zipfile.ZIP_DEFLATED if what == "compressed" else zipfile.ZIP_STORED
    with zipfile.ZipFile(tmp_path / "m.npz") as old, zipfile.ZipFile(tmp_path / "n.npz", "w") as new:
        for name in old.namelist():
            padding = b" " * ((1 << 20) - 100) if name == "description.npy" and what != "compressed" else b""
            new.writestr(name, old.read(name) + padding, how if name == "description.npy" else zipfile.ZIP_STORED)
    with pytest.raises(InputError, match="the description is over 1048576 bytes or compressed"):
        nn.Sequential.load(tmp_path / "n.npz")


@pytest.mark.parametrize(
    ("layer", "shape", "weights"),
    [(nn.Dense(3), (100,), 300), (nn.Conv2D(4, (2, 3)), (6, 7, 5), 120), (nn.MaxPooling2D(2), (4, 4, 9), 0),
     (nn.BatchNormalization(), (6, 7, 5), 20), (nn.BatchNormalization(), (9,), 36)],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_a_network_with_more_weights_than_the_file_has_numbers_is_never_made(layer, shape, weights):
    model_file.check_size([layer], shape, weights)
    if weights:
        with pytest.raises(InputError, match=f"more than {weights} parameters, the file holds {weights - 1} numbers"):
            model_file.check_size([layer], shape, weights - 1)
