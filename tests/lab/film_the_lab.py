"""The README's moving picture of the lab, from the real page: python tests/lab/film_the_lab.py [OUT.webp]

Needs the extra [test] (selenium), and Chromium with its driver. Takes half a minute.
"""

import base64
import io
import sys
import tempfile
import time
from pathlib import Path

from lab_browser import Page, browser
from PIL import Image

from batik_scratch.lab import write_lab

PICTURE = Path(__file__).parents[2] / "examples" / "pictures" / "lab.webp"
SCREEN, SHOWN = (1366, 1100), (1366, 900)  # pixels of the window, and of what is kept below the page's head
WIDTH = 900  # pixels of the picture
LIMIT = 2_000_000  # bytes

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
    with tempfile.TemporaryDirectory() as folder, browser(SCREEN) as driver:
        page = Page(driver, write_lab(Path(folder) / "lab.html")).open(STORY[0][0])
        scenes = [scene(page, address) for address, _ in STORY]
    shown = [milliseconds for _, milliseconds in STORY]
    scenes[0].save(out, save_all=True, append_images=scenes[1:], duration=shown, loop=0, quality=70, method=6)
    size = out.stat().st_size
    if size > LIMIT:
        raise SystemExit(f"{out} has {size:,} bytes; a README's picture may have {LIMIT:,}: lower quality or WIDTH")
    print(f"{out}: {len(scenes)} scenes, {sum(shown) / 1000:.0f} s, {size / 1e6:.2f} MB")


def scene(page: Page, address: str) -> Image.Image:
    """The page at #address, from its row of views downwards."""
    page.go(address)
    time.sleep(0.3)  # two repaints, and the drawing of the largest view
    top = page.run("return document.querySelector('nav').getBoundingClientRect().top + scrollY")
    clip = {"x": 0, "y": top, "width": SHOWN[0], "height": SHOWN[1], "scale": 1}
    taken = page.driver.execute_cdp_cmd("Page.captureScreenshot", {"clip": clip, "captureBeyondViewport": True})
    picture = Image.open(io.BytesIO(base64.b64decode(taken["data"]))).convert("RGB")
    return picture.resize((WIDTH, round(WIDTH * picture.height / picture.width)), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURE)
