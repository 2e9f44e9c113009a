"""model.trace: the numbers of training and of saliency, seen one layer at a time; and what it must leave alone."""

import threading

import numpy as np
import pytest

from batik_scratch import nn
from batik_scratch.errors import InputError


def network(dtype="float64", softmax=True):
    """Every kind of layer in a row, small, with biases that are not zero."""
    layers = [
        nn.Conv2D(4, 3, padding="same"),
        nn.ReLU(),
        nn.MaxPooling2D(2),
        nn.Conv2D(5, 2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Dropout(0.3),
        nn.Dense(6),
        nn.ReLU(),
        nn.Dense(3),
        nn.Softmax(),
    ]
    model = nn.Sequential(layers if softmax else layers[:-1], (7, 6, 2), random_state=3, dtype=dtype)
    rng = np.random.default_rng(8)
    model.set_weights([w + 0.1 * rng.standard_normal(w.shape) for w in model.get_weights()])
    model.compile()
    return model


def pictures(n=4):
    return np.random.default_rng(1).standard_normal((n, 7, 6, 2))


LABELS = np.array([0, 2, 1, 2])


def test_a_trace_of_two_dense_layers_is_the_chain_rule_written_out():
    model = nn.Sequential([nn.Dense(3), nn.ReLU(), nn.Dense(2)], (2,), random_state=0, dtype="float64")
    w1, w2 = np.array([[1.0, -1.0, 2.0], [0.5, 1.0, -3.0]]), np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    model.set_weights([w1, np.zeros(3), w2, np.array([0.5, 0.0])])
    x = np.array([[2.0, 1.0]])
    trace = model.trace(x)  # hidden 2.5, -1, 1; logits 2.5 + 5 + 0.5 and 5 + 6: the second is larger
    assert [step.name for step in trace.steps] == ["input", "dense", "re_lu", "dense_1"]
    assert [step.kind for step in trace.steps] == ["Input", "Dense", "ReLU", "Dense"]
    assert trace["re_lu"].activation.tolist() == [[2.5, 0.0, 1.0]]
    assert trace["dense_1"].activation.tolist() == [[8.0, 11.0]]
    assert trace["dense_1"].gradient.tolist() == [[0.0, 1.0]]
    assert trace["re_lu"].gradient.tolist() == [[2.0, 4.0, 6.0]]
    assert trace["dense"].gradient.tolist() == [[2.0, 0.0, 6.0]]  # the second unit's gate is shut
    assert trace["input"].gradient.tolist() == [[2 * 1 + 6 * 2, 2 * 0.5 - 6 * 3]]
    assert trace["dense"].grads["kernel"].tolist() == [[4.0, 0.0, 12.0], [2.0, 0.0, 6.0]]
    assert trace["dense_1"].grads["bias"].tolist() == [0.0, 1.0]
    assert trace.score == "logit of the predicted class" and trace.value is None


def test_the_loss_is_traced_with_the_gradients_that_training_would_use():
    model, x = network(), pictures()
    model.layers[6].rate = 0.0  # training drops features, a trace does not
    loss = model.train_gradients(x, LABELS)
    trained = {layer.name: dict(layer.grads) for layer in model.layers}
    trace = model.trace(x, LABELS)
    assert trace.score == "loss" and trace.value == pytest.approx(loss, rel=1e-12)
    for step in trace.steps:
        for key, value in step.grads.items():
            np.testing.assert_allclose(value, trained[step.name][key], rtol=1e-10, atol=1e-14)
    assert sum(len(step.grads) for step in trace.steps) == 8


def test_the_last_step_down_is_the_saliency_maps_gradient():
    model, x = network(), pictures()
    weights = np.random.default_rng(2).standard_normal((4, 3))
    trace = model.trace(x, seed=lambda logits: weights)
    assert trace.score == "seed" and np.array_equal(trace["dense_1"].gradient, weights)
    expected = model.input_gradient(x, lambda logits: weights)
    np.testing.assert_allclose(trace["input"].gradient, expected, rtol=1e-12, atol=1e-15)


def test_without_labels_each_image_explains_its_own_largest_logit():
    model, x = network(), pictures()
    seeds = model.trace(x)["dense_1"].gradient
    assert np.array_equal(seeds, np.eye(3)[model.logits(x).argmax(axis=1)])


def test_every_gradient_is_what_nudging_that_activation_does_to_the_score():
    model, x = network(), pictures(1)
    trace = model.trace(x, seed=lambda logits: np.array([[0.3, -1.0, 0.5]]))
    rng = np.random.default_rng(5)
    walk = model.layers[:-1]
    for index, step in enumerate(trace.steps[:-1]):
        direction = rng.standard_normal(step.activation.shape) * (step.activation != 0)  # zeros may tie: a pool's kink
        scores = []
        for sign in (1e-6, -1e-6):
            y = step.activation + sign * direction
            for layer in walk[index:]:
                y = layer.forward(y)
            scores.append(y @ [0.3, -1.0, 0.5])
        numeric = ((scores[0] - scores[1]) / 2e-6).item()
        assert numeric == pytest.approx((step.gradient * direction).sum(), rel=1e-6, abs=1e-8), step.name


def test_the_score_is_what_flows_in_at_the_pixels_and_at_the_biases():
    model, x = network(), pictures(1)
    trace = model.trace(x)
    flows = (trace["input"].activation * trace["input"].gradient).sum()
    for layer in model.layers:
        flows += sum((w * trace[layer.name].grads[key]).sum() for key, w in layer.params.items() if key == "bias")
    assert flows == pytest.approx(model.logits(x).max(), rel=1e-12)


def test_a_final_softmax_has_probabilities_and_no_gradient():
    model, x = network(), pictures()
    step = model.trace(x).steps[-1]
    assert (step.kind, step.gradient, step.grads) == ("Softmax", None, {})
    np.testing.assert_allclose(step.activation, model.predict(x), rtol=1e-12)
    assert network(softmax=False).trace(x).steps[-1].gradient is not None


def test_a_batch_is_its_images_one_by_one():
    model, x = network(), pictures()
    together = model.trace(x)
    apart = [model.trace(x[i : i + 1]) for i in range(len(x))]
    for index, step in enumerate(together.steps[:-1]):
        for name in ("activation", "gradient"):
            single = np.concatenate([getattr(trace.steps[index], name) for trace in apart])
            np.testing.assert_allclose(getattr(step, name), single, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_trace_leaves_parameters_gradients_and_random_states_alone(dtype):
    model, x = network(dtype), pictures()
    model.train_gradients(x, LABELS)
    weights = model.get_weights()
    grads = [{key: value.copy() for key, value in layer.grads.items()} for layer in model.layers]
    dropout = model.layers[6].rng.bit_generator.state
    given = x.copy()
    trace = model.trace(x, LABELS)
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), weights, strict=True))
    for layer, before in zip(model.layers, grads, strict=True):
        assert layer.grads.keys() == before.keys()
        assert all(np.array_equal(layer.grads[key], before[key]) for key in before)
    assert model.layers[6].rng.bit_generator.state == dropout and np.array_equal(x, given)
    assert all(step.activation.dtype == dtype for step in trace.steps)


