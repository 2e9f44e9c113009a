"""A student's file, and what `check` says of it."""

import os
import time
from pathlib import Path

from batik_scratch.cli import main
from batik_scratch.learn import exercises

RIGHT = exercises.solution(exercises.find("dense"))
FORWARD = '        self._keep(x, training, keep)\n        return x @ self.params["kernel"] + self.params["bias"]'


def written(tmp_path, text, name="dense.py"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def with_forward(line):
    """The right answer with a line of its own at the beginning of forward."""
    assert FORWARD in RIGHT
    return RIGHT.replace(FORWARD, f"        {line}  # here\n{FORWARD}")


def checked(capfd, path, *options):
    code = main(["exercise", "check", str(path), *options])
    text = capfd.readouterr()
    assert "Traceback" not in text.out + text.err
    return code, text.out, text.err


def ended(pid):
    """True once the process is gone, or is a zombie that nobody has asked for yet."""
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        status = Path(f"/proc/{pid}/stat")
        if status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False
