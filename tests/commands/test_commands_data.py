"""`data draw`, `data scan` and `data sheet` do what the API does with the same values."""

import json

from command_pictures import photos
from PIL import Image

from batik_scratch import images, motifs


def contents(folder):
    """{path below the folder: bytes} of every file."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_data_draw_draws_what_the_api_draws_with_the_same_values(tmp_path, command):
    options = ["--counts", "3,1,2", "--seed", 5, "--size", 33, "--difficulty", 0.7]
    out = tmp_path / "new" / "d"
    assert command(0, "data", "draw", "--out", out, *options).out == f"{out}\n"
    same = motifs.write_dataset(tmp_path / "same", (3, 1, 2), 5, size=33, difficulty=0.7, progress=False)
    assert contents(out) == contents(same)
    drawn = {name: len(list((out / "images" / name).iterdir())) for name in motifs.MOTIFS}
    assert drawn == {"keratonan": 3, "mega_mendung": 1, "singa_barong": 2}


def test_data_draw_without_options_draws_the_papers_counts_at_the_papers_size(command, noted):
    calls = noted(motifs, "write_dataset")
    command(0, "data", "draw")
    (folder, counts, seed), options = calls[0]
    assert str(folder) == "data/batik" and counts == (217, 200, 151) and seed == 0
    assert options == {"size": 150, "difficulty": motifs.DEFAULT_DIFFICULTY}


def test_a_difficulty_of_zero_is_a_difficulty(command, noted):
    calls = noted(motifs, "write_dataset")
    command(0, "data", "draw", "--difficulty", 0)
    assert calls[0][1]["difficulty"] == 0


def test_data_draw_refuses_what_cannot_be_drawn_and_makes_no_folder(tmp_path, command):
    out = ("--out", tmp_path / "d")
    for options, words in [
        (["--counts", "3,4"], "needs 3 numbers"),
        (["--counts", "3,4,-1"], ">= 0"),
        (["--size", 7], "size needs"),
        (["--difficulty", 1.5], "difficulty is between 0 and 1"),
        (["--seed", -1], "seed needs"),
    ]:
        assert words in command(2, "data", "draw", *out, *options).err
    assert list(tmp_path.iterdir()) == []


def test_data_scan_prints_the_report_of_the_api_and_ends_with_1_where_something_is_wrong(tmp_path, command):
    folder = photos(tmp_path / "p", {"a": 4, "b": 6})
    fine = images.scan(folder, progress=False)
    assert command(0, "data", "scan", folder).out == f"{fine.table()}\n"
    (folder / "b" / "notes.txt").write_text("passed over")
    (folder / "b" / "cut.png").write_bytes((folder / "b" / "0.png").read_bytes()[:60])
    found = images.scan(folder, progress=False)
    assert [path for path, _ in found.problems] == ["b/cut.png"]
    assert command(1, "data", "scan", folder).out == f"{found.table()}\n"
    printed = json.loads(command(1, "data", "scan", folder, "--json").out)
    assert printed == json.loads(json.dumps(found.to_json())) and printed["counts"] == {"a": 4, "b": 6}


def test_data_sheet_is_the_sheet_of_the_api(cloths, tmp_path, command, monkeypatch):
    for options, number in (["--per-class", 3], 3), ([], 8):
        assert (
            command(0, "data", "sheet", cloths, "--out", tmp_path / "a.png", *options).out == f"{tmp_path / 'a.png'}\n"
        )
        motifs.contact_sheet(cloths, tmp_path / "b.png", per_class=number)
        assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    monkeypatch.chdir(tmp_path)
    assert command(0, "data", "sheet", cloths).out == "sheet.png\n"
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.format == "PNG"
