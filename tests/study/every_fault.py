"""Let every file operation of a small run fail once, in every way that it can, and resume the run each time.

    python tests/study/every_fault.py [--step 1] [--start 1] [--ways full broken forbidden vanished short]

The run is that of test_study_faults.py: 12 images at 32 pixels, one epoch. After each fault the error must be clear,
what was written before must be whole, and the resumed run must end with the bits of an undisturbed one. Prints the
count of each way as it goes. A place in memory (TMPDIR=/dev/shm) makes it some three times as fast.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from study.faulty_files import SHORT
from study.test_study_faults import EVERY, Trials

from batik_scratch.images import cache

CAN_BE_SHORT = ("write", "flush", "read")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--step", type=int, default=1, help="take every so many operations")
    parser.add_argument("--start", type=int, default=1, help="the first of them")
    parser.add_argument("--ways", nargs="+", choices=EVERY, default=EVERY)
    args = parser.parse_args()
    cache.cpu_count = lambda: 1  # one order of operations
    found = []
    with tempfile.TemporaryDirectory() as name:
        place = Path(name).resolve()
        os.environ["BATIK_SCRATCH_CACHE"] = str(place / "cache")
        trials = Trials(place)
        print(f"{len(trials.operations)} file operations", flush=True)
        for way in args.ways:
            began, tried = time.monotonic(), 0
            for number in range(args.start, len(trials.operations) + 1, args.step):
                operation = trials.operations[number - 1]
                if way == SHORT and operation.split()[0] not in CAN_BE_SHORT:
                    continue
                tried += 1
                if what := trials.fail(number, way):
                    found.append(f"{number} {operation}, {way}: {what}")
                    print(found[-1], flush=True)
            print(f"{way}: {tried} operations failed once each, {time.monotonic() - began:.0f} s", flush=True)
    print(f"{len(found)} of them left something wrong")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
