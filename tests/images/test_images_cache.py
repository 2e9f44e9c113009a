"""The decoded cache: what is in it, what its key depends on, and what happens to a damaged one."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from folders_of_photos import blocks, make_folder, save
from PIL import Image

from batik_scratch.errors import InputError
from batik_scratch.images import cache, kinds, load_folder, loading, read_pixels, reading, user_cache
from batik_scratch.images.duplicates import RULE
from batik_scratch.images.folders import list_folder


@pytest.fixture
def folder(tmp_path):
    return make_folder(tmp_path / "photos", {"lereng": 5, "kawung": 4})


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("BATIK_SCRATCH_CACHE", str(tmp_path / "store"))
    return tmp_path / "store"


def load(folder, size=20, **options):
    return load_folder(folder, size, progress=False, **options)


def counted(monkeypatch):
    """The names of the files that are decoded from now on."""
    seen, real = [], cache.read_with_notes

    def read(path):
        seen.append(Path(path).name)
        return real(path)

    monkeypatch.setattr(cache, "read_with_notes", read)
    return seen


def test_every_field_says_the_same_of_the_same_image(folder, store):
    (folder / "kawung/2.png").write_text("no image")
    (folder / "lereng/0.png").write_bytes(b"")
    for i in (4, 5):
        save(folder / f"kawung/{i}.png", 50 + i)
    blocks(2).rotate(180).save(folder / "lereng/copy.png")
    for again in (False, True):  # decoded, and then from the cache
        found = load(folder, skip_bad=True)
        names = [f"kawung/{i}.png" for i in (0, 1, 3, 4, 5)]
        names += [f"lereng/{i}.png" for i in (1, 2, 3, 4, "copy")]
        assert found.paths == names and found.class_names == ["kawung", "lereng"]
        assert found.labels.tolist() == [0] * 5 + [1] * 5 and found.labels.dtype == np.int64
        assert found.groups.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 6] and found.groups.dtype == np.int64
        assert found.images.shape == (10, 20, 20, 3) and found.images.dtype == np.uint8
        assert np.array_equal(found.images, [read_pixels(folder / name, 20) for name in names])
        assert [path for path, _ in found.skipped] == ["kawung/2.png", "lereng/0.png"]
        assert found.skipped[1][1] == "is an empty file", again


def test_images_are_a_map_of_the_cache_that_cannot_be_written(folder, store):
    found = load(folder)
    assert isinstance(found.images, np.memmap) and not found.images.flags.writeable
    assert sorted(path.name for path in store.iterdir()) == [f"decoded-{found.key}.json", f"decoded-{found.key}.npy"]


def test_a_second_load_decodes_nothing_whatever_the_workers(folder, store, monkeypatch):
    first = load(folder, workers=1)
    seen = counted(monkeypatch)
    second = load(folder, workers=3)
    assert not seen and second.key == first.key and np.array_equal(first.images, second.images)


def test_a_moved_folder_keeps_its_cache_for_the_key_is_content_and_names(folder, store, monkeypatch):
    key = load(folder).key
    moved = shutil.copytree(folder, folder.parent / "elsewhere")
    seen = counted(monkeypatch)
    assert load(moved).key == key and not seen


def test_any_change_of_content_names_classes_size_or_decoder_makes_a_new_one(folder, store, monkeypatch):
    keys = [load(folder).key, load(folder, 21).key]
    save(folder / "lereng/3.png", 70)
    keys.append(load(folder).key)
    (folder / "lereng/3.png").rename(folder / "lereng/33.png")
    keys.append(load(folder).key)
    (folder / "lereng/33.png").rename(folder / "kawung/33.png")
    keys.append(load(folder).key)
    a, b = (folder / "kawung/1.png", folder / "kawung/2.png")
    first, second = a.read_bytes(), b.read_bytes()
    a.write_bytes(second)
    b.write_bytes(first)  # the same contents and the same names, but changed about
    keys.append(load(folder).key)
    monkeypatch.setattr(cache, "DECODER_VERSION", reading.DECODER_VERSION + 1)
    keys.append(load(folder).key)
    assert len(set(keys)) == 7


def test_a_change_of_one_byte_at_the_end_of_a_file_is_noticed(folder, store):
    with (folder / "lereng/4.png").open("ab") as file:  # as large as a photo; what follows a picture is not decoded
        file.write(bytes(3 * 2**20))
    before = load(folder).key
    with (folder / "lereng/4.png").open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"1")
    assert load(folder).key != before


@pytest.mark.parametrize("damage", ["short", "no npy", "no json", "json", "other count", "other size", "dtype", "list"])
def test_a_damaged_cache_is_made_again(folder, store, monkeypatch, damage):
    right = np.array(load(folder).images)
    (pixels,), (facts,) = store.glob("*.npy"), store.glob("*.json")
    if damage == "short":
        os.truncate(pixels, pixels.stat().st_size - 1)
    elif damage == "json":
        facts.write_text(facts.read_text()[:-3])
    elif damage == "other count":
        np.save(pixels, right[:-1])
    elif damage == "other size":
        np.save(pixels, right[:, 1:])
    elif damage == "dtype":
        np.save(pixels, right.astype(np.int8))
    elif damage == "list":
        facts.write_text("[]")
    else:
        (pixels if damage == "no npy" else facts).unlink()
    seen = counted(monkeypatch)
    assert np.array_equal(load(folder).images, right) and len(seen) == 9
    seen.clear()
    assert np.array_equal(load(folder).images, right) and not seen


def test_bad_files_are_remembered_with_their_reasons_and_stop_every_run(folder, store, monkeypatch):
    (folder / "lereng/1.png").write_bytes(b"")
    for _ in range(2):
        with pytest.raises(InputError) as error:
            load(folder)
        lines = str(error.value).split("\n")
        assert lines[0].endswith("photos: 1 of its files cannot be read:")
        assert lines[1] == "  lereng/1.png: is an empty file" and "--skip-bad" in lines[2] and len(lines) == 3
    seen = counted(monkeypatch)
    assert load(folder, skip_bad=True).skipped == [("lereng/1.png", "is an empty file")] and not seen


def test_four_bad_files_are_named_and_the_rest_counted(folder, store):
    for i in range(4):
        (folder / f"lereng/bad{i}.png").write_bytes(b"")
    with pytest.raises(InputError) as error:
        load(folder)
    assert str(error.value).count("empty file") == 4 and "more" not in str(error.value)
    for i in range(2):
        (folder / f"kawung/bad{i}.png").write_bytes(b"")
    with pytest.raises(InputError) as error:
        load(folder)
    assert "6 of its files" in str(error.value) and "and 2 more; see: batik-scratch data scan" in str(error.value)
    assert str(error.value).count("empty file") == 4 and "kawung/bad1.png" in str(error.value)


def test_a_class_needs_four_images_that_can_be_read(folder, store):
    (folder / "kawung/1.png").write_bytes(b"")
    with pytest.raises(InputError, match=r'class "kawung" has 3 images.*Found: kawung 3, lereng 5'):
        load(folder, skip_bad=True)
    for path in [*(folder / "kawung").iterdir(), *(folder / "lereng").iterdir()]:
        path.write_bytes(b"")
    with pytest.raises(InputError, match='class "kawung" is empty'):
        load(folder, skip_bad=True)


def test_a_class_of_too_few_files_is_refused_before_anything_is_decoded(folder, store, monkeypatch):
    (folder / "kawung/1.png").unlink()
    (folder / "lereng/1.png").write_bytes(b"")
    seen = counted(monkeypatch)
    with pytest.raises(InputError, match='class "kawung" has 3 images'):
        load(folder)
    assert not seen and not store.exists()


def test_a_file_that_is_gone_before_it_is_read_is_named(folder, store, monkeypatch):
    def listed(*arguments, **options):
        found = list_folder(*arguments, **options)
        (folder / "lereng/3.png").unlink()
        return found

    monkeypatch.setattr(loading, "list_folder", listed)
    with pytest.raises(InputError, match=r"lereng/3\.png: cannot be read: No such file"):
        load(folder)


def test_a_folder_with_an_images_name_is_a_folder(folder, store):
    save(folder / "lereng/x.png/y.png", 9)
    assert "lereng/x.png/y.png" in load(folder).paths


def test_the_cache_goes_where_it_is_sent(folder, tmp_path, store):
    found = load(folder, cache_dir=tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b" / f"decoded-{found.key}.npy").is_file() and not store.exists()
    load(folder)
    assert len(list(store.iterdir())) == 2


def test_a_cache_that_cannot_be_written_is_replaced_for_this_run(folder, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.warns(RuntimeWarning, match="file cannot be written.*is used for this run.*Set BATIK_SCRATCH_CACHE"):
        found = load(folder, cache_dir=tmp_path / "file")
    assert np.array_equal(found.images[5], read_pixels(folder / "lereng/1.png", 20))
    shutil.rmtree(Path(found.images.filename).parent)


def test_an_interrupted_decoding_leaves_nothing_behind(folder, store, monkeypatch):
    def fail(pixels):
        raise KeyboardInterrupt

    monkeypatch.setattr(cache, "grey_thumbnail", fail)
    with pytest.raises(KeyboardInterrupt):
        load(folder, workers=1)
    assert list(store.iterdir()) == []


@pytest.mark.parametrize("rule", [None, 1])
def test_what_another_rule_grouped_is_grouped_again_under_the_same_key(folder, store, rule):
    blocks(2).rotate(180).save(folder / "lereng/copy.png")
    found = load(folder)
    facts_file = store / f"decoded-{found.key}.json"
    facts = json.loads(facts_file.read_text())
    old = {"bad": facts["bad"], "groups": list(range(10))} | ({"rule": rule} if rule else {})
    facts_file.write_text(json.dumps(old))
    again = load(folder)
    assert again.key == found.key and again.groups.tolist() == found.groups.tolist() != list(range(10))
    assert json.loads(facts_file.read_text()) == facts


def test_odd_names_are_kept_byte_by_byte_in_the_cache(folder, store, monkeypatch):
    name = os.fsdecode(b"\xff\xfe.png")
    (folder / "kawung" / name).write_bytes(b"")
    for _ in range(2):
        found = load(folder, skip_bad=True)
        assert found.skipped == [(f"kawung/{name}", "is an empty file")]


def test_images_of_equal_content_are_one_group_even_where_they_show_nothing(folder, store):
    blank = blocks(0).point(lambda _: 255)
    for name in ("kawung/8.png", "lereng/8.png"):
        blank.save(folder / name)
    blank.resize((50, 30)).save(folder / "lereng/9.png")  # as blank, but another file
    assert load(folder).groups.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 4, 10]


def test_files_of_different_content_that_show_nothing_are_never_one_group(tmp_path, store):
    for number in range(120):
        path = tmp_path / "blank" / ("a" if number < 60 else "b") / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (2, 2), (number, 100, 50)).save(path)
    assert len(set(load(tmp_path / "blank", 8).groups.tolist())) == 120


def test_the_facts_are_json_with_the_bad_files_and_the_groups(folder, store):
    (folder / "lereng/1.png").write_bytes(b"")
    found = load(folder, skip_bad=True)
    stored = store / f"decoded-{found.key}.npy"
    with stored.open("rb") as stream:
        pixels = np.load(stream)
        assert len(pixels) == 8 and stream.tell() == stored.stat().st_size  # room for nine was made, and given back
    facts = json.loads((store / f"decoded-{found.key}.json").read_text())
    reading_rule = [reading.READING, kinds.heic_is_read()]
    assert facts == {
        "bad": [["lereng/1.png", "is an empty file"]],
        "groups": list(range(8)),
        "rule": RULE,
        "reading": reading_rule,
        "notes": {},
    }


def test_the_users_cache_is_the_first_that_is_set(monkeypatch):
    monkeypatch.setenv("BATIK_SCRATCH_CACHE", "/one")
    monkeypatch.setenv("XDG_CACHE_HOME", "/two")
    monkeypatch.setenv("HOME", "/three")
    assert user_cache() == Path("/one")
    monkeypatch.setenv("BATIK_SCRATCH_CACHE", "")
    assert user_cache() == Path("/two/batik_scratch")
    monkeypatch.delenv("BATIK_SCRATCH_CACHE")
    assert user_cache() == Path("/two/batik_scratch")
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    assert user_cache() == Path("/three/.cache/batik_scratch")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert user_cache() == Path("/three/.cache/batik_scratch")
