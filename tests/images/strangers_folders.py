"""Folders as strangers have them: what each must be read as, and what must be said of it.

A case begins with three classes of five photos each, and does something to them.
"""

import io
import os
import re
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from folders_of_photos import blocks, make_folder, save
from PIL import Image

ALL = {"kawung": 5, "lereng": 5, "parang": 5}
HTML = b"<!DOCTYPE html><html></html>"


@dataclass(frozen=True)
class Case:
    """One kind of folder.

    make      does it to the folder of three classes; may return the folder to give instead
    trains    images of each class that a run trains and validates on; None if it refuses
    says      patterns of what a run says (or of its refusal)
    scan      patterns of what a scan says; the run's, if it is not given
    options   split_folders, follow_links, skip_bad
    ok        whether the scan finds nothing to mend
    """

    make: Callable[[Path], Path | None]
    trains: dict[str, int] | None
    says: tuple[str, ...] = ()
    scan: tuple[str, ...] | None = None
    options: dict[str, bool] = field(default_factory=dict)
    ok: bool = True


def no(*done: object) -> None:
    """What was done; the folder stays the one to give."""


def touch(path: Path, content: bytes = b"x") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def rename_to(*extension_of: str, classes=("kawung",), keep: int = 0) -> Callable[[Path], None]:
    """Give the photos of some classes another extension, all but `keep` of them."""

    def do(p: Path) -> None:
        for name in classes:
            for i, path in enumerate(sorted((p / name).iterdir())[keep:]):
                path.rename(path.with_suffix(extension_of[i % len(extension_of)]))

    return do


def adds(files: dict[str, bytes]) -> Callable[[Path], None]:
    def do(p: Path) -> None:
        for name, content in files.items():
            touch(p / name, content)

    return do


def moved(to: Callable[[str], str], only=lambda name: True) -> Callable[[Path], None]:
    """Move the class folders: `to` says where."""

    def do(p: Path) -> None:
        for name in list(ALL):
            if only(name):
                (p / to(name)).parent.mkdir(parents=True, exist_ok=True)
                (p / name).rename(p / to(name))

    return do


def split(train: str, val: str, *others: str, classes=tuple(ALL)) -> Callable[[Path], None]:
    """train/CLASS with the five photos; val/CLASS, and so on, with two of their own."""

    def do(p: Path) -> None:
        for name in ALL:
            (p / train).mkdir(parents=True, exist_ok=True)
            (p / name).rename(p / train / name)
        for number, part in enumerate((val, *others)):
            for label, name in enumerate(classes):
                for i in range(2):
                    save(p / part / name / f"v{i}.png", 5000 + 100 * number + 10 * label + i)

    return do


def both(*steps: Callable[[Path], object]) -> Callable[[Path], None]:
    def do(p: Path) -> None:
        for step in steps:
            step(p)

    return do


def link_class(p: Path) -> None:
    (p / "parang").rename(p.parent / "elsewhere")
    os.symlink(p.parent / "elsewhere", p / "parang")


def link_files(p: Path, keep: int = 1) -> None:
    (p.parent / "store").mkdir()
    for path in sorted((p / "parang").iterdir())[keep:]:
        path.rename(p.parent / "store" / path.name)
        os.symlink(p.parent / "store" / path.name, path)


def a_run(p: Path) -> None:
    """A run folder as `run` leaves it, in parts."""
    for name in ("config.toml", "run.json", "stage1/model.npz", "stage2/model.npz"):
        touch(p / name)
    make_folder(p / "overlaid", {"kawung": 3, "parang": 3})
    save(p / "figures/curves.png", 1)


def maps(p: Path) -> None:
    for name in ("a_methods.png", "a_overlay.png", "b_methods.png", "b_overlay.png"):
        save(p / name, len(name))
    touch(p / "a_map.npz")


def drawn(p: Path) -> Path:
    make_folder(p / "batik/images", {"kawung": 4, "parang": 4})
    make_folder(p / "batik/masks", {"kawung": 4, "parang": 4})
    touch(p / "batik/manifest.csv", b"path,mask,class\n")
    return p / "batik"


