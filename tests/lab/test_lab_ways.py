"""The ways through the lab: what is carried from one view to the next, and where a link lands."""

import re

import numpy as np
import pytest
from lab_browser import Page, browser, needs_browser
from lab_networks import NETWORKS

from batik_scratch import saliency
from batik_scratch.lab import write_lab

pytestmark = needs_browser
HERE = re.compile(r"#(\w+)/(\d+)/([\d,]+)/(\w+)")  # layer, channel, place, view


def where(page):
    """The layer, channel, place and view that the address names."""
    layer, channel, spot, view = HERE.match(page.run("return location.hash")).groups()
    return layer, int(channel), tuple(map(int, spot.split(","))), view


def near(mine, theirs):
    assert mine == pytest.approx(float(theirs), rel=1e-6)


def sent_to(package, trace, layer, p, q, c):
    """What each place and filter of a 3x3 convolution sent to one number of its input: {(i, j, f): dY W}."""
    kernel, dy = package.model.get_layer(layer).params["kernel"], trace[layer].gradient[0]
    height, width, filters = dy.shape
    places = [(p - u, q - v, u, v) for u in range(3) for v in range(3) if 0 <= p - u < height and 0 <= q - v < width]
    return {(i, j, f): dy[i, j, f] * kernel[u, v, c, f] for i, j, u, v in places for f in range(filters)}


def test_a_tab_comes_back_to_what_was_seen_there(page):
    page.open("saliency/20,31?image=4")
    for tab in ("nudge", "gates", "time", "saliency"):
        page.click(f"#tab-{tab}")
    assert "row 20, column 31" in page.text(".pixel h3")
    page.go("re_lu_1/4/7,9/gates")
    for tab in ("saliency", "gates"):
        page.click(f"#tab-{tab}")
    assert where(page) == ("re_lu_1", 4, (7, 9), "gates")
    page.click("#tab-dense")
    page.set("#unit", 5, "change")
    page.click("#tab-overview")
    page.click("#tab-dense")
    assert page.run("return unit.value") == "5"


def test_saliency_hands_on_its_strongest_colour_and_says_where_the_gradient_is_of_the_loss(page, package):
    page.open("saliency/22,31?image=0")
    of_logit = [page.number(name) for name in "RGB"]
    c = int(np.abs(of_logit).argmax())
    assert c > 0  # a case where it is not the first
    of_loss = package.trace(0)["input"].gradient[0, 22, 31]
    raw = saliency.Gradient(package.model).attribute(package.x[:1], target=int(page.run("return explained.value")))
    for press in ("#nudge-pixel", "#who-sent"):
        page.click(press)
        near(page.number("of-the-logit"), raw[0, 22, 31, c])
        near(page.number("of-the-loss"), of_loss[c])
        assert "of the loss" in page.text(".two-gradients") and page.run("return channel.value") == str(c)
        if press == "#nudge-pixel":
            assert page.text("#nudge-name") == f"pixel at row 22, column 31, {'RGB'[c]}"
            near(page.number("backprop"), of_loss[c])
        page.click("#tab-saliency")
    page.click("#who-sent")
    page.driver.back()
    page.wait("return document.querySelector('main h2').textContent === 'Which pixels mattered?'")
    assert "row 22, column 31" in page.text(".pixel h3")


def test_the_strongest_sender_is_a_link_with_its_filter_and_the_page_is_shown_from_its_top(page, package):
    page.open("conv2d/3/5,5/backward?pixel=20,31,1")
    terms = sent_to(package, package.trace(0), "conv2d", 20, 31, 1)
    best = max(terms, key=lambda key: abs(terms[key]))
    assert page.number("asked-sent") == 0  # the window at row 5 does not reach that pixel
    page.run("scrollTo(0, 900)")
    page.click("#strongest-sender")
    assert where(page) == ("conv2d", best[2], best[:2], "backward") and page.run("return scrollY") == 0
    near(page.number("asked-sent"), terms[best])
    near(page.number("asked-dx"), package.trace(0)["input"].gradient[0, 20, 31, 1])


