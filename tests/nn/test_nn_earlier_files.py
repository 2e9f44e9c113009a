"""Model files and checkpoints that an earlier state wrote load, predict and resume as they did then."""

import shutil

import numpy as np
import pytest
from fixtures import earlier

from batik_scratch import nn


@pytest.fixture(scope="module")
def expected():
    return earlier.expected()


@pytest.fixture(scope="module")
def bits(expected):
    """True where sums are made here as they were when the files were written: then the last bit must be the same."""
    return earlier.other_arithmetic(expected["arithmetic"]) is None


@pytest.fixture
def interrupted(tmp_path):
    """A copy of the checkpoint: to resume is to write."""
    return shutil.copytree(earlier.CHECKPOINT, tmp_path / "checkpoint")


def resumed(folder, **options):
    model = earlier.trained_kinds()
    history = earlier.train(model, nn.Checkpoint(folder, **options))
    return earlier.numbers_of_training(model, history)


def test_an_earlier_model_file_predicts_what_it_predicted(expected, bits):
    model = nn.Sequential.load(earlier.MODEL)
    x, _ = earlier.data()
    numbers = {"predictions": model.predict(x), "logits": model.logits(x)}
    assert not earlier.differences(numbers, expected["model"], bits)
    assert np.allclose(numbers["predictions"], expected["predictions"], atol=1e-5)  # on every machine
    assert model.metadata["class_names"] == ["kawung", "mega mendung", "räden"] and model.layers[3].name == "second"


def test_an_earlier_model_file_written_again_holds_the_same_arrays(tmp_path):
    nn.Sequential.load(earlier.MODEL).save(tmp_path / "again.npz")
    with np.load(earlier.MODEL) as before, np.load(tmp_path / "again.npz") as after:
        assert before.files == after.files
        for name in set(before.files) - {"description"}:
            assert np.array_equal(before[name], after[name])


def test_an_earlier_checkpoint_ends_where_it_ended_then(expected, bits, interrupted):
    assert not earlier.differences(resumed(interrupted), expected["checkpoint"], bits)


def test_an_earlier_checkpoint_ends_alike_with_one_more_stop_on_every_machine(tmp_path, interrupted):
    again = shutil.copytree(interrupted, tmp_path / "again")
    with pytest.raises(KeyboardInterrupt):
        resumed(again, should_stop=earlier.stops_after(4))
    assert earlier.digests(resumed(again)) == earlier.digests(resumed(interrupted))


def test_a_single_changed_bit_is_a_difference(expected):
    numbers = {"a": np.ones(3, np.float32), "b": np.zeros(2)}
    recorded = earlier.record(numbers)
    assert not earlier.differences(numbers, recorded, True) and not earlier.differences(numbers, recorded, False)
    numbers["a"][1] = np.nextafter(numbers["a"][1], 2)
    assert earlier.differences(numbers, recorded, True) == ["a"] and not earlier.differences(numbers, recorded, False)
    numbers["a"][1] = 2
    assert earlier.differences(numbers, recorded, False) == ["a"]
    assert earlier.differences({"a": numbers["a"]}, recorded, False) == ["b"]
