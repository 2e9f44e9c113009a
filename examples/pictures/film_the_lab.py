"""The README's moving picture of the lab, from the real page: python examples/pictures/film_the_lab.py [OUT.webp]

Needs the extra [test] (selenium) and Chromium with its driver. Takes half a minute.
"""

import base64
import io
import shutil
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image
from selenium import webdriver

from batik_scratch.lab import write_lab

SCREEN, SHOWN = (1366, 1100), (1366, 900)  # pixels of the window, and of what is kept below the page's head
WIDTH = 900  # pixels of the picture
LIMIT = 2_000_000  # bytes
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--lang=en", "--disable-dev-shm-usage")

# What is shown: an address of the page, and for how many milliseconds. A window slides; the gradient comes back the
# same way; one weight is nudged; the epochs go by.
SLIDE = [(f"conv2d_1/3/{row},{column}/forward", 110) for row in (9, 10) for column in range(4, 24, 2)]
BACK = [(f"conv2d_1/3/{row},{column}/backward", 130) for row in (10,) for column in range(4, 24, 2)]
STORY = [
    ("overview", 1800),
    *SLIDE,
    (SLIDE[-1][0], 1200),
    ("overview/gradients", 1800),
    *BACK,
    (BACK[-1][0], 1200),
    ("conv2d/2/20,20/nudge", 2400),
    *[(f"time/{epoch}", 260) for epoch in range(0, 25, 2)],
    ("saliency", 2400),
]


def main(out: Path) -> None:
    """Write the page, open it, take a picture of every scene, and join them."""
    with tempfile.TemporaryDirectory() as folder:
        page = write_lab(Path(folder) / "lab.html")
        options = webdriver.ChromeOptions()
        for flag in (*FLAGS, f"--user-data-dir={folder}/profile", f"--window-size={SCREEN[0]},{SCREEN[1]}"):
            options.add_argument(flag)
        driver = webdriver.Chrome(
            options=options, service=webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
        )
        try:
            driver.execute_cdp_cmd(
                "Emulation.setDeviceMetricsOverride",
                {"width": SCREEN[0], "height": SCREEN[1], "deviceScaleFactor": 1, "mobile": False},
            )
            driver.get(f"{page.as_uri()}#overview")
            scenes = [scene(driver, address) for address, _ in STORY]
        finally:
            driver.quit()
    scenes[0].save(
        out,
        save_all=True,
        append_images=scenes[1:],
        duration=[shown for _, shown in STORY],
        loop=0,
        quality=70,
        method=6,
    )
    size = out.stat().st_size
    if size > LIMIT:
        raise SystemExit(f"{out} has {size:,} bytes; a README's picture may have {LIMIT:,}: lower quality or WIDTH")
    print(f"{out}: {len(scenes)} scenes, {sum(shown for _, shown in STORY) / 1000:.0f} s, {size / 1e6:.2f} MB")


def scene(driver: webdriver.Chrome, address: str) -> Image.Image:
    """The page at #address, from its row of views downwards."""
    driver.execute_script("location.hash = arguments[0]", address)
    time.sleep(0.35)  # two repaints, and the drawing of the largest view
    top = driver.execute_script("return document.querySelector('nav').getBoundingClientRect().top + scrollY")
    clip = {"x": 0, "y": top, "width": SHOWN[0], "height": SHOWN[1], "scale": 1}
    taken = driver.execute_cdp_cmd("Page.captureScreenshot", {"clip": clip, "captureBeyondViewport": True})
    picture = Image.open(io.BytesIO(base64.b64decode(taken["data"]))).convert("RGB")
    return picture.resize((WIDTH, round(WIDTH * picture.height / picture.width)), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("lab.webp"))