@pytest.mark.parametrize("pixel", [(20, 31), (41, 12)])
def test_a_gradient_is_followed_upwards_link_by_link_to_p_minus_y(pixel, page, package):
    """At each link: the sender that sends most, its place, and the very number that arrives below."""
    page.open(f"saliency/{pixel[0]},{pixel[1]}?image=0")
    page.click("#who-sent")
    trace, seen = package.trace(0), []
    below = trace["input"].gradient[0][(*pixel, int(page.run("return channel.value")))]
    assert below != 0
    for _ in range(20):
        if page.text("main h2") == "Softmax and cross-entropy":
            break
        layer, channel, spot, view = where(page)
        seen.append(layer)
        step = trace[layer]
        if view == "backward":
            asked = tuple(map(int, page.run("return location.hash").partition("pixel=")[2].split(",")))
            terms = sent_to(package, trace, layer, *asked)
            assert (*spot, channel) == max(terms, key=lambda key: abs(terms[key]))
            near(page.number("asked-dx"), below)
            below = step.gradient[(0, *spot, channel)]
        elif view == "dense":
            sent = package.model.get_layer(layer).params["kernel"][spot[0]] * step.gradient[0]
            assert channel == np.abs(sent).argmax() and sent[channel] != 0
            near(page.number("asked-sent"), sent[channel])
            near(page.number("asked-dx"), below)
            below = step.gradient[0, channel]
        elif layer == "flatten":
            index = int(page.run("return index.value"))
            assert index == (spot[0] * 6 + spot[1]) * 16 + spot[2]
            near(step.gradient[0, index], below)
        elif layer.startswith("max_pooling"):
            near(page.number("dY"), below)
        else:
            assert "is open" in page.text(".verdict")
            near(page.number("dX"), below)
        page.click("#upwards")
        assert page.run("return scrollY") == 0
    kinds = ["conv2d", "re_lu", "max_pooling2d"]
    assert seen == [
        *(f"{kind}{n}" for n in ("", "_1", "_2") for kind in kinds),
        "flatten",
        "dense",
        "re_lu_3",
        "dense_1",
    ]
    u = int(page.run("return location.hash")[len("#softmax/")])
    near(page.number(f"dz{u}"), below)
    assert page.console() == []


def test_in_a_network_of_every_layer_the_way_goes_on_where_pooling_windows_overlap(tmp_path):
    """Each pooling shows a window that the number followed has won."""
    NETWORKS["everything"]().save(tmp_path / "m.npz")
    with browser() as driver:
        page = Page(driver, write_lab(tmp_path / "lab.html", tmp_path / "m.npz")).open("saliency/5,9")
        page.click("#who-sent")
        seen, before = [], None
        while page.run("return !!document.querySelector('#upwards')"):
            layer, _, spot, _ = where(page)
            if layer.startswith("max_pooling"):
                assert f"row {before[0]}, column {before[1]};" in page.text(".verdict")
            seen.append(layer)
            before = spot
            page.click("#upwards")
        assert [name for name in seen if "max" in name] == ["max_pooling2d", "max_pooling2d_1"]
        assert seen[0] == "rescaling" and seen[-1] == "dense_1" and "global_average_pooling2d" in seen
        assert page.text("main h2") == "Softmax and cross-entropy" and page.console() == []


def test_on_a_phone_each_link_upwards_lands_on_where_one_is_and_the_next_link(phone):
    in_sight = (
        "const r = document.querySelector('#here').getBoundingClientRect();"
        "return r.height > 0 && r.top >= 0 && r.bottom <= innerHeight"
    )
    phone.open("saliency/20,31?image=0")
    phone.click("#who-sent")
    steps = 0
    while phone.run("return !!document.querySelector('#upwards')"):
        assert phone.run(in_sight), phone.run("return location.hash")
        phone.click("#upwards")
        steps += 1
    assert steps == 13 and phone.run(in_sight) and phone.console() == []


def test_dense_names_the_unit_that_sends_most_to_an_input_where_another_is_shown(page, package):
    page.open("dense/14/142/dense")
    sent = package.model.get_layer("dense").params["kernel"][142] * package.trace(0)["dense"].gradient[0]
    best = int(abs(sent).argmax())
    assert best != 14 and page.text("#sends-most") == f"Unit {best} sends it most"
    page.click("#sends-most")
    near(page.number("asked-sent"), sent[best])
    assert page.run("return document.querySelector('#sends-most')") is None


def test_dense_opens_on_the_unit_that_sends_most(page, package):
    page.open("overview?image=3")
    page.click("#tab-dense")
    dy = package.trace(3)["dense"].gradient[0]
    sizes = np.abs(dy) * np.abs(package.model.get_layer("dense").params["kernel"]).sum(axis=0)
    assert page.run("return unit.value") == str(sizes.argmax()) and sizes[0] < sizes.max()
    assert page.number("dy") != 0
