"""What counts as an image of which class, in which order; and what is refused before anything is decoded."""

import os

import pytest
from folders_of_photos import make_folder, save

from batik_scratch.errors import InputError
from batik_scratch.images import kinds, load_folder, scan
from batik_scratch.images.folders import check_counts, is_drawn, list_folder


@pytest.fixture
def folder(tmp_path):
    return make_folder(tmp_path / "photos", {"lereng": 5, "Kawung": 4})


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    return path


def test_classes_are_sorted_by_name_and_files_by_path_within_them(tmp_path):
    names = ["b/2.png", "b/10.png", "a/z/1.png", "a/z.png", "a/Z.png", "a/m/n/1.png", "B2/é.png", "B2/e.png"]
    for name in names:
        touch(tmp_path / name)
    found = list_folder(tmp_path)
    assert found.root == tmp_path and found.class_names == ["B2", "a", "b"]
    assert found.files == [
        ("B2", "B2/e.png"),
        ("B2", "B2/é.png"),
        ("a", "a/Z.png"),
        ("a", "a/m/n/1.png"),
        ("a", "a/z.png"),
        ("a", "a/z/1.png"),
        ("b", "b/10.png"),
        ("b", "b/2.png"),
    ]


@pytest.mark.parametrize(
    "ending",
    ["png", "jpg", "jpeg", "jfif", "jpe", "bmp", "webp", "tif", "tiff", "ppm", "gif", "PNG", "JPG", "JPeG", "TiFF"],
)
def test_these_extensions_are_images_in_any_case(folder, ending):
    touch(folder / "lereng" / f"x.{ending}")
    found = list_folder(folder)
    assert ("lereng", f"lereng/x.{ending}") in found.files and not found.skipped


@pytest.mark.parametrize("name", ["x.txt", "png", "x.png.bak", "x.pngs", "x"])
def test_other_files_are_passed_over_and_counted(folder, name):
    before = list_folder(folder).files
    touch(folder / "lereng" / name)
    touch(folder / "lereng" / "deeper" / name)
    found = list_folder(folder)
    assert found.files == before and found.skipped == {"files without an image's extension": 2}


@pytest.mark.parametrize("name", [".x.png", "Thumbs.db", "DESKTOP.INI", "thumbs.DB", ".git/x.png", "._x.jpg"])
def test_hidden_and_system_files_are_passed_over_and_counted(folder, name):
    before = list_folder(folder).files
    touch(folder / "lereng" / name)
    found = list_folder(folder)
    assert found.files == before and found.skipped == {"hidden or system files": 1}


def test_files_beside_the_classes_belong_to_none(folder):
    touch(folder / "stray.png")
    touch(folder / ".DS_Store")
    (folder / ".cache").mkdir()
    found = list_folder(folder)
    assert found.class_names == ["Kawung", "lereng"] and len(found.files) == 9
    assert found.skipped == {"hidden or system files": 2, "files beside the class folders": 1}


def test_a_link_is_counted_once_and_followed_only_where_asked(folder):
    os.symlink(folder / "lereng" / "0.png", folder / "lereng" / "again.png")
    os.symlink(folder / "Kawung", folder / "lereng" / "inside")
    os.symlink(folder / "Kawung", folder / "third")
    found = list_folder(folder)
    assert len(found.files) == 9 and found.skipped == {"symbolic links": 3}
    assert len(scan(folder, progress=False).duplicates) == 0
    followed = list_folder(folder, follow_links=True)
    assert followed.class_names == ["Kawung", "lereng", "third"] and not followed.skipped
    assert ("lereng", "lereng/again.png") in followed.files and ("lereng", "lereng/inside/3.png") in followed.files
    assert sum(name == "third" for name, _ in followed.files) == 4 and len(followed.files) == 18


def test_a_link_to_a_folder_above_is_a_loop_and_two_links_to_one_folder_are_none(folder):
    (folder / "lereng" / "deep").mkdir()
    save(folder / "lereng" / "deep" / "x.png", 77)
    for name in ("one", "two"):
        os.symlink(folder / "lereng" / "deep", folder / "Kawung" / name)
    assert len(list_folder(folder, follow_links=True).files) == 12
    for name in ("one", "two"):
        (folder / "Kawung" / name).unlink()
    os.symlink(folder / "lereng", folder / "lereng" / "deep" / "back")
    assert len(list_folder(folder).files) == 10
    with pytest.raises(InputError, match=r"lereng/deep/back: a symbolic link leads back"):
        list_folder(folder, follow_links=True)


def test_a_place_that_is_no_folder_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nowhere: there is no such folder"):
        list_folder(tmp_path / "nowhere")
    touch(tmp_path / "file")
    with pytest.raises(InputError, match=r"file: is a file, not a folder"):
        list_folder(tmp_path / "file")


