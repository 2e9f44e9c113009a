"""Would the tests notice? A seeded sample of small changes to `nn/` and the plain `ops/`, each run through the tests.

    python tests/benchmarks/mutation.py [--count 300] [--seed 0] [--under nn/layers] [--list] [--only NUMBER ...] [--jobs 2]

A mutant is one change to one expression: `<` for `<=`, `+` for `-`, `and` for `or`, n + 1 for n, a condition turned round, a
`.copy()` or a call dropped, nothing returned. It lives in the memory of one forked process only: no file is touched.
numba is switched off, so that compiled kernels are what their text says. A mutant is killed where a test fails, or does
not end in time; survivors are printed with their line. Messages of errors, assertions (zip's `strict` is one), annotations
and docstrings are left alone. The sample goes by a hash of each change's text: it stays when other lines change.
A first run finds which test calls which function, so that a mutant meets only those. About 4 seconds a mutant on one core.
"""

import argparse
import ast
import copy
import hashlib
import itertools
import os
import pickle
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest

os.environ |= {"NUMBA_DISABLE_JIT": "1", "OMP_NUM_THREADS": "1"}

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "batik_scratch"
PLAIN_FILES = {"im2col.py", "shapes.py", "conv_loops.py"}  # of ops: all of it is plain; of the others, *_plain
CASES = {"__init__.py", "everything.py"}  # names handed on, and the list of what gradcheck tries: cases, no code
LIMIT = 90  # seconds
BUDGET = 25  # seconds of tests for one mutant, the quickest first: what those do not see counts as survived
TESTS = ["tests/nn", "tests/ops", "tests/learn/test_learn_museum.py"]
TESTS += ["tests/saliency/test_saliency_gradient.py", "tests/saliency/test_saliency_methods.py"]
PYTEST = ["-x", "-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
PYTEST += ["-k", "not augmented and not fused_pass and not of_the_loops"]  # slow without compiled kernels
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
            changed = ast.fix_missing_locations(changed)
            found.append(Mutant(path, node.lineno, before, ast.unparse(replacement), changed))
    return found


def places(tree: ast.Module, whole: bool) -> list[ast.expr | ast.stmt]:
    """Expressions and statements that may change, in a fixed order."""
    roots: list[ast.AST] = [tree]
    if not whole:
        roots = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name.endswith("_plain")]
    found: list[ast.AST] = []
    for root in roots:
        collect(root, found)
    return [node for node in found if isinstance(node, ast.expr | ast.stmt)]


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
                if isinstance(child, ast.AST) and not (isinstance(child, ast.keyword) and child.arg == "strict"):
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


class Coverage:
    """Which test calls which function, and how long it takes: a pytest plugin for one run without any mutant."""

    def __init__(self) -> None:
        self.functions: dict[str, set[tuple[str, int]]] = {}
        self.seconds: dict[str, float] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item):
        seen = self.functions[item.nodeid] = set()
        begin = time.monotonic()

        def trace(frame, event, argument):  # calls only: lines of plain Python kernels would take for ever
            seen.add((frame.f_code.co_filename, frame.f_code.co_firstlineno))

        sys.settrace(trace)
        threading.settrace(trace)
        try:
            return (yield)
        finally:
            sys.settrace(None)
            threading.settrace(None)
            self.seconds[item.nodeid] = time.monotonic() - begin


def tests_for(mutant: Mutant, functions: dict[str, set[tuple[str, int]]], seconds: dict[str, float]) -> list[str]:
    """The tests that call the changed function, the quickest first; for what runs at import, all tests.

    A default runs at import, whatever function it belongs to: a test of signatures calls none.
    """
    name, first = str(mutant.path), first_lines(mutant)
    found = [test for test, seen in functions.items() if not first or any((name, line) in seen for line in first)]
    found.sort(key=lambda test: seconds[test])
    total = list(itertools.accumulate(seconds[test] for test in found))
    return [test for test, until in zip(found, total, strict=True) if until <= BUDGET]


def first_lines(mutant: Mutant) -> set[int]:
    """The first line of the innermost function whose body has the change, its decorators included."""
    around = [
        node
        for node in ast.walk(mutant.tree)
        if isinstance(node, ast.FunctionDef) and node.body[0].lineno <= mutant.line <= (node.end_lineno or node.lineno)
    ]
    inner = max(around, key=lambda node: node.lineno, default=None)
    return set() if inner is None else {min([inner.lineno, *(d.lineno for d in inner.decorator_list)])}


def start(work: Callable[[], int]) -> int:
    """The process number of a fork that does `work`, whose answer is its exit code."""
    child = os.fork()
    if child == 0:
        os.setsid()
        os._exit(work())
    return child