def sixteen(white: int, name: str = "kawung/16.png", kind: type = np.uint16) -> Callable[[Path], None]:
    def do(p: Path) -> None:
        values = np.linspace(0, white, 24 * 40).reshape(24, 40)
        Image.fromarray(np.random.default_rng(9).permutation(values).astype(kind)).save(p / name)

    return do


def copy(source: str, *targets: str) -> Callable[[Path], None]:
    return lambda p: no([touch(p / target, (p / source).read_bytes()) for target in targets])


def zip_bytes() -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        archive.writestr("a.txt", "x")
    return memory.getvalue()


def with_(**changes: int) -> dict[str, int]:
    return ALL | changes


def heights() -> Image.Image:
    return Image.fromarray(np.linspace(-90, 8848, 960, dtype=np.float32).reshape(24, 40))


def few(p: Path, counts: dict[str, int]) -> None:
    """More classes, of photos of their own."""
    for number, (name, count) in enumerate(counts.items()):
        for i in range(count):
            save(p / name / f"{i}.png", 8000 + 100 * number + i)


def turned_copy(p: Path) -> None:
    blocks(1).transpose(Image.Transpose.ROTATE_180).save(p / "parang/turned.png")


def drop_all(p: Path) -> None:
    """Take the three classes away."""
    for name in ALL:
        shutil.rmtree(p / name)


