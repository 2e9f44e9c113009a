"""The command line for scripts: documents that are stable, streams that may end early, words that are mistyped."""

import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from command_pictures import photo, photos

from batik_scratch.bench import OURS, WORK, Comparison, host, session
from batik_scratch.cli import build_parser, main
from batik_scratch.commands import colour, machine

PAGE = Path(__file__).parents[2] / "examples" / "scripts" / "README.md"


@pytest.fixture
def mixed(tmp_path):
    """A folder of nine pictures in two folders, with three bad files; and with what is not asked for."""
    folder = photos(tmp_path / "photos", {"a": 5, "b": 4})
    (folder / "a" / "page.jpg").write_text("<html>")
    (folder / "b" / "cut.png").write_bytes(
        (folder / "a" / "00.png").read_bytes()[:90] if (folder / "a" / "00.png").exists() else b"\x89PNG\r\n\x1a\n"
    )
    (folder / "empty.png").write_bytes(b"")
    (folder / "notes.txt").write_text("no picture")
    (folder / ".hidden.png").write_text("no picture")
    return folder


# ------------------------------------------------------------------ predict


def test_a_folder_with_bad_files_becomes_one_document_and_exit_code_1(judge, mixed, command):
    said = command(1, "predict", mixed, "--model", judge.file, "--json")
    told = json.loads(said.out)
    assert list(told) == ["form", "model", "class_names", "images", "errors"]
    assert len(told["images"]) == 9 and [Path(one["file"]).name for one in told["errors"]] == [
        "empty.png", "page.jpg", "cut.png",
    ]  # fmt: skip
    assert told["class_names"] == judge.names and said.err == ""
    for one in told["images"]:
        assert sum(one["probabilities"].values()) == pytest.approx(1)
        assert one["predicted"] == max(one["probabilities"], key=one["probabilities"].get)
        assert list(one["probabilities"]) == judge.names
    assert all(one["error"] for one in told["errors"])


def test_the_table_with_commas_has_a_row_for_every_file_the_bad_ones_too(judge, mixed, command):
    said = command(1, "predict", mixed, "--model", judge.file, "--csv")
    rows = list(csv.DictReader(io.StringIO(said.out)))
    assert list(rows[0]) == ["file", "predicted", "error", *judge.names] and len(rows) == 12
    for row in rows:
        assert bool(row["error"]) != bool(row["predicted"]) == bool(row[judge.names[0]])
    assert "3 files could not be read" in said.err


def test_patterns_names_on_standard_input_and_what_is_not_there(judge, mixed, command, monkeypatch):
    def files(code, *words):
        told = json.loads(command(code, "predict", *words, "--model", judge.file, "--json").out)
        return [one["file"] for one in told["images"]], [one["error"] for one in told["errors"]]

    inside = sorted(str(path) for path in (mixed / "b").glob("*.png") if path.name != "cut.png")
    assert files(1, f"{mixed}/b/*.png")[0] == inside
    assert files(1, f"{mixed}/**/*.png")[0][-4:] == inside
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{path}\n" for path in inside[::-1])))
    assert files(0, "-") == (inside[::-1], [])
    _, (pattern, missing, empty) = files(
        1, f"{mixed}/*.tif", mixed / "pag.jpg", (mixed / "none").mkdir() or mixed / "none"
    )
    assert "no file has a name of this pattern" in pattern and "no such file" in missing and "no pictures" in empty


def test_answers_come_before_the_last_picture_is_read(judge, tmp_path, command, monkeypatch):
    """A stream of names: the first sixteen are answered before the seventeenth is asked for."""
    path, heard = photo(tmp_path / "a.png", 0), []

    def names():
        for number in range(33):
            heard.append((number, sys.stdout.getvalue().count("\n")))
            yield f"{path}\n"

    monkeypatch.setattr("sys.stdin", names())
    monkeypatch.setattr("sys.stdout", io.StringIO())
    assert main(["predict", "-", "--model", str(judge.file)]) == 0
    assert heard[15][1] == 0 and heard[16][1] == 16 and heard[32][1] == 32


