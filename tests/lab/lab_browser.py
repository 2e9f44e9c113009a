"""A headless Chromium for tests, and what the page says in it: numbers, console, requests."""

import contextlib
import json
import shutil
import tempfile
import time
from pathlib import Path

import pytest

FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--lang=en", "--disable-dev-shm-usage"),
)
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
DESKTOP, PHONE = (1366, 900), (390, 844)


def missing():
    """Why there is no browser for tests; None if there is one."""
    try:
        import selenium  # noqa: F401
    except ImportError:
        return "selenium is not installed (the extra [test] has it)"
    absent = [name for name, path in (("chromium", CHROMIUM), ("chromedriver", DRIVER)) if path is None]
    return f"there is no {' and no '.join(absent)} on this machine" if absent else None


needs_browser = [pytest.mark.browser, pytest.mark.skipif(missing() is not None, reason=missing() or "")]


class Page:
    """An open page and how to ask it."""

    def __init__(self, driver, file):
        self.driver, self.file = driver, file

    def open(self, address=""):
        """Load the page anew at #address."""
        self.driver.get("about:blank")
        self.driver.get_log("performance")  # what the browser asked for by itself, for its first tab
        self.driver.get(f"{Path(self.file).as_uri()}#{address}")
        return self

    def go(self, address):
        """Go to #address in the page that is open, as a link does."""
        self.driver.execute_async_script(
            "const [hash, done] = arguments; if (location.hash === hash) return done();"
            "addEventListener('hashchange', () => done(), { once: true }); location.hash = hash;",
            f"#{address}",
        )
        return self

    def wait(self, script, *arguments, seconds=20):
        """Until a script returns something true."""
        end = time.monotonic() + seconds
        while not self.run(script, *arguments):
            assert time.monotonic() < end, f"waited in vain for {script}"
            time.sleep(0.05)

    def run(self, script, *arguments):
        """What a script's `return` returns."""
        return self.driver.execute_script(script, *arguments)

    def number(self, name, within="main"):
        """A number of the page in full, by its name."""
        return self.numbers(name, within)[0]

    def numbers(self, name, within="main"):
        """All numbers of that name, in the page's order."""
        found = self.run(
            "return [...document.querySelectorAll(`${arguments[1]} [data-name='${arguments[0]}']`)]"
            ".map((e) => e.dataset.value)",
            name,
            within,
        )
        return [float(value) for value in found]

    def grid(self, label):
        """The numbers of the grid with that label, in reading order; of the first one."""
        found = self.run(
            "return [...document.querySelector(`main .grid[aria-label='${arguments[0]}']`).children]"
            ".map((e) => e.dataset.value)",
            label,
        )
        return [float(value) for value in found]

    def text(self, selector="main"):
        """What a reader sees there."""
        return self.run("return document.querySelector(arguments[0]).innerText", selector)

    def click(self, selector):
        """Press an element."""
        self.driver.execute_script("document.querySelector(arguments[0]).click()", selector)

    def set(self, selector, value, event="input"):
        """Put a value into a field, as a reader does."""
        self.run(
            "const e = document.querySelector(arguments[0]); e.value = arguments[1];"
            "e.dispatchEvent(new Event(arguments[2], { bubbles: true }));",
            *(selector, str(value), event),
        )

    def console(self):
        """Everything that the console was told since the last time."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self):
        """The addresses that were asked for since the last time, but for the page itself and data in it."""
        asked = []
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                asked.append(message["params"]["request"]["url"])
        own = (Path(self.file).as_uri(), "data:", "blob:", "about:")
        return [url for url in asked if not url.startswith(own)]


@contextlib.contextmanager
def browser(size=DESKTOP):
    """A driver of a fresh Chromium with an empty profile."""
    from selenium import webdriver

    profile = tempfile.mkdtemp(prefix="lab-browser-")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={profile}", f"--window-size={size[0]},{size[1]}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(executable_path=DRIVER))
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": size == PHONE},
    )
    driver.execute_cdp_cmd("Emulation.setFocusEmulationEnabled", {"enabled": True})
    try:
        yield driver
    finally:
        driver.quit()
        shutil.rmtree(profile, ignore_errors=True)
