"""Every number that a view of the lab shows is the package's: read from the page, and compared."""

import base64

import numpy as np
import pytest
from lab_browser import needs_browser
from PIL import Image

from batik_scratch import nn, saliency
from batik_scratch.lab import recorded
from batik_scratch.ops.im2col import im2col

pytestmark = needs_browser
SAID = "return document.querySelector('.hidden-status').textContent.includes(arguments[0])"  # what became of a photo


def near(mine, theirs):
    """A millionth, relative to the largest of them."""
    theirs = np.asarray(theirs, np.float64).ravel()
    assert np.shape(mine) == theirs.shape
    assert np.abs(np.asarray(mine) - theirs).max() <= 1e-6 * np.abs(theirs).max() + 1e-15


@pytest.mark.parametrize("n", range(5))
def test_overview_shows_logits_probabilities_and_loss_and_a_maps_range(n, page, package):
    page.open(f"overview?image={n}")
    trace = package.trace(n)
    near([page.number(f"logit{u}") for u in range(3)], trace["dense_1"].activation)
    near([page.number(f"p{u}") for u in range(3)], trace["softmax"].activation)
    near([page.number("loss")], [trace.value])
    for address, array in (("overview", "activation"), ("overview/gradients", "gradient")):
        page.go(f"{address}?image={n}")
        page.run("document.querySelectorAll('.column')[4].querySelectorAll('.square')[7].focus()")
        values = getattr(trace["conv2d_1"], array)[0, :, :, 7]
        near([page.number("min"), page.number("max")], [values.min(), values.max()])


def test_edges_are_as_wide_as_the_kernels_slices_and_have_their_sign(page, package):
    page.open("overview")
    page.run("document.querySelectorAll('.column')[4].querySelectorAll('.square')[7].focus()")
    drawn = page.run(
        "return [...document.querySelectorAll('.edges line')].map((e) => [e.getAttribute('stroke-width'),"
        " e.getAttribute('stroke')])"
    )
    kernel = package.model.get_layer("conv2d_1").params["kernel"][:, :, :, 7]  # (3, 3, 8)
    lengths, signs = np.sqrt((kernel**2).sum(axis=(0, 1))), kernel.sum(axis=(0, 1)) > 0
    widths = np.array([float(width) for width, _ in drawn])
    near(widths, 0.6 + 3.4 * lengths / lengths.max())
    colours = [colour for _, colour in drawn]
    assert [colour == "rgb(196 84 6)" for colour in colours] == signs.tolist()
    signed = np.where(signs, lengths, -lengths)
    near(page.numbers("edge"), signed[np.argsort(-lengths)[:3]])


@pytest.mark.parametrize("layer, f, i, j", [("conv2d", 3, 20, 30), ("conv2d_1", 7, 28, 0), ("conv2d_2", 15, 11, 11)])
def test_convolution_forwards(layer, f, i, j, page, package):
    page.open(f"{layer}/{f}/{i},{j}/forward?image=2")
    trace = package.trace(2)
    place = [step.name for step in trace.steps].index(layer)
    x, conv = trace.steps[place - 1].activation, package.model.get_layer(layer)
    window, kernel = x[0, i : i + 3, j : j + 3], conv.params["kernel"][:, :, :, f]  # (3, 3, C)
    near(page.grid("window"), window[:, :, 0])
    near(page.grid("kernel"), kernel[:, :, 0])
    near(page.grid("products"), window[:, :, 0] * kernel[:, :, 0])
    near(page.numbers("channel-sum"), (window * kernel).sum(axis=(0, 1)))
    output = trace[layer].activation[0, i, j, f]
    near([page.number("sum") + page.number("bias"), page.number("output")], [output, output])
    row = im2col(x, (3, 3))[0, i, j]  # (K,)
    dot = row @ conv.params["kernel"].reshape(-1, conv.filters)[:, f] + conv.params["bias"][f]
    near([page.number("matrix-output")], [dot])


