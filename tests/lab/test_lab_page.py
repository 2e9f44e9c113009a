"""What the page is made of: one file, nothing to fetch, every language complete, every source that it names there."""

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from lab_networks import NETWORKS
from PIL import Image

from batik_scratch import motifs, nn
from batik_scratch.cli import main
from batik_scratch.errors import InputError
from batik_scratch.lab import recorded, training, write_lab
from batik_scratch.lab.feed import check_shown, page_data
from batik_scratch.lab.modules import bundle
from batik_scratch.lab.write import PAGE, as_json, languages, page

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted(PAGE.rglob("*.js"))


def test_the_page_is_one_file_under_two_megabytes_and_the_same_again(lab_file, tmp_path):
    again = write_lab(tmp_path / "again.html")
    assert again.read_bytes() == lab_file.read_bytes() and lab_file.stat().st_size < 2_000_000
    assert [path.name for path in tmp_path.iterdir()] == ["again.html"]


def test_its_policy_forbids_every_request_and_any_script_but_its_own(lab_file):
    text = lab_file.read_text()
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)[1]
    assert "default-src 'none'" in policy and "connect-src" not in policy and "http" not in policy
    script = text.rpartition("<script>")[2].partition("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert not re.findall(r"(?:src|href)=.?(?:https?:)?//", text)


def test_names_of_strangers_cannot_end_the_data_nor_stand_for_a_part_of_the_page(tmp_path):
    told = page_data()
    told["model"]["class_names"] = ["</script><script>alert(1)</script>", "[[SCRIPT]]", "\ud800 half"]
    text = page(told)
    assert "<script>alert" not in text and text.count("<script>") == 1
    stored = text.partition('id="data">')[2].partition("</script>")[0]
    assert json.loads(stored)["model"]["class_names"] == ["</script><script>alert(1)</script>", "[[SCRIPT]]", "? half"]
    assert as_json("<") == '"\\u003c"'


def test_every_language_has_every_text_with_the_same_places_to_fill_in():
    texts = languages()
    assert list(texts) == ["en", "id"]
    for code, told in texts.items():
        assert list(told) == list(texts["en"]), code
        for key, text in told.items():
            assert text.strip() and set(re.findall(r"\{\w+\}", text)) - {"{K}", "{k−1}"} == (
                set(re.findall(r"\{\w+\}", texts["en"][key])) - {"{K}", "{k−1}"}
            ), (code, key)


def test_texts_that_the_scripts_ask_for_are_there_and_none_is_left_over():
    texts, code = languages()["en"], "\n".join(path.read_text() for path in SCRIPTS)
    asked = set(re.findall(r'\bt\(\s*"(\w+)"', code))
    assert len(asked) > 100 and asked <= set(texts)
    parts = [*re.findall(r"\bt\(\s*`([^`]*)`", code), "language"]
    patterns = [re.compile(re.sub(r"\$\{.*?\}", r"\\w+", part)) for part in parts]
    words = set(re.findall(r'"(\w+)"', code))
    left = [key for key in texts if key not in words and not any(pattern.fullmatch(key) for pattern in patterns)]
    assert left == []


def test_every_source_that_a_view_names_is_in_the_package():
    named = {pair for path in SCRIPTS for pair in re.findall(r'\["(batik_scratch/[^"]+)", "(\w+)"\]', path.read_text())}
    assert len(named) > 20
    for file, name in named:
        text = (ROOT / file).read_text()
        assert re.search(rf"^(def|class) {name}\b", text, re.MULTILINE), f"{file} has no {name}"


def test_a_layer_of_the_package_that_the_page_does_not_know_does_not_exist():
    table = (PAGE / "layers.js").read_text().partition("export const LAYERS")[2]
    known = set(re.findall(r"^  (\w+):", table, re.MULTILINE))
    assert known == set(nn.registry.BUILT_IN)
    for code, texts in languages().items():
        assert {f"what_{name}" for name in known} <= set(texts), code
    others = set(re.findall(r"^  (\w+): \[", (PAGE / "views" / "others.js").read_text(), re.MULTILINE))
    assert others == known - {"Conv2D", "Dense", "Softmax", "ReLU", "MaxPooling2D", "Dropout", "Flatten"}


def test_scripts_are_as_short_as_modules_must_be():
    assert [path.name for path in SCRIPTS if path.read_text().count("\n") > 300] == []


def test_modules_come_in_the_order_in_which_they_need_each_other(tmp_path):
    (tmp_path / "a.js").write_text('import { b, c as d } from "./in/b.js";\nexport const a = b + d;\n')
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "b.js").write_text('import {\n  c,\n} from "../c.js";\nexport function b() {}\nexport { c };\n')
    (tmp_path / "c.js").write_text("export class c {}\n")
    with pytest.raises(InputError, match=r"export \{ c \};"):
        bundle(tmp_path, "a.js")
    (tmp_path / "in" / "b.js").write_text('import {\n  c,\n} from "../c.js";\nexport const b = c;\n')
    text = bundle(tmp_path, "a.js")
    assert text.index("// c.js") < text.index("// in/b.js") < text.index("// a.js")
    assert "const { b, c: d } = module1;" in text and "return { b };" in text
    (tmp_path / "c.js").write_text('import { a } from "./a.js";\nexport const c = a;\n')
    with pytest.raises(InputError, match=r"a\.js > in/b\.js > c\.js > a\.js"):
        bundle(tmp_path, "a.js")


