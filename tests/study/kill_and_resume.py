"""Kill a run with SIGKILL again and again, resume it each time, and compare it with a run that nobody disturbed.

    python tests/study/kill_and_resume.py [--kills 25] [--seed 0]

Every second kill waits until a checkpoint is being written; the others come at a random moment. At the end every file
of the two run folders must be equal byte for byte, except run.json and report.html, which hold dates.
"""

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from batik_scratch import motifs

DATED = ("run.json", "report.html")


def command(data: Path, out: Path) -> list[str]:
    options = ["--resume", str(out)] if out.exists() else ["--out", str(out), "--data", str(data), "--image-size", "32"]
    if not out.exists():
        options += ["--epochs", "12", "--config", str(data.parent / "config.toml")]
    return [sys.executable, "-m", "batik_scratch", "run", *options]


def start(data: Path, out: Path) -> subprocess.Popen:
    return subprocess.Popen(command(data, out), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def finish(data: Path, out: Path) -> None:
    process = start(data, out)
    _, errors = process.communicate()
    if process.returncode:
        raise SystemExit(f"a run failed with exit code {process.returncode}:\n{errors}")


def wait_for_a_checkpoint_in_writing(process: subprocess.Popen, out: Path, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        if any(out.glob("stage*/checkpoint/.new-*")):
            return True
    return False


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=25)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    with tempfile.TemporaryDirectory() as place:
        data, one, two = Path(place) / "data", Path(place) / "undisturbed", Path(place) / "killed"
        motifs.write_dataset(data, [16, 14, 12], 1, size=48, progress=False)
        data = data / "images"
        (data.parent / "config.toml").write_text("stop_at_accuracy = 0.0\n")
        finish(data, one)  # also warms the caches
        began = time.monotonic()
        finish(data, Path(place) / "timed")
        duration = time.monotonic() - began
        kills = in_writing = 0
        while kills < args.kills:
            process = start(data, two)
            if kills % 2:
                in_writing += wait_for_a_checkpoint_in_writing(process, two, duration)
            else:
                time.sleep(rng.uniform(0.3, 0.9) * duration)
            process.send_signal(signal.SIGKILL)
            process.communicate()
            kills += 1
            if (two / "run.json").exists():  # it was almost at its end: compare, and start anew
                finish(data, two)
                compare(one, two)
                two = two.with_name(f"killed{kills}")
        finish(data, two)
        files = compare(one, two)
        print(
            f"{kills} kills, {in_writing} of them inside the writing of a checkpoint; {files} files equal byte for byte"
        )
    return 0


def compare(one: Path, two: Path) -> int:
    """How many files the two folders have, all of them equal; ends the program with the names that differ."""
    names = [{str(p.relative_to(f)) for p in f.rglob("*") if p.is_file() and p.name not in DATED} for f in (one, two)]
    differing = sorted(names[0] ^ names[1])
    differing += [n for n in sorted(names[0] & names[1]) if (one / n).read_bytes() != (two / n).read_bytes()]
    if differing:
        raise SystemExit(f"differing: {', '.join(differing[:9])}")
    return len(names[0])


if __name__ == "__main__":
    sys.exit(main())
