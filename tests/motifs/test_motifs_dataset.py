"""A drawn data set: which files with which pixels, what the manifest says of them, and what a second call finds."""

import csv
import hashlib
import io
import os
import shutil
import sys

import joblib
import numpy as np
import pytest
from PIL import Image
from study.faulty_files import SHORT, WAYS, FaultyDisk

from batik_scratch import motifs
from batik_scratch.errors import InputError
from batik_scratch.motifs import dataset
from batik_scratch.motifs.drawing import draw_described

COUNTS = {"singa_barong": 2, "kawung": 1, "keratonan": 3}  # not in the order of the alphabet, and not all classes
SEED, SIZE, DIFFICULTY = 11, 37, 0.4


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("drawn") / "deep" / "set"
    assert motifs.write_dataset(place, COUNTS, SEED, SIZE, DIFFICULTY, progress=False) == place
    return place


def expected(motif, index, seed=SEED, size=SIZE, difficulty=DIFFICULTY):
    """Image `index` of a class, drawn here from the three numbers that the documentation names."""
    key = int(hashlib.blake2b(motif.encode(), digest_size=8).hexdigest(), 16)
    return draw_described(motif, np.random.default_rng(np.random.SeedSequence([seed, key, index])), size, difficulty)


def rows_of(folder):
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image)


def test_each_file_is_the_cloth_of_its_seed_class_and_index(folder):
    for motif, count in COUNTS.items():
        for index in range(count):
            image, mask, _ = expected(motif, index)
            name = f"{motif}/{motif}_{index:05d}.png"
            assert np.array_equal(pixels(folder / "images" / name), image)
            assert pixels(folder / "masks" / name).dtype == bool
            assert np.array_equal(pixels(folder / "masks" / name), mask)


def test_there_are_these_files_and_no_others(folder):
    found = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    names = [f"{motif}/{motif}_{i:05d}.png" for motif, count in COUNTS.items() for i in range(count)]
    assert found == sorted([f"{part}/{name}" for part in ("images", "masks") for name in names] + ["manifest.csv"])
    assert [path.name for path in folder.parent.iterdir()] == ["set"]
    assert folder.stat().st_mode & 0o777 == 0o755


def test_the_manifest_has_a_row_for_each_image_with_all_that_was_drawn(folder):
    rows = rows_of(folder)
    assert [(row["class"], row["index"]) for row in rows] == [
        (motif, str(i)) for motif, count in COUNTS.items() for i in range(count)
    ]
    for row in rows:
        _, mask, drawn = expected(row["class"], int(row["index"]))
        name = f"{row['class']}/{row['class']}_{int(row['index']):05d}.png"
        fixed = {"path": f"images/{name}", "mask": f"masks/{name}", "class": row["class"], "index": row["index"]}
        fixed |= {"seed": "11", "size": "37", "difficulty": "0.4", "mask_share": str(round(mask.mean(), 4))}
        wanted = fixed | {key: str(value) for key, value in drawn.items()}
        assert {key: value for key, value in row.items() if value} == {k: v for k, v in wanted.items() if v != ""}


def test_the_manifests_columns_are_the_fixed_ones_and_then_the_drawn_ones_sorted(folder):
    lines = (folder / "manifest.csv").read_bytes().split(b"\n")
    columns = lines[0].decode().split(",")
    assert columns[:8] == ["path", "mask", "class", "index", "seed", "size", "difficulty", "mask_share"]
    assert columns[8:] == sorted(columns[8:]) and {"period", "spokes", "feathers", "blur", "span"} <= set(columns)
    assert len(lines) == 8 and lines[-1] == b"" and b"\r" not in lines[0]
    kawung = next(row for row in rows_of(folder) if row["class"] == "kawung")
    assert kawung["period"] and kawung["spokes"] == ""  # what a class does not have is empty


