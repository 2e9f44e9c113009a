"""What goes to a package index: the page without broken pictures, the sdist's files, and types for users."""

import configparser
import importlib.util
import re
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest

from batik_scratch import __version__
from batik_scratch.cli import main
from batik_scratch.learn import examples

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def backend():
    spec = importlib.util.spec_from_file_location("backend", ROOT / ".ci" / "backend.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def settings():
    found = configparser.ConfigParser()
    found.read(ROOT / "setup.cfg", encoding="utf-8")
    return found


def test_with_an_address_every_picture_and_link_of_the_readme_is_absolute_and_leads_to_a_file(backend):
    home = "https://example.org/batik"
    page = backend.for_an_index((ROOT / "README.md").read_text(), home, "main")
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", page)
    links = re.findall(r"(?<!!)\[[^\]]*\]\(([^)]+)\)", page)
    assert len(pictures) >= 2 and links and f"git clone {home} batik_scratch" in page and "ADDRESS" not in page
    for address in pictures:
        assert address.startswith(f"{home}/raw/main/") and (ROOT / address.removeprefix(f"{home}/raw/main/")).is_file()
    for address in links:
        below = address.removeprefix(f"{home}/blob/main/").partition("#")[0]
        assert address.startswith(("https://", "#")) and (below == address or (ROOT / below).is_file())


def test_without_an_address_the_page_has_no_broken_picture_and_no_link_to_nowhere(backend):
    page = backend.for_an_index((ROOT / "README.md").read_text(), "", "main")
    assert "![" not in page and not re.search(r"\]\((?!https?:|#)", page) and "The course" in page


def test_the_address_is_written_in_one_place_and_the_version_in_one(backend):
    home = settings()["batik_scratch"]["home"]
    assert settings()["metadata"]["version"] == "attr: batik_scratch.__version__"
    assert f"version: {__version__}\n" in (ROOT / "CITATION.cff").read_text()
    if home:
        for path in ("README.md", "pyproject.toml", "CITATION.cff"):
            assert home not in (ROOT / path).read_text(), path


def test_the_pythons_of_the_classifiers_are_those_that_the_workflow_runs():
    told = re.findall(r"Python :: (3\.\d+)", settings()["metadata"]["classifiers"])
    run = re.search(r"python: \[(.*)\]", (ROOT / ".github" / "workflows" / "ci.yml").read_text()).group(1)
    assert told == re.findall(r"3\.\d+", run) and settings()["options"]["python_requires"] == f">={told[0]}"


def test_examples_copies_every_lesson_exercise_and_program_and_touches_nothing_that_is_there(tmp_path, capsys):
    assert main(["examples", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    copied = {path.relative_to(tmp_path / "out") for path in (tmp_path / "out").rglob("*") if path.is_file()}
    wanted = {
        path.relative_to(ROOT / "examples") for kind in ("*.py", "*.md") for path in (ROOT / "examples").rglob(kind)
    }
    wanted = {path for path in wanted if path.parts[0] not in ("site", "results")}  # which are about the repository
    assert copied == wanted and str(tmp_path / "out" / "lessons" / "01_a_neuron.py") in said
    for path in copied:
        assert (tmp_path / "out" / path).read_bytes() == (ROOT / "examples" / path).read_bytes()
    assert main(["examples", str(tmp_path / "out")]) == 2
    assert "is not an empty folder; nothing was touched" in capsys.readouterr().err


def test_every_example_is_among_the_files_that_the_wheel_carries():
    carried = set()
    for target, patterns in settings()["options.data_files"].items():
        assert target.startswith("/".join(examples.PLACE))
        for pattern in patterns.split():
            carried |= {path for path in ROOT.glob(pattern) if path.is_file()}
    assert carried == {ROOT / "examples" / below for below in examples.installed_examples()}


def test_of_an_installed_package_the_files_are_those_that_pip_recorded(tmp_path, monkeypatch):
    """What pip compiled beside them is left out; so is what other packages of that name keep elsewhere."""

    class Recorded(PurePosixPath):
        def locate(self):
            return tmp_path / self

    below = "../../../share/batik_scratch/examples"
    names = ["lessons/01_a_neuron.py", "own_layer.py", "lessons/__pycache__/01_a_neuron.cpython-311.pyc"]
    files = [Recorded(f"{below}/{name}") for name in names] + [Recorded("batik_scratch/learn/examples.py")]
    monkeypatch.setattr(examples, "BESIDE", tmp_path / "nowhere")
    monkeypatch.setattr(examples.importlib.metadata, "files", lambda name: files)
    assert examples.installed_examples() == {Path(name): tmp_path / below / name for name in names[:2]}


USER = """
import numpy as np
from batik_scratch import nn

model = nn.paper_cnn((32, 32, 3), classes=3)
model.compile(nn.Adam(1e-3), nn.SparseCategoricalCrossentropy())
history: nn.History = model.fit(np.zeros((4, 32, 32, 3), np.float32), np.zeros(4, int), epochs=1, verbose=0)
answers: np.ndarray = model.predict(np.zeros((1, 32, 32, 3), np.float32))
layer: nn.Layer = nn.Dense(units="many")  # wrong on purpose
"""


@pytest.mark.slow
def test_a_users_program_is_checked_against_our_types(tmp_path):
    pytest.importorskip("mypy")
    (tmp_path / "user.py").write_text(USER)
    command = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "user.py"]
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert told.returncode == 1, told.stdout + told.stderr
    assert 'user.py:9: error: Argument "units" to "Dense" has incompatible type "str"; expected "int"' in told.stdout
    assert "Found 1 error" in told.stdout
