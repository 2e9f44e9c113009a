"""The table of layers: its figures from a clock that a test moves, and that what it times is a training step."""

import re

import numpy as np
import pytest
from fake_clock import Clock

from batik_scratch import nn
from batik_scratch.bench import layers, programs
from batik_scratch.nn.passes import ConvReluPool
from batik_scratch.ops import threads

BATCH, SIZE, REPEATS = 3, 34, 3
STEPS = ("conv2d + ReLU + max-pooling", "conv2d_1 + ReLU + max-pooling", "conv2d_2 + ReLU + max-pooling", "flatten")
STEPS += ("dropout", "dense", "re_lu_3", "dense_1")
FORWARD = (3.0, 5.0, 7.0, 0.25, 0.5, 2.0, 0.75, 1.0)  # ms, of which each is told from each
BACKWARD = (11.0, 13.0, 17.0, 0.12, 0.63, 6.0, 0.87, 1.51)
ADAM = 4.0
# multiply-adds of one image of 34 pixels: output pixels x 9 x channels x filters; 34 -> 32 -> 16 -> 14 -> 7 -> 5 -> 2
WORK = (32 * 32 * 9 * 3 * 32, 14 * 14 * 9 * 32 * 64, 5 * 5 * 9 * 64 * 128, 0, 0, 2 * 2 * 128 * 64, 0, 64 * 3)


class Stopwatch(Clock):
    """Tells one time after the other: what is timed takes what is given, and 1000 s go by between two timings."""

    def __init__(self, milliseconds):
        super().__init__()
        self.waiting, self.running = list(milliseconds), False

    def perf_counter(self):
        self.pass_(self.waiting.pop(0) / 1000 if self.running else 1000)
        self.running = not self.running
        return self.now


@pytest.fixture(scope="module")
def table():
    """The lines of the table with the times above; of its three steps the last was a hundred times slower."""
    of_one_step = [*FORWARD, *reversed(BACKWARD), ADAM]
    watch = Stopwatch([*(ms * 0.5 for ms in of_one_step), *of_one_step, *(ms * 100 for ms in of_one_step)])
    before = threads.count()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layers, "time", watch.module())
        lines = layers.layer_table(BATCH, SIZE, REPEATS).splitlines()
    assert not watch.waiting and threads.count() == before
    return lines


def cells(line):
    """(name, {column: text}) of a line, by the columns under which its numbers stand."""
    name, rest = line[:44].strip(), line[44:]
    columns = {"forward": rest[:16], "GF/s": rest[16:23], "backward": rest[23:36], "GF/s back": rest[36:43]}
    return name, {column: text.strip() for column, text in columns.items()} | {"share": rest[43:].strip()}


def test_every_step_has_its_milliseconds_its_speed_and_its_share(table):
    total = sum(FORWARD) + sum(BACKWARD) + ADAM
    rows = [cells(line) for line in table[1:-2]]
    assert tuple(name for name, _ in rows) == STEPS
    for (name, row), forward, backward, work in zip(rows, FORWARD, BACKWARD, WORK, strict=True):
        back = work if name == STEPS[0] else 2 * work  # the pixels learn nothing
        assert row["forward"] == f"{forward:.2f} ms" and row["backward"] == f"{backward:.2f} ms"
        flops = [2 * BATCH * amount / (ms / 1000) / 1e9 for amount, ms in ((work, forward), (back, backward))]
        assert [row["GF/s"], row["GF/s back"]] == [f"{flop:.0f}" if work else "" for flop in flops], name
        assert row["share"] == f"{(forward + backward) / total:.1%}"
    shares = [float(cells(line)[1]["share"][:-1]) for line in table[1:-1]]
    assert sum(shares) == pytest.approx(100, abs=0.05 * len(shares))


def test_adam_and_the_sums_stand_below(table):
    total = sum(FORWARD) + sum(BACKWARD) + ADAM
    name, adam = cells(table[-2])
    assert name == "Adam" and adam["forward"] == adam["GF/s"] == adam["GF/s back"] == ""
    assert adam["backward"] == f"{ADAM:.2f} ms" and adam["share"] == f"{ADAM / total:.1%}"
    name, both = cells(table[-1])
    assert name == "all" and both["share"] == both["GF/s"] == ""
    assert both["forward"] == f"{sum(FORWARD):.2f} ms" and both["backward"] == f"{sum(BACKWARD) + ADAM:.2f} ms"


def test_the_columns_stand_under_their_titles(table):
    assert len({len(line) for line in table[:-1]}) == 1
    title, row = table[0], table[1]
    for column, unit in (("forward", "ms"), ("backward", "ms")):
        assert row[: title.index(column) + len(column)].endswith(unit)


def test_the_title_says_how_many_threads_it_was(monkeypatch):
    for count, words in (1, "1 thread"), (3, "3 threads"):
        monkeypatch.setattr(threads, "count", lambda count=count: count)
        title = layers.layer_table(1, 22, 1).splitlines()[0]
        assert re.split(r"\s{2,}", title)[0] == f"a training step, {words}"


def test_what_is_timed_is_a_training_step_of_the_papers_network(monkeypatch):
    """After two steps untimed and four timed the weights are those of six steps on the first batch of the images."""
    made = []
    right = nn.paper_cnn
    monkeypatch.setattr(nn, "paper_cnn", lambda *a, **o: made.append(right(*a, **o)) or made[-1])
    layers.layer_table(2, 23, 4)
    model = right((23, 23, 3), random_state=0, algorithm="auto")
    model.compile(nn.Adam(1e-3), nn.SparseCategoricalCrossentropy())
    x, y = programs.data(2, 23)
    for _ in range(6):
        model.train_step(x[:2], y[:2])
    for found, expected in zip(made[0].get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_nobody_times_the_gradient_of_the_pixels_which_training_does_not_need(monkeypatch):
    asked, right = [], ConvReluPool.backward

    def noting(self, dy, need_dx=True, need_grads=True):
        asked.append((self.name, need_dx, need_grads))
        return right(self, dy, need_dx, need_grads)

    monkeypatch.setattr(ConvReluPool, "backward", noting)
    layers.layer_table(1, 22, 1)
    assert asked == 3 * [("conv2d_2", True, True), ("conv2d_1", True, True), ("conv2d", False, True)]


def test_seven_steps_are_timed_where_nothing_is_said(monkeypatch):
    steps = []
    right = nn.Adam.step
    monkeypatch.setattr(nn.Adam, "step", lambda self, layers: (steps.append(1), right(self, layers)))
    layers.layer_table(1, 22)
    assert len(steps) == 2 + 7