@pytest.mark.parametrize("what", ["seed", "class", "index"])
def test_another_seed_class_or_index_is_another_view_light_and_dye(what, folder):
    """Everything is drawn anew, not the motif alone."""
    pairs = {
        "seed": (expected("keratonan", 1), expected("keratonan", 1, seed=12)),
        "class": (expected("keratonan", 1), expected("singa_barong", 1)),
        "index": (expected("keratonan", 1), expected("keratonan", 2)),
    }
    one, two = (drawn for _, _, drawn in pairs[what])
    for key in ("span", "rotation_degrees", "blur", "noise"):
        assert one[key] != two[key]
    rows = {(row["class"], row["index"]): row for row in rows_of(folder)}
    assert rows["keratonan", "1"]["span"] not in (rows["singa_barong", "1"]["span"], rows["keratonan", "2"]["span"])


def test_defaults_are_150_pixels_at_a_difficulty_of_a_fiftieth(tmp_path):
    motifs.write_dataset(tmp_path / "d", {"mega_mendung": 1}, 3, progress=False)
    (row,) = rows_of(tmp_path / "d")
    assert (row["size"], row["difficulty"]) == ("150", "0.005") and motifs.DEFAULT_DIFFICULTY == 0.005
    image, mask = motifs.draw("mega_mendung", np.random.default_rng(1))
    again, same = motifs.draw("mega_mendung", np.random.default_rng(1), 150, 0.005)
    assert np.array_equal(image, again) and np.array_equal(mask, same)
    found = draw_described("mega_mendung", np.random.default_rng(1))
    assert np.array_equal(found[0], image) and np.array_equal(found[1], mask) and found[2]["size_of_tile"] > 0


def test_numbers_alone_count_for_the_papers_classes_in_order(tmp_path):
    motifs.write_dataset(tmp_path / "d", [1, 0, np.int64(2)], np.int64(0), 32, progress=False)
    assert [row["class"] for row in rows_of(tmp_path / "d")] == ["keratonan", "singa_barong", "singa_barong"]
    assert sorted(path.name for path in (tmp_path / "d/masks").iterdir()) == list(motifs.MOTIFS)


def test_a_further_motif_is_drawn_where_it_is_asked_for():
    assert tuple(motifs.ALL_MOTIFS) == (*motifs.MOTIFS, "kawung")


@pytest.mark.parametrize("counts", [{}, [0, 0, 0], [1, 2.0, 3], {"keratonan": "3"}, [1, 2, 3, 4]])
def test_counts_that_are_none_are_refused(tmp_path, counts):
    with pytest.raises(InputError, match=r"counts: needs"):
        motifs.write_dataset(tmp_path / "d", counts, 0, progress=False)


@pytest.mark.parametrize("seed", [-1, 1.0, "3", None])
def test_a_seed_is_a_whole_number_from_zero_up(tmp_path, seed):
    with pytest.raises(InputError, match="seed needs a whole number >= 0"):
        motifs.write_dataset(tmp_path / "d", [1, 1, 1], seed, progress=False)


@pytest.mark.parametrize(("size", "allowed"), [(31, False), (32, True), (4096, True), (4097, False), (40.0, False)])
def test_sizes_run_from_32_to_4096(size, allowed):
    if allowed:
        motifs.drawing.check("kawung", size, 0.5)
    else:
        with pytest.raises(InputError, match=f"32 to 4096.*{size}"):
            motifs.drawing.check("kawung", size, 0.5)


@pytest.mark.parametrize(("difficulty", "allowed"), [(0, True), (1, True), (-0.01, False), (1.01, False)])
def test_difficulty_runs_from_0_to_1(difficulty, allowed):
    if allowed:
        motifs.drawing.check("kawung", 50, difficulty)
    else:
        with pytest.raises(InputError, match="between 0 and 1"):
            motifs.drawing.check("kawung", 50, difficulty)


