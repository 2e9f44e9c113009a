"""Configuration: later sources win, and every mistake is named."""

import dataclasses
import math

import pytest

from batik_scratch.errors import InputError
from batik_scratch.study import TwoStageConfig, load_config, make_config


def test_flags_override_the_file_which_overrides_quick_which_overrides_the_preset(tmp_path):
    file = tmp_path / "c.toml"
    file.write_text("epochs = 7\nlearning_rate = 1\n")
    assert make_config(preset="table1").epochs == 100 and make_config(preset="table1").stop_at_accuracy == 0
    assert make_config(preset="table1", quick=True).epochs == 20
    assert make_config(file=file, quick=True).epochs == 7
    config = make_config({"epochs": 3}, file, quick=True)
    assert (config.epochs, config.image_size, config.learning_rate) == (3, 48, 1.0)


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


DEFAULTS = {  # what a run does where nothing is said: README, "What is taken from the paper"
    "preset": "default",
    "network": "paper",
    "data": "",
    "seed": 0,
    "image_size": 150,
    "epochs": 30,
    "batch_size": 8,
    "learning_rate": 0.0003,
    "stop_at_accuracy": 0.9,
    "schedule": "plateau",
    "reduce_lr_factor": 1 / 3,
    "reduce_lr_patience": 10,
    "warmup_epochs": 1,
    "first_bias": "centred",
    "validation_fraction": 0.25,
    "dropout": 0.2,
    "rotation_range": 20.0,
    "shift_range": 0.1,
    "zoom_range": 0.15,
    "horizontal_flip": True,
    "vertical_flip": False,
    "quarter_turns": False,
    "crop_area": 1.0,
    "views": 1,
    "saliency_percentile": 99.0,
    "overlay_strength": 0.8,
    "draw_counts": (217, 200, 151),
    "difficulty": 0.005,
    "drawn_version": 4,
    "skip_bad": False,
    "split_folders": False,
    "follow_links": False,
}
LIMITS = {
    "seed": (0, 2**63 - 1),
    "image_size": (22, 1024),
    "epochs": (1, 100_000),
    "batch_size": (1, 65_536),
    "learning_rate": (1e-12, 10.0),
    "stop_at_accuracy": (0.0, 1.0),
    "reduce_lr_factor": (1e-6, 0.999),
    "reduce_lr_patience": (0, 100_000),
    "warmup_epochs": (0, 100_000),
    "validation_fraction": (0.01, 0.9),
    "dropout": (0.0, 0.99),
    "rotation_range": (0.0, 180.0),
    "shift_range": (0.0, 1.0),
    "zoom_range": (0.0, 0.99),
    "crop_area": (0.01, 1.0),
    "saliency_percentile": (50.0, 100.0),
    "overlay_strength": (0.0, 1.0),
    "difficulty": (0.0, 1.0),
    "drawn_version": (2, 4),
}


def test_without_a_word_everything_is_as_in_the_paper():
    assert dataclasses.asdict(make_config()) == DEFAULTS == dataclasses.asdict(TwoStageConfig())


def test_presets_and_quick_change_what_they_say_and_nothing_else():
    table1 = DEFAULTS | {"preset": "table1", "epochs": 100, "stop_at_accuracy": 0.0}
    quick = {"image_size": 48, "epochs": 20, "learning_rate": 0.0007, "difficulty": 0.0}
    assert dataclasses.asdict(make_config(preset="table1")) == table1
    assert dataclasses.asdict(make_config(quick=True)) == DEFAULTS | quick
    assert dataclasses.asdict(make_config(preset="table1", quick=True)) == table1 | quick


BEFORE = {  # what a run did whose release had no such key
    "network": "paper",
    "first_bias": "zeros",
    "schedule": "plateau",
    "warmup_epochs": 0,
    "vertical_flip": False,
    "quarter_turns": False,
    "crop_area": 1.0,
    "views": 1,
    "drawn_version": 2,
    "split_folders": False,
    "follow_links": False,
}
CLOTH = {  # what the network for real cloth is trained with, unless something else is said
    "network": "cloth",
    "image_size": 64,
    "batch_size": 16,
    "epochs": 60,
    "learning_rate": 3e-3,
    "stop_at_accuracy": 0.0,
    "schedule": "cosine",
    "warmup_epochs": 2,
    "dropout": 0.3,
    "rotation_range": 0.0,
    "shift_range": 0.0,
    "zoom_range": 0.0,
    "vertical_flip": True,
    "quarter_turns": True,
    "crop_area": 0.4,
    "views": 8,
}


def test_the_network_for_cloth_brings_its_own_defaults_which_file_and_flags_override(tmp_path):
    assert dataclasses.asdict(make_config({"network": "cloth"})) == DEFAULTS | CLOTH
    file = _written(tmp_path, "network = 'cloth'\nbatch_size = 8")
    assert dataclasses.asdict(make_config(file=file)) == DEFAULTS | CLOTH | {"batch_size": 8}
    assert dataclasses.asdict(make_config({"network": "paper"}, file)) == DEFAULTS | {"batch_size": 8}
    quick = make_config({"network": "cloth", "views": 1}, quick=True)
    assert (quick.image_size, quick.epochs, quick.views) == (64, 15, 1)