@pytest.mark.parametrize("layer, f, i, j, c", [("conv2d", 5, 12, 40, 2), ("conv2d_1", 3, 10, 12, 6)])
def test_convolution_backwards(layer, f, i, j, c, page, package):
    page.open(f"{layer}/{f}/{i},{j}/backward")
    page.click("#strongest-place")  # of dY, which is zero where no pooling took its value
    i, j = (int(page.run(f"return {name}.value")) for name in ("row", "column"))
    page.set("#channel", c, "change")
    trace = package.trace(0)
    place = [step.name for step in trace.steps].index(layer)
    below, step, conv = trace.steps[place - 1], trace[layer], package.model.get_layer(layer)
    dy = step.gradient[0, :, :, f]
    assert dy[i, j] != 0 and abs(dy[i, j]) == np.abs(dy).max()
    near([page.number("dy")], [dy[i, j]])
    near(page.grid("sent to dX"), dy[i, j] * conv.params["kernel"][:, :, c, f])
    window = below.activation[0, i : i + 3, j : j + 3, c]
    near(page.grid("sent to dW"), dy[i, j] * window)
    near(page.grid("dW complete"), step.grads["kernel"][:, :, c, f])
    near([page.number("db")], [step.grads["bias"][f]])
    before = np.arange(dy.size).reshape(dy.shape) <= i * dy.shape[1] + j  # in reading order, this place included
    windows = np.lib.stride_tricks.sliding_window_view(below.activation[0, :, :, c], (3, 3))
    near(page.grid("dW so far"), ((dy * before)[:, :, None, None] * windows).sum(axis=(0, 1)))
    near([page.number("db-so-far")], [(dy * before).sum()])
    p, q = min(i + 1, below.activation.shape[1] - 1), min(j + 1, below.activation.shape[2] - 1)
    assert f"row {p}, column {q}, channel {c}" in page.text(".who h3")
    near([page.number("pixel-sum"), page.number("pixel-dx")], [below.gradient[0, p, q, c]] * 2)


def test_the_last_place_has_sent_everything(page, package):
    page.open("conv2d_1/3/28,28/backward")
    near(page.grid("dW so far"), page.grid("dW complete"))
    near([page.number("db-so-far")], [page.number("db")])
    same = page.run(
        "const [, a, b] = [...document.querySelectorAll('main [role=application] canvas')]"
        ".map((c) => c.toDataURL()); return a === b"
    )
    assert same


def test_relu_gates(page, package):
    page.open("re_lu_1/4/7,9/gates?image=1")
    trace = package.trace(1)
    x, y = trace["conv2d_1"], trace["re_lu_1"]
    assert page.number("open") == (x.activation[0, :, :, 4] > 0).sum()
    shown = [page.number(name) for name in ("X", "Y", "dY", "dX")]
    near(shown[:2], [x.activation[0, 7, 9, 4], y.activation[0, 7, 9, 4]])
    near(shown[2:], [y.gradient[0, 7, 9, 4], x.gradient[0, 7, 9, 4]])
    assert ("is open" in page.text(".verdict")) == (x.activation[0, 7, 9, 4] > 0)


def test_pooling_winners(page, package):
    page.open("max_pooling2d/2/10,11/gates")
    trace = package.trace(0)
    x, y = trace["re_lu"], trace["max_pooling2d"]
    window = x.activation[0, 20:22, 22:24, 2]
    near(page.grid("window"), window)
    near(page.grid("gradient that goes on"), x_gradient := x.gradient[0, 20:22, 22:24, 2])
    assert np.count_nonzero(x_gradient) <= 1
    near([page.number("Y"), page.number("dY")], [y.activation[0, 10, 11, 2], y.gradient[0, 10, 11, 2]])
    row, column = divmod(int(window.argmax()), 2)
    assert f"row {20 + row}, column {22 + column};" in page.text(".verdict")


def test_dropout_draws_again_and_flatten_says_where_a_number_goes(page, package):
    page.open("dropout/0/0,0/gates")
    near([page.number("loss-rest")], [package.trace(0).value])
    offs, losses = set(), set()
    for _ in range(4):
        offs.add(page.number("off"))
        losses.add(page.number("loss-dropped"))
        page.click("#draw-again")
    assert len(losses) == 4 and all(60 < off < 170 for off in offs)  # 115 of 576 on average
    page.go("flatten/0/2,3,5/gates")
    index = (2 * 6 + 3) * 16 + 5
    assert page.run("return index.value") == str(index) and f"= {index}:" in page.text(".sum")
    near([page.number("flat-value")], package.trace(0)["flatten"].activation[0, index : index + 1])