def test_a_place_that_is_taken_is_left_alone(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full/x").write_text("mine")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    before = sorted(tmp_path.rglob("*"))
    for name in ("full", "file", "link"):
        with pytest.raises(InputError, match=f"{name}: exists and is not empty; nothing was touched"):
            motifs.write_dataset(tmp_path / name, {"kawung": 1}, 0, 32, progress=False)
    with pytest.raises(InputError, match="file is not a writable folder"):
        motifs.write_dataset(tmp_path / "file" / "set", {"kawung": 1}, 0, 32, progress=False)
    assert sorted(tmp_path.rglob("*")) == before and (tmp_path / "full/x").read_text() == "mine"
    motifs.write_dataset(tmp_path / "empty", {"kawung": 1}, 0, 32, progress=False)
    assert len(rows_of(tmp_path / "empty")) == 1


def test_a_place_that_cannot_be_made_is_named(tmp_path, monkeypatch):
    def refuse(**_):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(dataset.tempfile, "mkdtemp", refuse)
    with pytest.raises(InputError, match=r"set: cannot be made \(Read-only file system\)"):
        motifs.write_dataset(tmp_path / "set", {"kawung": 1}, 0, 32, progress=False)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("BATIK_SCRATCH_CACHE", str(tmp_path))
    return tmp_path


def test_the_cached_set_is_the_one_that_was_asked_for(cache):
    found = motifs.cached_dataset(SEED, {"kawung": 1, "keratonan": 2}, SIZE, DIFFICULTY, progress=False)
    assert found.parent == cache and found.name.startswith("drawn-")
    assert np.array_equal(pixels(found / "images/keratonan/keratonan_00001.png"), expected("keratonan", 1)[0])
    assert [row["class"] for row in rows_of(found)] == ["kawung", "keratonan", "keratonan"]


def test_every_argument_and_the_version_make_another_cached_set_and_the_order_of_counts_does_not(cache, monkeypatch):
    drawn = []

    def note(target, counts, seed, size, difficulty, progress):
        drawn.append((seed, size, difficulty, dict(counts), progress))
        target.mkdir()
        (target / "manifest.csv").write_text("")

    monkeypatch.setattr(dataset, "write_dataset", note)
    counts = {"keratonan": 4, "kawung": 5}
    first = motifs.cached_dataset(1, counts, 40, 0.2)
    assert drawn == [(1, 40, 0.2, counts, True)]
    assert motifs.cached_dataset(1, {"kawung": 5, "keratonan": 4}, 40, 0.2) == first and len(drawn) == 1
    others = [
        motifs.cached_dataset(2, counts, 40, 0.2, progress=False),
        motifs.cached_dataset(1, counts, 41, 0.2),
        motifs.cached_dataset(1, counts, 40, 0.25),
        motifs.cached_dataset(1, {"keratonan": 5, "kawung": 4}, 40, 0.2),
        motifs.cached_dataset(1, [4, 0, 5]),
    ]
    monkeypatch.setattr(dataset, "VERSION", motifs.VERSION + 1)
    others.append(motifs.cached_dataset(1, counts, 40, 0.2, version=motifs.VERSION + 1))
    assert len({first, *others}) == 7 == len(drawn)
    assert drawn[1][4] is False and drawn[5][1:3] == (150, 0.005)


def test_a_set_of_another_version_is_found_while_it_is_there_and_is_never_drawn(cache, monkeypatch):
    old = motifs.VERSION - 1
    with monkeypatch.context() as past:
        past.setattr(dataset, "VERSION", old)
        kept = motifs.cached_dataset(1, [1, 1, 1], 32, progress=False, version=old)
    assert motifs.cached_dataset(1, [1, 1, 1], 32, version=old) == kept
    rule = rf"draws cloths of version {motifs.VERSION}, got {old}.*finish that run with the release that began it"
    with pytest.raises(InputError, match=rule):
        motifs.cached_dataset(2, [1, 1, 1], 32, version=old)
    assert [entry.name for entry in cache.iterdir()] == [kept.name]


@pytest.mark.parametrize("error", [InputError("taken"), OSError("taken")])
def test_another_process_that_was_first_with_the_same_set_is_no_failure(cache, monkeypatch, error):
    def late(target, *arguments, **options):
        if finished:
            target.mkdir()
            (target / "manifest.csv").write_text("")
        raise error

    monkeypatch.setattr(dataset, "write_dataset", late)
    finished = True
    assert (motifs.cached_dataset(1, [1, 1, 1]) / "manifest.csv").is_file()
    finished = False
    with pytest.raises(type(error), match="taken"):
        motifs.cached_dataset(2, [1, 1, 1])


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("screen", "progress", "shown"), [(Terminal, True, True), (Terminal, False, False), (io.StringIO, True, False)]
)
def test_a_bar_counts_the_images_at_a_terminal_and_is_gone_afterwards(tmp_path, monkeypatch, screen, progress, shown):
    seen = screen()
    monkeypatch.setattr(sys, "stderr", seen)
    motifs.write_dataset(tmp_path / "d", [1, 2, 1], 0, 32, progress=progress)
    text = seen.getvalue()
    assert ("drawing:   0%" in text and "0/4" in text and "image/s" in text) if shown else text == ""
    assert not shown or text.rsplit("\r", 2)[1].strip() == ""


