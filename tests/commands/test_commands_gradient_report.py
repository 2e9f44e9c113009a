"""What `gradcheck` prints, from its parts: the table of checks, the doctor's words where one is wrong, the count."""

import dataclasses

import numpy as np
import pytest

from batik_scratch import nn
from batik_scratch.commands import gradient_report
from batik_scratch.errors import InputError
from batik_scratch.learn import museum
from batik_scratch.learn.doctor import diagnose
from batik_scratch.nn.gradcheck import GradientReport
from batik_scratch.nn.gradcheck.everything import all_checks, model_check


def columns(text):
    """Rows of the table as (title, cells by column); what does not stand below the header is a title."""
    lines = text.partition("\n\n")[0].split("\n")
    title, rows = "", []
    for line in lines[1:]:
        if line.startswith("  "):
            rows.append((title, line.split()))
        else:
            title = line
    return lines[0].split(), rows


def test_a_right_layer_gets_its_table_and_the_count():
    text, ok = gradient_report.report("softmax")
    checks = list(all_checks("Softmax"))
    rows = [(check.title, row) for check in checks for row in check.tensors]
    head, printed = columns(text)
    assert ok and text.endswith(f"\n\n{len(rows)} checks, all right") and "WRONG" not in text
    assert head == ["tensor", "method", "error", "worst", "at", "analytic", "numeric", "compared", "skipped", "verdict"]
    assert [title for title, _ in printed] == [title for title, _ in rows]
    for (_, cells), (_, row) in zip(printed, rows, strict=True):
        assert cells[0] == row.name and cells[-1] == "ok" and f"{row.error:.1e}" in cells
        assert cells[-3:-1] == [str(row.compared), str(row.skipped)]
        if not np.isnan(row.analytic):
            assert cells[-5:-3] == [f"{row.analytic:+.8e}", f"{row.numeric:+.8e}"]


def test_a_wrong_layer_gets_the_doctors_words_below_the_table_and_the_count_of_wrong_rows(monkeypatch):
    right = nn.Dense.backward

    def wrong(self, dy, need_dx=True, need_grads=True):
        dx = right(self, dy, need_dx, need_grads)
        if "bias" in self.grads:
            self.grads["bias"] = 3 * self.grads["bias"]
        return dx

    monkeypatch.setattr(nn.Dense, "backward", wrong)
    text, ok = gradient_report.report("Dense")
    (check,) = all_checks("Dense")
    (found,) = diagnose(check.layer, check.input_shape)
    table, words = text.split("\n\n")
    bad = [row for row in check.tensors if not row.ok]
    assert not ok and {row.name for row in bad} >= {"bias"} and len(bad) < len(check.tensors)
    told = words.split("\n")
    assert (
        told[0] == "WRONG: Dense(units=4) (7,)" and told[-1] == f"{len(bad)} of {len(check.tensors)} checks are wrong"
    )
    assert " ".join(" ".join(told[1:-1]).split()) == str(found) and all(line.startswith("  ") for line in told[1:-1])
    assert table.count("WRONG") == len(bad)


def test_where_it_is_no_layer_the_rows_that_are_wrong_are_told_with_both_numbers(monkeypatch):
    (check,) = all_checks("Softmax")
    rows = [dataclasses.replace(check.tensors[0], name=name, analytic=1.25, numeric=-2 / 3, ok=ok)
            for name, ok in (("first", True), ("second", False))]  # fmt: skip
    of_no_layer = GradientReport("a loss", rows)
    monkeypatch.setattr(gradient_report, "all_checks", lambda layer, thorough: [of_no_layer])
    text, ok = gradient_report.report()
    assert not ok
    words = f"second, {rows[1].method}: 1.25, and it should be -0.66666667"
    assert text.endswith(f"\n\nWRONG: a loss\n  {words}\n1 of 2 checks are wrong")


@pytest.mark.parametrize("algorithm", ["loops", "im2col"])
def test_a_saved_network_is_checked_at_one_image_in_five_directions(tmp_path, algorithm):
    layers = [nn.Conv2D(3, 2, algorithm=algorithm), nn.ReLU(), nn.Flatten(), nn.Dense(3), nn.Softmax()]
    model = nn.Sequential(layers, (4, 5, 2), random_state=5)
    model.compile(loss=nn.SparseCategoricalCrossentropy())
    path = tmp_path / "net.npz"
    model.save(path)
    text, ok = gradient_report.report(model=path)
    again = nn.Sequential.load(path)
    again.dtype = np.dtype("float64" if algorithm == "loops" else "complex128")
    for layer in again.layers:
        layer.astype(again.dtype)
    check = model_check(again, str(path), images=1, directions=5)
    _, printed = columns(text)
    assert ok and {title for title, _ in printed} == {str(path)} and len(printed) == len(check.tensors)
    assert text.endswith(f"\n\n{len(check.tensors)} checks, all right")
    for (_, cells), row in zip(printed, check.tensors, strict=True):
        assert cells[-5:-3] == [f"{row.analytic:+.8e}", f"{row.numeric:+.8e}"] and cells[-3] == str(row.compared)
    assert ("complex step" in text) == (algorithm != "loops")


def test_what_is_no_layer_and_no_model_is_refused(tmp_path):
    with pytest.raises(InputError, match="there is no layer 'Dens'"):
        gradient_report.report("Dens")
    with pytest.raises(InputError, match="nowhere"):
        gradient_report.report(model=tmp_path / "nowhere.npz")


def test_the_museums_report_is_its_table_and_whether_all_were_caught(monkeypatch):
    caught = [museum.visit(one) for one in museum.EXHIBITS[-2:]]
    monkeypatch.setattr(museum, "walk", lambda: iter(caught))
    assert gradient_report.museum_report() == (museum.table(caught), True)
    missed = [caught[0], museum.Visit(caught[1].exhibit, "", 0.0, ())]
    monkeypatch.setattr(museum, "walk", lambda: iter(missed))
    text, ok = gradient_report.museum_report()
    assert (
        not ok and text.endswith("1 of 2 bugs named by the doctor\n1 of 2 bugs caught") and "none (it is: one" in text
    )
