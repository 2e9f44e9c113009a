"""The rules of the house that a machine can check; tests/house finds what breaks them, and is tested itself."""

import subprocess
import sys
from pathlib import Path

import pytest
from house import arrows, floors, privates, rooms

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "batik_scratch"
# A module may lean on its own floor and on those named here: imports run downwards.
FLOORS = {
    "": set(),  # the package's own __init__: the version, and floors that load when they are first asked for
    "errors": set(),
    "browser": set(),
    "bars": {"browser"},
    "files": {"errors", "browser"},
    "toml": set(),
    "ops": {"errors", "browser"},
    "images": {"errors", "files", "bars"},
    "motifs": {"errors", "files", "images"},
    "nn": {"", "errors", "files", "bars", "ops"},
    "saliency": {"errors", "files", "ops", "nn"},
    "estimator": {"errors", "nn"},
    "exchange": {"errors", "files", "ops", "nn"},
    "figures": {"errors", "files"},  # arrays and matplotlib
    "learn": {"errors", "browser", "files", "ops", "images", "motifs", "nn", "saliency", "figures"},
    "bench": {"", "errors", "browser", "files", "ops", "images", "nn", "saliency", "exchange", "figures"},
    "statistics": {"errors"},  # numbers and SciPy
    "record": {"", "errors", "files"},  # what stands in a run folder
    "study": {"", "errors", "files", "toml", "ops", "images", "motifs", "nn", "saliency", "record"},
    "explain": {"errors", "files", "images", "motifs", "nn", "saliency", "figures", "record", "study"},
    "lab": {"", "errors", "files", "images", "motifs", "nn"},
    "experiment": {
        *("", "errors", "files", "bars", "toml", "ops", "images", "motifs", "nn", "saliency"),
        *("record", "study", "statistics"),
    },
    "report": {
        "errors",
        "files",
        "figures",
        "record",
        "statistics",
    },  # draws what a study recorded: no network, no images of its own
    "commands": {
        *("", "errors", "files", "bars", "ops", "images", "motifs", "nn", "saliency", "figures"),
        *("learn", "bench", "exchange", "record", "study", "experiment", "explain", "report", "lab"),
    },
    "cli": {"", "errors", "ops", "commands"},
    "__main__": {"cli", "commands"},
}
# One module alone may lean on one more floor.
DOORS = {("images.warp", "ops"): "augmentation is compiled, and has the threads that everything compiled has"}
# Privates of another library's objects, and why there is no other way.
FOREIGN_PRIVATES = {
    ("ops/jit.py", "_cache"): "numba says nowhere else that a helper in another file changed, or that the disk is full",
    ("ops/jit.py", "_cache_file"): "the same: it has the stamp by which numba knows its file again",
    ("ops/jit.py", "_source_stamp"): "the same",
}
ACCELERATORS = ("numba", "llvmlite", "threadpoolctl")
HEAVY = ("numpy", "numba", "matplotlib", "scipy", "sklearn", "PIL")
READ = (".py", ".md")


def none_of(found):
    """Fail with what breaks a rule, each on a line of its own."""
    sins = list(found)
    assert not sins, "\n" + "\n".join(map(str, sins))


def test_no_modules_lean_on_each_other_in_a_circle():
    none_of(" > ".join(way) for way in arrows.circles(arrows.arrows_of(PACKAGE)))


def test_nobody_uses_an_underscore_name_of_somebody_else():
    found = privates.foreign_privates(PACKAGE)
    none_of(f"{file}:{line} {name}" for file, line, name in found if (file, name) not in FOREIGN_PRIVATES)
    none_of(set(FOREIGN_PRIVATES) - {(file, name) for file, _, name in found})  # an exception that nobody needs


def test_imports_run_downwards_between_the_floors():
    none_of(floors.upward(PACKAGE, FLOORS, DOORS))


def test_the_table_of_floors_has_a_bottom_and_a_top():
    none_of(arrows.circles(FLOORS))


def test_every_floor_has_its_line_in_the_table_and_no_line_is_left_over():
    none_of(floors.missing(PACKAGE, FLOORS))
    none_of(set(FLOORS) - {name.split(".")[0] for name in arrows.modules_of(PACKAGE)})


def test_no_import_is_for_the_type_checker_alone():
    none_of(rooms.type_checking(PACKAGE))


def test_no_module_and_no_function_holds_two_concepts():
    none_of(rooms.large_modules(PACKAGE) + rooms.large_functions(PACKAGE))


def test_every_module_says_what_it_is():
    none_of(rooms.without_docstring(PACKAGE))


def test_init_files_hand_names_on_and_define_nothing():
    none_of(rooms.defining_inits(PACKAGE))


def test_only_three_files_know_that_there_is_a_compiler():
    none_of(set(rooms.importers_of(PACKAGE, ACCELERATORS)) - {"ops/jit.py", "ops/lanes.py", "ops/threads.py"})


def test_no_line_is_longer_than_a_reader_can_follow():
    files = [*ROOT.glob("*.md"), *ROOT.glob("data/*.md")]
    files += [path for folder in (PACKAGE, ROOT / "examples") for path in folder.rglob("*") if path.suffix in READ]
    none_of(rooms.long_lines(sorted(files), ROOT))


def loaded_by(code: str) -> str:
    found = f"import sys\n{code}\nprint([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", found], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1]


def test_importing_the_package_loads_nothing_heavy():
    assert loaded_by("import batik_scratch") == "[]"


@pytest.mark.parametrize("command", ["", "run", "bench", "gradcheck", "saliency", "data draw", "exercise check"])
def test_help_loads_nothing_heavy(command):
    words = ["batik-scratch", *command.split(), "--help"]
    code = f"import contextlib, runpy\nsys.argv = {words}\nwith contextlib.suppress(SystemExit):\n    "
    assert loaded_by(code + "runpy.run_module('batik_scratch', run_name='__main__')") == "[]"
