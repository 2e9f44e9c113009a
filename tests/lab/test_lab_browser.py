"""The lab in a real browser: every view opens, is silent, asks nobody for anything, and can be used by everybody."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from lab_browser import PHONE, Page, browser, needs_browser
from lab_networks import NETWORKS

from batik_scratch.lab import write_lab

pytestmark = needs_browser
VIEWS = {
    "overview": "The whole network",
    "overview/gradients": "The whole network",
    "conv2d/3/20,30/forward": "Convolution, forwards",
    "conv2d_1/3/10,12/backward?pixel=11,13": "Convolution, backwards",
    "re_lu/2/20,20/gates": "ReLU: which gates are open?",
    "max_pooling2d/2/10,10/gates": "Max-pooling: which pixel won?",
    "dropout/0/0,0/gates": "Dropout: which units are off?",
    "flatten/0/2,3,5/gates": "Flatten: where does a number go?",
    "dense/1/0,0/dense": "Dense: a weighted sum",
    "dense_1/1/14/dense": "Dense: a weighted sum",
    "softmax/1": "Softmax and cross-entropy",
    "conv2d_1/3/1,2,0/nudge": "Nudge one number",
    "input/0/30,30/nudge": "Nudge one number",
    "step": "One step of learning",
    "time/12": "As it learnt",
    "saliency": "Which pixels mattered?",
}


def silent(page):
    assert page.console() == []
    assert page.requests() == []


def test_every_view_opens_by_its_address_with_a_silent_console_and_no_request(page):
    page.console()
    for address, title in VIEWS.items():
        page.open(address)
        assert page.text("main h2") == title
        assert "⟦" not in page.text("body")  # a text that no language has
        silent(page)


def test_every_view_is_there_in_every_language(page):
    for address, title in VIEWS.items():
        mark = "&" if "?" in address else "?"
        page.open(f"{address}{mark}lang=id")
        assert page.text("main h2") != title and "⟦" not in page.text("body")
        assert page.run("return document.documentElement.lang") == "id"
    page.set("#language", "en", "change")
    assert page.text("main h2") == "Which pixels mattered?"
    silent(page)


def test_on_a_phone_nothing_is_wider_than_the_screen(phone):
    for address in VIEWS:
        phone.open(address)
        assert phone.run("return document.documentElement.scrollWidth") <= PHONE[0], address
    silent(phone)


def test_a_link_goes_where_it_says_and_moving_writes_the_next_one(page):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    page.open("conv2d_1/3/10,12/backward?image=4")
    assert page.run("return [row.value, column.value, filter.value, layer.value]") == ["10", "12", "3", "conv2d_1"]
    assert page.run("return document.querySelector('#picture-4').getAttribute('aria-pressed')") == "true"
    maps = page.driver.find_elements(By.CSS_SELECTOR, "main [role=application]")
    maps[0].send_keys(Keys.ARROW_RIGHT, Keys.ARROW_DOWN, Keys.SHIFT + Keys.ARROW_DOWN)
    page.wait("return location.hash === '#conv2d_1/3/16,13/backward?image=4'")
    page.go("saliency?class=2")
    assert page.run("return explained.value") == "2"


def test_the_tangent_goes_through_the_point_with_the_slope_of_the_curve_even_where_it_leaves_the_frame(page):
    page.open("conv2d/2/20,20/nudge")
    (_, y), dot = page.run(
        "const ends = document.querySelector('.tangent').getAttribute('d').match(/-?[\\d.]+/g).map(Number);"
        "const dot = document.querySelector('.dot.start'); const [x0, y0, x1, y1] = ends;"
        "const x = Number(dot.getAttribute('cx'));"
        "return [[x, y0 + ((x - x0) / (x1 - x0)) * (y1 - y0)], Number(dot.getAttribute('cy'))]"
    )
    height = page.run("return document.querySelector('.chart').viewBox.baseVal.height")
    ends = page.run("return document.querySelector('.tangent').getAttribute('d').match(/-?[\\d.]+/g).map(Number)")
    assert not all(0 <= end <= height for end in ends[1::2])  # a case where it does leave
    assert y == pytest.approx(dot, abs=0.05)


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [("time/0", "time/12", "epoch 12"), ("saliency/20,31", "saliency/9,40", "row 9, column 40")],
)
def test_a_link_to_another_epoch_or_pixel_moves_the_view_that_is_open(page, first, second, told):
    page.open(first)
    assert told not in page.text()
    page.go(second)
    assert told in page.text()


def test_a_tab_opens_a_convolution_where_there_is_something_to_see_and_both_ways_keep_the_place(page):
    page.open("overview")
    page.click("#tab-backward")
    place = page.run("return [row.value, column.value]")
    assert abs(page.number("dy")) > 0 and page.run("return document.title") == "Convolution, backwards · The lab"
    page.click("#tab-forward")
    assert page.run("return [row.value, column.value]") == place
    page.click("#other-way")
    assert page.text("main h2") == "Convolution, backwards" and page.run("return [row.value, column.value]") == place


def test_the_browsers_button_leads_back_to_the_view_before(page):
    page.open("saliency/20,31?image=4")
    for tab in ("tab-step", "tab-softmax"):  # by a hand: what a script adds to a history, a browser passes over
        page.driver.find_element("id", tab).click()
    assert page.text("main h2") == "Softmax and cross-entropy"
    page.driver.back()
    page.wait("return document.querySelector('main h2').textContent === 'One step of learning'")
    page.driver.back()
    page.wait("return document.querySelector('main h2').textContent === 'Which pixels mattered?'")
    assert "row 20, column 31" in page.text(".pixel h3") and "image=4" in page.run("return location.hash")


@pytest.mark.parametrize("address", ["nonsense", "conv2d/99/999,999/forward", "dense/x/y/forward", "time/99999", "%%%"])
def test_an_address_that_names_nothing_becomes_the_nearest_that_there_is(address, page):
    page.open(address)
    assert page.text("main h2") in VIEWS.values()
    silent(page)


def test_everything_can_be_done_by_keyboard_alone(page):
    """From the top: into a tab, along the maps of a convolution, onto a pixel and into its nudge."""
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    page.open()

    def press(*keys):
        ActionChains(page.driver).send_keys(*keys).perform()

    def tab_to(condition, most=60):
        for _ in range(most):
            press(Keys.TAB)
            if page.run(f"const e = document.activeElement; return {condition}"):
                return
        raise AssertionError(f"not reached by Tab: {condition}")

    tab_to("e.id === 'tab-saliency'")
    press(Keys.ENTER)
    assert page.text("main h2") == "Which pixels mattered?"
    assert page.run("return document.activeElement.id") == "tab-saliency"  # the focus stays
    tab_to("e.getAttribute('role') === 'application'")
    before = page.text("main .pixel strong")
    press(Keys.ARROW_LEFT, Keys.ARROW_UP)
    assert page.text("main .pixel strong") != before
    tab_to("e.id === 'nudge-pixel'")
    press(Keys.SPACE)
    assert page.text("main h2") == "Nudge one number" and "pixel at row" in page.text("#nudge-name")
    page.go("overview")
    tab_to("e.closest('.square')")
    press(Keys.ARROW_RIGHT, Keys.ARROW_DOWN)
    assert len(page.run("return [...document.querySelectorAll('.edges line')]")) == 3  # its three channels
    press(Keys.ENTER)
    assert page.text("main h2") == "Convolution, forwards" and page.run("return filter.value") == "1"
    tab_to("e.classList.contains('play')")
    press(Keys.SPACE)
    page.wait("return column.value > 0")
    press(Keys.SPACE)
    silent(page)


def test_a_convolution_view_moves_sixty_times_a_second(page):
    """In processor time of the page's thread, drawing included: machines of tests are shared."""
    ask = page.driver.execute_cdp_cmd
    ask("Performance.enable", {"timeDomain": "threadTicks"})

    def seconds():
        return next(m["value"] for m in ask("Performance.getMetrics", {})["metrics"] if m["name"] == "TaskDuration")

    for view in ("forward", "backward"):
        page.open(f"conv2d_1/3/0,0/{view}")
        before, frames = seconds(), 60
        page.driver.execute_async_script(
            "const [most, done] = arguments; const map = document.querySelector('main [role=application]'); let n = 0;"
            "function frame() { const key = n % 28 ? 'ArrowRight' : 'ArrowDown';"
            "map.dispatchEvent(new KeyboardEvent('keydown', { key }));"
            "if (++n < most) requestAnimationFrame(frame); else requestAnimationFrame(() => setTimeout(done)); }"
            "requestAnimationFrame(frame)",
            frames,
        )
        took = (seconds() - before) / frames
        assert 0 < took < 1 / 60, f"{view}: {1000 * took:.1f} ms a frame"