def test_a_pipe_to_head_is_quiet(judge, cloths):
    """Of a real process, whose reader leaves after a line: nothing on standard error, and no exit code of failure."""
    command = [sys.executable, "-m", "batik_scratch", "predict", str(cloths), "--model", str(judge.file), "--csv"]
    for words in (command, [sys.executable, "-m", "batik_scratch", "exercise", "list"]):
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            process.stdout.close()
            assert (process.stderr.read(), process.wait()) == (b"", 0), words


# ------------------------------------------------------------------ documents of the others


def keys_told(form):
    """The keys that the page promises for a form: the first column of its table."""
    part = PAGE.read_text().partition(f"## {form}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `([^`]+)`", part, re.MULTILINE)


def keys_of(value, before=""):
    """Every key of a document, `a.b` inside a dictionary and `a[].b` inside of a list's."""
    found = []
    if isinstance(value, dict):
        for key, inner in value.items():
            found += [f"{before}{key}", *keys_of(inner, f"{before}{key}.")]
    elif isinstance(value, list) and value:
        found += keys_of(value[0], f"{before[:-1]}[].")
    return found


DOCUMENTS = {
    "summary": ["summary", "--image-size", "32"],
    "gradcheck": ["gradcheck", "--layer", "Flatten"],
    "exercise list": ["exercise", "list"],
}


def check_form(form, text, by_name=()):
    told = json.loads(text)
    assert told["form"] == machine.FORMS[form] == f"batik-scratch {form} 1"
    names = [
        re.sub("|".join(f"(?<={key}\\.)[^.]+" for key in by_name), "NAME", key) if by_name else key
        for key in keys_of(told)
    ]
    assert list(dict.fromkeys(names)) == keys_told(form)


@pytest.mark.parametrize("form", DOCUMENTS)
def test_a_document_has_the_keys_that_the_page_promises(form, command):
    check_form(form, command(0, *DOCUMENTS[form], "--json").out)


def test_the_documents_of_predict_evaluate_and_train_have_theirs(judge, mixed, cloths, tmp_path, command):
    check_form("predict", command(1, "predict", mixed, "--model", judge.file, "--json").out, ["probabilities"])
    data = ["--data", cloths]
    check_form("evaluate", command(0, "evaluate", "--model", judge.file, *data, "--json").out, ["per_class"])
    size = ["--image-size", 32, "--epochs", 1, "--out", tmp_path / "m.npz"]
    check_form("train", command(0, "train", *data, *size, "--json").out, ["per_class"])


def test_the_document_of_speed_has_its_keys_and_that_of_growth_has_them_for_each_setting(
    tmp_path, command, monkeypatch
):
    names = [OURS, "PyTorch NCHW"]

    def compare(chosen, counts, batch, size, *asked):
        made = Comparison(batch, size, 1)
        made.seconds = {(name, counts[0]): {work: [0.1] for work in WORK} for name in names}
        made.memory = dict.fromkeys(made.seconds, 99.0)
        return made

    monkeypatch.setattr(session, "compare", compare)
    monkeypatch.setattr(session, "installed_peers", lambda: names[1:])
    monkeypatch.setattr(session, "compile_kernels", lambda: "")
    monkeypatch.setattr(host.importlib.metadata, "version", lambda package: "1.2")
    words = ["bench", "--threads", 1, "--image-size", 22, "--json", "--out", tmp_path / "b.png"]
    text = command(0, *words).out
    check_form("bench", text, ["versions"])
    told = json.loads(command(0, *words[:3], "--growth", "1x22,2x22", *words[5:]).out)
    assert list(told) == ["form", "growth", "chart"] and len(told["growth"]) == 2
    alone = json.loads(text)
    assert [*told["growth"][0]] == [*told["growth"][1]] == [key for key in alone if key not in ("form", "chart")]


def test_the_document_of_hand_ins_has_its_keys(tmp_path, command):
    (tmp_path / "relu.py").write_text("class ReLU(\n")
    check_form("exercise check", command(1, "exercise", "check", tmp_path, "--json").out)


