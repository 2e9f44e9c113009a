"""The process in which student code runs: python -m batik_scratch.learn.exercises.child FILE EXERCISE FOLDER SECONDS.

It may hang, crash or eat memory here. What is known goes to FOLDER as soon as it is known:

    verdict.json    how far the examination came; `running` is empty when it is done
    where           written by the interpreter when time is up or it dies: the line in which that happened
"""

import contextlib
import faulthandler
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

from ...ops.threads import one_blas_thread
from . import guard
from .catalogue import EXERCISES
from .examination import Verdict, examine

MEMORY = 1 << 30  # bytes beyond what the interpreter has when the student's code begins


def main(file: str, name: str, folder: str, seconds: str) -> None:
    """Examine, report, and leave without waiting for whatever the student's code still has running."""
    path, notes = Path(file), Path(folder)
    sys.path.append(str(path.parent))  # a helper module beside the file; last, so that it hides nothing
    limit_memory()
    guard.limit_files()
    guard.forbid_damage(notes)

    def write(verdict: Verdict) -> None:
        (notes / "verdict.new").write_text(json.dumps(asdict(verdict)))
        (notes / "verdict.new").replace(notes / "verdict.json")

    with (notes / "where").open("w") as where:
        faulthandler.enable(where)
        faulthandler.dump_traceback_later(float(seconds), exit=True, file=where)  # this starts a thread
        guard.limit_processes()
        verdict = examine(path, EXERCISES[name], write)
        faulthandler.cancel_dump_traceback_later()
    write(verdict)
    with contextlib.suppress(Exception):
        sys.stdout.flush()
    os._exit(0)


def limit_memory() -> None:
    """If the system can: a MemoryError in the student's line instead of a machine that swaps."""
    with one_blas_thread():  # numba's threads start before: what they take is not the student's
        pass
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[0])
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY, hard))


if __name__ == "__main__":
    main(*sys.argv[1:])
