"""`saliency --evaluate`: the table, the numbers and the pictures are those of the API on the cloths it draws."""

import functools
import re
from types import SimpleNamespace

import numpy as np
import pytest
from command_pictures import SIDE, only_methods, unit
from matplotlib.figure import Figure

from batik_scratch import motifs, nn, saliency
from batik_scratch.explain import evaluate_saliency
from batik_scratch.saliency import evaluation

IMAGES = 13  # the last class comes once less than the first
FAST = ("gradient", "lrp", "grad-cam")
JUDGE = evaluation.evaluate_methods


@pytest.fixture
def quick(monkeypatch):
    """Judged without deletion and insertion, which cost most and are the API's own affair."""
    monkeypatch.setattr(evaluation, "evaluate_methods", functools.partial(JUDGE, faithful=False))


@pytest.fixture(scope="module")
def drawn(judge):
    """What the README's figures are computed on: cloths of the classes in turn, from seeds of their own."""
    labels = np.arange(IMAGES) % 3
    pairs = [motifs.draw(judge.names[c], np.random.default_rng([1_000_003, i]), SIDE) for i, c in enumerate(labels)]
    return unit(np.stack([image for image, _ in pairs])), np.stack([mask for _, mask in pairs]), labels


@pytest.fixture(scope="module")
def stages(judge):
    """[(layer, the network with all layers from the output down to it drawn anew)]."""
    return list(evaluation.randomised_layers(judge.model))


@pytest.fixture(scope="module")
def judged(judge, stages, tmp_path_factory):
    """One evaluation with two controls, files of one name in two folders: what it was told, said, wrote and drew."""
    networks = {"trained": judge.model, "a network with random weights": stages[-1][1]}
    files = []
    for seed in (5, 6):
        model = nn.paper_cnn((SIDE, SIDE, 3), random_state=seed)
        model.metadata = judge.model.metadata
        files.append(tmp_path_factory.mktemp(f"twin{seed}") / "twin.npz")
        model.save(files[-1])
        networks["twin.npz" if seed == 5 else str(files[-1])] = model
    said, asked, figures = [], [], []

    def noting(*arguments, **options):
        asked.append((arguments, options))
        return JUDGE(*arguments, **options, faithful=False)

    with pytest.MonkeyPatch.context() as patch, only_methods(FAST) as methods:
        patch.setattr(evaluation, "evaluate_methods", noting)
        patch.setattr(Figure, "savefig", lambda self, file, **options: figures.append(self))
        out = tmp_path_factory.mktemp("judged") / "new" / "o"
        text = evaluate_saliency(judge.file, out, "all", IMAGES, files, said.append)
    return SimpleNamespace(
        text=text, out=out, said=said, asked=asked, figures=figures, networks=networks, methods=methods
    )


def test_every_number_is_the_apis_on_the_same_cloths_and_networks(judge, drawn, judged):
    x, masks, labels = drawn
    others = {name: network for name, network in judged.networks.items() if name != "trained"}
    found = JUDGE(judge.model, x, masks, judged.methods, others, faithful=False)
    with np.load(judged.out / "values.npz") as stored:
        assert set(stored.files) == set(found.arrays())
        for name, values in found.arrays().items():
            np.testing.assert_allclose(stored[name], values, atol=1e-5, err_msg=name)
    ((_, options),) = judged.asked
    assert set(options) <= {
        "say"
    }  # deletion and insertion, which this test leaves out, are not left out by the command
    head, table = judged.text.split("\n\n", 1)
    assert table == f"{found.text()}\n\nwritten: {judged.out}"
    assert (judged.out / "table.txt").read_text() == f"{head}\n\n{found.text()}\n"
    start, *shares = re.split(r"; |, ", head)
    assert start.startswith(f"{IMAGES} drawn cloths") and shares[0] == f"motif share {masks.mean():.3f}"
    right = [(network.predict(x).argmax(axis=1) == labels).mean() for network in judged.networks.values()]
    assert len(set(right)) > 1
    names = ["it", *others]
    assert shares[1:] == [f"{name} names {share:.1%} of them" for name, share in zip(names, right, strict=True)]
    assert judged.said == [*judged.methods, "randomisation, layer by layer"]


def test_the_picture_of_networks_has_each_ones_maps_of_the_first_cloth_for_one_class(judge, drawn, judged):
    image = drawn[0][0]
    targets = [network.predict(image[None]).argmax() for network in judged.networks.values()]
    assert len(set(targets)) > 1  # and yet all maps are for the trained network's
    grid = np.array(judged.figures[0].axes).reshape(4, 1 + len(FAST))  # (networks, picture and methods)
    labels = [row[0].get_ylabel() for row in grid]
    assert labels[:3] == ["trained", "random weights", "twin"] and labels[3].endswith("twin")
    assert [axes.get_title() for axes in grid[0][1:]] == list(judged.methods)
    colours = [row[0].yaxis.label.get_color() for row in grid]
    assert len(set(colours[1:])) == 1 and colours[0] != colours[1]
    for row, network in zip(grid, judged.networks.values(), strict=True):
        np.testing.assert_array_equal(row[0].images[0].get_array(), np.rint(image * 255))
        for axes, entry in zip(row[1:], judged.methods.values(), strict=True):
            shades = entry.reduce(entry.make(network).attribute(image[None], target=targets[0]))[0]
            np.testing.assert_allclose(axes.images[0].get_array(), shades, rtol=0, atol=1e-4 * shades.max())