OWN = ("1 folder that this program wrote",)
SPLIT = {"split_folders": True}
LINKS = {"follow_links": True}
SKIP = {"skip_bad": True}
HEAD = b"\0\0\0\x18ftypheic"
CASES: dict[str, Case] = {
    "as it should be": Case(lambda p: None, ALL),
    # ------------------------------------------------ what this program wrote
    "runs beside the classes": Case(lambda p: a_run(p / "runs/20260101-000000"), ALL, OWN),
    "two runs and a stray file": Case(
        lambda p: no([a_run(p / "runs/a"), a_run(p / "runs/b"), touch(p / "runs/notes.txt")]),
        ALL,
        ("2 folders that this program", r"1 file without an image's extension \(\.txt 1\) in runs"),
    ),
    "a run folder itself as a class": Case(lambda p: a_run(p / "my run"), ALL, OWN),
    "a run in a class folder": Case(lambda p: a_run(p / "kawung/run"), ALL, OWN),
    "an unfinished run": Case(
        lambda p: no([touch(p / "r/config.toml"), (p / "r/stage1").mkdir(), (p / "r/stage2").mkdir()]),
        ALL,
        OWN,
    ),
    "an experiment": Case(
        lambda p: no([touch(p / "exp/config.toml"), touch(p / "exp/cells/1.json"), save(p / "exp/figures/f.png", 1)]),
        ALL,
        OWN,
    ),
    "saliency maps in their default folder": Case(lambda p: maps(p / "saliency"), ALL, OWN),
    "a drawn set among photos": Case(lambda p: no(drawn(p)), ALL, OWN),
    "the cache among photos": Case(lambda p: touch(p / "cache" / f"decoded-{'0' * 32}.npy"), ALL, OWN),
    "a run folder given as data": Case(lambda p: a_run(p), None, ("is a run, which this program wrote",)),
    "maps given as data": Case(lambda p: maps(p), None, ("is saliency maps, which this program wrote",)),
    "a drawn set given as data": Case(drawn, {"kawung": 4, "parang": 4}),
    "masks given as data": Case(lambda p: drawn(p) / "masks", None, ("is masks of a drawn data set",)),
    # ------------------------------------------------ formats and extensions
    "HEIC for most of a class": Case(
        rename_to(".heic", keep=1),
        None,
        (r'class "kawung" has 1 image \(passed over: 4 HEIC photos \(\.heic 4\)\).*install pillow-heif',),
        (r'class "kawung" keeps 1 of its 5 photos: 4 HEIC photos \(\.heic 4\)\. install pillow-heif',),
        ok=False,
    ),
    "80 of 90 photos that are HEIC, in small": Case(
        lambda p: no([touch(p / f"kawung/h{i}.HEIC", HEAD) for i in range(8)]),
        ALL,
        (r'WARNING: class "kawung" keeps 5 of its 13 photos: 8 HEIC', r"8 HEIC photos \(\.heic 8\) in kawung"),
        (r'class "kawung" keeps 5 of its 13 photos', r"8 HEIC photos \(\.heic 8\) in kawung"),
    ),
    "a class of HEIC alone": Case(
        rename_to(".heic"), None, (r'class "kawung" is empty \(passed over: 5 HEIC',), ("0 readable images",), ok=False
    ),
    "a few HEIC photos": Case(
        lambda p: touch(p / "kawung/h.heif", HEAD), ALL, (r"1 HEIC photo \(\.heif 1\) in kawung",)
    ),
    "HEIC under a JPEG's name": Case(
        lambda p: touch(p / "kawung/h.jpg", HEAD + bytes(99)),
        None,
        ("h.jpg: is not an image in .* format, but a HEIC photo; install pillow-heif",),
        ok=False,
    ),
    "HEIC under a JPEG's name, left out": Case(
        lambda p: touch(p / "kawung/h.jpg", HEAD + bytes(99)),
        ALL,
        (r"1 unreadable file, left out by --skip-bad \(\.jpg 1\) in kawung",),
        ("but a HEIC photo",),
        SKIP,
        ok=False,
    ),
    "most of a class unreadable, left out": Case(
        lambda p: no([touch(p / f"kawung/bad{i}.jpg", HTML) for i in range(7)]),
        ALL,
        (r'WARNING: class "kawung" keeps 5 of its 12 photos: 7 unreadable files',),
        (r"kawung/bad0\.jpg: .*but a web page",),
        SKIP,
        ok=False,
    ),
    "a class of which nothing is readable": Case(
        lambda p: no([path.write_bytes(HTML) for path in (p / "kawung").iterdir()]),
        None,
        (r'class "kawung" is empty \(passed over: 5 unreadable files',),
        ("0 readable images",),
        SKIP,
        ok=False,
    ),
    "jfif and jpe": Case(rename_to(".jfif", ".jpe", ".JFIF"), ALL),
    "AVIF and raw photos": Case(
        adds({"kawung/a.avif": b"x", "lereng/b.CR2": b"x", "lereng/c.dng": b"x"}),
        ALL,
        (r"3 pictures in a format that is not read \(.*\.avif 1.*\) in kawung, lereng",),
    ),
    "JPEG XL, SVG and Photoshop": Case(
        adds({"kawung/a.jxl": b"x", "kawung/b.svg": b"x", "kawung/c.psd": b"x"}),
        ALL,
        ("3 pictures in a format that is not read",),
    ),
    "photos without an extension": Case(
        rename_to(""), None, ("5 pictures without an image's extension.*give them their",), ("0 readable",), ok=False
    ),
    "photos saved by a browser": Case(
        rename_to(".jpg_large", ".jpg!d", keep=3),
        None,
        ("has 3 images .passed over: 2 pictures without",),
        ("has 3",),
        ok=False,
    ),
    "a browser's name for one photo more": Case(
        lambda p: copy("lereng/0.png", "kawung/x.jpg_large")(p),
        ALL,
        (r"1 picture without an image's extension \(\.jpg_large 1\) in kawung",),
    ),
    "annotations beside every photo": Case(
        lambda p: no([touch(path.with_suffix(".xml"), b"<annotation/>") for path in list(p.rglob("*.png"))]),
        ALL,
        (r"15 files without an image's extension \(\.xml 15\) in kawung, lereng, parang",),
    ),
    "videos, archives and shortcuts": Case(
        adds({"kawung/a.mp4": b"\0\0\0\x18ftypisom", "kawung/b.zip": zip_bytes(), "parang.lnk": b"L"}),
        ALL,
        (r"2 files without an image's extension", r"1 file beside the class folders \(\.lnk 1\)"),
    ),
    "a web page called .jpg": Case(
        lambda p: touch(p / "lereng/p.jpg", HTML), None, ("p.jpg: .*but a web page",), ok=False
    ),
    "a Git LFS pointer called .jpg": Case(
        lambda p: touch(p / "lereng/p.jpg", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"),
        None,
        ("a Git LFS pointer, not the photo itself",),
        ok=False,
    ),
    "an error of a server, in JSON, called .jpg": Case(
        lambda p: touch(p / "lereng/p.jpg", b'{"error": 403}'), None, ("but JSON text",), ok=False
    ),
    "a video called .png": Case(
        lambda p: touch(p / "lereng/p.png", b"\0\0\0\x18ftypmp42"), None, ("but a video",), ok=False
    ),
    "an empty file": Case(lambda p: touch(p / "lereng/p.png", b""), None, ("p.png: is an empty file",), ok=False),
    "a photo cut short": Case(
        lambda p: touch(p / "lereng/p.png", (p / "lereng/0.png").read_bytes()[:200]), None, ("truncated",), ok=False
    ),
    "content and extension disagree": Case(
        lambda p: blocks(70).save(p / "lereng/g.jpg", format="GIF"), with_(lereng=6)
    ),
    "a pipe called .jpg": Case(
        lambda p: os.mkfifo(p / "lereng/pipe.jpg"), ALL, (r"1 pipe, socket or device \(\.jpg 1\) in lereng",)
    ),
    # ------------------------------------------------ hidden and system files
    "a Mac's files": Case(
        adds({".DS_Store": b"x", "kawung/._0.png": b"x", "__MACOSX/kawung/._0.png": b"x", "lereng/Icon\r": b""}),
        ALL,
        ("4 hidden or system files",),
    ),
    "a notebook's checkpoints": Case(
        lambda p: no(make_folder(p / ".ipynb_checkpoints", {"kawung": 2})), ALL, ("1 hidden or system file",)
    ),
    "a notebook's checkpoints in a class": Case(
        lambda p: copy("kawung/0.png", "kawung/.ipynb_checkpoints/0-checkpoint.png")(p), ALL, ("1 hidden or system",)
    ),
    "a NAS's thumbnails": Case(
        lambda p: no(make_folder(p / "@eaDir", {"kawung": 5})), ALL, ("1 hidden or system file",)
    ),
    "Windows' files": Case(adds({"kawung/Thumbs.db": b"x", "desktop.ini": b"x"}), ALL, ("2 hidden or system files",)),
    "a README and a list beside the classes": Case(
        adds({"README.md": b"x", "labels.csv": b"x"}), ALL, (r"2 files beside the class folders \(\.\w+ 1, \.\w+ 1\)",)
    ),
    "photos beside the classes": Case(
        lambda p: no(save(p / "stray.png", 77)), ALL, (r"1 file beside the class folders \(\.png 1\)",)
    ),
    # ------------------------------------------------ links
    "a class that is a link": Case(
        link_class,
        None,
        ('class "parang" is a symbolic link.*--follow-links',),
        ("this class is a symbolic",),
        ok=False,
    ),
    "a class that is a link, followed": Case(link_class, ALL, options=LINKS),
    "links among two classes": Case(
        both(link_class, lambda p: [path.unlink() for path in (p / "lereng").iterdir()] and (p / "lereng").rmdir()),
        None,
        ('class "parang" is a symbolic link',),
        scan=("parang: this class is a symbolic link",),
        ok=False,
    ),
    "most photos are links": Case(
        link_files, None, ('"parang" has 1 image.*4 symbolic links.*--follow-links',), ("keeps 1 of its 5",), ok=False
    ),
    "most photos are links, followed": Case(link_files, ALL, options=LINKS),
    "one photo is a link": Case(
        lambda p: link_files(p, 4), with_(parang=4), (r"1 symbolic link \(\.png 1\) in parang",)
    ),
    "a broken link, followed": Case(
        lambda p: os.symlink(p / "nowhere.png", p / "parang/x.png"), ALL, ("1 symbolic link",), options=LINKS
    ),
    "a loop, followed": Case(
        lambda p: os.symlink(p, p / "parang/loop"), None, ("leads back to a folder above it",), options=LINKS
    ),
    # ------------------------------------------------ levels
    "train and val": Case(split("train", "val"), None, (r"train, val are the parts.*--data .*/train, or use --split",)),
    "train and val, taken": Case(split("train", "val"), {n: 7 for n in ALL}, options=SPLIT),
    "Training Data and testing_set": Case(
        split("Training Data", "testing_set"), None, ("Training Data, testing_set are the parts",)
    ),
    "Indonesian names": Case(split("latih", "validasi"), None, ("latih, validasi are the parts",)),
    "Indonesian names, taken": Case(split("data_latih", "data_uji"), {n: 7 for n in ALL}, options=SPLIT),
    "train, val and test, taken": Case(
        split("train", "val", "test"),
        {n: 7 for n in ALL},
        ("WARNING: test is not used: 6 files neither train nor validate", "6 parts of a split that are not used"),
        ("test is not used",),
        SPLIT,
    ),
    "val lacks a class": Case(
        split("train", "val", classes=("kawung", "lereng")),
        None,
        ("the same classes; only one.*parang",),
        options=SPLIT,
    ),
    "a flat test folder": Case(
        both(split("train", "val", classes=()), lambda p: touch(p / "test/1.png")),
        None,
        ("test, train are the parts of a split, not classes. Give --data .*train; test holds no class",),
    ),
    "--split-folders without parts": Case(lambda p: None, None, ("--split-folders needs one folder",), options=SPLIT),
    "the same photo in train and val, taken": Case(
        both(split("train", "val"), lambda p: copy("train/kawung/0.png", "val/kawung/copy.png")(p)),
        {"kawung": 8, "lereng": 7, "parang": 7},
        (r"WARNING: 1 picture .*trained on and validated with.*train/kawung/0.png = val/kawung/copy.png",),
        ("one picture on both sides of the split: 1",),
        SPLIT,
        ok=False,
    ),
    "one folder too many around": Case(
        moved(lambda n: f"dataset/{n}"), None, (r"only one class \(dataset\), which holds folders.*--data .*/dataset",)
    ),
    "one folder too many around a split": Case(
        both(
            split("train", "val"),
            lambda p: [(p / "d").mkdir(), *[(p / n).rename(p / "d" / n) for n in ("train", "val")]][0],
        ),
        None,
        ("train, val are the parts of a split",),
    ),
    "a class called train": Case(
        moved(lambda n: "train" if n == "kawung" else n), {"lereng": 5, "parang": 5, "train": 5}
    ),
    "splits inside the classes": Case(
        lambda p: no(
            [
                ((p / n / part).mkdir(), [f.rename(p / n / part / f.name) for f in sorted((p / n).glob("*.png"))[:k]])
                for n in ALL
                for part, k in (("train", 3), ("test", 2))
            ]
        ),
        ALL,
        ("hold parts of a split.*mixed, and split anew",),
    ),
    "classes inside regions of the same names": Case(
        lambda p: no([((p / n).mkdir(exist_ok=True), moved_into(p, n)) for n in ALL]),
        ALL,
        (r"every class holds the folders a, b: if those are the classes",),
    ),
    "photos in folders of a class": Case(
        lambda p: no(save(p / "kawung/session 2/x.png", 99)), with_(kawung=6), ("kawung from session 2",)
    ),
    # ------------------------------------------------ names
    "one name in two Unicode forms": Case(
        lambda p: no([save(p / f"{n}/0.png", 90) for n in ("ré", "re\u0301")]), None, ("Unicode form",)
    ),
    "a name with a space behind it": Case(lambda p: no(save(p / "kawung /0.png", 90)), None, ("case, spaces",)),
    "a name with nothing visible in it": Case(lambda p: no(save(p / "kawung\u200b/0.png", 90)), None, ("differ only",)),
    "a name in capitals": Case(lambda p: no(save(p / "Kawung/0.png", 90)), None, ('"Kawung" and "kawung"',)),
    "a copy of a class folder": Case(
        lambda p: (
            make_folder(p, {"lereng (1)": 5}) and no([save(p / f"lereng (1)/{i}.png", 800 + i) for i in range(5)])
        ),
        with_(**{"lereng (1)": 5}),
        ('almost the same: "lereng" and "lereng \\(1\\)"',),
    ),
    "names with other separators": Case(
        lambda p: no(
            [save(p / f"{n}/{i}.png", 800 + 10 * k + i) for k, n in enumerate(("a b", "a_b")) for i in range(4)]
        ),
        with_(**{"a b": 4, "a_b": 4}),
        ('almost the same: "a b" and "a_b"',),
    ),
    # ------------------------------------------------ copies
    "one photo under two labels": Case(
        lambda p: copy("kawung/1.png", "parang/again.png")(p),
        with_(parang=6),
        ("WARNING: 1 picture .* under two labels.*kawung/1.png = parang/again.png",),
        ("one picture under two labels: 1",),
        ok=False,
    ),
    "a turned photo under two labels": Case(
        turned_copy, with_(parang=6), ("WARNING: 1 picture .* under two labels",), ("two labels: 1",), ok=False
    ),
    "copies in one class": Case(
        lambda p: copy("kawung/1.png", "kawung/again.png")(p), with_(kawung=6), (), ("kept on one side of a split",)
    ),
    # ------------------------------------------------ numbers
    "twelve bits in sixteen": Case(sixteen(4095), with_(kawung=6), ("1 with white at 4095",)),
    "sixteen bits": Case(sixteen(65535), with_(kawung=6)),
    "floats to 255": Case(sixteen(255, "kawung/f.tif", np.float32), with_(kawung=6), ("1 with white at 255",)),
    "floats to 1": Case(sixteen(1, "kawung/f.tif", np.float32), with_(kawung=6)),
    "floats that are heights": Case(
        lambda p: Image.fromarray(np.linspace(-90, 8848, 960, dtype=np.float32).reshape(24, 40)).save(
            p / "kawung/f.tif"
        ),
        None,
        ("f.tif: its numbers run from -90 to 8848, which is no scale of brightness",),
        ok=False,
    ),
    # ------------------------------------------------ too little
    "an empty class": Case(
        lambda p: (p / "mega mendung").mkdir(), None, ('"mega mendung" is empty',), ("0 readable",), ok=False
    ),
    "a class of three": Case(
        lambda p: no([save(p / f"sogan/{i}.png", 90 + i) for i in range(3)]),
        None,
        ("has 3 images",),
        ("has 3",),
        ok=False,
    ),
    "one class": Case(moved(lambda n: f"../away/{n}", lambda n: n != "kawung"), None, (r"only one class \(kawung\)",)),
    "no class": Case(moved(lambda n: f"../away/{n}"), None, ("has no subfolders",)),
    "photos and no folders": Case(
        both(moved(lambda n: f"../away/{n}"), lambda p: no(save(p / "a.png", 1))), None, ("has no subfolders",)
    ),
    "a file": Case(lambda p: p / "kawung/0.png", None, ("is a file, not a folder",)),
    "nothing": Case(lambda p: p / "nowhere", None, ("there is no such folder",)),
}


def moved_into(p: Path, name: str) -> None:
    """Put the photos of a class into two folders below it."""
    for i, path in enumerate(sorted((p / name).glob("*.png"))):
        (p / name / "ab"[i % 2]).mkdir(exist_ok=True)
        path.rename(p / name / "ab"[i % 2] / path.name)


def has(text: str, patterns: tuple[str, ...]) -> list[str]:
    """The patterns that are not in the text."""
    return [pattern for pattern in patterns if not re.search(pattern, text, re.DOTALL)]