@pytest.mark.parametrize("layer, unit", [("dense", 3), ("dense_1", 2)])
def test_dense_contributions(layer, unit, page, package):
    page.open(f"{layer}/{unit}/0,0/dense?image=3")
    trace = package.trace(3)
    place = [step.name for step in trace.steps].index(layer)
    x, step = trace.steps[place - 1].activation[0], trace[layer]
    w = package.model.get_layer(layer).params["kernel"][:, unit]
    order = np.argsort(-np.abs(x * w), kind="stable")[:12]
    near(page.numbers("product"), (x * w)[order])
    near(page.numbers("dw"), step.grads["kernel"][order, unit])
    near([page.number("output"), page.number("dy")], [step.activation[0, unit], step.gradient[0, unit]])
    total = page.number("shown-sum") + page.number("rest") + page.number("bias")
    near([total], [step.activation[0, unit]])


def test_softmax_and_loss_follow_the_sliders(page, package):
    page.open("softmax?image=6")
    near([page.number(f"z{u}") for u in range(3)], package.model.logits(package.x[6:7]))
    page.set("#logit-1", 1.5)
    z = np.array([[page.number(f"z{u}") for u in range(3)]])
    assert z[0, 1] == 1.5
    loss, dz = nn.SparseCategoricalCrossentropy.on_logits(z, package.labels[6:7])
    near([page.number(f"dz{u}") for u in range(3)], dz)
    near([page.number("loss")], [loss])
    page.click("#reset-logits")
    near([page.number("loss")], [package.trace(6).value])


@pytest.mark.parametrize(
    "address, layer, key, at",
    [
        ("conv2d_1/3/1,2,0", "conv2d_1", "kernel", (1, 2, 0, 3)),
        ("conv2d/5/bias", "conv2d", "bias", (5,)),
        ("dense_1/2/11", "dense_1", "kernel", (11, 2)),
        ("input/1/30,33", "input", None, (0, 30, 33, 1)),
    ],
)
def test_nudge_shows_the_gradient_twice(address, layer, key, at, page, package):
    page.open(f"{address}/nudge")
    step = package.trace(0)[layer]
    gradient = (step.grads[key] if key else step.gradient)[at]
    near([page.number("backprop")], [gradient])
    if page.number("flips") == 0:
        assert page.number("relative") < 1e-4
        assert page.number("difference") == pytest.approx(gradient, rel=1e-4)
        assert "two forward passes agree" in page.text(".check .verdict")
    params = package.model.get_layer(layer).params[key] if key else package.x[:1]
    before = params[at]
    near([page.number("value"), page.number("loss")], [before, package.trace(0).value])
    page.set("#moved", before + 0.25)
    params[at] = before + 0.25
    near([page.number("new-loss")], [package.trace(0).value])
    params[at] = before


def test_the_list_of_strongest_weights_begins_with_the_largest_gradient_and_leads_to_its_nudge(page, package):
    page.open("conv2d/0/0,0,0/nudge?image=2")
    steps = package.trace(2).steps
    every = {(step.name, key): value for step in steps for key, value in step.grads.items()}
    name, key = max(every, key=lambda where: np.abs(every[where]).max())
    at = np.unravel_index(np.abs(every[name, key]).argmax(), every[name, key].shape)
    words = f"{name} {key} [{', '.join(map(str, map(int, at)))}]"
    assert page.text(".strongest tbody tr td") == words
    near(page.numbers("gradient")[:1], [every[name, key][at]])
    page.click(".strongest tbody button")
    assert page.text("#nudge-name") == words
    near([page.number("backprop")], [every[name, key][at]])


