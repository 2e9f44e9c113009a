"""The lab for somebody who comes for the first time: what each tab is for, what words mean, and one weight nudged."""

import pytest
from lab_browser import PHONE, needs_browser

pytestmark = needs_browser
TABS = ["overview", "forward", "backward", "gates", "dense", "softmax", "nudge", "step", "time", "saliency"]
IN_SIGHT = (
    "return arguments[0].map((s) => document.querySelector(s).getBoundingClientRect())"
    ".every((r) => r.height > 0 && r.top >= 0 && r.bottom <= innerHeight)"
)
ROW = ".strongest tbody tr:nth-child(3) button"


def test_tabs_stand_in_one_row_that_no_choice_moves_and_each_says_its_question(page):
    places = "return [...document.querySelectorAll('.tabs a')].map((a) => [a.offsetLeft, a.offsetTop])"
    size = {"height": 900, "deviceScaleFactor": 1, "mobile": False}
    for width, lang in ((1366, "en"), (1100, "en"), (1100, "id"), (700, "id")):
        page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {**size, "width": width + 1})
        page.open(f"overview?lang={lang}")
        before = page.run(places)
        assert len({top for _, top in before}) == 1
        for view in TABS:
            page.click(f"#tab-{view}")
            assert page.run(places) == before, (width, view)
            question = page.run(f"return document.querySelector('#tab-{view}').title")
            assert question.endswith("?") and question in page.text(".question")
            seen = page.run(
                "const a = document.querySelector('.tabs .on').getBoundingClientRect();"
                "return a.left >= 0 && a.right <= innerWidth"
            )
            assert seen, (width, view)
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {**size, "width": 1366})
    assert page.console() == []


def test_the_overview_asks_what_one_wants_to_know_and_leads_there(page):
    page.open("overview")
    asked = page.run("return [...document.querySelectorAll('.questions a')].map((a) => a.textContent)")
    assert {"Why does this pixel matter?", "Which weight would lower the loss most?"} <= set(asked)
    assert len(asked) == len(TABS) - 1
    for n, question in enumerate(asked):
        link = f"document.querySelectorAll('.questions a')[{n}]"
        address = page.run(f"return {link}.hash")
        page.run(f"{link}.click()")
        landed = page.text("main h2")
        assert question in page.text(".question") and landed != "The whole network"
        page.click("#tab-overview")
        page.go(address[1:])  # as an address, too: on a slide, in a new tab
        assert page.text("main h2") == landed
        page.click("#tab-overview")


def test_words_are_explained_in_every_view_by_keyboard_and_stay_open(page):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    page.open("overview")
    for view in TABS:
        page.click(f"#tab-{view}")
        told = page.run("return [...document.querySelectorAll('#words dt, #words dd')].map((e) => e.textContent)")
        assert len(told) >= 6 and all(told), view
    page.run("document.querySelector('#words summary').focus()")
    ActionChains(page.driver).send_keys(Keys.ENTER).perform()
    page.wait("return document.querySelector('#words').open")
    assert "99% of the pixels" in page.text("#words")
    page.click("#tab-nudge")
    assert "two forward passes alone" in page.text("#words")
    page.click("#words summary")


def test_on_a_phone_a_press_in_the_list_brings_name_slider_and_curve_into_sight(phone):
    phone.open("conv2d_1/3/1,2,0/nudge")
    phone.click("#to-strongest")
    assert phone.run(IN_SIGHT, ["#strongest", ROW]) and phone.run("return document.activeElement.id") == "strongest"
    wanted = phone.text(ROW)
    phone.click(ROW)
    assert phone.text("#nudge-name") == wanted and phone.run(
        IN_SIGHT, ["#nudge-name", "#which-way", "#moved", ".chart"]
    )
    assert wanted in phone.text("label[for=moved]") and phone.run("return document.activeElement.id") == "nudge-name"
    pressed = phone.run("return [...document.querySelectorAll('[aria-pressed=true]')].map((e) => e.textContent)")
    assert wanted in pressed and len([text for text in pressed if "[" in text]) == 1
    assert phone.run("return document.documentElement.scrollWidth") <= PHONE[0]
    assert phone.console() == []


@pytest.mark.parametrize("address", ["conv2d/3/2,0,1/nudge", "dense/15/142/nudge", "input/1/22,31/nudge"])
def test_the_side_on_which_the_loss_falls_is_named_and_the_number_stays_on_the_curve(address, page):
    page.open(address)
    start, loss, down = page.number("value"), page.number("loss"), page.number("backprop") > 0
    assert ("goes down" if down else "goes up") in page.text("#which-way")
    page.set("#typed", start + (-0.001 if down else 0.001), "change")
    assert page.number("new-loss") < loss and "It falls" in page.text("#mover")
    page.set("#moved", start + 0.9)
    page.set("#reach", -1)
    assert float(page.run("return moved.value")) == pytest.approx(start + 0.1)
    assert float(page.run("return typed.value")) == pytest.approx(start + 0.1, abs=1e-4)
    dots = page.run("return [...document.querySelectorAll('.dot')].map((e) => Number(e.getAttribute('cx')))")
    width = page.run("return document.querySelector('.chart').viewBox.baseVal.width")
    assert all(0 < x < width for x in dots)
    page.set("#typed", start + 3, "change")  # outside: the curve becomes wide enough
    assert float(page.run("return moved.value")) == pytest.approx(start + 3, abs=1e-4)
    assert float(page.run("return moved.max")) >= start + 3
    page.set("#typed", "", "change")
    assert float(page.run("return typed.value")) == pytest.approx(start + 3, abs=1e-3)
    page.set("#reach", 0)


def test_what_was_kept_stays_in_sight_with_the_loss_before_and_after(page, package):
    page.open("conv2d/3/2,0,1/nudge")
    before = package.trace(0).value
    page.set("#typed", 0.6, "change")
    page.click("#keep")
    package.model.get_layer("conv2d").params["kernel"][2, 0, 1, 3] = 0.6
    after = package.trace(0).value
    assert after < before
    for tab in (None, "overview", "nudge"):
        if tab:
            page.click(f"#tab-{tab}")
        shown = [page.number(name, ".masthead") for name in ("file-loss", "loss-now")]
        assert shown == pytest.approx([before, after], rel=1e-6)
    page.click(ROW)  # another weight
    kept = [page.number(name, ".kept") for name in ("kept-before", "kept-after")]
    assert kept == pytest.approx([before, after], rel=1e-6)
    assert "conv2d kernel [2, 0, 1, 3] from" in page.text(".kept") and "to 0.6" in page.text(".kept")
    page.click("#picture-5")
    assert page.number("file-loss", ".masthead") == pytest.approx(package_loss_of_file(package, 5), rel=1e-6)
    page.click("#reset")
    assert page.run("return document.querySelector('.kept')") is None
    assert page.console() == []


def package_loss_of_file(package, n):
    """The loss of picture n by the weights of the file."""
    changed = package.model.get_layer("conv2d").params["kernel"]
    from lab_networks import NETWORKS

    changed[...] = NETWORKS["shipped"]().get_layer("conv2d").params["kernel"]
    return package.trace(n).value
