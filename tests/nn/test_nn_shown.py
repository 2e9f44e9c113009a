"""What objects say of themselves: one line in a terminal, a table in a notebook."""

from html.parser import HTMLParser

import numpy as np
import pytest

from batik_scratch import nn
from batik_scratch.learn.symptoms.claim import Diagnosis
from batik_scratch.nn.gradcheck import check_layer


class Table(HTMLParser):
    """Reads the cells of an HTML table: `rows`, and the text outside of them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.said, self.open = "", []
        self.feed(html)
        assert not self.open  # every tag that was opened is closed

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data
        else:
            self.said += data


def small() -> nn.Sequential:
    layers = [nn.Conv2D(4, 3, name="<edges>"), nn.ReLU(), nn.BatchNormalization()]
    return nn.Sequential([*layers, nn.Flatten(), nn.Dense(3), nn.Softmax()], (6, 6, 1), random_state=0)


def trained() -> tuple[nn.Sequential, nn.History]:
    model, rng = small(), np.random.default_rng(0)
    model.compile(nn.SGD(0.05))
    return model, model.fit(rng.random((8, 6, 6, 1)), np.arange(8) % 3, epochs=3, verbose=0, validation_split=0.5)


@pytest.mark.parametrize(
    ("thing", "line"),
    [
        (nn.Conv2D(32, 3), "Conv2D(filters=32, kernel_size=3)"),
        (nn.Conv2D(32, 3, strides=2, padding="same", name="a"), None),
        (nn.ReLU(), "ReLU()"),
        (nn.Adam(), "Adam() after 0 steps"),
        (nn.AdamW(3e-4), "AdamW(learning_rate=0.0003) after 0 steps"),
        (nn.SparseCategoricalCrossentropy(from_logits=True), "SparseCategoricalCrossentropy(from_logits=True)"),
        (nn.Sequential(), "<Sequential of 0 layers, ? -> ?, 0 parameters, float32>"),
        (small(), "<Sequential of 6 layers, (6, 6, 1) -> (3,), 243 parameters, float32>"),
        (small().layers[0], "Conv2D(filters=4, kernel_size=3, name='<edges>'): (6, 6, 1) -> (4, 4, 4), 40 para"),
    ],
)
def test_one_line_says_the_class_and_what_is_not_the_default(thing, line):
    assert "\n" not in repr(thing) and "0x" not in repr(thing)
    assert repr(thing).startswith(line or "Conv2D(filters=32, kernel_size=3, strides=2, padding='same', name")


def test_a_line_can_be_pasted_and_makes_the_layer_again():
    for layer in (nn.Conv2D(4, (2, 3), padding="same"), nn.Dropout(0.3), nn.LeakyReLU(0.2), nn.MaxPooling2D(3)):
        again = eval(repr(layer), {name: getattr(nn, name) for name in nn.__all__})
        assert again.config() == layer.config()


def test_what_a_student_wrote_without_our_constructor_can_be_shown():
    class Mine(nn.Layer):
        def __init__(self, factor=2):
            self.factor = factor

    assert repr(Mine()) == "Mine()"


def test_the_table_of_a_model_is_its_summary(capsys):
    model = small()
    table = Table(model._repr_html_())
    model.summary()
    printed = capsys.readouterr().out
    assert len(table.rows) == 1 + len(model.layers)
    assert all(cell in printed for row in table.rows for cell in row)
    assert "Total params: 251" in table.said and "Total params: 251" in printed
    assert table.rows[1][0] == "<edges> (Conv2D)"  # a name is text, whatever it holds
    assert "Not built yet" in Table(nn.Sequential([nn.ReLU()])._repr_html_()).said


def test_the_table_of_a_layer_names_its_parameters():
    rows = Table(small().layers[2]._repr_html_()).rows
    assert ["gamma", "(4,)", "float32", "yes"] in rows and ["moving_mean", "(4,)", "float32", "no"] in rows


def test_a_history_shows_first_best_and_last():
    model, history = trained()
    assert repr(history).startswith("History of 3 epochs, the last: accuracy ") and "\n" not in repr(history)
    rows = {row[0]: row[1:] for row in Table(history._repr_html_()).rows}
    for key, pick in (("loss", min), ("val_accuracy", max)):
        values = history.history[key]
        best = f"{pick(values):.4g} in epoch {values.index(pick(values)) + 1}"
        assert rows[key] == [f"{values[0]:.4g}", best, f"{values[-1]:.4g}"]
    assert rows["learning_rate"][1] == ""  # no rate is the best one
    assert repr(nn.History()) == "History of 0 epochs" and Table(nn.History()._repr_html_()).said == "0 epochs"
    assert repr(model.optimizer) == "SGD(learning_rate=0.05) after 3 steps"


def test_a_trace_shows_the_size_of_every_activation_and_gradient():
    x = np.random.default_rng(0).random((2, 6, 6, 1))
    trace = small().trace(x)
    assert repr(trace).startswith("<Trace of 2 images through 6 layers, gradients of the logit of the predicted class")
    rows = Table(trace._repr_html_()).rows
    assert rows[1][:3] == ["input", "Input", "(2, 6, 6, 1)"] and len(rows) == 8
    assert float(rows[1][3]) == pytest.approx(np.sqrt((x**2).mean()), rel=5e-3)
    assert float(rows[2][4]) == pytest.approx(np.sqrt((trace["<edges>"].gradient ** 2).mean()), rel=5e-3)


def test_a_diagnosis_is_its_sentence():
    found = Diagnosis("constant factor", "dx", "It is 3 < 4 times the true one.")
    assert repr([found]) == "[dx: constant factor. It is 3 < 4 times the true one.]"
    assert found._repr_html_() == "<p><b>dx: constant factor.</b> It is 3 &lt; 4 times the true one.</p>"


def test_a_gradient_report_names_what_is_wrong():
    class Wrong(nn.Dense):
        def backward(self, dy, need_dx=True, need_grads=True):
            dx = super().backward(dy, need_dx, need_grads)
            self.grads["bias"] = 2 * self.grads["bias"]
            return dx

    right, wrong = check_layer(nn.Dense(2), (3,)), check_layer(Wrong(2), (3,))
    assert "largest error" in repr(right) and "\n" not in repr(right)
    assert repr(wrong).endswith("WRONG: bias>")
    assert any(row[0] == "bias" and row[-1] == "WRONG" for row in Table(wrong._repr_html_()).rows)
