"""Feed thousands of damaged files to the readers: only the documented error may come out, in bounded memory and time.

    python tests/fuzz_files.py [--images 10000] [--models 10000] [--seed 0]

Images: small files of seven formats and a dozen modes, bytes flipped (mostly in headers), cut short, or spliced with
another file. Models: a saved network with bytes flipped, cut short, members removed, repeated or swapped, a zip bomb, a
header that claims terabytes, a pickle. Prints counts, the slowest file and the growth of this process's peak memory.
"""

import argparse
import io
import json
import pickle
import random
import resource
import struct
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from batik_scratch import nn
from batik_scratch.errors import InputError
from batik_scratch.images import UnreadableImage, read_image
from batik_scratch.images.cache import quiet_pillow
from batik_scratch.nn import model_file

MODES = {
    "PNG": ("RGB", "RGBA", "L", "LA", "P", "1", "I;16"),
    "JPEG": ("RGB", "L", "CMYK"),
    "GIF": ("P", "L"),
    "WEBP": ("RGB", "RGBA"),
    "TIFF": ("RGB", "L", "CMYK", "I;16", "F"),
    "BMP": ("RGB", "L", "P"),
    "PPM": ("RGB", "L"),
}


def sound_images() -> list[bytes]:
    """One small file per format and mode."""
    rng = np.random.default_rng(0)
    colours = Image.fromarray(rng.integers(0, 255, (24, 20, 3), dtype=np.uint8))
    files = []
    for kind, modes in MODES.items():
        for mode in modes:
            image = Image.fromarray(rng.integers(0, 65535, (24, 20), dtype=np.uint16)) if mode == "I;16" else None
            memory = io.BytesIO()
            exif = Image.Exif()
            exif[0x0112] = 6
            options = {"exif": exif} if kind in ("PNG", "JPEG", "WEBP") else {}
            (image or colours.convert(mode)).save(memory, kind, **options)
            files.append(memory.getvalue())
    return files


def damaged(files: list[bytes], rng: random.Random) -> bytes:
    """One of the files with something wrong."""
    data = bytearray(rng.choice(files))
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        place = rng.randrange(min(len(data), rng.choice((32, 200, len(data)))))
        data[place] = rng.choice((rng.randrange(256), data[place] ^ 1 << rng.randrange(8), 0, 255))
    if rng.random() < 0.3:
        del data[rng.randrange(1, len(data)) :]
    if rng.random() < 0.1:
        other = rng.choice(files)
        data[rng.randrange(len(data)) :] = other[rng.randrange(len(other)) :]
    return bytes(data)


def members(data: bytes) -> list[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [(name, archive.read(name)) for name in archive.namelist()]


def packed(entries: list[tuple[str, bytes]], how: int = zipfile.ZIP_STORED) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", how) as archive:
        for name, content in entries:
            archive.writestr(zipfile.ZipInfo(name) if how == zipfile.ZIP_STORED else name, content)
    return memory.getvalue()


def damaged_model(whole: bytes, rng: random.Random) -> bytes:
    """The model file with something wrong: in the zip, in its members, or in what the description says."""
    kind = rng.randrange(7)
    if kind < 3:
        return damaged([whole], rng)
    entries = members(whole)
    if kind == 3:
        entries.pop(rng.randrange(len(entries)))
    elif kind == 4:
        i, j = rng.randrange(len(entries)), rng.randrange(len(entries))
        entries[i] = (entries[i][0], entries[j][1])
    elif kind == 5:
        i = rng.randrange(len(entries))
        entries[i] = (entries[i][0], damaged([entries[i][1]], rng))
    else:
        i = next(i for i, (name, _) in enumerate(entries) if name.startswith("description"))
        text = bytearray(entries[i][1])
        start = text.index(b"\n") + 1
        words = [b"3", b"99999999999", b"-1", b"1e400", b"NaN", b"[]", b"{}", b"null", b'"x"', b"true", b"Layer"]
        for _ in range(rng.randrange(1, 4)):
            place = rng.randrange(start, len(text))
            text[place : place + rng.randrange(1, 9)] = rng.choice(words)
        entries[i] = (entries[i][0], bytes(text))
    return packed(entries)


def hostile_models(whole: bytes) -> Iterator[bytes]:
    """What somebody would send on purpose."""
    entries = members(whole)
    names = [name for name, _ in entries]
    kernel = next(i for i, name in enumerate(names) if name.endswith("kernel.npy"))
    yield packed([*entries[:kernel], (names[kernel], bytes(1 << 28)), *entries[kernel + 1 :]], zipfile.ZIP_DEFLATED)
    for dtype in ("<f4", "|O", "<f8"):
        header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': (1099511627776, 64)}}".encode()
        lying = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header) + 1) + header + b"\n"
        yield packed([*entries[:kernel], (names[kernel], lying), *entries[kernel + 1 :]])
    yield pickle.dumps({"weights": [1, 2, 3]})
    yield b""
    yield b"PK\x05\x06" + bytes(18)
    description = next(i for i, name in enumerate(names) if name.startswith("description"))
    deep = json.dumps({"format": model_file.FORMAT}).encode() + b"[" * 100_000
    head = entries[description][1][: entries[description][1].index(b"\n") + 1]
    wide = entries[description][1].replace(b'"units": 3', b'"units": 99999999')
    yield packed([(names[description], wide), *[e for i, e in enumerate(entries) if i != description]])
    yield packed([(names[description], head + deep), *[e for i, e in enumerate(entries) if i != description]])


def feed(title: str, files: Iterator[bytes], read: Callable[[Path], object], allowed: type[Exception]) -> None:
    """Read all files; anything but success or `allowed` ends the program with the file kept for a look."""
    outcomes: Counter[str] = Counter()
    slowest, before = 0.0, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "file"
        for data in files:
            path.write_bytes(data)
            began = time.perf_counter()
            try:
                read(path)
                outcomes["read"] += 1
            except allowed:
                outcomes["refused"] += 1
            except BaseException as error:
                kept = Path(tempfile.gettempdir()) / "fuzz_finding"
                kept.write_bytes(data)
                raise SystemExit(f"{title}: {error!r} came out; the file is {kept}") from error
            slowest = max(slowest, time.perf_counter() - began)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(
        f"{title}: {sum(outcomes.values())} files, {outcomes['read']} read, {outcomes['refused']} refused with "
        f"{allowed.__name__}; slowest {slowest:.2f} s; peak memory grew by {grown:.0f} MB"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--models", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    images = sound_images()
    with quiet_pillow():
        feed("images", (damaged(images, rng) for _ in range(args.images)), read_image, UnreadableImage)
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "model.npz"
        network = nn.Sequential(
            [nn.Conv2D(4, 3), nn.ReLU(), nn.MaxPooling2D(2), nn.Flatten(), nn.Dense(3), nn.Softmax()], (10, 10, 3)
        )
        network.metadata = {"class_names": ["keratonan", "mega mendung", "singa barong"], "image_size": 10}
        network.save(file)
        whole = file.read_bytes()

    def load_the_same(path: Path) -> None:
        found = nn.Sequential.load(path)
        pairs = zip(found.get_weights(), network.get_weights(), strict=True)
        assert found.metadata == network.metadata and all(np.array_equal(a, b) for a, b in pairs), "another model"

    print(f"the sound model has {len(whole) / 1024:.0f} KB")

    def models() -> Iterator[bytes]:
        yield from hostile_models(whole)
        for _ in range(args.models):
            yield damaged_model(whole, rng)

    feed("models", models(), load_the_same, InputError)
    return 0


if __name__ == "__main__":
    sys.exit(main())
