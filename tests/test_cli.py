"""The command line as a user meets it: a clean exit, or a short error that says what to do."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from batik_scratch.cli import main


def photos(folder, counts, size=40):
    rng = np.random.default_rng(0)
    for name, count in counts.items():
        (folder / name).mkdir(parents=True)
        for i in range(count):
            Image.fromarray(rng.integers(0, 255, (size, size, 3), dtype=np.uint8)).save(folder / name / f"{i}.png")
    return folder


def error_of(capsys, *arguments):
    assert main([str(a) for a in arguments]) == 2
    text = capsys.readouterr().err
    assert len(text.splitlines()) <= 8 and "Traceback" not in text
    return text


def test_no_such_folder(tmp_path, capsys):
    assert "nowhere" in error_of(capsys, "run", "--data", tmp_path / "nowhere", "--out", tmp_path / "o")
    assert not (tmp_path / "o").exists()


def test_a_folder_without_subfolders(tmp_path, capsys):
    (tmp_path / "hollow").mkdir()
    assert "no subfolders" in error_of(capsys, "run", "--data", tmp_path / "hollow", "--out", tmp_path / "o")


def test_one_class_only(tmp_path, capsys):
    folder = photos(tmp_path / "one", {"a": 5})
    assert "only one class (a)" in error_of(capsys, "run", "--data", folder, "--out", tmp_path / "o")


def test_an_empty_class_is_named(tmp_path, capsys):
    folder = photos(tmp_path / "bare", {"a": 5, "b": 0})
    assert 'class "b" is empty' in error_of(capsys, "run", "--data", folder, "--out", tmp_path / "o")


def test_three_images_are_too_few(tmp_path, capsys):
    folder = photos(tmp_path / "few", {"a": 5, "b": 3})
    assert 'class "b" has 3 images' in error_of(capsys, "run", "--data", folder, "--out", tmp_path / "o")


def test_a_jpg_that_is_no_image_is_named(tmp_path, capsys):
    folder = photos(tmp_path / "fake", {"a": 5, "b": 5})
    (folder / "b" / "page.jpg").write_text("<html>")
    text = error_of(capsys, "run", "--data", folder, "--out", tmp_path / "o")
    assert "b/page.jpg" in text and "--skip-bad" in text and not (tmp_path / "o").exists()


def test_no_epochs(tmp_path, capsys):
    assert "--epochs" in error_of(capsys, "run", "--epochs", 0, "--out", tmp_path / "o")


def test_an_existing_run_folder(tmp_path, capsys):
    (tmp_path / "keep").write_text("mine")
    assert "not empty" in error_of(capsys, "run", "--out", tmp_path)
    assert (tmp_path / "keep").read_text() == "mine"


def test_an_unknown_key_in_the_toml(tmp_path, capsys):
    (tmp_path / "c.toml").write_text("nonsense = 1")
    assert "nonsense" in error_of(capsys, "run", "--config", tmp_path / "c.toml", "--out", tmp_path / "o")


@pytest.mark.parametrize("bad", [[], ["walk"], ["run", "--speed", "9"], ["data", "draw", "--counts", "a,b"]])
def test_mistyped_commands_end_with_two_short_lines(bad, capsys):
    with pytest.raises(SystemExit) as stop:
        main(bad)
    assert stop.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_summary_says_the_papers_network(capsys):
    assert main(["summary"]) == 0
    text = capsys.readouterr().out
    assert "2,460,995" in text
    for side in (148, 74, 72, 36, 34, 17):
        assert f"(None, {side}, {side}, " in text


def test_scan_finds_what_is_wrong_and_exits_with_1(tmp_path, capsys):
    folder = photos(tmp_path / "p", {"a": 5, "b": 5})
    assert main(["data", "scan", str(folder)]) == 0
    (folder / "a" / "cut.png").write_bytes((folder / "a" / "0.png").read_bytes()[:400])
    capsys.readouterr()
    assert main(["data", "scan", str(folder), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert [path for path, _ in found["problems"]] == ["a/cut.png"] and not found["ok"]


def test_drawing_then_showing_a_data_set(tmp_path, capsys):
    assert main(["data", "draw", "--out", str(tmp_path / "d"), "--counts", "4,4,4", "--size", "32"]) == 0
    assert len(list((tmp_path / "d" / "masks").rglob("*.png"))) == 12
    assert main(["data", "sheet", str(tmp_path / "d"), "--out", str(tmp_path / "s.png"), "--per-class", "3"]) == 0
    with Image.open(tmp_path / "s.png") as sheet:
        assert sheet.size[0] > 400
    assert "--size" not in error_of(capsys, "data", "draw", "--out", tmp_path / "d")


@pytest.mark.slow
def test_train_evaluate_predict_and_saliency_work_together(tmp_path, capsys):
    folder = photos(tmp_path / "p", {"a": 12, "b": 12})
    model = str(tmp_path / "m.npz")
    assert main(["train", "--data", str(folder), "--image-size", "32", "--epochs", "1", "--out", model]) == 0
    assert "accuracy" in capsys.readouterr().out
    assert main(["evaluate", "--model", model, "--data", str(folder)]) == 0
    assert "24 images: accuracy" in capsys.readouterr().out
    picture = str(folder / "a" / "0.png")
    assert main(["predict", picture, "--model", model]) == 0
    shares = [float(part.split("%")[0].rsplit(" ", 1)[1]) for part in capsys.readouterr().out.split("(")[1].split(",")]
    assert abs(sum(shares) - 100) < 0.02
    assert main(["saliency", picture, "--model", model, "--out", str(tmp_path / "maps"), "--target", "b"]) == 0
    assert sorted(p.name for p in (tmp_path / "maps").iterdir()) == ["0_map.npz", "0_methods.png", "0_overlay.png"]
    assert "a, b" in error_of(capsys, "saliency", picture, "--model", model, "--target", "c")
    assert main(["predict", str(tmp_path / "none.jpg"), "--model", model]) == 1  # as for any of many: say so, go on
    assert "no such file" in capsys.readouterr().err
    assert "no such model" in error_of(capsys, "predict", picture, "--model", tmp_path / "none.npz")
    assert "exists" in error_of(capsys, "train", "--data", folder, "--out", model)


@pytest.mark.slow
def test_saliency_draws_all_methods_and_judges_them(tmp_path, capsys, monkeypatch):
    from batik_scratch import motifs, nn, saliency

    model, picture = tmp_path / "m.npz", tmp_path / "a.png"
    network = nn.paper_cnn((32, 32, 3), random_state=0)
    network.metadata = {"class_names": list(motifs.MOTIFS), "image_size": 32}
    network.save(model)
    Image.fromarray(motifs.draw("kawung", np.random.default_rng(0), 40)[0]).save(picture)
    out = tmp_path / "maps"
    assert (
        main(["saliency", str(picture), str(picture), "--model", str(model), "--method", "all", "--out", str(out)]) == 0
    )
    assert {p.name for p in out.iterdir()} == {
        f"a{number}_{what}" for number in ("", "_2") for what in ("map.npz", "methods.png", "overlay.png")
    }
    with np.load(out / "a_map.npz") as stored:
        assert set(stored.files) == {name.replace("-", "_") for name in saliency.METHODS} | {"map"}
        assert stored["gradient"].shape == (32, 32, 3) and stored["map"].min() >= 0 and stored["map"].max() <= 1
    judged = tmp_path / "judged"
    command = [
        "saliency",
        "--evaluate",
        "--model",
        str(model),
        "--images",
        "9",
        "--out",
        str(judged),
        "--method",
        "lrp",
    ]
    assert main([*command, "--control", str(model)]) == 0
    printed = capsys.readouterr()
    table = printed.out
    assert "energy inside" in table and "centre prior" in table and "m.npz names" in table and "   NO" in table
    assert printed.err.splitlines()[0] == "lrp"  # whoever waits is told
    assert {p.name for p in judged.iterdir()} == {"table.txt", "values.npz", "networks.png", "randomisation.png"}
    assert "all, gradient" in error_of(capsys, "saliency", picture, "--model", model, "--method", "magic")
    assert "--evaluate" in error_of(capsys, "saliency", "--model", model)
    assert "at least 6" in error_of(capsys, *command[:4], "--images", "5", "--out", tmp_path / "none")
    assert main([*command[:6], "--out", str(tmp_path / "one"), "--method", "gradient"]) == 0
    assert "lrp" not in capsys.readouterr().out  # the default is all, but gradient alone can be asked for
    assert "is a file" in error_of(capsys, *command[:4], "--out", picture)
    network.metadata["class_names"] = ["a", "b", "c"]
    network.save(tmp_path / "photos.npz")
    assert "true masks" in error_of(capsys, "saliency", "--evaluate", "--model", tmp_path / "photos.npz")
    assert not (tmp_path / "none").exists()


def test_saliency_of_networks_that_not_every_method_can_explain(tmp_path, capsys):
    """No convolution, no Grad-CAM: "all" leaves it out, asked for it is an error; so is a network of NaN."""
    from batik_scratch import nn

    picture, flat, broken = (str(tmp_path / name) for name in ("a.png", "flat.npz", "broken.npz"))
    Image.new("RGB", (40, 30), (90, 60, 30)).save(picture)
    network = nn.Sequential([nn.Flatten(), nn.Dense(2), nn.Softmax()], (22, 22, 3), random_state=0)
    network.metadata = {"class_names": ["a", "b"], "image_size": 22}
    network.save(flat)
    with pytest.warns(UserWarning, match="constant maps"):
        assert main(["saliency", picture, "--model", flat, "--method", "vargrad", "--out", str(tmp_path / "v")]) == 0
    assert main(["saliency", picture, "--model", flat, "--method", "all", "--out", str(tmp_path / "all")]) == 0
    with np.load(tmp_path / "all" / "a_map.npz") as stored:
        assert "gradient" in stored.files and "grad_cam" not in stored.files
    capsys.readouterr()
    where = ("--out", str(tmp_path / "none"))
    assert "no convolution" in error_of(capsys, "saliency", picture, "--model", flat, "--method", "grad-cam", *where)
    network.layers[1].params["kernel"][...] = np.nan
    network.save(broken)
    assert "NaN" in error_of(capsys, "saliency", picture, "--model", broken, *where)
    assert "is a file" in error_of(capsys, "saliency", picture, "--model", flat, "--out", picture)
    assert not (tmp_path / "none").exists()


@pytest.mark.slow
def test_the_main_job_writes_a_report(tmp_path):
    (tmp_path / "c.toml").write_text("draw_counts = [12, 12, 12]\nimage_size = 32\nepochs = 2\n")
    command = [
        sys.executable,
        "-m",
        "batik_scratch",
        "run",
        "--config",
        str(tmp_path / "c.toml"),
        "--out",
        str(tmp_path / "r"),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert str(tmp_path / "r" / "report.html") in done.stdout
    assert (tmp_path / "r" / "report.html").stat().st_size > 50_000


STRANGE = [
    "quote\"'.png",
    "<script>alert(1)<\u2215script>.png",
    "<img src=x onerror=alert(2)>.png",
    "new\nline.png",
    "tab\t.png",
    "\u063a\u064a\u0648\u0645.png",
    "\U0001f600.png",
    "a" * 246 + ".png",
    "{{ 7 * 7 }} $x^2$ %s &amp;.png",
    b"\xff\xfe bytes.png".decode("utf-8", "surrogateescape"),
]


@pytest.mark.slow
def test_strange_names_go_through_scan_run_and_report(tmp_path):
    """Also where the terminal knows only ASCII."""
    folder = photos(tmp_path / "p", {"<b>bold": 0, 'it\'s\na "class"': 0})
    picture = np.random.default_rng(0)
    for place in sorted(folder.iterdir()):
        for name in STRANGE:
            Image.fromarray(picture.integers(0, 255, (40, 40, 3), dtype=np.uint8)).save(place / name, format="PNG")
    ascii_only = os.environ | {"PYTHONIOENCODING": "ascii"}
    for command in (
        ["data", "scan", str(folder)],
        ["run", "--quick", "--epochs", "1", "--data", str(folder), "--out", str(tmp_path / "r")],
    ):
        line = [sys.executable, "-m", "batik_scratch", *command]
        done = subprocess.run(line, capture_output=True, text=True, env=ascii_only)
        assert done.returncode == 0, done.stderr
    page = (tmp_path / "r" / "report.html").read_text(errors="surrogateescape")
    assert "<script" not in page and "<img src=x" not in page and "default-src 'none'" in page
    assert len(list((tmp_path / "r" / "overlaid").rglob("*.png"))) == 2 * len(STRANGE)


def test_gradcheck_of_one_layer_prints_a_table(capsys):
    assert main(["gradcheck", "--layer", "dense"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "Dense(units=4) (7,)" and lines[-1] == "10 checks, all right"
    assert {line.split()[0] for line in lines[2:-2]} == {"dx", "kernel", "bias", "all"}


def test_gradcheck_of_a_wrong_layer_name_lists_the_names(capsys):
    assert "Conv2D, Dense, Dropout" in error_of(capsys, "gradcheck", "--layer", "Convolution")


def test_gradcheck_of_a_wrong_gradient_ends_with_1_and_says_what_it_is(capsys, monkeypatch):
    from batik_scratch import nn

    right = nn.Dense.backward

    def wrong(self, dy, need_dx=True, need_grads=True):
        dx = right(self, dy, need_dx, need_grads)
        self.grads["bias"] = -self.grads["bias"]
        return dx

    monkeypatch.setattr(nn.Dense, "backward", wrong)
    assert main(["gradcheck", "--layer", "Dense"]) == 1
    text = capsys.readouterr().out
    assert "WRONG: Dense(units=4) (7,)\n  bias: wrong sign." in text and text.endswith("4 of 10 checks are wrong\n")


def test_gradcheck_of_a_saved_network_checks_each_tensor(tmp_path, capsys):
    from batik_scratch import nn

    model = nn.paper_cnn((22, 22, 3), random_state=0)
    model.save(tmp_path / "m.npz")
    assert main(["gradcheck", "--model", str(tmp_path / "m.npz")]) == 0
    text = capsys.readouterr().out
    assert "conv2d_2 kernel  complex step" in text and "dx               complex step" in text
    assert "nowhere.npz" in error_of(capsys, "gradcheck", "--model", tmp_path / "nowhere.npz")


@pytest.mark.slow
def test_gradcheck_covers_everything_and_the_museum_catches_every_bug(capsys):
    assert main(["gradcheck"]) == 0
    text = capsys.readouterr().out
    for word in ("Conv2D", "MaxPooling2D", "Dropout", "Softmax", "im2col", "loops", "paper_cnn 150x150", "Adam", "SGD"):
        assert word in text
    assert main(["gradcheck", "--museum"]) == 0
    last = capsys.readouterr().out.splitlines()[-1].split()
    assert last[0] == last[2] and int(last[0]) >= 28 and last[3:] == ["bugs", "caught"]
