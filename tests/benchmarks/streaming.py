"""Training from a mapped file: 5,000 images beside 500, in time per image and in peak memory.

    python tests/benchmarks/streaming.py [--many 5000] [--few 500] [--image-size 150] [--chunk 15] [--folder DIR]

Two `.npy` files of random uint8 images are written (337 MB at 5,000), and dropped from the page cache where the system
lets us, so that the first epoch reads the disk. Each is mapped in a process of its own, which trains the paper's
network on AugmentedBatches with the study's augmentation: one epoch of the large file, and as many batches, in several
epochs, of the small one. Chunks of 15 batches alternate between the two, so that a busy machine hurts both alike;
medians of the chunks' seconds per image are compared.

Peak memory is that of anonymous pages (RssAnon in /proc/PID/status, Linux alone), read every 10 ms while the process
works. The usual peak (VmHWM) also counts the pages of the mapped file that the kernel keeps at hand, and takes back
when anybody needs them; it is printed beside. Kernels are compiled beforehand, since compiling takes memory, too.
"""

import argparse
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np


def write_images(path: Path, count: int, side: int) -> None:
    """A .npy file of random images, a hundred at a time, on the disk and out of the page cache."""
    rng = np.random.default_rng(0)
    array = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(count, side, side, 3))
    for start in range(0, count, 100):
        part = array[start : start + 100]
        part[:] = rng.integers(0, 256, part.shape, np.uint8)
    array.flush()
    del array, part
    if hasattr(os, "posix_fadvise"):
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def batches_of(path: Path) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Augmented batches of the mapped file, epoch after epoch."""
    from batik_scratch.study import make_config
    from batik_scratch.study.training import training_batches

    mapped = np.load(path, mmap_mode="r")
    labels = np.random.default_rng(1).integers(0, 3, len(mapped))
    batches = training_batches(make_config(), mapped, labels, np.arange(len(mapped)))
    while True:
        yield from batches


def serve(path: Path, side: int, pipe: Connection) -> None:
    """Train on as many batches as asked for, and send back seconds and images."""
    from batik_scratch import nn

    model = nn.paper_cnn((side, side, 3), random_state=0, algorithm="auto")
    model.compile(nn.Adam(1e-3), nn.SparseCategoricalCrossentropy())
    model.train_step(np.zeros((32, side, side, 3), np.float32), np.zeros(32, np.int64))  # takes its memory
    batches = batches_of(path)
    pipe.send("ready")
    while count := pipe.recv():
        images, began = 0, time.perf_counter()
        for _ in range(count):
            x, y = next(batches)
            model.train_step(x, y)
            images += len(x)
        pipe.send((time.perf_counter() - began, images))


class Worker:
    """A training process, and the largest memory it was seen with, in MB."""

    def __init__(self, path: Path, side: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, there = context.Pipe()
        self.process = context.Process(target=serve, args=(path, side, there), daemon=True)
        self.process.start()
        self.anonymous = 0.0
        self.answer()

    def train(self, count: int) -> float:
        """Seconds per image of that many batches."""
        self.pipe.send(count)
        seconds, images = self.answer()
        return seconds / images

    def answer(self):
        """Wait for it, watching the memory."""
        while not self.pipe.poll(0.01):
            self.anonymous = max(self.anonymous, self.memory("RssAnon"))
        return self.pipe.recv()

    def memory(self, entry: str) -> float:
        """One entry of the process' status, in MB."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(entry + ":")), 0.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--many", type=int, default=5000)
    parser.add_argument("--few", type=int, default=500)
    parser.add_argument("--image-size", type=int, default=150)
    parser.add_argument("--chunk", type=int, default=15, help="batches at a time")
    parser.add_argument(
        "--folder", type=Path, help="where to write the images (default: the system's temporary folder)"
    )
    args = parser.parse_args()
    if not Path("/proc/self/status").is_file():
        parser.error("memory is read from /proc, which is there on Linux alone")
    from batik_scratch.bench.warmup import compile_kernels

    compile_kernels()
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        workers, spent = {}, {}
        for count in (args.few, args.many):
            path = Path(folder) / f"{count}.npy"
            write_images(path, count, args.image_size)
            workers[count], spent[count] = Worker(path, args.image_size), []
        left = -(-args.many // 32)
        while left > 0:
            for count, worker in workers.items():
                spent[count].append(worker.train(min(args.chunk, left)))
            left -= args.chunk
        peaks = {count: (worker.anonymous, worker.memory("VmHWM")) for count, worker in workers.items()}
        for worker in workers.values():
            worker.pipe.send(0)
            worker.process.join()
    print(
        f"one epoch of {args.many} images of {args.image_size} pixels from disk, and as many batches of {args.few}: "
        f"medians of {len(spent[args.few])} interleaved chunks of {args.chunk} batches"
    )
    print(f"{'images':>8s}{'ms per image':>15s}{'peak anonymous':>18s}{'usual peak':>14s}")
    for count, values in spent.items():
        anonymous, usual = peaks[count]
        print(f"{count:8d}{1e3 * statistics.median(values):15.3f}{anonymous:>15.0f} MB{usual:>11.0f} MB")
    few, many = (statistics.median(spent[count]) for count in (args.few, args.many))
    difference = peaks[args.many][0] - peaks[args.few][0]
    print(
        f"{args.many} against {args.few}: {many / few:.3f}x the time per image, "
        f"{difference:+.1f} MB of anonymous memory"
    )


if __name__ == "__main__":
    main()
