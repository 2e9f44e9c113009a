"""The page: each number beside its name, each picture under its title, complete, offline, and escaped."""

import base64
import io
import json
import re
import zlib

import numpy as np
import pytest
from page_tree import png, sections, table
from PIL import Image
from study.faulty_files import FaultyDisk
from synthetic_run import STAGES

from batik_scratch.errors import InputError
from batik_scratch.figures import style
from batik_scratch.record import overlaid_names
from batik_scratch.report.gallery import gallery
from batik_scratch.report.page import marked
from batik_scratch.report.tables import all_tables

# ------------------------------------------------------------------ numbers


def test_each_tile_shows_its_metric_of_both_stages_and_of_the_paper(reported, page):
    first, second = (json.loads((reported / stage / "metrics.json").read_text()) for stage in STAGES)
    published = {
        "Accuracy": ("accuracy", "0.87", "0.82"),
        "Precision": ("precision", "0.89", "0.83"),
        "Recall": ("recall", "0.88", "0.82"),
        "F1-score": ("f1", "0.87", "0.82"),
    }
    tiles = page.all("div", class_="tile")
    assert [tile.all("h3")[0].text for tile in tiles] == list(published)
    for tile in tiles:
        key, paper, abstract = published[tile.all("h3")[0].text]
        ranges = ["{:.3f} to {:.3f}".format(*m["accuracy_interval"]) for m in (first, second)]
        if key != "accuracy":
            ranges = ["", ""]
        assert [name.text for name in tile.all("dt")] == ["stage one", "stage two", "paper"]
        assert [value.text for value in tile.all("dd")] == [
            f"{first[key]:.3f}{ranges[0]}", f"{second[key]:.3f}{ranges[1]}", f"{paper}abstract {abstract}",
        ]  # fmt: skip


def test_every_table_stands_under_its_own_caption(run, page):
    tables = all_tables(run)
    captions = {
        "Table II: evaluation": "table2",
        "Stage one: class by class": "per_class_stage1",
        "Stage two: class by class": "per_class_stage2",
        "Stage one, 14 epochs": "table1_stage1",
        "Stage two, 12 epochs": "table1_stage2",
        "The paper's Table I, 100 epochs": "table1_paper",
        "Images of each class, and how they were split": "split_counts",
    }
    for caption, name in captions.items():
        assert table(page, caption) == (list(tables[name].header), tables[name].shown())
    assert len(page.all("table")) == len(captions) + 2  # the run, every setting


def galleries(page):
    """{heading: tiles} of the galleries of mistakes, in their order."""
    headings = [h.text for h in sections(page)["errors"] if h.tag == "h3"]
    return dict(zip(headings, (ul.all("li") for ul in page.all("ul", class_="gallery")), strict=True))


def test_every_mistake_is_a_tile_with_what_was_said_and_what_it_is(run, page):
    found = galleries(page)
    assert list(found) == ["Stage one: its surest mistakes (8 of 8)", "Stage two: its surest mistakes (5 of 5)"]
    for tiles, stage in zip(found.values(), STAGES, strict=True):
        rows = all_tables(run)[f"mistakes_{stage}"].rows
        for tile, (path, true, said, share) in zip(tiles, rows, strict=True):
            true, said = (name.replace("_", " ") for name in (true, said))
            words = f"{said}, {100 * share:.1f} % and it is {true}{path}"
            assert tile.text == f"(its picture is lost or damaged) {words}"  # this run has none


def test_a_mistakes_picture_is_the_image_under_its_map_and_a_lost_one_is_left_out(read):
    run = read()
    pixels = np.full((40, 60, 3), (200, 30, 90), np.uint8)
    first, second = (row[0] for row in all_tables(run)["mistakes_stage1"].rows[:2])
    paths = [row[0] for row in run.split]
    names = dict(zip(paths, overlaid_names(paths, [row[1] for row in run.split]), strict=True))
    (run.overlaid / names[first]).parent.mkdir(parents=True)
    Image.fromarray(pixels).save(run.overlaid / names[first])
    one, other, *_ = gallery(run, STAGES[0], 5)
    assert (one.path, other.path, other.source) == (first, second, "")
    with Image.open(io.BytesIO(base64.b64decode(one.source.partition(",")[2]))) as shown:
        assert shown.size == (60, 40) and np.abs(np.asarray(shown, float) - pixels).max() < 12
    assert len(gallery(run, STAGES[0], 5)) == 5


def test_a_mistakes_damaged_picture_is_left_out_and_one_that_the_disk_withholds_is_an_error(read, monkeypatch):
    run = read()
    first = all_tables(run)["mistakes_stage1"].rows[0][0]
    paths = [row[0] for row in run.split]
    picture = run.overlaid / overlaid_names(paths, [row[1] for row in run.split])[paths.index(first)]
    picture.parent.mkdir(parents=True)
    Image.new("RGB", (40, 60)).save(picture)
    whole = picture.read_bytes()
    huge = whole[:16] + (30_000).to_bytes(4, "big") * 2 + whole[24:29]  # more pixels than Pillow opens
    huge += zlib.crc32(huge[12:]).to_bytes(4, "big") + whole[33:]
    for damaged in (b"", b"no picture", whole[:60], whole.replace(b"IDAT", b"IDAX"), huge):
        picture.write_bytes(damaged)
        assert gallery(run, STAGES[0], 1)[0].source == ""
    picture.write_bytes(whole)
    assert gallery(run, STAGES[0], 1)[0].source
    disk = FaultyDisk(picture, 2, "broken")  # its first reading
    with disk.at_work(), pytest.raises(InputError, match=rf"{re.escape(str(picture))} cannot be read: Input/output"):
        gallery(run, STAGES[0], 1)
    assert disk.failed