def ended(ends: dict[int, float]) -> tuple[int, int | None]:
    """Waits for the first of the forks to end, each in its time: its number and exit code, None where it took too long."""
    while True:
        for child, end in ends.items():
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                return child, os.waitstatus_to_exitcode(status)
            if time.monotonic() > end:
                os.killpg(child, signal.SIGKILL)
                os.waitpid(child, 0)
                return child, None
        time.sleep(0.02)


def covered() -> tuple[dict[str, set[tuple[str, int]]], dict[str, float]] | None:
    """The functions and seconds of every test; None where one fails without any change."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "coverage"

        def unchanged() -> int:
            plugin = Coverage()
            code = quiet_pytest(TESTS, [plugin])
            path.write_bytes(pickle.dumps((plugin.functions, plugin.seconds)))
            return code

        _, code = ended({start(unchanged): time.monotonic() + 20 * LIMIT})
        return pickle.loads(path.read_bytes()) if code == 0 else None


def mutated(mutant: Mutant, tests: list[str]) -> Callable[[], int]:
    """Work for a fork: run the tests on the changed file. Exit code 0 where all pass: the mutant survives."""

    def work() -> int:
        code = compile(mutant.tree, str(mutant.path), "exec")
        right = SourceFileLoader.get_code

        def get_code(self, fullname):
            return code if Path(self.path) == mutant.path else right(self, fullname)

        SourceFileLoader.get_code = get_code  # type: ignore[method-assign]
        return quiet_pytest(tests, []) if tests else 0

    return work


def survivors(sample: dict[int, Mutant], known: tuple[dict, dict], jobs: int) -> list[int]:
    """Tries all mutants, `jobs` at a time, and prints how it goes; the numbers of those that no test noticed."""
    waiting, found, tried = list(sample), [], 0
    running: dict[int, int] = {}  # process: mutant
    ends: dict[int, float] = {}  # process: when it is stopped
    while waiting or running:
        while waiting and len(running) < jobs:
            number = waiting.pop(0)
            tests = tests_for(sample[number], *known)
            process = start(mutated(sample[number], tests))
            running[process], ends[process] = number, time.monotonic() + LIMIT
        process, code = ended(ends)
        number = running.pop(process)
        del ends[process]
        tried += 1
        if code == 0:
            found.append(number)
            print(f"survived {number} ({len(tests_for(sample[number], *known))} tests) {sample[number]}", flush=True)
        if tried % 10 == 0:
            print(f"{tried - len(found)} of {tried} killed so far", flush=True)
    return found


def quiet_pytest(tests: list[str], plugins: list) -> int:
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
        try:
            return int(pytest.main([*PYTEST, *tests], plugins))
        except BaseException:
            return 3


def all_mutants(under: str) -> list[Mutant]:
    found: list[Mutant] = []
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if name.startswith(under) and name.startswith(("nn/", "ops/")) and path.name not in CASES:
            found += mutants_of(path, whole=name.startswith("nn/") or path.name in PLAIN_FILES)
    return found


def drawn(everything: list[Mutant], count: int, seed: int) -> list[Mutant]:
    """`count` of all mutants, in the order of a hash of what they are, and of the how-manieth of its kind in its file."""
    seen: Counter[str] = Counter()
    ranked = []
    for number, mutant in enumerate(everything):
        text = f"{mutant.path.relative_to(ROOT).as_posix()} {mutant.before} {mutant.after}"
        seen[text] += 1
        ranked.append((hashlib.sha256(f"{seed} {text} {seen[text]}".encode()).hexdigest(), number))
    return [everything[number] for _, number in sorted(ranked)[:count]]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--count", type=int, default=300, help="mutants to try")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--under", default="", help="only files below this part of the package, such as nn/layers")
    parser.add_argument("--list", action="store_true", help="say what would be tried, and try nothing")
    parser.add_argument("--only", type=int, nargs="+", help="some mutants of the sample alone, by their numbers")
    parser.add_argument("--jobs", type=int, default=1, help="mutants at a time: one for each free core")
    options = parser.parse_args()
    os.chdir(ROOT)
    everything = all_mutants(options.under)
    sample = drawn(everything, options.count, options.seed)
    print(f"{len(sample)} of {len(everything)} mutants, seed {options.seed}", flush=True)
    if options.list:
        print("\n".join(f"{number} {mutant}" for number, mutant in enumerate(sample)))
        return 0
    known = covered()
    if known is None:
        print("the tests fail without any change, or take too long; mend that first", file=sys.stderr)
        return 2
    print(f"{len(known[1])} tests take {sum(known[1].values()):.0f} s with tracing", flush=True)
    chosen = {n: mutant for n, mutant in enumerate(sample) if not options.only or n in options.only}
    killed = len(chosen) - len(survivors(chosen, known, options.jobs))
    print(f"{killed} of {len(chosen)} mutants killed ({100 * killed / len(chosen):.1f}%)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
