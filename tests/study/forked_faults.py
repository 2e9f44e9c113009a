"""Faults in a long run, at the price of one undisturbed run and one resumed run for each state that faults leave.

One by one, every fault costs a run up to it and a resumed one. Here a single run makes a copy of its process (fork)
just before each chosen operation. The copy meets the fault, tells how it ended, and leaves its files; then the files
are put back as they were, and the run goes on. That is the same as one by one, because the copy has the memory, open
files and folders of an undisturbed run at that operation, as a run of its own would; and the process has one Python
thread and idle kernels, so nothing is lost in copying. What a resumed run does hangs on the bytes in the run folder
and the cache alone, so faults that left the same bytes share one resumed run. Times of day and names drawn at random
do not count as bytes. `one_by_one` goes the long way, in new processes, to compare.
"""

import contextlib
import hashlib
import io
import json
import multiprocessing
import os
import re
import shutil
import sys
import tempfile
import threading
import traceback
import warnings
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, NamedTuple

from study.faulty_files import FaultyDisk
from tqdm import tqdm

from batik_scratch import cli
from batik_scratch.images import cache
from batik_scratch.motifs import dataset
from batik_scratch.ops import threads

TIMES = re.compile(rb'(<th scope="row">(?:Command|Started|Finished|Time)</th><td>).*?</td>', re.DOTALL)
AT_RANDOM = re.compile(r"\.new-[\w-]*")


class Told(NamedTuple):
    """How a command ended: its exit code, what it said, and whether the fault was met."""

    code: int
    said: str
    failed: bool


class AtOnce:
    """In place of the thread that limits BLAS, which a copy of the process would not have."""

    def submit(self, work: Callable[[], Any]) -> Future:
        done: Future = Future()
        done.set_result(work())
        return done


def contents(place: Path) -> dict[str, bytes]:
    """{file: its bytes, but for times of day}; names drawn at random are told as one."""
    found = {}
    for path in sorted(p for p in place.rglob("*") if p.is_file()):
        content = b"" if path.name == "run.json" else path.read_bytes()
        found[AT_RANDOM.sub(".new-", str(path.relative_to(place)))] = TIMES.sub(rb"\1", content)
    return found


def digest(found: dict[str, bytes]) -> str:
    whole = hashlib.blake2b(digest_size=6)
    for name, content in found.items():
        whole.update(f"{name}\0{len(content)}\0".encode() + content)
    return whole.hexdigest()


