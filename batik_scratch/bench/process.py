"""A program that is measured, in a process of its own, so that it shares no memory and no threads with another."""

import contextlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from ..browser import in_browser
from ..errors import InputError
from .programs import OURS

THREAD_VARIABLES = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def need_processes() -> None:
    """InputError where there are none."""
    if in_browser():
        raise InputError("bench: needs processes of its own, and a browser has none; run it on your machine")


class Worker:
    """A program in its process, asked line by line; InputError once that process has ended."""

    def __init__(self, name: str, threads: int, batch: int, size: int, network: str, start: Path) -> None:
        need_processes()
        self.name = name
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  closed by stop()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "batik_scratch.bench.worker", name, str(batch), str(size), network, str(start)],
            env=os.environ | dict.fromkeys(THREAD_VARIABLES, str(threads)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            bufsize=1,
        )
        try:
            self._answer()
        except BaseException:  # nobody else knows of this process yet
            self.stop()
            raise

    def ask(self, what: str) -> float:
        """Seconds of a call ("step 5"), peak memory in MB ("memory"), or how far from ours ("difference saliency")."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has ended: there will be no answer, and that is what is told
            self.process.stdin.write(what + "\n")
        return float(self._answer())

    def _answer(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise InputError(self._complaint())
        return line

    def _complaint(self) -> str:
        code = self.process.wait()
        self.errors.seek(0)
        last = ["no word", *self.errors.read().strip().splitlines()][-1]
        why = f"killed by signal {-code}, perhaps for want of memory" if code < 0 else last
        fix = "a smaller --batch or --image-size may help"
        if self.name != OURS:
            fix += "; or mend its installation, or leave it out with --only batik_scratch"
        return f"bench: {self.name} stopped: {why}; {fix}"

    def stop(self) -> None:
        """End the process, whatever it is doing."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.errors):
            assert pipe is not None
            with contextlib.suppress(BrokenPipeError):  # closing stdin sends what it still holds
                pipe.close()
