"""Would the tests notice? A seeded sample of small changes to `nn/` and the plain `ops/`, each run through the tests.

    python tests/benchmarks/mutation.py [--count 300] [--seed 0] [--under nn/layers] [--list] [--only NUMBER]

A mutant is one change to one expression: `<` for `<=`, `+` for `-`, `and` for `or`, n + 1 for n, a condition turned round, a
`.copy()` or a call dropped, nothing returned. It lives in the memory of one forked process only: no file is touched.
numba is switched off, so that compiled kernels are what their text says. A mutant is killed where a test fails, or does
not end in time; survivors are printed with their line. Messages of errors, annotations and docstrings are left alone.
About 5 seconds a mutant on one core.
"""

import argparse
import ast
import copy
import os
import random
import signal
import sys
import time
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from pathlib import Path

os.environ |= {"NUMBA_DISABLE_JIT": "1", "OMP_NUM_THREADS": "1"}

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "batik_scratch"
PLAIN_FILES = {"im2col.py", "shapes.py", "conv_loops.py"}  # of ops: all of it is plain; of the others, *_plain
CASES = {"__init__.py", "everything.py"}  # names handed on, and the list of what gradcheck tries: cases, no code
LIMIT = 120  # seconds
SWAPS: dict[type, type] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult,
    ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip


@dataclass
class Mutant:
    """One change: where it is, what stood there, what stands there now, and the whole changed file."""

    path: Path
    line: int
    before: str
    after: str
    tree: ast.Module

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}: {self.before}  ->  {self.after}"


def mutants_of(path: Path, whole: bool) -> list[Mutant]:
    """All mutants of a file; where not `whole`, of its functions whose name ends in _plain."""
    tree = ast.parse(path.read_text())
    found = []
    for number, node in enumerate(places(tree, whole)):
        for variant in range(len(variants(node))):
            changed = copy.deepcopy(tree)
            twin = places(changed, whole)[number]
            before = ast.unparse(node)
            replacement = variants(twin)[variant]
            replace(changed, twin, replacement)
            found.append(
                Mutant(path, node.lineno, before, ast.unparse(replacement), ast.fix_missing_locations(changed))
            )
    return found


def places(tree: ast.Module, whole: bool) -> list[ast.AST]:
    """Expressions and statements that may change, in a fixed order."""
    roots: list[ast.AST] = [tree]
    if not whole:
        roots = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name.endswith("_plain")]
    found: list[ast.AST] = []
    for root in roots:
        collect(root, found)
    return [node for node in found if hasattr(node, "lineno")]


def collect(node: ast.AST, found: list[ast.AST]) -> None:
    if isinstance(node, ast.Raise | ast.Assert | ast.JoinedStr | ast.Import | ast.ImportFrom):
        return
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):  # docstrings
        return
    found.append(node)
    skipped = {"annotation", "returns", "decorator_list", "bases", "type_comment"}
    for name, value in ast.iter_fields(node):
        if name not in skipped and not (name == "slice" and isinstance(node, ast.AnnAssign)):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    collect(child, found)


def variants(node: ast.AST) -> list[ast.AST]:
    """What could stand in the node's place."""
    made: list[ast.AST] = []
    if isinstance(node, ast.Compare):
        made += [with_(node, ops=[SWAPS[type(node.ops[0])](), *node.ops[1:]])] if type(node.ops[0]) in SWAPS else []
    elif isinstance(node, ast.BinOp | ast.BoolOp | ast.AugAssign) and type(node.op) in SWAPS:
        if not (isinstance(node, ast.BinOp) and is_type_union(node)):
            made.append(with_(node, op=SWAPS[type(node.op)]()))
        if isinstance(node, ast.AugAssign):
            made.append(ast.copy_location(ast.Assign([node.target], node.value), node))
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not):
        made.append(node.operand)
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        made.append(with_(node, value=not node.value))
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        made.append(with_(node, value=node.value + 1))
    elif isinstance(node, ast.If | ast.IfExp | ast.While):
        made.append(with_(node, test=ast.UnaryOp(ast.Not(), node.test)))
    elif isinstance(node, ast.Return) and node.value is not None:
        made.append(with_(node, value=ast.Constant(None)))
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        made.append(ast.copy_location(ast.Pass(), node))
    elif (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "copy"
        and not node.args
    ):
        made.append(node.func.value)
    return made