def test_home_may_be_written_as_a_tilde(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder.parent))
    assert list_folder("~/photos").files == list_folder(folder).files


def test_fewer_than_two_classes_are_refused(tmp_path):
    touch(tmp_path / "1.png")
    with pytest.raises(InputError, match="has no subfolders; needs at least two classes"):
        list_folder(tmp_path)
    touch(tmp_path / "parang" / "1.png")
    with pytest.raises(InputError, match=r"only one class \(parang\)"):
        list_folder(tmp_path)
    touch(tmp_path / "tambal" / "1.png")
    assert list_folder(tmp_path).class_names == ["parang", "tambal"]


@pytest.mark.parametrize(
    ("one", "two"), [("Straße", "strasse"), ("kawung", "KAWUNG"), ("caf\u00e9", "cafe\u0301"), ("a b ", "a  B")]
)
def test_names_that_only_look_alike_are_refused(tmp_path, one, two):
    touch(tmp_path / "other" / "1.png")
    touch(tmp_path / one / "1.png")
    list_folder(tmp_path)
    touch(tmp_path / two / "1.png")
    with pytest.raises(InputError, match="differ only in case, spaces or Unicode form") as error:
        list_folder(tmp_path)
    first, second = sorted((one, two))
    assert f'"{first}" and "{second}"' in str(error.value)


def test_all_classes_that_cannot_be_used_are_named_at_once(folder, tmp_path):
    (folder / "Kawung/2.png").unlink()
    (folder / "empty").mkdir()
    (tmp_path / "elsewhere").mkdir()
    os.symlink(tmp_path / "elsewhere", folder / "truntum")
    with pytest.raises(InputError) as error:
        check_counts(list_folder(folder), folder)
    head, *lines = str(error.value).splitlines()
    assert head == f"{folder}: 3 of its classes cannot be used as they are. Found: Kawung 3, empty 0, lereng 5"
    assert [line.split('"')[1] for line in lines] == ["truntum", "Kawung", "empty"]
    assert "--follow-links" in lines[0] and "has 3 images; each class needs at least 4" in lines[1]
    assert lines[2].endswith("is empty; each class needs at least 4 images; add images, or take its folder away")
    for n in range(8):
        (folder / f"more{n}").mkdir()
    with pytest.raises(InputError, match=r"11 of its classes[\s\S]+and 5 more; see: batik-scratch data scan"):
        check_counts(list_folder(folder), folder)


def test_one_of_a_kind_is_told_in_the_singular():
    assert kinds.counted(1, kinds.LINKS) == "1 symbolic link" and kinds.counted(2, kinds.LINKS) == "2 symbolic links"
    named = {value for name, value in vars(kinds).items() if name.isupper() and isinstance(value, str)}
    assert named == set(kinds.ONE)


def test_each_class_needs_four_images(folder):
    check_counts(list_folder(folder), folder)  # 4 and 5
    (folder / "Kawung/2.png").unlink()
    with pytest.raises(InputError) as error:
        check_counts(list_folder(folder), folder)
    assert 'class "Kawung" has 3 images; each class needs at least 4' in str(error.value)
    assert str(error.value).endswith("Found: Kawung 3, lereng 5")
    check_counts(list_folder(folder), folder, minimum=3)
    for name in ("1", "3"):
        (folder / f"Kawung/{name}.png").unlink()
    with pytest.raises(InputError, match='class "Kawung" has 1 image; each'):
        load_folder(folder, 16, progress=False)
    (folder / "Kawung/0.png").unlink()
    with pytest.raises(InputError, match='class "Kawung" is empty'):
        load_folder(folder, 16, progress=False)


def test_the_refusal_names_at_most_twelve_classes(tmp_path):
    make_folder(tmp_path, {f"c{i:02d}": 1 for i in range(14)})
    with pytest.raises(InputError) as error:
        check_counts(list_folder(tmp_path), tmp_path)
    assert "c11 1" in str(error.value) and "c12" not in str(error.value)


def test_a_drawn_set_is_known_by_its_manifest_and_only_its_images_are_taken(folder, tmp_path):
    drawn = tmp_path / "drawn"
    drawn.mkdir()
    folder.rename(drawn / "images")
    make_folder(drawn / "masks", {"lereng": 5, "Kawung": 4})
    assert not is_drawn(drawn) and list_folder(drawn).class_names == ["images", "masks"]
    for header, is_one in (("path,class\n", False), ("mask,class\n", False), ("", False), ("class,path,mask\n", True)):
        (drawn / "manifest.csv").write_text(header)
        assert is_drawn(drawn) is is_one
    assert list_folder(drawn).root == drawn / "images" and list_folder(drawn).class_names == ["Kawung", "lereng"]
    (drawn / "images").rename(drawn / "pictures")
    assert not is_drawn(drawn)
