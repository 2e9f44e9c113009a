"""What --help promises: the form of every option, words for each of them, and defaults that are what runs."""

import inspect
import re
import shlex
from pathlib import Path

import pytest

from batik_scratch import explain, motifs, study
from batik_scratch.cli import build_parser, main
from batik_scratch.learn import exercises

STUDY = "[--data DATA] [--network {paper,cloth}] [--quick] [--preset {default,table1}] [--config F.toml] "
STUDY += "[--epochs EPOCHS] [--seed SEED] "
STUDY += "[--image-size IMAGE_SIZE] [--skip-bad] [--split-folders] [--follow-links] [--out OUT]"
FORMS = {
    "run": f"{STUDY} [--resume DIR] [--accept-changes] [--checkpoint-every N]",
    "train": f"{STUDY} [--json]",
    "evaluate": "--model MODEL --data DATA [--skip-bad] [--follow-links] [--json]",
    "predict": "--model MODEL [--json | --csv] IMAGE [IMAGE ...]",
    "saliency": "--model MODEL [--method METHOD] [--target TARGET] [--out OUT] [--evaluate] [--images N] "
    "[--control F.npz] [IMAGE ...]",
    "lab": "[--model F.npz] [--images PHOTO [PHOTO ...]] [--out OUT]",
    "summary": "[--network {paper,cloth}] [--image-size IMAGE_SIZE] [--classes CLASSES] [--model MODEL] [--json]",
    "gradcheck": "[--layer NAME | --model F.npz | --museum] [--thorough] [--json]",
    "bench": "[--threads N,...] [--only NAME,...] [--network {paper,cloth}] [--batch BATCH] [--image-size IMAGE_SIZE] "
    "[--growth [BATCHxPIXELS,...]] [--rounds ROUNDS] [--out OUT] [--warmup] [--json]",
    "data draw": "[--out OUT] [--counts A,B,C] [--seed SEED] [--size SIZE] [--difficulty DIFFICULTY]",
    "data scan": "[--split-folders] [--follow-links] [--json] folder",
    "data sheet": "[--out OUT] [--per-class PER_CLASS] folder",
    "export": "[--logits] MODEL OUT",
    "import": "[--classes NAME [NAME ...]] FILE OUT",
    "completion": "SHELL",
    "examples": "OUT",
    "exercise list": "[--json]",
    "exercise start": "[--hard] name [DIR]",
    "exercise check": "[--time-limit SECONDS] [--json] [--csv] FILE",
    "exercise hint": "[--time-limit SECONDS] FILE",
    "exercise solution": "name",
}
GROUPS = {
    "": [
        "run",
        "train",
        "evaluate",
        "predict",
        "saliency",
        "lab",
        "summary",
        "gradcheck",
        "bench",
        "export",
        "import",
        "examples",
        "completion",
        "data",
        "exercise",
    ]
}
GROUPS |= {group: [name.split()[1] for name in FORMS if name.startswith(f"{group} ")] for group in ("data", "exercise")}
MUST = {"evaluate": "--model m --data d", "predict": "i --model m", "saliency": "--model m", "data scan": "f"}
MUST |= {"export": "m o", "import": "f o", "completion": "bash", "examples": "o"}
MUST |= {"data sheet": "f", "exercise start": "n", "exercise solution": "n"}
MUST |= {"exercise check": "f", "exercise hint": "f"}


@pytest.fixture
def help_of(capsys, monkeypatch):
    """The text of --help, wide enough that no line is broken."""
    monkeypatch.setenv("COLUMNS", "400")

    def read(name):
        with pytest.raises(SystemExit) as stop:
            main([*name.split(), "--help"])
        assert stop.value.code == 0
        return capsys.readouterr().out

    return read


def entries(text):
    """{"--out OUT": what is said of it} of the arguments and options in a help text."""
    parts = re.split(r"\n {2,4}(?=\S)", text.partition("\n\nexample:")[0])[1:]
    found = {}
    for part in parts:
        name, *words = re.split(r"\s{2,}", part.partition("\n\n")[0].strip(), maxsplit=1)
        found[name] = " ".join(words)
    return found


def default_of(name, option):
    """What runs where nothing is said, in the words of a help text."""
    options = build_parser().parse_args([*name.split(), *MUST.get(name, "").split()])
    value = getattr(options, {"images": "count"}.get(option, option))
    config = study.TwoStageConfig()
    from_study = {"network": config.network, "seed": config.seed, "image_size": config.image_size}
    where_none = {"counts": "217,200,151", "difficulty": motifs.DEFAULT_DIFFICULTY, "threads": "all allowed"}
    where_none |= {"only": "all that are installed", "method": "gradient"}
    where_none |= {"model": "a small network that comes with the package"}
    if value is None:
        value = from_study[option] if option in from_study else where_none[option]
    return str(value)


@pytest.mark.parametrize("name", FORMS)
def test_the_form_of_a_command_is_what_it_was(name, help_of):
    assert " ".join(help_of(name).splitlines()[0].split()) == f"usage: batik-scratch {name} [-h] {FORMS[name]}".strip()