def test_a_run_folder_without_a_later_key_goes_on_as_its_release_did(tmp_path):
    written = TwoStageConfig(seed=4).to_toml().splitlines()
    old = "\n".join(line for line in written if line.split(" = ")[0] not in BEFORE)
    (tmp_path / "c.toml").write_text(old)
    for found in (load_config(tmp_path / "c.toml"), make_config(file=tmp_path / "c.toml")):
        assert dataclasses.asdict(found) == DEFAULTS | {"seed": 4} | BEFORE
    (tmp_path / "c.toml").write_text(old + '\nfirst_bias = "centred"\n')
    assert load_config(tmp_path / "c.toml").first_bias == "centred"


def test_a_file_of_a_few_choices_gets_todays_defaults_for_the_others(tmp_path):
    assert dataclasses.asdict(make_config(file=_written(tmp_path, "seed = 4"))) == DEFAULTS | {"seed": 4}


@pytest.mark.parametrize("name", ["first_bias", "preset", "network", "schedule", "views"])
def test_a_choice_among_few_lists_them_if_it_is_none_of_them(name):
    with pytest.raises(InputError, match=rf"{name}: is one of \w+, \w+.*; got 'other'"):
        TwoStageConfig(**{name: "other"})


def test_a_preset_named_in_the_file_holds_unless_the_command_names_another(tmp_path):
    (tmp_path / "c.toml").write_text("preset = 'table1'\nseed = 3\n")
    named, other = make_config(file=tmp_path / "c.toml"), make_config(file=tmp_path / "c.toml", preset="default")
    assert (named.preset, named.epochs, named.seed) == ("table1", 100, 3)
    assert (other.preset, other.epochs, other.seed) == ("default", 30, 3)
    for wrong in ({"preset": "fast"}, {"file": _written(tmp_path, "preset = 'fast'")}):
        with pytest.raises(InputError, match="--preset: is one of default, table1; got 'fast'"):
            make_config(**wrong)
    with pytest.raises(InputError, match="got 'fast'"):
        TwoStageConfig(preset="fast")


def _written(folder, text):
    (folder / "w.toml").write_text(text)
    return folder / "w.toml"


def test_every_number_has_limits_and_those_are_tested():
    numbers = {name for name, value in DEFAULTS.items() if type(value) in (int, float)} - {"views"}  # 1 or 8
    assert numbers == set(LIMITS)


@pytest.mark.parametrize("name", LIMITS)
def test_a_number_is_taken_up_to_its_limits_and_refused_beyond_them_by_name(name):
    low, high = LIMITS[name]
    whole = type(DEFAULTS[name]) is int
    below, above = (low - 1, high + 1) if whole else (math.nextafter(low, -9), math.nextafter(high, 999))
    for value in (low, high):
        assert getattr(make_config({name: value}), name) == value
    for value in (below, above, math.nan, math.inf, -math.inf):
        with pytest.raises(InputError) as caught:
            make_config({name: value})
        option = f"--{name.replace('_', '-')}" if name in ("seed", "image_size", "epochs") else name
        text = str(caught.value)
        assert text.startswith(f"{option}: ") and f"from {low:g} to {high:g}" in text and repr(value) in text


@pytest.mark.parametrize("counts", [(3, 9, 9), (9, 9, 3), (9, 9), (9, 9, 9, 9)])
def test_four_images_of_each_of_the_three_motifs_are_the_least(counts):
    assert make_config({"draw_counts": (4, 4, 4)}).draw_counts == (4, 4, 4)
    with pytest.raises(InputError, match=r"at least 4 for each of keratonan, mega_mendung, singa_barong; got \["):
        make_config({"draw_counts": counts})


def test_a_file_may_say_everything_and_keeps_each_keys_type(tmp_path):
    text = "data = '~/Ébène'\nrotation_range = 7\nskip_bad = true\ndraw_counts = [5, 6, 7]\nhorizontal_flip = false\n"
    (tmp_path / "c.toml").write_text(text, encoding="utf-8")
    found = make_config(file=tmp_path / "c.toml")
    assert (found.data, found.draw_counts) == ("~/Ébène", (5, 6, 7))
    assert (found.skip_bad, found.horizontal_flip) == (True, False)
    assert type(found.rotation_range) is float and found.rotation_range == 7
    for wrong, kind in (
        ("epochs = 3.0", "epochs needs a int, got 3.0"),
        ("dropout = true", "dropout needs a float, got True"),
        ("skip_bad = 1", "skip_bad needs a bool, got 1"),
        ("draw_counts = [5, 6, 7.5]", "draw_counts needs a tuple"),
        ("draw_counts = [5, 6, true]", "draw_counts needs a tuple"),
        ("draw_counts = 5", "draw_counts needs a tuple"),
        ("data = 5", "data needs a str, got 5"),
    ):
        with pytest.raises(InputError, match=kind):
            make_config(file=_written(tmp_path, wrong))


def test_a_file_that_is_not_there_or_no_text_is_named(tmp_path):
    with pytest.raises(InputError, match=r"--config .*none.toml: there is no such file"):
        make_config(file=tmp_path / "none.toml")
    (tmp_path / "c.toml").write_bytes(b"data = '\xff'")
    for unreadable in (tmp_path / "c.toml", tmp_path):
        with pytest.raises(InputError, match=r"--config .*: cannot be read as TOML"):
            make_config(file=unreadable)


def test_an_unknown_key_is_told_the_one_it_resembles_or_all_there_are(tmp_path):
    with pytest.raises(InputError, match=r"unknown key 'batchsize'; did you mean 'batch_size'\?"):
        make_config(file=_written(tmp_path, "epochs = 3\nbatchsize = 8"))
    with pytest.raises(InputError) as caught:
        make_config(file=_written(tmp_path, "xyz = 8"))
    assert all(name in str(caught.value) for name in DEFAULTS) and "did you mean" not in str(caught.value)