def test_every_form_has_a_section_and_no_other_has():
    assert re.findall(r"^## (.+)$", PAGE.read_text(), re.MULTILINE)[-len(machine.FORMS) :] == list(machine.FORMS)


def test_numbers_that_json_has_not_become_null():
    assert json.loads(machine.document("summary", {"a": [float("nan"), 1.5], "b": {"c": float("inf")}})) == {
        "form": "batik-scratch summary 1",
        "a": [None, 1.5],
        "b": {"c": None},
    }


# ------------------------------------------------------------------ words


@pytest.mark.parametrize(
    "words, said",
    [
        ("predct a.png", "there is no command 'predct'; did you mean predict?"),
        ("data skan d", "there is no command 'skan'; did you mean scan?"),
        ("walk", "there is no command 'walk'\n"),
        ("predict a.png --modle m.npz", "there is no option --modle here; did you mean --model?"),
        ("predict a.png --mod m.npz", "there is no option --mod here; did you mean --model?"),
        ("run --epoch=3", "there is no option --epoch here; did you mean --epochs?"),
        ("run --zebra 9", "there is no option --zebra here\n"),
        ("predict a.png -json", "there is no option -json here; did you mean --json?"),
    ],
)
def test_a_mistyped_word_gets_the_near_one_in_two_lines(words, said, capsys):
    with pytest.raises(SystemExit) as stop:
        main(words.split())
    told = capsys.readouterr().err
    assert stop.value.code == 2 and said in told and len(told.splitlines()) == 2 and "see: batik-scratch" in told


def test_what_follows_two_dashes_or_a_minus_and_a_digit_is_no_option():
    parser = build_parser()
    for words in (["predict", "--model", "m", "--", "--strange.png"], ["data", "draw", "--seed", "-5"]):
        assert parser.look_over(words) is None  # it would have ended the program


@pytest.mark.parametrize("line, offered", [
    ("batik-scratch pre", ["predict"]),
    ("batik-scratch predict --m", ["--model"]),
    ("batik-scratch data s", ["scan", "sheet"]),
    ("batik-scratch run --network ", ["paper", "cloth"]),
])  # fmt: skip
def test_bash_completes_by_the_script_that_is_printed(line, offered, command):
    script = command(0, "completion", "bash").out
    words = line.split(" ")
    asked = f"COMP_WORDS=({' '.join(words)} ''); COMP_CWORD={len(words) - 1}; COMP_WORDS[COMP_CWORD]='{words[-1]}'"
    told = subprocess.run(
        ["bash", "-c", f'{script}\n{asked}; _batik_scratch; echo "${{COMPREPLY[@]}}"'], capture_output=True, text=True
    )
    assert told.stderr == "" and told.stdout.split() == offered


def test_other_shells_get_scripts_of_theirs(command):
    assert command(0, "completion", "zsh").out.startswith("autoload -U +X bashcompinit")
    fish = command(0, "completion", "fish").out
    assert "complete -c batik-scratch" in fish and "-l model" in fish and "-a predict" in fish


# ------------------------------------------------------------------ colours


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    "settings, stream, coloured",
    [
        ({"TERM": "xterm"}, Terminal(), True),
        ({"TERM": "xterm", "NO_COLOR": ""}, Terminal(), True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, Terminal(), False),
        ({"TERM": "dumb"}, Terminal(), False),
        ({"TERM": "xterm"}, io.StringIO(), False),
    ],
)
def test_colours_are_for_terminals_that_want_them(settings, stream, coloured, monkeypatch):
    for name in ("TERM", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    painted = colour.paint("error:", colour.RED, stream)
    assert painted == ("\033[31merror:\033[0m" if coloured else "error:")


def test_an_error_is_red_on_a_terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr("sys.stderr", Terminal())
    assert main(["summary", "--model", os.devnull]) == 2
    assert sys.stderr.getvalue().startswith("batik-scratch: \033[31merror:\033[0m ")