def test_a_trace_belongs_to_its_reader():
    model, x = network(), pictures()
    trace, expected = model.trace(x), model.logits(x)
    kept = [step.activation.copy() for step in trace.steps]
    x_before = x.copy()
    model.train_step(x, LABELS)
    model.predict(x + 1)
    assert all(np.array_equal(step.activation, a) for step, a in zip(trace.steps, kept, strict=True))
    for step in trace.steps:
        step.activation[...] = 0
    assert np.array_equal(x, x_before)
    assert not np.array_equal(model.logits(x), expected)  # the step was made


def test_gradients_come_back_when_a_layer_fails_half_way_down(monkeypatch):
    model, x = network(), pictures()
    model.train_gradients(x, LABELS)
    before = model.layers[9].grads["kernel"].copy()
    monkeypatch.setattr(model.layers[3], "backward", lambda *arguments, **options: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        model.trace(x)
    assert np.array_equal(model.layers[9].grads["kernel"], before) and model.layers[9]._kept is None


def test_two_traces_in_two_threads_take_turns():
    model = network()
    inputs = [pictures(), pictures() + 1]
    expected = [model.trace(x)["input"].gradient for x in inputs]
    wrong = []

    def ask(index):
        for _ in range(10):
            if not np.array_equal(model.trace(inputs[index])["input"].gradient, expected[index]):
                wrong.append(index)

    workers = [threading.Thread(target=ask, args=(index,)) for index in (0, 1)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda m: m.trace(pictures()[0]), "first axis counts the images"),
        (lambda m: m.trace(pictures(), LABELS, seed=lambda z: z), "got both"),
        (lambda m: m.trace(pictures(), seed=lambda z: z[:, :1]), r"logits' shape \(4, 3\), got \(4, 1\)"),
        (lambda m: m.trace(pictures(), LABELS[:2]), "one whole number per row"),
        (lambda m: m.trace(pictures())["conv3d"], "it has input, conv2d, re_lu"),
    ],
)
def test_misuse_is_explained(use, message):
    with pytest.raises(InputError, match=message):
        use(network())


