"""Let every file operation of a small run fail once, in every way that it can, and resume the run each time.

    python tests/study/every_fault.py [--step 1] [--start 1] [--ways full broken forbidden vanished short]
    python tests/study/every_fault.py --quick [--random 200] [--seed 1] [--one-by-one 5]

The run is that of test_study_faults.py: 12 images at 32 pixels, one epoch. After each fault the error must be clear,
what was written before must be whole, and the resumed run must end with the bits of an undisturbed one. Prints the
count of each way as it goes. A place in memory (TMPDIR=/dev/shm) makes it some three times as fast.

With --quick the run is that of `batik-scratch run --quick`, and random operations of it fail, each in a way drawn for
it; forked_faults.py says how that takes half an hour of one core, and why it is the same as one by one. Some of them
are also done one by one, to compare. It needs NUMBA_NUM_THREADS=1, OPENBLAS_NUM_THREADS=1 and
NUMBA_THREADING_LAYER=workqueue.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from study.faulty_files import SHORT, WAYS
from study.forked_faults import Faults
from study.test_study_faults import EVERY, Trials

from batik_scratch.images import cache

CAN_BE_SHORT = ("write", "flush", "read")


def quick(place: Path, count: int, seed: int, compared: int) -> int:
    """Random faults in `run --quick`; how many left something wrong."""
    began, rng = time.monotonic(), random.Random(seed)
    faults = Faults(place, ["run", "--quick"])
    print(f"{len(faults.operations)} file operations", flush=True)
    chosen = {}
    for number in sorted(rng.sample(range(1, len(faults.operations) + 1), count)):
        short = faults.operations[number - 1].split()[0] in CAN_BE_SHORT
        chosen[number] = rng.choice(EVERY if short else list(WAYS))
    faults.fail(chosen)
    states: dict[str, list[int]] = {}
    for number, (_, state) in faults.left.items():
        states.setdefault(state, []).append(number)
    print(f"{count} failed, {len(states)} states left, {time.monotonic() - began:.0f} s", flush=True)
    ends = {}
    for state, members in states.items():
        ends[state] = faults.resume_from(state)
        print(f"state {state}, left by {len(members)}: {ends[state] or 'resumed'}", flush=True)
    others = sorted(n for members in states.values() for n in members[1:])  # whose own states were not resumed yet
    for number in rng.sample(others, min(compared, len(others))):
        ended, state = faults.left[number]
        found = faults.one_by_one(number, chosen[number])
        same = found == (ended, state, ends[state])
        words = "the same" if same else f"OTHERWISE {found} instead of {(ended, state, ends[state])}"
        print(f"{number}, {chosen[number]}, one by one: {words}", flush=True)
        faults.wrong |= {} if same else {number: "one by one it is otherwise"}
    wrong = faults.wrong | {n: ends[state] for n, (_, state) in faults.left.items() if ends[state]}
    for way, tried in Counter(chosen.values()).items():
        went_on = sum(chosen[n] == way and not ended.code for n, (ended, _) in faults.left.items())
        print(f"{way}: {tried} operations failed once each, {went_on} of them without harm")
    print(f"{time.monotonic() - began:.0f} s")
    return len(wrong)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--step", type=int, default=1, help="take every so many operations")
    parser.add_argument("--start", type=int, default=1, help="the first of them")
    parser.add_argument("--ways", nargs="+", choices=EVERY, default=EVERY)
    parser.add_argument("--quick", action="store_true", help="the run of `run --quick`, and random operations")
    parser.add_argument("--random", type=int, default=200, help="how many of them")
    parser.add_argument("--seed", type=int, default=1, help="which of them, and in which ways")
    parser.add_argument("--one-by-one", type=int, default=5, help="how many are also done the long way, to compare")
    args = parser.parse_args()
    if args.quick:
        with tempfile.TemporaryDirectory() as name:
            wrong = quick(Path(name).resolve(), args.random, args.seed, args.one_by_one)
        print(f"{wrong} of them left something wrong")
        return 1 if wrong else 0
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
