"""Would the tests notice? A seeded sample of small changes on every floor of the package, each run through the tests.

    python tests/benchmarks/mutation.py [--floors ops nn ...] [--count 60] [--seed 0] [--jobs 2]
    python tests/benchmarks/mutation.py --table            # what earlier runs found, and the survivors
    python tests/benchmarks/mutation.py --again            # the survivors once more, after a test was written

A mutant is one change to one expression: `<` for `<=`, `+` for `-`, `and` for `or`, n + 1 for n, a condition turned
round, a named argument, a `.copy()` or a call left out, nothing returned. It is written into a copy of the project, so
that processes which a test starts meet it too, and compiled kernels are compiled with it; this checkout is never
touched. A mutant is killed where a quick test of its floor fails, or runs for ever. A first run finds which test calls
which function, so that a mutant meets only those tests, the quickest first and some 30 seconds of them.

Results go to build/mutation.jsonl, line by line: a run that was stopped goes on where it was. A survivor that nobody
could ever see, whatever they did, belongs into mutation_equivalent.toml with the reason; it does not count. What such a
change is, one reads from the list of survivors; it is found again by file, change, and its count in the file. About
five seconds a mutant on one core, twenty for one of a compiled kernel.
"""

import argparse
import ast
import contextlib
import hashlib
import json
import os
import pickle
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest
from mutants import FLOORS, PACKAGE, ROOT, Mutant, all_mutants, sample
from mutation_map import Map, Watch, function_around, users

RESULTS, EQUIVALENT = ROOT / "build/mutation.jsonl", Path(__file__).with_name("mutation_equivalent.toml")
TESTS = {  # where a floor's promises are tested
    "ops": ["tests/ops", "tests/nn"],
    "nn": ["tests/nn", "tests/ops", "tests/saliency", "tests/learn/test_learn_museum.py"],
    "images": ["tests/images", "tests/test_surroundings.py"],
    "motifs": ["tests/motifs"],
    "saliency": ["tests/saliency"],
    "study": ["tests/study"],
    "report": ["tests/report", "tests/figures", "tests/bench"],
    "learn": ["tests/learn"],
    "commands": ["tests/test_cli.py", "tests/commands", "tests/bench", "tests/report", "tests/test_surroundings.py"],
}
PROCESSOR, WAIT = 240, 1200  # seconds of a core, and of the clock, after which a mutant counts as running for ever
# Seconds of tests for one mutant, 30 elsewhere; what those do not see counts as survived.
BUDGET = {"ops": 60.0, "learn": 60.0}
PYTEST = ["-x", "-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
# loaded once, before the forks: what a test run spends its first seconds on
LIBRARIES = ["numba", "scipy.linalg", "scipy.ndimage", "sklearn.metrics", "sklearn.model_selection", "PIL.Image"]
LIBRARIES += ["matplotlib.figure", "matplotlib.backends.backend_agg", "hypothesis", "jinja2", "joblib", "tqdm"]


class Bench:
    """Copies of the project in a folder of their own: one that stays as it is, and one for each mutant at a time."""

    def __init__(self, folder: Path, jobs: int) -> None:
        self.right = folder / "right"
        copy_project(self.right)
        self.places = [folder / f"place{number}" for number in range(jobs)]

    def fill(self) -> None:
        """Copy what is right, with its compiled kernels."""
        shutil.rmtree(self.right / "tmp", ignore_errors=True)  # what tests left behind: links in a circle among it
        for place in self.places:
            shutil.copytree(self.right, place, ignore=shutil.ignore_patterns("tmp"))

    def plant(self, mutant: Mutant, place: Path) -> None:
        (place / "batik_scratch" / mutant.name).write_text(mutant.text())

    def mend(self, mutant: Mutant, place: Path) -> None:
        """Put the file back, and the kernels that were compiled with it."""
        folder = Path("batik_scratch", mutant.name).parent
        shutil.copy2(self.right / "batik_scratch" / mutant.name, place / "batik_scratch" / mutant.name)
        for cache in {folder / "__pycache__", Path("batik_scratch/ops/__pycache__")}:
            if mutant.floor in ("ops", "images") and (self.right / cache).is_dir():
                shutil.rmtree(place / cache, ignore_errors=True)
                shutil.copytree(self.right / cache, place / cache)
        shutil.rmtree(place / "tmp", ignore_errors=True)


def copy_project(target: Path) -> None:
    """What git knows of the project and what is new, with times of change, and kernels that are compiled already."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    caches = [str(path.relative_to(ROOT)) for path in PACKAGE.rglob("__pycache__/*.nb[ic]")]
    for name in [*filter(None, listed.split("\0")), *caches]:
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


def run_tests(place: Path, tests: list[str], log: Path, watch: Watch | None = None) -> int:
    """pytest in this process, on the copy of the project at `place`; for a fork."""
    os.chdir(place)
    path = os.pathsep.join([str(watch.folder), str(place)] if watch else [str(place)])
    os.environ |= {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "OMP_WAIT_POLICY": "passive"}
    sys.dont_write_bytecode = True
    sys.path[:] = [str(place), *(path for path in sys.path if not path.startswith(str(ROOT)))]
    with log.open("w") as out:
        for stream in (1, 2):
            os.dup2(out.fileno(), stream)
    try:
        return int(pytest.main([*PYTEST, f"--basetemp={place}/tmp", *tests], [watch] if watch else []))
    except BaseException as error:
        print(f"FAILED {error!r}")
        return 3


def fork(work: Callable[[], int], limited: bool = True) -> int:
    """The process number of a fork that does `work`, whose answer is its exit code."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        os.setsid()
        if limited:
            resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR, PROCESSOR))
        code = 3
        try:
            code = work()
        finally:
            sys.stdout.flush()
            os._exit(code)
    return child