@pytest.fixture(scope="session")
def axe(tmp_path_factory):
    """The text of axe-core, from AXE_CORE or npm's registry; it is never part of this repository."""
    if given := os.environ.get("AXE_CORE"):
        return Path(given).read_text()
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed, and AXE_CORE names no axe.min.js")
    folder = tmp_path_factory.mktemp("axe")
    command = ["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", "axe-core@4"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if done.returncode:
        pytest.skip(f"axe-core could not be fetched: {done.stderr[-200:]}")
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text()


@pytest.mark.parametrize("screen", ["page", "phone"])
def test_an_accessibility_checker_finds_nothing_serious(screen, axe, request):
    opened, serious = request.getfixturevalue(screen), []
    for address in VIEWS:
        opened.open(address)
        opened.run("document.querySelector('#words').open = true")
        opened.run(axe)
        found = opened.driver.execute_async_script(
            "const done = arguments[arguments.length - 1];axe.run(document, { resultTypes: ['violations'] }).then(done)"
        )
        serious += [
            (address, one["id"], one["impact"], [node["html"][:150] for node in one["nodes"][:3]])
            for one in found["violations"]
            if one["impact"] in ("serious", "critical", "moderate")
        ]
    assert serious == [], json.dumps(serious, indent=1)


@pytest.mark.parametrize("name", [name for name in NETWORKS if name != "shipped"])
def test_any_network_of_the_package_can_be_looked_at(name, tmp_path):
    model = NETWORKS[name]()
    model.save(tmp_path / "m.npz")
    file = write_lab(tmp_path / "lab.html", tmp_path / "m.npz")
    with browser() as driver:
        page = Page(driver, file).open()
        page.console()
        addresses = ["overview", "overview/gradients", "softmax", "step", "time", "saliency"]
        for layer in model.layers:
            addresses += [f"{layer.name}/0/0,0/"]
        for layer in model.layers:
            if type(layer).__name__ == "Conv2D":
                addresses += [f"{layer.name}/0/1,1/backward", f"{layer.name}/0/0,0,0/nudge"]
        for address in addresses:
            page.open(address)
            assert page.text("main h2"), address
            assert "⟦" not in page.text("body"), address
            assert page.console() == [], address
        page.open("step")
        page.click("#take-step")
        assert page.number("after") < page.number("before")
        silent(page)
