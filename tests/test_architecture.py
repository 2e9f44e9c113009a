"""The house rules that a machine can check: imports run downwards, no room is too large, the package starts fast."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "batik_scratch"
# a module may import from the floors named here, and from its own
ALLOWED = {
    "errors": set(),
    "files": {"errors"},
    "ops": {"errors"},
    "images": {"errors", "files", "ops"},
    "motifs": {"errors", "files", "ops", "images"},
    "nn": {"errors", "files", "ops"},
    "saliency": {"errors", "files", "nn", "ops"},
    "record": {"errors", "files"},
    "figures": {"errors", "files"},
    "bench": {"errors", "figures", "files", "nn", "ops", "images", "saliency"},
    "study": {"errors", "files", "record", "ops", "images", "motifs", "nn", "saliency"},
    "explain": {"errors", "figures", "files", "images", "motifs", "nn", "record", "saliency", "study"},
    "report": {"errors", "figures", "files", "record"},
    "learn": {"errors", "figures", "files", "ops", "images", "motifs", "nn", "saliency", "study"},
    "commands": {"bench", "errors", "explain", "images", "learn", "motifs", "nn", "ops", "report", "study"},
    "cli": {"commands", "errors"},
    "__main__": {"cli"},
    "__init__": set(),
}
MODULES = sorted(path for path in PACKAGE.rglob("*.py"))


def floor_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_floors(path: Path) -> set[str]:
    floors = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = path.relative_to(PACKAGE).parts[: -node.level]
            target = [*base, *(node.module.split(".") if node.module else [])]
            floors |= {target[0]} if target else {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("batik_scratch"):
            floors |= (
                {(node.module or "").split(".")[1]} if "." in (node.module or "") else {a.name for a in node.names}
            )
    return floors - {"__version__"}


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_run_downwards(path):
    floor = floor_of(path)
    assert imported_floors(path) <= ALLOWED[floor] | {floor}


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_module_holds_two_concepts(path):
    text = path.read_text()
    assert text.count("\n") <= 300
    assert ast.get_docstring(ast.parse(text)), "needs a module docstring"
    if path.name == "__init__.py" and path.parent != PACKAGE:
        assert not any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in ast.parse(text).body)


def test_importing_the_package_loads_nothing_heavy():
    code = "import sys, batik_scratch; print([m for m in ('numpy', 'numba', 'matplotlib') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_help_loads_nothing_heavy():
    code = (
        "import sys\nfrom batik_scratch import cli\ncli.build_parser().format_help()\n"
        "print([m for m in ('numpy', 'numba', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
