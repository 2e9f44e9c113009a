"""Configuration: later sources win, and every mistake is named."""

import pytest

from batik_scratch.errors import InputError
from batik_scratch.study import TwoStageConfig, load_config, make_config


def test_flags_override_the_file_which_overrides_quick_which_overrides_the_preset(tmp_path):
    file = tmp_path / "c.toml"
    file.write_text("epochs = 7\nlearning_rate = 1\n")
    assert make_config(preset="table1").epochs == 100 and make_config(preset="table1").stop_at_accuracy == 0
    assert make_config(preset="table1", quick=True).epochs == 8
    assert make_config(file=file, quick=True).epochs == 7
    config = make_config({"epochs": 3}, file, quick=True)
    assert (config.epochs, config.image_size, config.learning_rate) == (3, 64, 1.0)


def test_toml_reads_back_to_an_equal_config(tmp_path):
    config = TwoStageConfig(data='a "quoted"\nfolder', draw_counts=(4, 5, 6), reduce_lr_factor=1 / 3)
    (tmp_path / "c.toml").write_text(config.to_toml())
    assert load_config(tmp_path / "c.toml") == config


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epoch = 3", "did you mean 'epochs'"),
        ("nonsense = 1", "nonsense"),
        ("epochs = 'ten'", "needs a int"),
        ("epochs = true", "needs a int"),
        ("epochs = ", "cannot be read as TOML"),
        ("preset = 'fast'", "default, table1"),
        ("draw_counts = [1, 2]", "keratonan"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path, text, message):
    (tmp_path / "c.toml").write_text(text)
    with pytest.raises(InputError, match=message):
        make_config(file=tmp_path / "c.toml")


@pytest.mark.parametrize(
    "flags",
    [
        {"epochs": 0},
        {"image_size": 21},
        {"seed": -1},
        {"learning_rate": float("nan")},
        {"reduce_lr_factor": 1.0},
        {"validation_fraction": 1.0},
        {"difficulty": 1.5},
    ],
)
def test_values_out_of_range_are_refused(flags):
    with pytest.raises(InputError, match="needs a value from"):
        make_config(flags)