# ------------------------------------------------------------------ what it is fed


def test_the_network_that_comes_with_it_is_small_and_has_learnt():
    files = [recorded.model_file(), recorded.HERE / recorded.EPOCHS]
    assert sum(file.stat().st_size for file in files) < 300_000
    epochs = recorded.read_epochs()
    model = nn.Sequential.load(files[0])
    assert epochs.epoch.tolist() == list(training.KEPT) and epochs.weights.shape == (10, 12_127)
    kinds = [(entry["type"], entry["name"]) for entry in model.architecture()["layers"]]
    assert kinds == [(entry["type"], entry["name"]) for entry in training.network().architecture()["layers"]]
    assert (epochs.weights[-1] == np.concatenate([w.ravel() for w in model.get_weights()])).all()
    assert epochs.confusion.sum(axis=(1, 2)).tolist() == [180] * 10
    assert np.trace(epochs.confusion[-1]) / 180 == pytest.approx(epochs.curves["val_accuracy"][-1])
    assert epochs.curves["val_accuracy"][-1] > 0.9 and len(epochs.curves["loss"]) == 41
    start = np.concatenate([w.ravel() for w in training.network().get_weights()])
    assert np.abs(epochs.weights[0] - start).max() < 1e-3  # float16 of the network as it is drawn


def test_the_drawn_cloths_are_three_of_each_class_the_hardest_first():
    told = page_data()
    assert [image["label"] for image in told["images"]] == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    model = nn.Sequential.load(recorded.model_file())
    pixels = [np.frombuffer(base64.b64decode(image["pixels"]["data"]), np.uint8) for image in told["images"]]
    p = model.predict(np.stack(pixels).reshape(9, 64, 64, 3).astype(np.float32) / 255)
    own = p[np.arange(9), [0, 0, 0, 1, 1, 1, 2, 2, 2]].reshape(3, 3)
    assert (np.diff(own, axis=1) >= 0).all()


def test_a_model_of_other_classes_has_cloths_that_it_does_not_know_and_photos_first(tmp_path):
    model = nn.paper_cnn((24, 24, 3), classes=4, random_state=0)
    model.metadata = {"class_names": ["parang", "Kawung", "mega mendung", "a"], "image_size": 24}
    model.save(tmp_path / "m.npz")
    (tmp_path / "kawung").mkdir()
    photo = tmp_path / "kawung" / "p.png"
    Image.new("RGB", (50, 40), (10, 20, 30)).save(photo)
    told = page_data(tmp_path / "m.npz", [photo])
    assert told["images"][0]["name"] == "p.png" and told["images"][0]["label"] == 1 and told["epochs"] is None
    assert [image["label"] for image in told["images"][1:]] == [None] * 9
    assert all(image["pixels"]["shape"] == [24, 24, 3] for image in told["images"])
    assert told["model"]["name"] == "m.npz"


