"""What a session of measuring asks of what measures, and what it refuses before."""

import io
import subprocess

import pytest
from made_up_bench import measured
from plain_mode import needs_numba

from batik_scratch import bench
from batik_scratch.bench import session, warmup
from batik_scratch.errors import InputError
from batik_scratch.ops import threads


@pytest.fixture
def asked(monkeypatch):
    """What the command asks of what measures, in order; the programs are PROGRAMS, and three threads are allowed."""
    found = {}

    def compare(names, counts, batch, size, rounds, say, network):
        found["compare"] = (list(names), list(counts), batch, size, rounds)
        found["network"] = network
        found["progress"] = say
        return measured(counts)

    monkeypatch.setattr(session, "compare", compare)
    monkeypatch.setattr(session, "installed_peers", lambda: ["fast", "slow"])
    monkeypatch.setattr(bench.Comparison, "table", lambda self: "the table")
    monkeypatch.setattr(session, "layer_table", lambda batch, size, network: f"layers of {batch} at {size}, {network}")
    monkeypatch.setattr(session, "compile_kernels", lambda: found.setdefault("compiled", "compare" not in found))
    monkeypatch.setattr(session, "bench_figure", lambda comparison, count: found.setdefault("chart", count))
    monkeypatch.setattr(session, "to_png", lambda figure: b"a chart")
    monkeypatch.setattr(threads, "allowed", lambda: 3)
    monkeypatch.setattr(threads, "use", lambda count: found.setdefault("threads", count))
    return found


@pytest.mark.parametrize(
    "only, counts, programs, sorted_counts",
    [
        (None, None, [bench.OURS, "fast", "slow"], [3]),
        ([], [2], [bench.OURS], [2]),
        ([" slow "], [3, 1, 3], [bench.OURS, "slow"], [1, 3]),
        (["fast", bench.OURS, "fast"], [], [bench.OURS, "fast"], [3]),
    ],
)
def test_programs_and_threads_are_those_asked_for_or_all(asked, tmp_path, only, counts, programs, sorted_counts):
    said = session.measure(only, counts, 6, 48, 5, tmp_path / "new" / "folder" / "b.png")
    assert asked["compiled"] and asked["compare"] == (programs, sorted_counts, 6, 48, 5)
    assert asked["chart"] == asked["threads"] == sorted_counts[-1]
    assert (tmp_path / "new" / "folder" / "b.png").read_bytes() == b"a chart"
    assert said == f"the table\n\nlayers of 6 at 48, paper\n\nchart: {tmp_path / 'new' / 'folder' / 'b.png'}"


@pytest.mark.parametrize(
    "batch, size, rounds, counts, rule",
    [
        (0, 48, 5, [1], r"--batch: needs a whole number >= 1, got 0"),
        (1, 21, 5, [1], r"--image-size: needs a whole number >= 22, got 21"),
        (1, 22, 0, [1], r"--rounds: needs a whole number >= 1, got 0"),
        (1, 22, 1, [1, 4], r"--threads: needs numbers from 1 to 3 .*got \[1, 4\]"),
        (1, 22, 1, [0, 3], r"--threads: .*got \[0, 3\]"),
    ],
)
def test_numbers_out_of_range_are_refused_before_anything_is_measured(
    asked, tmp_path, batch, size, rounds, counts, rule
):
    with pytest.raises(InputError, match=rule):
        session.measure(None, counts, batch, size, rounds, tmp_path / "b.png")
    assert not asked


def test_the_smallest_numbers_are_measured(asked, tmp_path):
    session.measure(None, [1, 3], 1, 22, 1, tmp_path / "b.png")
    assert asked["compare"][1:] == ([1, 3], 1, 22, 1)


@pytest.mark.parametrize("network, size, least", [("paper", 150, 22), ("cloth", 64, 15)])
def test_a_network_has_its_own_size_and_its_own_least_size(asked, tmp_path, network, size, least):
    said = session.measure(None, [1], 6, None, 5, tmp_path / "b.png", network)
    assert asked["compare"][2:] == (6, size, 5) and asked["network"] == network
    assert f"layers of 6 at {size}, {network}" in said
    session.measure(None, [1], 6, least, 5, tmp_path / "b.png", network)
    assert asked["compare"][3] == least
    with pytest.raises(InputError, match=f"--image-size: needs a whole number >= {least}, got {least - 1}"):
        session.measure(None, [1], 6, least - 1, 5, tmp_path / "b.png", network)


def test_a_program_that_is_not_there_is_named_with_those_that_are(asked, tmp_path):
    with pytest.raises(InputError, match=rf"no program 'torch' here; there are {bench.OURS}, fast, slow"):
        session.measure(["fast", "torch"], None, 6, 48, 5, tmp_path / "b.png")


@needs_numba
def test_what_compiling_says_is_handed_on_and_so_is_its_last_word(monkeypatch):
    asked = []

    def run(arguments, **_):
        asked.append(arguments[1:])
        return subprocess.CompletedProcess(arguments, len(asked) - 1, " compiled in 3 s\n", "many\nlines\nno room\n")

    monkeypatch.setattr(warmup.subprocess, "run", run)
    assert warmup.compile_kernels() == "compiled in 3 s"
    with pytest.raises(InputError, match="cannot be compiled here: no room; check"):
        warmup.compile_kernels()
    assert "warm_up()" in asked[0][1]


@needs_numba
def test_a_compiler_that_dies_without_a_word_is_an_error_too(monkeypatch):
    monkeypatch.setattr(warmup.subprocess, "run", lambda a, **_: subprocess.CompletedProcess(a, -9, "", ""))
    with pytest.raises(InputError, match="no word"):
        warmup.compile_kernels()


def test_where_everything_runs_plain_there_is_nothing_to_compile(monkeypatch):
    monkeypatch.setattr(warmup, "plain_reason", lambda: "no numba here")
    monkeypatch.setattr(warmup.subprocess, "run", lambda *a, **o: pytest.fail("it started to compile"))
    assert warmup.compile_kernels() == "nothing to compile: everything runs on NumPy"


class Terminal(io.StringIO):
    """A terminal, and what has been seen on it: a line that is not ended appears with a flush."""

    seen = ""

    def isatty(self):
        return True

    def flush(self):
        self.seen = self.getvalue()


def test_progress_overwrites_its_line_on_a_terminal_at_once(monkeypatch, capsys):
    terminal = Terminal()
    monkeypatch.setattr(session.sys, "stderr", terminal)
    for text in ("a long word", "b", ""):
        session._say(text)
        assert terminal.seen == terminal.getvalue()
    lines = terminal.seen.split("\r")
    assert [line.strip() for line in lines] == ["", "a long word", "b", "", ""] and not capsys.readouterr().out
    assert len(lines[1]) == len(lines[2]) == len(lines[3]) == 60
