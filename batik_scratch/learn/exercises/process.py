"""An examination in a fresh interpreter, with limits on time and memory, and a verdict whatever happens there."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import IO, Any

import numpy as np

from ...errors import InputError
from .confirmation import questions, verdict
from .examination import PART_OF_QUESTION, Verdict
from .exercise import Exercise, Finding
from .plain import plain as plain_words

STARTING = 60.0  # seconds for the interpreter and numpy to load, on a slow disk
MOST_BYTES = 10_000_000  # of the numbers that come back
PRINTED = 4000  # bytes kept of what the file prints


def examine_apart(path: Path, exercise: Exercise, time_limit: float) -> tuple[Verdict, str]:
    """The verdict on the file at `path`, and the beginning of what it printed."""
    with tempfile.TemporaryDirectory(prefix="exercise-") as folder:
        code, printed = _in_a_child(path, exercise.name, folder, time_limit)
        return _read(Path(folder), path, code, printed, time_limit), printed


def confirm_apart(path: Path, exercise: Exercise, time_limit: float) -> list[Finding]:
    """What is wrong with the answer's numbers for inputs that nobody has seen; nothing if they are right."""
    asked = questions(exercise, np.random.default_rng())
    with tempfile.TemporaryDirectory(prefix="exercise-") as folder:
        notes = Path(folder)
        plain: list[dict[str, Any]] = []
        arrays: dict[str, Any] = {}
        for number, (question, _) in enumerate(asked):
            plain.append({key: value for key, value in question.items() if not isinstance(value, np.ndarray)})
            arrays |= {f"{number} {key}": value for key, value in question.items() if isinstance(value, np.ndarray)}
        (notes / "questions.json").write_text(json.dumps(plain))
        np.savez(notes / "questions.npz", **arrays)
        _in_a_child(path, exercise.answer, folder, time_limit, "second_child")
        if (notes / "refused").is_file():
            words = plain_words((notes / "refused").read_text(errors="replace")[:1000])
            return [Finding("file", f"Refused: {words}.")]
        return verdict(exercise, asked, [_numbers(notes / f"answers-{number}.npz") for number in range(len(asked))])


def _numbers(path: Path) -> dict[str, np.ndarray]:
    """The arrays in a file that somebody else wrote; none if it is missing or holds anything else."""
    try:
        if path.stat().st_size > MOST_BYTES:
            return {}
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    except Exception:  # whatever stands there, it is no answer
        return {}


def _in_a_child(path: Path, name: str, folder: str, time_limit: float, module: str = "child") -> tuple[int | None, str]:
    """Exit code (None if it had to be stopped) and what was printed."""
    package = str(Path(__file__).resolve().parents[3])
    environment = os.environ | {
        "NUMBA_DISABLE_JIT": "1",  # nothing to compile: small inputs, and the time belongs to the student's code
        "PYTHONPATH": os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH", "")])),
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "utf-8:backslashreplace",
    }
    command = [sys.executable, "-P", "-m", f"{__package__}.{module}", str(path), name, folder, str(time_limit)]
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        start_new_session=True,  # so that processes which the student's code starts can be ended with it
    )
    assert process.stdout is not None
    printed: list[bytes] = []
    reader = threading.Thread(target=_collect, args=(process.stdout, printed), daemon=True)
    reader.start()
    try:
        code: int | None = process.wait(time_limit + STARTING)
        _end(process)  # what it started, and left behind
    except BaseException as error:
        _end(process)
        process.wait()
        if not isinstance(error, subprocess.TimeoutExpired):
            raise
        code = None
    reader.join(1)
    return code, b"".join(printed).decode("utf-8", "replace")


def _collect(pipe: IO[bytes], printed: list[bytes]) -> None:
    """Keep the beginning of the output, and let the rest run away: an endless print must not fill the memory."""
    kept = 0
    with pipe:
        while piece := os.read(pipe.fileno(), 65536):
            if kept < PRINTED:
                printed.append(piece[: PRINTED - kept])
                kept += len(printed[-1])


def _end(process: subprocess.Popen) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def _read(folder: Path, path: Path, code: int | None, printed: str, time_limit: float) -> Verdict:
    """The verdict that the process wrote; if it did not come to its end, with a finding that says why."""
    if not (folder / "verdict.json").is_file():
        last = (printed.strip().splitlines() or ["it said nothing"])[-1]
        raise InputError(f"the check could not start its own interpreter: {last}")
    try:
        verdict = Verdict.from_json(json.loads((folder / "verdict.json").read_text()))
    except (ValueError, TypeError, KeyError):
        sentence = "The answer wrote something else in the place of the verdict; an answer only defines what is asked."
        return Verdict([], [], [Finding("file", f"Refused: {sentence}")])
    if verdict.ok or verdict.findings:  # done, or all is known but a name for it
        return verdict
    where = (folder / "where").read_text(errors="replace") if (folder / "where").is_file() else ""
    line, name = _place(where, path)
    inside = f" in {name}" if name else ""
    if code is None or where.startswith("Timeout"):
        sentence = (
            f"Stopped after {time_limit:g} s{inside}: it never ends, or is far too slow. "
            "Does the loop's condition ever become false? (--time-limit SECONDS gives it longer.)"
        )
    elif "Fatal" in where:
        reason = where.splitlines()[0].removeprefix("Fatal Python error: ")
        sentence = f"The interpreter itself died{inside}: {reason}."
    elif code == -getattr(signal, "SIGKILL", 9):
        sentence = "The system killed the process, most likely for want of memory; the inputs are small here."
    else:
        sentence = "The file ended the interpreter (os._exit?) before the check was done; an answer returns instead."
    part = name if name in ("forward", "backward") else PART_OF_QUESTION.get(verdict.running, verdict.running)
    verdict.findings = [Finding(part, sentence, (), line)]
    return verdict


def _place(where: str, path: Path) -> tuple[int | None, str]:
    """Line and function of the innermost call inside the student's file, from the interpreter's last words."""
    name = re.escape(str(path).encode("ascii", "backslashreplace").decode())
    found = re.findall(rf'File "{name}", line (\d+) in (\S+)', where)
    if not found:
        return None, ""
    return int(found[0][0]), next((function for _, function in found if not function.startswith("<")), "")