def test_summary_counts_two_products_backward_for_every_layer_but_the_first(capsys):
    model = nn.Sequential([nn.Conv2D(4, 3), nn.ReLU(), nn.Flatten(), nn.Dense(2)], (6, 5, 3))
    model.summary()
    rows = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line}
    conv, dense = 4 * 3 * 3 * 3 * (4 * 3), (4 * 3 * 4) * 2  # places x window x filters; features x units
    assert rows["conv2d"].split()[-3:] == [f"{conv:,}", f"{conv:,}", f"{6 * 5 * 3 * 4}"]
    assert rows["dense"].split()[-3:] == [f"{dense:,}", f"{2 * dense:,}", f"{4 * 3 * 4 * 4}"]
    assert rows["re_lu"].split()[-3:-1] == ["0", "0"]
    assert f"{conv + dense:,} per image forward, {conv + 2 * dense:,} backward" in rows["Multiply-adds:"]


def test_a_seed_that_changes_the_logits_changes_no_record():
    model = network()
    x = np.random.default_rng(0).random((2, 7, 6, 2))

    def greedy(logits):
        logits *= 0
        return logits + 1

    assert np.allclose(model.trace(x, seed=greedy)["dense_1"].activation, model.logits(x))


class InPlace(nn.Dense):
    """Fills the same arrays of gradients again and again."""

    def backward(self, dy, need_dx=True, need_grads=True):
        before = dict(self.grads)
        dx = super().backward(dy, need_dx, need_grads)
        for key, g in before.items():
            g[...] = self.grads[key]
            self.grads[key] = g
        return dx


def test_a_layer_that_fills_its_gradients_in_place_is_left_alone_too_and_changes_no_record():
    model = nn.Sequential([InPlace(3), nn.ReLU(), InPlace(2)], (4,), 0, "float64")
    model.compile(loss=nn.SparseCategoricalCrossentropy(from_logits=True))
    x = np.random.default_rng(0).standard_normal((5, 4))
    model.train_gradients(x, np.array([0, 1, 1, 0, 1]))
    grads = {layer.name: {key: g.copy() for key, g in layer.grads.items()} for layer in model.layers}
    first = model.trace(x)
    kept = [{key: g.copy() for key, g in step.grads.items()} for step in first.steps]
    for layer in model.layers:
        assert all(np.array_equal(layer.grads[key], g) for key, g in grads[layer.name].items())
    model.trace(2 - x, np.array([1, 1, 0, 0, 1]))
    for step, before in zip(first.steps, kept, strict=True):
        assert all(np.array_equal(step.grads[key], g) for key, g in before.items())


def test_the_loss_of_a_trace_is_that_of_an_evaluation_and_its_gradient_divided_by_the_batch_once():
    model, x = network(), pictures()
    trace = model.trace(x, LABELS)
    assert trace.value == pytest.approx(model.evaluate(x, LABELS)["loss"], rel=1e-12)
    p = model.predict(x)
    np.testing.assert_allclose(trace["dense_1"].gradient, (p - np.eye(3)[LABELS]) / 4, rtol=1e-12)