def is_type_union(node: ast.BinOp) -> bool:
    """`int | float`: no arithmetic."""
    return isinstance(node.op, ast.BitOr) and any(
        isinstance(s, ast.Name | ast.Constant) for s in (node.left, node.right)
    )


def with_(node: ast.AST, **fields: object) -> ast.AST:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def replace(tree: ast.AST, old: ast.AST, new: ast.AST) -> None:
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, name, new)
            elif isinstance(value, list):
                value[:] = [new if child is old else child for child in value]


def tests_for(path: Path) -> list[str]:
    """Test files in the order in which they are likely to fail, all of them for a survivor."""
    name = path.relative_to(PACKAGE).as_posix()
    first = {
        "nn/checkpoint.py": "tests/nn/test_nn_checkpoint.py",
        "nn/model_file.py": "tests/nn/test_nn_model.py",
        "nn/callbacks.py": "tests/nn/test_nn_training.py",
        "nn/training.py": "tests/nn/test_nn_training.py",
        "nn/model.py": "tests/nn/test_nn_model.py",
    }.get(name, "tests/nn/test_nn_gradcheck.py")
    files = [first, "tests/nn/test_nn_layer_contracts.py", "tests/ops/test_ops_agree.py", "tests/nn/test_nn_model.py"]
    files += ["tests/nn/test_nn_training.py", "tests/nn/test_nn_gradcheck.py", "tests/nn/test_nn_checkpoint.py"]
    if name.startswith("nn/gradcheck"):
        files += ["tests/learn", "tests/test_cli.py"]
    elif name in ("nn/explaining.py", "nn/model.py"):
        files += ["tests/saliency"]
    return list(dict.fromkeys(files))


def survives(mutant: Mutant | None, tests: list[str]) -> bool:
    """True where all tests pass although the file is changed, in a forked process of its own."""
    child = os.fork()
    if child == 0:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os._exit(run_tests(mutant, tests))
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def run_tests(mutant: Mutant | None, tests: list[str]) -> int:
    import pytest

    if mutant is not None:
        code = compile(mutant.tree, str(mutant.path), "exec")
        right = SourceFileLoader.get_code

        def get_code(self, fullname):
            return code if Path(self.path) == mutant.path else right(self, fullname)

        SourceFileLoader.get_code = get_code  # type: ignore[method-assign]
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
        try:
            return int(
                pytest.main(
                    [
                        "-x",
                        "-q",
                        "-p",
                        "no:cacheprovider",
                        "-W",
                        "ignore::pytest.PytestAssertRewriteWarning",
                        "-k",
                        "not 5-augmented",
                        *tests,
                    ]
                )
            )
        except BaseException:
            return 3


def all_mutants(under: str) -> list[Mutant]:
    found: list[Mutant] = []
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if name.startswith(under) and name.startswith(("nn/", "ops/")) and path.name not in CASES:
            found += mutants_of(path, whole=name.startswith("nn/") or path.name in PLAIN_FILES)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--count", type=int, default=300, help="mutants to try")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--under", default="", help="only files below this part of the package, such as nn/layers")
    parser.add_argument("--list", action="store_true", help="say what would be tried, and try nothing")
    parser.add_argument("--only", type=int, help="one mutant of the sample alone, by its number")
    options = parser.parse_args()
    os.chdir(ROOT)
    everything = all_mutants(options.under)
    sample = random.Random(options.seed).sample(everything, min(options.count, len(everything)))
    print(f"{len(sample)} of {len(everything)} mutants, seed {options.seed}", flush=True)
    if options.list:
        print("\n".join(f"{number} {mutant}" for number, mutant in enumerate(sample)))
        return 0
    import hypothesis  # noqa: F401  loaded once, before the forks
    import numba  # noqa: F401
    import scipy.ndimage  # noqa: F401
    import sklearn.metrics  # noqa: F401

    if not survives(None, sorted({test for mutant in sample for test in tests_for(mutant.path)})):
        print("the tests fail without any change, or take too long; mend that first", file=sys.stderr)
        return 2
    killed = tried = 0
    for number, mutant in enumerate(sample):
        if options.only is None or options.only == number:
            tried += 1
            if survives(mutant, tests_for(mutant.path)):
                print(f"survived {number} {mutant}", flush=True)
            else:
                killed += 1
            if tried % 25 == 0:
                print(f"{killed} of {tried} killed so far", flush=True)
    print(f"{killed} of {tried} mutants killed ({100 * killed / tried:.1f}%)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