def map_of(floor: str, bench: Bench, folder: Path) -> Map:
    """Which test calls which function; kept between runs as long as no file of package and tests changes."""
    known = ROOT / f"build/mutation-{floor}.map"
    tests = [name for name in TESTS[floor] if (ROOT / name).exists()]
    state = digest([PACKAGE, Path(__file__).parent, *(ROOT / name for name in tests)])
    if known.is_file():
        before, made = pickle.loads(known.read_bytes())
        if before == state:
            return made
    log, target = folder / f"{floor}.log", folder / f"{floor}.map"
    (folder / floor).mkdir()

    def watched() -> int:
        watch = Watch(bench.right / "batik_scratch", folder / floor)
        code = run_tests(bench.right, tests, log, watch)
        target.write_bytes(pickle.dumps((state, watch.map())))
        return code

    _, status = os.waitpid(fork(watched, limited=False), 0)
    if status:
        sys.exit(f"the tests of {floor} fail without any change; mend that first:\n{log.read_text()[-3000:]}")
    known.parent.mkdir(exist_ok=True)
    shutil.copy2(target, known)
    return pickle.loads(target.read_bytes())[1]


def digest(places: list[Path]) -> str:
    """Of the texts of all Python files below."""
    files = sorted(file for place in places for file in ([place] if place.is_file() else place.rglob("*.py")))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def tests_for(mutant: Mutant, known: Map) -> list[str]:
    """The tests that enter the changed function, the quickest first; then those of the files that import its file.

    A compiled kernel is entered unseen, a default or a constant acts where it is used or looked at, and what is kept
    from an earlier call is entered once.
    """
    around = function_around(ast.parse(mutant.path.read_text()), mutant.line)
    tests = known.entering({(mutant.name, around)}) if around else known.silent()
    others = known.touching(users(PACKAGE, mutant.name))
    others.sort(key=lambda test: (not test.startswith(f"tests/{mutant.floor}"), known.seconds[test]))
    chosen, total = [], 0.0
    for test in dict.fromkeys([*tests, *others]):
        total += known.seconds[test]
        if total > BUDGET.get(mutant.floor, 30.0) and chosen:
            break
        chosen.append(test)
    return chosen


def try_all(mutants: list[Mutant], maps: dict[str, Map], bench: Bench, jobs: int) -> None:
    """Tries all, `jobs` at a time, and notes each outcome."""
    waiting, running = list(mutants), {}  # running: process -> mutant, place, tests, when it is stopped
    free, tried = list(bench.places), 0
    while waiting or running:
        while waiting and free:
            mutant, place = waiting.pop(0), free.pop()
            bench.plant(mutant, place)
            tests = tests_for(mutant, maps[mutant.floor])
            log = place.with_suffix(".log")
            process = fork(lambda place=place, tests=tests, log=log: run_tests(place, tests, log) if tests else 0)
            running[process] = mutant, place, len(tests), time.monotonic() + WAIT
        process, code = ended({process: end for process, (*_, end) in running.items()})
        mutant, place, count, _ = running.pop(process)
        note(mutant, code, count, place.with_suffix(".log"))
        bench.mend(mutant, place)
        free.append(place)
        tried += 1
        if tried % 10 == 0:
            print(f"{tried} of {len(mutants)} tried", flush=True)


def ended(ends: dict[int, float]) -> tuple[int, int | None]:
    """Waits for the first fork to end, each in its time: its number and exit code, None where it took too long."""
    while True:
        for child, end in ends.items():
            done, status = os.waitpid(child, os.WNOHANG)
            late = time.monotonic() > end
            if done or late:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child, signal.SIGKILL)  # and what its tests have left behind
                if late and not done:
                    os.waitpid(child, 0)
                code = os.waitstatus_to_exitcode(status) if done else None
                return child, None if code is not None and code < 0 else code
        time.sleep(0.02)