class Own(nn.Layer):
    """A layer that the page cannot know."""

    def forward(self, x, training=False, keep=None):
        return x


@pytest.mark.parametrize(
    "layers, shape, words",
    [
        ([nn.Flatten(), nn.Dense(3)], (8, 9, 3), "square colour pictures"),
        ([nn.Flatten(), nn.Dense(3)], (8, 8, 1), "square colour pictures"),
        ([nn.Dense(4)], (5,), "square colour pictures"),
        ([nn.Conv2D(2, 3)], (8, 8, 3), "one real number per class"),
        ([nn.Flatten(), nn.Dense(4), nn.Softmax(), nn.Dense(3)], (8, 8, 3), "Softmax to be the last"),
    ],
)
def test_a_network_that_cannot_be_shown_is_refused_with_the_reason(layers, shape, words, tmp_path, capsys):
    nn.Sequential(layers, input_shape=shape).save(tmp_path / "m.npz")
    assert main(["lab", "--model", str(tmp_path / "m.npz"), "--out", str(tmp_path / "lab.html")]) == 2
    said = capsys.readouterr().err
    assert words in said and "m.npz" in said and not (tmp_path / "lab.html").exists()


def test_a_layer_of_ones_own_is_named(tmp_path):
    model = nn.Sequential([Own(), nn.Flatten(), nn.Dense(3)], input_shape=(8, 8, 3))
    with pytest.raises(InputError, match="own is a Own of your own"):
        check_shown(model, tmp_path / "m.npz")


def test_the_command_writes_the_page_and_says_where(tmp_path, capsys, lab_file):
    assert main(["lab", "--out", str(tmp_path / "x.html")]) == 0
    assert capsys.readouterr().out == f"lab: {tmp_path / 'x.html'}\n"
    assert (tmp_path / "x.html").read_bytes() == lab_file.read_bytes()
    NETWORKS["paper"]().save(tmp_path / "m.npz")
    photo = tmp_path / "a <b>.png"
    Image.fromarray(motifs.draw("kawung", np.random.default_rng(0), 60)[0]).save(photo)
    words = ["lab", "--model", tmp_path / "m.npz", "--images", photo, photo, "--out", tmp_path / "own.html"]
    assert main(list(map(str, words))) == 0
    text = (tmp_path / "own.html").read_text()
    assert text.count("a \\u003cb>.png") == 2 and '"epochs":null' in text


@pytest.mark.parametrize("words, named", [(["--images", "no.png"], "no.png"), (["--out", "."], "folder")])
def test_what_is_not_there_is_named_and_nothing_is_written(words, named, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["lab", *words]) == 2
    assert named in capsys.readouterr().err and list(tmp_path.iterdir()) == []
    assert main(["lab", "--out", "nowhere/lab.html"]) == 2
    assert "nowhere" in capsys.readouterr().err


@pytest.mark.slow
def test_the_wheel_has_all_of_the_page(tmp_path):
    """Built as pip builds it, installed nowhere, unpacked and run."""
    source = tmp_path / "source"
    shutil.copytree(ROOT / "batik_scratch", source / "batik_scratch", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "setup.cfg", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    build = "from setuptools import build_meta; print(build_meta.build_wheel('.'))"
    subprocess.run([sys.executable, "-c", build], cwd=source, check=True, capture_output=True)
    with zipfile.ZipFile(next(source.glob("*.whl"))) as wheel:
        held = set(wheel.namelist())
        wheel.extractall(tmp_path / "unpacked")
    mine = {f"batik_scratch/{path.relative_to(ROOT / 'batik_scratch').as_posix()}" for path in PAGE.rglob("*.*")}
    assert mine | {"batik_scratch/lab/model.npz", "batik_scratch/lab/epochs.npz"} <= held
    run = [sys.executable, "-m", "batik_scratch", "lab", "--out", str(tmp_path / "lab.html")]
    env = os.environ | {"PYTHONPATH": str(tmp_path / "unpacked")}
    subprocess.run(run, cwd=tmp_path, check=True, capture_output=True, env=env)
    assert (tmp_path / "lab.html").stat().st_size > 500_000