def test_the_users_rights_and_folder_survive_a_failure(tmp_path, monkeypatch):
    monkeypatch.setattr(dataset.os, "rename", lambda *_: (_ for _ in ()).throw(OSError("lost")))
    with pytest.raises(OSError, match="lost"):
        motifs.write_dataset(tmp_path / "a" / "b", {"kawung": 1}, 0, 32, progress=False)
    assert os.listdir(tmp_path / "a") == []


@pytest.mark.parametrize(
    ("count", "workers", "expected"), [(63, 3, 1), (64, 3, 3), (64, None, joblib.cpu_count()), (70, 1, 1)]
)
def test_from_64_images_on_it_pays_to_start_processes(tmp_path, monkeypatch, count, workers, expected):
    asked = []

    def parallel(n_jobs, **options):
        asked.append((n_jobs, options.get("prefer")))
        return lambda jobs: [{"path": str(number)} for number, _ in enumerate(jobs)]

    monkeypatch.setattr(dataset, "Parallel", parallel)
    motifs.write_dataset(tmp_path / "d", {"kawung": count}, 0, 32, workers=workers, progress=False)
    assert asked == [(expected, None)] and len(rows_of(tmp_path / "d")) == count


def test_a_set_of_the_papers_counts_has_568_images_in_the_papers_shares(tmp_path, monkeypatch):
    def fake(*arguments, **options):
        return lambda jobs: [{"class": arguments[1], "index": arguments[2]} for _, arguments, _ in jobs]

    monkeypatch.setattr(dataset, "Parallel", fake)
    motifs.write_dataset(tmp_path / "d", motifs.PAPER_COUNTS, 0, 32, progress=False)
    classes = [row["class"] for row in rows_of(tmp_path / "d")]
    assert classes == ["keratonan"] * 217 + ["mega_mendung"] * 200 + ["singa_barong"] * 151


@pytest.mark.parametrize("way", [*WAYS, SHORT])
def test_whatever_file_operation_fails_while_drawing_the_error_names_the_file_and_no_half_set_stays(tmp_path, way):
    counts, place = {"kawung": 1}, tmp_path.resolve()

    def draw(disk):
        with disk.at_work():
            motifs.write_dataset(place / "set", counts, SEED, 32, progress=False)
        return disk

    total = len(draw(FaultyDisk(place)).operations)
    whole = sorted(path.name for path in (place / "set").rglob("*"))
    for number in range(1, total + 1):
        shutil.rmtree(place / "set", ignore_errors=True)
        disk = FaultyDisk(place, number, way)
        try:
            draw(disk)
            assert sorted(path.name for path in (place / "set").rglob("*")) == whole
        except InputError as error:
            assert str(place) in str(error)
        except OSError as error:
            assert str(error.filename).startswith(str(place)), (disk.operations[-1], error)
        assert [path.name for path in place.iterdir()] in ([], ["set"])
