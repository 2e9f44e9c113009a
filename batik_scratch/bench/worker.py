"""One program in a process of its own, which answers on its pipes.

`python -m batik_scratch.bench.worker NAME BATCH SIZE NETWORK START` starts it, with the weights in the folder START. A
line such as "step 5" asks for five calls of one kind of work, or as many more as fill LEAST. The answer is the seconds
of one call, on average; calls before them, for WARM seconds, are not timed. The answer to "memory" is the process' peak
resident memory in MB, and to "difference saliency" how far the next call is from this package's answer in START. The
first line that the process prints, "ready", says that the program is built.
"""

import os
import resource
import sys
import time
from pathlib import Path

from .programs import PROGRAMS, WORK
from .start import difference

LEAST = 0.05  # seconds: a few calls of less than a millisecond would tell of the clock and of chance
WARM = 0.3  # seconds: for so long a system may leave two threads that were asleep on one processor


def main(name: str, batch: str, size: str, network: str, start: str) -> None:
    """Answer until the input ends."""
    with os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1) as answers:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a framework prints is no answer
        calls = PROGRAMS[name].calls(int(batch), int(size), network, Path(start))
        print("ready", file=answers)
        for line in sys.stdin:
            work, *count = line.split()
            if work == "memory":
                print(peak_memory(), file=answers)
                continue
            if work == "difference":
                print(difference(Path(start), count[0], calls[count[0]]()), file=answers)
                continue
            assert work in WORK
            # not timed, for no program: it wins threads and caches back from the program before
            began = time.perf_counter()
            calls[work]()
            while time.perf_counter() - began < WARM:
                calls[work]()
            done, passed, began = 0, 0.0, time.perf_counter()
            while done < int(count[0]) or passed < LEAST:
                calls[work]()
                done, passed = done + 1, time.perf_counter() - began
            print(passed / done, file=answers)


def peak_memory() -> float:
    """The peak resident memory of this process in MB; if /proc says it, without what a parent left at its start."""
    status = Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    unit = 2**20 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


if __name__ == "__main__":
    main(*sys.argv[1:])