def test_only_the_ten_surest_of_many_mistakes_are_shown(page_of):
    page = page_of(answers=[(0, 0, 0)] + [(1, 2, 1)] * 13 + [(2, 2, 2)] * 2)
    tiles = galleries(page)["Stage one: its surest mistakes (10 of 13)"]
    shares = [float(re.search(r"([\d.]+) %", tile.text).group(1)) for tile in tiles]
    assert len(tiles) == 10 and shares == sorted(shares, reverse=True)
    assert "Stage two misread no validation image." in [p.text for p in page.all("p")]


def test_a_single_epoch_is_not_called_epochs(page_of):
    captions = [caption.text for caption in page_of(epochs=(1, 2)).all("caption")]
    assert "Stage one, 1 epoch" in captions and "Stage two, 2 epochs" in captions


def test_the_first_lines_count_classes_and_images(page):
    lead = page.all("p", class_="lead")[0].text
    assert "learned 3 motifs" in lead and "21 images that it never trained on" in lead
    assert page.all("title")[0].text == "Two-stage batik study: keratonan, mega mendung, singa barong"


def test_verdict_and_notes_are_those_of_the_run(run, page):
    from batik_scratch.report.notes import in_short, notes, verdict

    def plain(sentences):
        return [sentence.replace("`", "") for sentence in sentences]

    assert plain([verdict(run)])[0] in [p.text for p in page.all("p", class_="verdict")]
    told = sections(page)["believe"]
    assert [note.text for note in told if note.tag == "li"] == plain([*in_short(run), *notes(run)])
    (folded,) = [element for element in told if element.tag == "details"]
    assert [note.text for note in folded.all("li")] == plain(notes(run)) and "open" not in folded.attributes


def test_what_stands_between_backticks_is_code_on_the_page_and_everything_is_escaped():
    assert str(marked("`run --data x` and <b> & ` alone")) == "<code>run --data x</code> and &lt;b&gt; &amp; ` alone"
    assert str(marked("a class `<script>`")) == "a class <code>&lt;script&gt;</code>"


# ------------------------------------------------------------------ pictures


def assert_shows(raw, file, photographic):
    """The bytes of the page are those of the figure's file; of photos a JPEG that looks the same and is smaller."""
    if not photographic:
        assert raw == file.read_bytes()
        return
    with Image.open(io.BytesIO(raw)) as ours, Image.open(file) as whole:
        assert ours.format == "JPEG" and ours.size == whole.size
        difference = np.abs(np.asarray(ours.convert("RGB"), float) - np.asarray(whole.convert("RGB"), float))
    assert difference.mean() < 8


def test_each_picture_stands_in_its_section_with_its_own_words_and_pixels(reported, pictures, page):
    places = {
        "": ["headline"],
        "results": ["accuracy"],
        "training": ["fig08_loss", "fig09_accuracy"],
        "explanations": ["fig10_prediction", "fig11_saliency"],
        "errors": ["fig12_confusion"],
        "images": ["samples"],
    }
    under = sections(page)
    for section, names in places.items():
        figures = [element for element in under[section] if element.tag == "figure"]
        assert [figure.attributes["id"] for figure in figures] == names
        for figure in figures:
            picture = pictures[figure.attributes["id"]]
            assert figure.all("figcaption")[0].text == f"{picture.title}. {picture.caption}"
            images = figure.all("img")
            assert [image.attributes["alt"] for image in images] == [picture.alt] * len(images)
            assert_shows(png(images[0]), reported / "figures" / f"{picture.name}.png", picture.photographic)
            assert len(images) == (1 if picture.narrow is None else 2)
    assert sum(map(len, places.values())) == len(page.all("figure")) == len(pictures)


def test_each_picture_has_the_size_on_the_page_that_it_was_drawn_for(pictures, page):
    """An inch of a figure is 96 pixels of the page."""
    for figure in page.all("figure"):
        picture, (image, *narrow) = pictures[figure.attributes["id"]], figure.all("img")
        inches = picture.figure.get_size_inches()
        size = [int(image.attributes["width"]), int(image.attributes["height"])]
        assert size == pytest.approx([96 * x for x in inches], abs=1)
        for other in narrow:
            assert image.attributes["class"] == "wide" and other.attributes["class"] == "narrow"
            pixels = Image.open(io.BytesIO(png(other))).size
            assert pixels == pytest.approx([style.DPI * x for x in picture.narrow.get_size_inches()], abs=1)


