"""Files are the old one or the new one: atomic writing, equal bytes for equal arrays, room reserved at once."""

import errno
import os
import zipfile

import numpy as np
import pytest

from batik_scratch.files import atomic, new_array, sync_folder, write_npz, write_text


def test_a_file_appears_whole_when_the_block_ends(tmp_path):
    with atomic(tmp_path / "a.bin") as file:
        file.write(b"new")
        file.flush()
        assert not (tmp_path / "a.bin").exists()
        (unfinished,) = tmp_path.iterdir()
        assert unfinished.name.startswith(".new-") and unfinished.read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["a.bin"] and (tmp_path / "a.bin").read_bytes() == b"new"


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt, SystemExit])
def test_a_block_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, error):
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(error), atomic(str(tmp_path / "a.txt")) as file:
        file.write(b"half")
        raise error
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"] and (tmp_path / "a.txt").read_text() == "old"


def test_a_new_file_replaces_the_old_one(tmp_path):
    for text in ("first, which is longer", "second"):
        write_text(tmp_path / "a.txt", text)
        assert (tmp_path / "a.txt").read_text() == text


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_file_has_the_rights_of_any_other_new_file_and_the_mask_stays(tmp_path, mask, mode):
    before = os.umask(mask)
    try:
        write_text(tmp_path / "a.txt", "x")
        assert (tmp_path / "a.txt").stat().st_mode & 0o777 == mode
    finally:
        assert os.umask(before) == mask


def test_content_is_on_the_disk_before_the_name_and_the_name_afterwards(tmp_path, monkeypatch):
    done, fsync, replace = [], os.fsync, os.replace

    def synced(handle):
        done.append("folder" if os.path.isdir(f"/proc/self/fd/{handle}") else "file")
        if done[-1] == "file":
            assert os.fstat(handle).st_size == 5
        fsync(handle)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", lambda *names: (done.append("rename"), replace(*names)))
    write_text(tmp_path / "a.txt", "hello")
    assert done == ["file", "rename", "folder"]


def test_syncing_a_folder_leaves_no_handle_open(tmp_path):
    before = len(os.listdir("/proc/self/fd"))
    sync_folder(tmp_path)
    assert len(os.listdir("/proc/self/fd")) == before


def test_text_is_utf_8_and_names_that_are_not_keep_their_bytes(tmp_path):
    write_text(tmp_path / "a.txt", "é" + os.fsdecode(b"\xff"))
    assert (tmp_path / "a.txt").read_bytes() == b"\xc3\xa9\xff"


ARRAYS = {
    "w/kernel": np.arange(12.0).reshape(3, 4).T,  # not in C order
    "b": np.array(5, np.int16),
    "strided": np.arange(10, dtype=np.uint8)[::3],
}


def test_an_archive_holds_the_arrays_uncompressed_under_their_names(tmp_path):
    write_npz(tmp_path / "a.npz", ARRAYS)
    with np.load(tmp_path / "a.npz") as found:
        assert list(found) == list(ARRAYS)
        for name, array in ARRAYS.items():
            assert np.array_equal(found[name], array) and found[name].dtype == array.dtype
            assert found[name].shape == array.shape and found[name].flags.c_contiguous
    with zipfile.ZipFile(tmp_path / "a.npz") as archive:
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert archive.testzip() is None


def test_equal_arrays_make_equal_bytes_and_objects_are_refused(tmp_path):
    for name in ("a.npz", "b.npz"):
        write_npz(tmp_path / name, ARRAYS)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    with pytest.raises(ValueError, match=r"[Oo]bject|pickle"):
        write_npz(tmp_path / "c.npz", {"x": np.array([{}, 1], object)})
    assert not (tmp_path / "c.npz").exists()


def test_an_array_of_more_than_two_gigabytes_fits(tmp_path, monkeypatch):
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 1000)  # from where on the format needs its longer fields
    write_npz(tmp_path / "a.npz", {"large": np.arange(500)})
    with np.load(tmp_path / "a.npz") as found:
        assert np.array_equal(found["large"], np.arange(500))


def test_a_new_array_is_zeros_in_a_file_that_can_be_written_and_read_again(tmp_path):
    array = new_array(tmp_path / "a.npy", np.uint16, (3, 5))
    assert array.shape == (3, 5) and array.dtype == np.uint16 and not array.any()
    array[1, 2] = 700
    array.flush()
    del array
    expected = np.zeros((3, 5), np.uint16)
    expected[1, 2] = 700
    assert np.array_equal(np.load(tmp_path / "a.npy"), expected)
    assert new_array(tmp_path / "b.npy", np.uint8, (0, 5)).shape == (0, 5)


def test_room_on_the_disk_is_reserved_for_the_whole_file(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(os, "posix_fallocate", lambda handle, start, size: asked.append((start, size)))
    new_array(tmp_path / "a.npy", np.float64, (40, 50))
    assert asked == [(0, (tmp_path / "a.npy").stat().st_size)] and asked[0][1] >= 16000


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EFBIG, errno.EIO])
def test_a_full_disk_is_an_error_that_names_the_file(tmp_path, monkeypatch, number):
    def full(*_):
        raise OSError(number, "no room")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match="no room") as error:
        new_array(tmp_path / "a.npy", np.uint8, (10,))
    assert error.value.errno == number and error.value.filename == str(tmp_path / "a.npy")


@pytest.mark.parametrize("number", [errno.EOPNOTSUPP, errno.EINVAL])
def test_a_file_system_that_cannot_reserve_room_is_used_all_the_same(tmp_path, monkeypatch, number):
    def cannot(*_):
        raise OSError(number, "cannot")

    monkeypatch.setattr(os, "posix_fallocate", cannot)
    assert new_array(tmp_path / "a.npy", np.uint8, (10,)).shape == (10,)


def test_systems_without_reserving_make_the_array_too(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "posix_fallocate")
    assert new_array(tmp_path / "a.npy", np.uint8, (10,)).shape == (10,)