def run_command(arguments: list[str], disk: FaultyDisk) -> Told:
    """The command as a terminal has it, on this disk."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said), disk.at_work(), warnings.catch_warnings():
        warnings.simplefilter("default")
        try:
            code = cli.main(arguments)
        except BaseException:
            code = -1
            said.write(traceback.format_exc())
    return Told(code, AT_RANDOM.sub(".new-", said.getvalue()), disk.failed)


def in_a_process(way: str, result: Path, arguments: list[str], disk: FaultyDisk) -> Told:
    """The command in a copy of this process ("fork") or in a new one ("spawn")."""
    process = multiprocessing.get_context(way).Process(target=_run_and_tell, args=(result, arguments, disk))
    process.start()
    process.join()
    return told(result)


def _run_and_tell(result: Path, arguments: list[str], disk: FaultyDisk) -> None:
    one_order()
    result.write_text(json.dumps(run_command(arguments, disk)))


def told(result: Path) -> Told:
    """What a process left; -2 if it died."""
    if not result.exists():
        return Told(-2, "died", True)
    found = Told(*json.loads(result.read_text()))
    result.unlink()
    return found


def last_line(ended: Told) -> str:
    """The last that a command said, with its exit code."""
    return f"{ended.code}, {ended.said.strip().splitlines()[-1]}"


def one_order() -> None:
    """One order of operations, as on a machine with one core."""
    cache.cpu_count = dataset.cpu_count = lambda: 1


class Files:
    """The files of a place as they are now, to be put back under a process that has some of them open or mapped."""

    def __init__(self, place: Path, store: Path, handles: list[int]) -> None:
        self.place = place
        shutil.rmtree(store, ignore_errors=True)
        store.mkdir()
        paths = list(place.rglob("*"))
        self.folders = [path for path in paths if path.is_dir()]
        self.bytes = {path: path.read_bytes() for path in paths if path.is_file()}
        self.links = {path: store / str(number) for number, path in enumerate(self.bytes)}
        for path, link in self.links.items():
            os.link(path, link)  # the file itself, which open handles and maps belong to
        self.offsets = {}
        for handle in handles:
            with contextlib.suppress(OSError):  # closed by now
                self.offsets[handle] = os.lseek(handle, 0, os.SEEK_CUR)

    def put_back(self) -> None:
        for path in sorted(self.place.rglob("*"), reverse=True):
            if path.is_dir() and path not in self.folders:
                path.rmdir()
            elif path.is_file() and path not in self.bytes:
                path.unlink()
        for folder in self.folders:
            folder.mkdir(parents=True, exist_ok=True)
        for path, link in self.links.items():
            if not path.exists() or not path.samefile(link):
                path.unlink(missing_ok=True)
                os.link(link, path)
            if path.read_bytes() != self.bytes[path]:
                with path.open("r+b") as file:
                    file.write(self.bytes[path])
                    file.truncate()
        for handle, offset in self.offsets.items():
            os.lseek(handle, offset, os.SEEK_SET)


class ForkingDisk(FaultyDisk):
    """Before each chosen operation ({number: way}) a copy of the process goes on in which it fails.

    after    is called in the process itself when the copy has ended, with its number and the files before
    """

    def __init__(self, root: Path, store: Path, chosen: dict[int, str], after: Callable[[int, Files], None]) -> None:
        super().__init__(root)
        self.place, self.store, self.chosen, self.after = root, store, chosen, after
        self.aside = self.copied = False

    def meet(self, *operation: Any, **how: Any) -> None:
        if not self.aside:
            super().meet(*operation, **how)

    def fails_now(self) -> bool:
        number = len(self.operations)
        if number in self.chosen and not self.copied:
            if threading.active_count() > 1:
                raise RuntimeError(f"a process with threads cannot be copied: {threading.enumerate()}")
            self.aside = True
            before = Files(self.place, self.store, list(self.paths))
            if child := os.fork():
                os.waitpid(child, 0)
                self.after(number, before)
                before.put_back()
            else:
                self.copied, self.fails_at, self.way = True, number, self.chosen[number]
            self.aside = False
        return super().fails_now()


class Faults:
    """Faults in `command`, which takes --out and can be resumed; in `work`, an empty folder."""

    def __init__(self, work: Path, command: list[str]) -> None:
        self.work, self.place, self.states_kept = work, work / "place", work / "states"
        self.out, self.result = self.place / "run", work / "told.json"
        self.command = [*command, "--out", str(self.out)]
        os.environ["BATIK_SCRATCH_CACHE"] = str(self.place / "cache")
        tempfile.tempdir = str(work)
        threads._keeper = AtOnce()
        tqdm.monitor_interval = 0  # it would have a thread of its own
        one_order()
        disk = FaultyDisk(self.empty())
        ended = run_command(self.command, disk)
        assert ended.code == 0, ended.said
        self.operations, self.undisturbed = disk.operations, contents(self.out)
        self.wrong: dict[int, str] = {}  # what each fault did that it must not
        self.left: dict[int, tuple[Told, str]] = {}  # how each ended, and the digest of its state

    def empty(self) -> Path:
        shutil.rmtree(self.place, ignore_errors=True)
        self.place.mkdir()
        return self.place

    def fail(self, chosen: dict[int, str]) -> None:
        """Let each of these operations fail in its way, in copies of one run."""

        def after(number: int, before: Files) -> None:
            ended = told(self.result)
            found = contents(self.place)
            self.left[number] = ended, digest(found)
            if not (self.states_kept / digest(found)).exists():
                shutil.copytree(self.place, self.states_kept / digest(found))
            what = self.judged(ended, before, self.operations[number - 1].split(maxsplit=1)[1])
            if what:
                self.wrong[number] = what
            words = f"{number} {self.operations[number - 1]}, {chosen[number]}: {last_line(ended)} {what}"
            print(words, file=sys.__stdout__, flush=True)  # the run's own words are caught

        disk = ForkingDisk(self.empty(), self.work / "links", chosen, after)
        ended = run_command(self.command, disk)
        if disk.copied:
            self.result.write_text(json.dumps(ended))
            os._exit(0)
        assert ended.code == 0, ended.said
        assert contents(self.out) == self.undisturbed, "the faults reached the run beside them"

    def judged(self, ended: Told, before: Files, failing: str) -> str:
        """What is wrong with how a command met a fault in the file `failing`, "" if nothing is.

        Files from before stand as they stood, or whole; but one that was half written when it failed may be gone.
        """
        if not ended.failed:
            return "no fault was met"
        if ended.code == 0:
            found = contents(self.out)
            return f"went on to {self.differing(found)}" if found != self.undisturbed else ""
        if ended.code != 2 or "error: " not in ended.said or str(self.place) not in ended.said:
            return f"no clear error: {ended.said}"
        torn = []
        for path, content in before.bytes.items():
            if path.is_relative_to(self.out) and ".new-" not in str(path):
                final = self.undisturbed.get(str(path.relative_to(self.out)))
                half = content != final and path == self.place / failing
                if path.read_bytes() not in (content, final) if path.exists() else not half:
                    torn.append(str(path))
        return f"torn: {torn}" if torn else ""

    def resumed(self, way: str = "fork") -> str:
        """Resume, or begin again, what is in the place now; what is wrong with the end, "" if nothing is."""
        again = ["run", "--resume", str(self.out)] if (self.out / "config.toml").exists() else self.command
        ended = in_a_process(way, self.result, again, FaultyDisk(self.place))
        if ended.code:
            return f"not resumed: {ended.said}"
        return self.differing(contents(self.out))

    def differing(self, found: dict[str, bytes]) -> str:
        names = sorted(k for k in found.keys() | self.undisturbed if found.get(k) != self.undisturbed.get(k))
        return f"differing: {names}" if names else ""

    def resume_from(self, state: str) -> str:
        """What is wrong with the end of a run that is resumed from this state."""
        shutil.rmtree(self.place, ignore_errors=True)
        (self.states_kept / state).rename(self.place)
        return self.resumed()

    def one_by_one(self, number: int, way: str) -> tuple[Told, str, str]:
        """The long way, in new processes: how the fault ended, the digest of its state, what resuming left wrong."""
        ended = in_a_process("spawn", self.result, self.command, FaultyDisk(self.empty(), number, way))
        return ended, digest(contents(self.place)), self.resumed("spawn")