def test_a_phone_gets_the_narrow_picture_and_everyone_else_the_wide_one(text):
    (rules,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    phone = re.search(r"@media screen and \(max-width: 40rem\) \{(.*?)\n\}", rules, re.DOTALL)
    everyone = rules.replace(phone.group(), "")
    shown = [dict(re.findall(r"img\.(\w+) \{ display: (\w+); \}", part)) for part in (phone.group(), everyone)]
    assert shown == [{"wide": "none", "narrow": "block"}, {"narrow": "none"}]


# ------------------------------------------------------------------ images, network and run


def test_files_that_were_left_out_are_listed_with_the_reason(page_of):
    skipped = [[f"photo_{i}.jpg", f"reason {i}"] for i in range(23)]
    under = sections(page_of(described={"skipped": skipped}))["images"]
    assert "Files left out (23)" in [element.text for element in under if element.tag == "h3"]
    items = [element.text for element in under if element.tag == "li"]
    assert items == [*(f"photo_{i}.jpg: reason {i}" for i in range(20)), "and 3 more, all in data.json"]


@pytest.mark.parametrize("count", [1, 20])
def test_a_few_files_left_out_are_all_listed(page_of, count):
    under = sections(page_of(described={"skipped": [["a.jpg", "broken"]] * count}))["images"]
    assert [element.text for element in under if element.tag == "li"] == ["a.jpg: broken"] * count


@pytest.mark.parametrize("data", [{"skipped": []}, {"skipped": None}])
def test_nothing_is_listed_where_no_file_was_left_out(page_of, data):
    assert not [e for e in sections(page_of(described=data))["images"] if e.tag == "li" or "left out" in e.text]


def test_the_network_is_printed_as_recorded(run, page):
    (block,) = page.all("pre")
    assert "".join(block.inside) == run.network


def test_the_facts_of_the_run_stand_in_a_readers_order_with_their_units(page_of):
    page = page_of(
        finished="later",
        cores=6,
        data="drawn",
        threads=None,
        cpu="",
        versions={"numpy": "2.1", "numba": "0.61"},
        seconds={"data": 3.26, "stage1": 3723.6, "stage2": 59.94},
        fast=True,
        slow=False,
        share=1 / 3,
        sizes=[3, 4.5, "x"],
        remark="",
    )
    _, rows = table(page, "The run")
    assert rows == [
        ["Images", "drawn by code"],
        ["Command", "batik-scratch run"],
        ["Started", "2025-01-02T03:04:05+00:00"],
        ["Finished", "later"],
        ["Time", "1 h 3 min (data 3.3 s, stage1 1 h 2 min, stage2 59.9 s)"],
        ["Cores", "6"],
        ["Versions", "numpy 2.1, numba 0.61"],
        ["fast", "yes"],
        ["slow", "no"],
        ["share", "0.333333"],
        ["sizes", "3, 4.5, x"],
        ["remark", "–"],
    ]


@pytest.mark.parametrize(
    "seconds, said",
    [
        (0.04, "0.0 s"),
        (59.9, "59.9 s"),
        (60, "1 min 0 s"),
        (119.6, "2 min 0 s"),
        (3599, "59 min 59 s"),
        (7384, "2 h 3 min"),
    ],
)
def test_times_are_said_in_seconds_minutes_or_hours(page_of, seconds, said):
    _, rows = table(page_of(seconds={"all": seconds}), "The run")
    assert ["Time", f"{said} (all {said})"] in rows


def test_every_setting_is_listed(page):
    assert table(page, "Every setting")[1] == [
        ["preset", "default"],
        ["image_size", "150"],
        ["seed", "5"],
        ["learning_rate", "0.001"],
        ["augment", "yes"],
        ["saliency_percentile", "97.5"],
    ]


def test_the_source_is_cited(page):
    assert "Yoga Aditiya, Marlinda Vasty Overbeek, Suwito Pomalingo" in page.all("footer")[0].text


def test_the_page_names_its_anchors(page):
    ids = {element.attributes["id"] for element in page.walk() if "id" in element.attributes}
    links = [link.attributes["href"] for link in page.all("a")]
    assert {link[1:] for link in links} <= ids
    headings = {heading.attributes["id"]: heading.text for heading in page.all("h2")}
    assert {link.attributes["href"][1:]: link.text for link in page.all("a")} == headings


def test_what_was_passed_over_and_what_must_be_known_of_the_images_is_told(page_of):
    entry = {"kind": "HEIC photos", "class_name": "kawung", "extension": ".heic", "count": 80}
    warning = 'class "kawung" keeps 10 of its 90 photos <b>'
    text = sections(page_of(described={"passed_over": [entry], "warnings": [warning]}))
    items = [element.text for element in text["images"] if element.tag == "li"]
    assert items == [warning, "80 HEIC photos (.heic) in kawung"]


@pytest.mark.parametrize("data", [{}, {"passed_over": [], "warnings": []}, {"passed_over": None, "warnings": None}])
def test_a_run_without_such_has_no_such_lists(page_of, data):
    assert not [e for e in sections(page_of(described=data))["images"] if e.tag == "li"]