def test_the_picture_of_randomisation_follows_the_likeness_of_the_first_twelve_maps(judge, drawn, judged, stages):
    x = drawn[0][:12]
    targets = judge.model.predict(x).argmax(axis=1)
    curves, *grid = judged.figures[1].axes
    ticks = [label.get_text() for label in curves.get_xticklabels()]
    assert ticks == ["trained", *(f"+ {layer}" for layer, _ in stages)]
    lines = {line.get_label(): line.get_ydata() for line in curves.get_lines()}
    assert list(lines) == list(judged.methods)  # no two of them alike, or they would share a line
    rows = np.array(grid).reshape(len(FAST), 2 + len(stages))  # picture, trained, then each stage
    for row, (name, entry) in zip(rows, judged.methods.items(), strict=True):
        ours = entry.make(judge.model).attribute(x, target=targets)
        theirs = [entry.make(network).attribute(x, target=targets) for _, network in stages]
        likeness = [1.0]
        for maps in theirs:
            found = evaluation.similarity(ours.sum(axis=-1), maps.sum(axis=-1))["spearman, absolute"]
            likeness.append(np.nanmean(found) if np.isfinite(found).any() else 0)
        np.testing.assert_allclose(lines[name], likeness, atol=1e-5)
        assert row[0].get_ylabel() == name
        np.testing.assert_array_equal(row[0].images[0].get_array(), np.rint(x[0] * 255))
        for axes, maps in zip(row[1:], [ours, *theirs], strict=True):
            shades = entry.reduce(maps[:1])[0]
            np.testing.assert_allclose(axes.images[0].get_array(), shades, rtol=0, atol=1e-4 * shades.max() + 1e-12)


def test_a_method_that_says_nothing_of_random_networks_has_no_likeness_left(
    judge, tmp_path, figures, quick, monkeypatch
):
    """Its maps of them are constant: their rank correlation is undefined, and the curve goes to zero."""

    class OnlyTheTrained(saliency.Gradient):
        def attribute(self, x, **options):
            maps = super().attribute(x, **options)
            same = np.array_equal(self.model.get_weights()[-2], judge.model.get_weights()[-2])
            return maps if same else np.ones_like(maps)

    entry = saliency.METHODS["gradient"]._replace(make=OnlyTheTrained)
    monkeypatch.setitem(saliency.METHODS, "gradient", entry)
    evaluate_saliency(judge.file, tmp_path, "gradient", 6)
    assert set(figures[1].axes[0].get_lines()[0].get_ydata()[1:]) == {0.0}


def test_two_cloths_of_each_class_are_the_fewest(judge, tmp_path, command, figures, quick):
    words = ["saliency", "--evaluate", "--model", judge.file, "--method", "gradient", "--out", tmp_path / "o"]
    said = command(2, *words, "--images", 5)
    assert "--images" in said.err and "at least 6" in said.err and "got 5" in said.err and not (tmp_path / "o").exists()
    said = command(0, *words, "--images", 6)
    assert said.out.startswith("6 drawn cloths") and "gradient\n" in said.err
    assert said.out.endswith(f"written: {tmp_path / 'o'}\n")


def test_what_cannot_be_judged_is_refused_before_anything_is_written(judge, renamed, tmp_path, command):
    (tmp_path / "taken").write_text("mine")
    broken = nn.Sequential.load(judge.file)
    broken.layers[-2].params["bias"][1] = np.nan
    broken.save(tmp_path / "broken.npz")
    small = nn.paper_cnn((24, 24, 3))
    small.metadata = judge.model.metadata | {"image_size": 24}
    small.save(tmp_path / "small.npz")
    photos_of = renamed(["keratonan", "cat", "dog\n"], "photos.npz")
    turned = renamed(judge.names[::-1], "turned.npz")
    out = tmp_path / "o"
    for words, parts in [
        (["--model", photos_of], ["cat, dog", "without --data"]),
        (["--model", judge.file, "--control", turned], [f"--control {turned}", ", ".join(judge.names[::-1])]),
        (["--model", judge.file, "--control", tmp_path / "small.npz"], ["--control", "24, 24", "32, 32"]),
        (["--model", tmp_path / "broken.npz"], ["broken.npz", "infinity"]),
        (["--model", judge.file, "--control", tmp_path / "broken.npz"], ["broken.npz", "infinity"]),
        (["--model", judge.file, "--method", "magic"], ["all, gradient"]),
    ]:
        said = command(2, "saliency", "--evaluate", *words, "--images", 6, "--out", out)
        assert all(part in said.err for part in parts) and said.out == "" and not out.exists(), words
    said = command(2, "saliency", "--evaluate", "--model", judge.file, "--out", tmp_path / "taken", "--images", 6)
    assert "is a file" in said.err and (tmp_path / "taken").read_text() == "mine"


def test_a_motif_beside_the_papers_three_can_be_judged_as_well(tmp_path, figures, quick):
    model = nn.paper_cnn((SIDE, SIDE, 3), 4, random_state=0)
    model.metadata = {"class_names": list(motifs.ALL_MOTIFS), "image_size": SIDE}
    model.save(tmp_path / "four.npz")
    assert evaluate_saliency(tmp_path / "four.npz", tmp_path / "o", "gradient", 8).startswith("8 drawn cloths")