@pytest.mark.parametrize("name", FORMS)
def test_every_argument_is_explained_and_its_default_is_what_runs(name, help_of):
    found = entries(help_of(name))
    for argument, words in found.items():
        assert words, f"{argument} is not explained"
        for text in re.findall(r"\(default: ([^)]+)\)", words):
            option = argument.split()[0].removeprefix("--").replace("-", "_")
            said = text.strip('"')
            if option == "DIR":
                assert said == "here" and default_of(name, "folder") == "."
            else:
                default = default_of(name, option)
                assert said == default or float(said) == float(default), argument
    explained = {argument.split()[0] for argument in found if argument.startswith("--")}
    assert explained == set(re.findall(r"--[a-z-]+", FORMS[name]))


def test_the_papers_counts_are_those_that_help_names():
    assert tuple(motifs.PAPER_COUNTS.values()) == (217, 200, 151)


@pytest.mark.parametrize("name", FORMS)
def test_the_example_of_a_command_is_one_of_that_command(name, help_of):
    example = re.search(r"example: batik-scratch (.*)", help_of(name)).group(1)
    assert example.startswith(name)
    called = build_parser().parse_args(shlex.split(example)).call
    assert called.__module__.rstrip("_") == f"batik_scratch.commands.{name.replace(' ', '.')}"


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_lists_its_commands_each_with_what_it_does(group, help_of):
    text = help_of(group)
    listed = entries(text.partition("\ncommands:\n")[2])
    for name in GROUPS[group]:
        assert listed[name], name
        if f"{group} {name}".strip() in FORMS:
            description = help_of(f"{group} {name}").split("\n\n")[1]
            assert description.lower() == f"{listed[name]}.".lower()
    assert "COMMAND" in text and (group or "batik study" in text.split("\n\n")[1])


@pytest.mark.parametrize("words", [[], ["data"], ["exercise"]])
def test_a_group_without_a_command_asks_for_one(words, capsys):
    with pytest.raises(SystemExit) as stop:
        main(words)
    said = capsys.readouterr().err.splitlines()
    assert (
        stop.value.code == 2
        and "COMMAND" in said[0]
        and said[1] == f"see: {' '.join(['batik-scratch', *words])} --help"
    )


@pytest.mark.parametrize(
    "words, named",
    [
        ("evaluate --data d", "--model"),
        ("evaluate --model m", "--data"),
        ("predict i", "--model"),
        ("saliency i", "--model"),
        ("predict --model m", "IMAGE"),
        ("run --preset table2", "--preset"),
        ("run --epochs many", "--epochs"),
        ("gradcheck --layer Dense --museum", "--museum"),
        ("gradcheck --layer Dense --model m", "--model"),
        ("data draw --counts 1;2", "--counts"),
        ("bench --threads two", "--threads"),
        ("data draw --difficulty hard", "--difficulty"),
        ("exercise check", "FILE"),
        ("exercise check f --time-limit long", "--time-limit"),
    ],
)
def test_a_mistyped_option_is_named(words, named, capsys):
    with pytest.raises(SystemExit) as stop:
        main(words.split())
    assert stop.value.code == 2 and named in capsys.readouterr().err.splitlines()[0]


@pytest.mark.parametrize(
    "words",
    [
        *("run --seed", "run --epochs", "run --image-size", "run --checkpoint-every", "train --seed", "train --epochs"),
        *("saliency --model m --images", "summary --image-size", "summary --classes"),
        *("bench --batch", "bench --image-size", "bench --rounds", "bench --threads"),
        *("data draw --seed", "data draw --size", "data draw --counts", "data draw --difficulty"),
        *("data sheet f --per-class", "exercise check f --time-limit", "exercise hint f --time-limit"),
    ],
)
def test_an_option_that_needs_a_number_takes_no_word(words, capsys):
    with pytest.raises(SystemExit) as stop:
        main([*words.split(), "many"])
    assert stop.value.code == 2 and words.split()[-1] in capsys.readouterr().err.splitlines()[0]
    build_parser().parse_args([*words.split(), "5"])


@pytest.mark.parametrize(
    "words, files",
    [
        ("run --config c --out o --resume r", "config out resume"),
        ("train --config c --out o", "config out"),
        ("train", "out"),
        ("evaluate --model m --data d", "model data"),
        ("predict i j --model m", "model"),
        ("saliency i j --model m --out o --control c", "images model out control"),
        ("saliency --model m", "out"),
        ("summary --model m", "model"),
        ("gradcheck --model m", "model"),
        ("bench --out o", "out"),
        ("data draw --out o", "out"),
        ("data scan f", "folder"),
        ("data sheet f --out o", "folder out"),
        ("exercise start n f", "folder"),
        ("exercise check f", "file"),
        ("exercise hint f", "file"),
    ],
)
def test_what_names_a_file_becomes_a_path(words, files):
    options = build_parser().parse_args(words.split())
    for name in files.split():
        value = getattr(options, name)
        assert all(isinstance(part, Path) for part in (value if isinstance(value, list) else [value])), name


def test_what_the_functions_do_by_themselves_is_what_their_commands_do():
    def defaults(function):
        return {n: p.default for n, p in inspect.signature(function).parameters.items() if p.default is not p.empty}

    judging, explaining = defaults(explain.evaluate_saliency), defaults(explain.explain_images)
    assert str(judging["images"]) == default_of("saliency", "images") and judging["method"] == "all"
    assert explaining["method"] == "gradient" and not judging["controls"]
    assert judging["say"]("nobody waits") is None


def test_the_time_limit_is_what_the_exercises_have():
    assert default_of("exercise check", "time_limit") == str(exercises.TIME_LIMIT)