def note(mutant: Mutant, code: int | None, tests: int, log: Path) -> None:
    """One line of the results' file; a survivor is printed as well."""
    lines = log.read_text(errors="replace").splitlines() if log.is_file() and tests else []
    by = next((line for line in lines if line.startswith(("FAILED", "ERROR"))), lines[-1] if lines else "")
    outcome = "survived" if code in (0, 5) else "killed" if code is not None else "killed: crashed, or ran for ever"
    found = {"key": mutant.key, "floor": mutant.floor, "outcome": outcome, "tests": tests, "by": by[:300]}
    with RESULTS.open("a") as file:
        file.write(json.dumps(found | {"which": mutant.which, "change": str(mutant)}) + "\n")
    if outcome == "survived" and mutant.key not in equivalents():
        print(f"survived ({tests} tests) {mutant}", flush=True)


def results() -> dict[str, dict]:
    """The last outcome of each mutant, by its key."""
    lines = RESULTS.read_text().splitlines() if RESULTS.is_file() else []
    return {found["key"]: found for found in map(json.loads, lines)}


def equivalents() -> dict[str, str]:
    """Reasons of the changes that nobody can see, by key."""
    rows = tomllib.loads(EQUIVALENT.read_text()).get("equivalent", []) if EQUIVALENT.is_file() else []
    found = {}
    for row in rows:
        before, after = row["change"].split("  ->  ")
        text = f"{row['file']} {before} {after} {row.get('which', 1)}"
        found[hashlib.sha256(text.encode()).hexdigest()[:16]] = row["why"]
    return found


def print_table(mutants: list[Mutant]) -> None:
    """Killed and tried by floor, and the survivors."""
    known, reasons, total = results(), equivalents(), [0, 0, 0]
    print(f"{'floor':10} {'tried':>6} {'killed':>7} {'equivalent':>11} {'survived':>9}   score")
    left = []
    for floor in FLOORS:
        here = [known[mutant.key] for mutant in mutants if mutant.floor == floor and mutant.key in known]
        survived = [found for found in here if found["outcome"] == "survived"]
        same = [found for found in survived if found["key"] in reasons]
        left += [found for found in survived if found["key"] not in reasons]
        if here:
            print(row(floor, len(here), len(here) - len(survived), len(same)))
            total = [a + b for a, b in zip(total, (len(here), len(here) - len(survived), len(same)), strict=True)]
    if total[0]:
        print(row("all", *total))
    for found in left:
        print(f"survived: {found['change']}   [{found['which']}] {found['tests']} tests")


def row(name: str, tried: int, killed: int, same: int) -> str:
    score = 100 * killed / max(1, tried - same)
    return f"{name:10} {tried:6} {killed:7} {same:11} {tried - killed - same:9}   {score:.1f}%"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "--floors", nargs="+", choices=FLOORS, default=list(FLOORS), metavar="FLOOR", help=", ".join(FLOORS)
    )
    parser.add_argument("--count", type=int, default=60, help="mutants of each floor")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1, help="mutants at a time: one for each free core")
    parser.add_argument("--under", default="", help="only files below this part of the package, such as nn/layers")
    parser.add_argument("--again", action="store_true", help="try the survivors of earlier runs again")
    parser.add_argument("--list", action="store_true", help="say what would be tried, and try nothing")
    parser.add_argument("--table", action="store_true", help="the results so far of these floors, this count and seed")
    options = parser.parse_args()
    chosen: list[Mutant] = []
    for floor in options.floors:
        everything = [mutant for mutant in all_mutants(floor) if mutant.name.startswith(options.under)]
        chosen += sample(everything, options.count, options.seed)
    if options.table:
        print_table(chosen)
        return 0
    known, reasons = results(), equivalents()
    to_try = [m for m in chosen if m.key not in known or (options.again and known[m.key]["outcome"] == "survived")]
    to_try = [m for m in to_try if m.key not in reasons or m.key not in known]
    if options.list:
        print("\n".join(map(str, to_try)))
        return 0
    RESULTS.parent.mkdir(exist_ok=True)
    for library in LIBRARIES:
        import_module(library)
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(Path(name), options.jobs)
        maps = {
            floor: map_of(floor, bench, Path(name)) for floor in options.floors if any(m.floor == floor for m in to_try)
        }
        bench.fill()
        try_all(to_try, maps, bench, options.jobs)
    print_table(chosen)
    return 0


if __name__ == "__main__":
    sys.exit(main())
