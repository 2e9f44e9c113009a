"""Folders as public reports of people who train image classifiers describe them: more of the strangers' table."""

from folders_of_photos import blocks, save
from PIL import Image
from strangers_folders import ALL, SPLIT, Case, both, drop_all, few, moved, no, split, touch, with_

MOVING = (("m.gif", "GIF"), ("m.jpg", "GIF"), ("m.webp", "WEBP"))


def see_through(hidden: int) -> Image.Image:
    """One picture on a transparent ground, under which a colour is hidden."""
    image = blocks(90).convert("RGBA")
    image.paste((hidden, 0, 0, 0), (0, 0, 20, 24))
    return image


REPORTED: dict[str, Case] = {
    "an archive unpacked twice": Case(
        split("training_set/training_set", "test_set/test_set"),
        None,
        ("test_set, training_set are the parts.*--data .*training_set/training_set, or use --split-folders",),
    ),
    "an archive unpacked twice, taken": Case(
        split("training_set/training_set", "test_set/test_set"), {n: 7 for n in ALL}, options=SPLIT
    ),
    "two folders too many around": Case(
        moved(lambda n: f"dataset/dataset/{n}"), None, (r"only one class \(dataset\).*--data .*/dataset/dataset",)
    ),
    "parts with a common word": Case(
        both(split("seg_train/seg_train", "seg_test/seg_test"), lambda p: touch(p / "seg_pred/seg_pred/1.jpg")),
        None,
        ("seg_test, seg_train are the parts of a split",),
    ),
    "parts before the classes' names": Case(
        lambda p: no([few(p, {f"{part}_{n}": 4 for part in ("train", "test") for n in ("a", "b")}), drop_all(p)]),
        {f"{part}_{n}": 4 for part in ("train", "test") for n in ("a", "b")},
        ('parts of a split look like classes here: "test_a" and "train_a", "test_b" and "train_b"',),
    ),
    "classes in the files' names": Case(
        lambda p: no(
            [save(p / f"{n}.{i}.png", 900 + 10 * k + i) for k, n in enumerate("ab") for i in range(3)], drop_all(p)
        ),
        None,
        (r"no subfolders.*It holds 6 pictures itself \(their names begin with a, b\): put those of each class",),
    ),
    "photos that are in iCloud only": Case(
        lambda p: no([touch(p / f"kawung/.IMG_{i}.jpg.icloud", b"bplist00") for i in range(9)]),
        ALL,
        (
            r'class "kawung" keeps 5 of its 14 photos: 9 photos that iCloud has not downloaded',
            "download them in Finder",
        ),
    ),
    "a scan of three pages": Case(
        lambda p: blocks(80).save(p / "kawung/s.tif", save_all=True, append_images=[blocks(81), blocks(82)]),
        with_(kawung=6),
        (r"1 files hold more than one picture \(frames or pages\); the first of each is used alone",),
    ),
    "moving pictures": Case(
        lambda p: no(
            [
                blocks(83).save(p / f"kawung/{n}", f, save_all=True, append_images=[blocks(84)], duration=9)
                for n, f in MOVING
            ]
        ),
        with_(kawung=8),
        ("3 files hold more than one picture",),
    ),
    "dots of web pages": Case(
        lambda p: no([Image.new("RGB", (1, 1), (i, 9, 9)).save(p / f"kawung/dot{i}.png") for i in (0, 200)]),
        with_(kawung=7),
        ("2 pictures have fewer than 16 pixels on a side",),
    ),
    "a photo of too many pixels": Case(
        lambda p: Image.new("1", (12_000, 9_000)).save(p / "kawung/big.png"),
        None,
        ("pixels, the limit is 64,000,000 in all; save it smaller",),
        ok=False,
    ),
    "JPEG 2000 under a JPEG's name": Case(
        lambda p: touch(p / "lereng/p.jpg", b"\0\0\0\x0cjP  \r\n\x87\n"), None, ("but a JPEG 2000 picture",), ok=False
    ),
    "one name with .jpg and .JPG": Case(
        lambda p: no([blocks(85 + i).save(p / f"kawung/x.{e}", "JPEG") for i, e in enumerate(("jpg", "JPG"))]),
        with_(kawung=7),
    ),
    "an address's end behind the extension": Case(
        lambda p: no(
            [blocks(87 + i).save(p / f"kawung/{n}", "JPEG") for i, n in enumerate(("1.jpeg?itok=F.jpg", "2.JPG.jpg"))]
        ),
        with_(kawung=7),
    ),
    "numbers for names": Case(
        lambda p: no([few(p, {n: 4 for n in ("1", "2", "10")}), drop_all(p)]), {n: 4 for n in ("1", "2", "10")}
    ),
    "names of signs alone": Case(
        lambda p: no([few(p, {n: 4 for n in ("_", "-", "a, b", "'c'")}), drop_all(p)]),
        {n: 4 for n in ("_", "-", "a, b", "'c'")},
    ),
    "a name of spaces alone": Case(lambda p: few(p, {" ": 4}), None, ("shows nothing; rename",)),
    "a class that is empty in validation": Case(
        both(split("train", "val"), lambda p: [f.unlink() for f in (p / "val/parang").iterdir()]),
        None,
        ('val: class "parang" is empty',),
        options=SPLIT,
    ),
    "hidden colours under a transparent ground": Case(
        lambda p: no([see_through(hidden).save(p / f"kawung/hidden{hidden}.png") for hidden in (0, 200)]),
        with_(kawung=7),
    ),
}