@pytest.mark.parametrize("method, optimizer", [("sgd", nn.SGD), ("adam", nn.Adam)])
def test_steps_are_the_optimisers_and_change_the_network_in_every_view(method, optimizer, page, package):
    page.open("step")
    page.set("#method", method, "change")
    page.set("#rate", -2.5)
    model, rule = package.model, optimizer(10**-2.5)
    before = model.get_weights()
    for count in (1, 2):
        trace = package.trace(0)
        page.click("#take-step")
        for layer in model.layers:
            layer.grads = trace[layer.name].grads
        rule.step(model.layers)
        near([page.number("before"), page.number("after")], [trace.value, package.trace(0).value])
        assert page.number("t") == count
        largest = max(np.abs(g).max() for step in trace.steps for g in step.grads.values())
        near([abs(page.numbers("step-gradient")[0])], [largest])
    assert "Back to the file's weights" in page.text(".masthead")
    page.go("overview")
    near([page.number("loss")], [package.trace(0).value])
    model.set_weights(before)
    page.click("#reset")
    near([page.number("loss")], [package.trace(0).value])


def test_time_shows_the_recorded_epochs(page, package):
    epochs = recorded.read_epochs()
    model, before = package.model, package.model.get_weights()
    for n in (0, 5, 9):
        page.open(f"time/{epochs.epoch[n]}?image=5")
        sizes = np.cumsum([w.size for w in before])[:-1]
        model.set_weights([a.reshape(w.shape) for a, w in zip(np.split(epochs.weights[n], sizes), before, strict=True)])
        near([page.number("p")], [model.predict(package.x[5:6]).max()])
        shown = [[page.number(f"confusion{a}{b}") for b in range(3)] for a in range(3)]
        assert shown == epochs.confusion[n].tolist()
    model.set_weights(before)


def test_saliency_of_a_pixel_all_along_the_way(page, package):
    page.open("saliency/20,31?image=4&class=0")
    raw = saliency.Gradient(package.model).attribute(package.x[4:5], target=0)
    near([page.number(name) for name in "RGB"], raw[0, 20, 31])
    strongest = saliency.reduce_channels(raw)
    near([page.number("abs")], [strongest[0, 20, 31]])
    assert page.number("map") == pytest.approx(saliency.normalise(strongest)[0, 20, 31], abs=1e-6)
    near([page.number("ceiling")], [np.percentile(strongest, 99)])
    rank = (strongest > strongest[0, 20, 31]).sum() + 1
    assert f"number {rank} of 4096" in page.text(".pixel .verdict")
    page.click("#who-sent")
    assert "row 20, column 31" in page.text(".who h3")


def test_a_photo_from_the_disk_becomes_the_picture_and_stays_here(page, package, tmp_path):
    from selenium.webdriver.common.by import By

    page.open("overview")
    pixels = np.rint(package.x[7] * 255).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "cloth <b>.png")
    page.driver.find_element(By.ID, "photo").send_keys(str(tmp_path / "cloth <b>.png"))
    page.wait(SAID, "cloth <b>.png")
    near([page.number(f"logit{u}") for u in range(3)], package.model.logits(package.x[7:8]))
    Image.fromarray(np.full((300, 200, 3), (200, 100, 50), np.uint8)).save(tmp_path / "plain.png")
    drop(page, tmp_path / "plain.png")
    plain = np.broadcast_to(np.array([200, 100, 50]) / 255, (1, 64, 64, 3))
    near([page.number(f"logit{u}") for u in range(3)], package.model.logits(plain))
    (tmp_path / "no.png").write_text("<html>")
    drop(page, tmp_path / "no.png")
    assert "no.png is no picture" in page.text(".hidden-status")
    assert page.requests() == [] and page.console() == []


def drop(page, path):
    """Drop a file onto the page, as a hand with a mouse does."""
    page.run(
        "const bytes = Uint8Array.from(atob(arguments[0]), (c) => c.charCodeAt(0)); const data = new DataTransfer();"
        "data.items.add(new File([bytes], arguments[1], { type: 'image/png' }));"
        "document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));",
        *(base64.b64encode(path.read_bytes()).decode(), path.name),
    )
    page.wait(SAID, path.name)
