"""`write_lab`: the page as one file, with all that it needs inside."""

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..files import write_text
from .feed import page_data
from .modules import bundle

PAGE = Path(__file__).parent / "page"


def write_lab(out: Path, model_file: Path | None = None, photos: Sequence[Path] = ()) -> Path:
    """Write the page to `out`; returns its path.

    model_file    a network to look at; without one, that which comes with the package
    photos        pictures to begin with, before the drawn cloths

    The page is as large as its network: 1 MB, and quick, with the package's own; 14 MB, and seconds a view, with the
    paper's at 150 pixels. The same network and pictures give the same bytes. InputError, and nothing written, if `out`
    is a folder or cannot be written, or if the network or a photo cannot be shown.
    """
    if out.is_dir():
        raise InputError(f"--out {out}: is a folder; nothing was touched. Give the name of a file, such as lab.html")
    if not out.absolute().parent.is_dir():
        raise InputError(f"--out {out}: there is no folder {out.absolute().parent}; make it first")
    write_text(out, page(page_data(model_file, photos)))
    return out


def page(data: dict[str, Any]) -> str:
    """The whole page as HTML: style, script, languages and data inside. Its policy forbids it to fetch anything."""
    script = bundle(PAGE, "main.js")
    digest = base64.b64encode(hashlib.sha256(f"\n{script}\n".encode()).digest()).decode("ascii")
    filled = {
        "SCRIPT-HASH": f"sha256-{digest}",
        "STYLE": (PAGE / "style.css").read_text(encoding="utf-8"),
        "LANGUAGES": as_json(languages()),
        "DATA": as_json(data),
        "SCRIPT": script,
    }
    text = (PAGE / "lab.html").read_text(encoding="utf-8")
    return re.sub(r"\[\[([A-Z-]+)\]\]", lambda place: filled[place[1]], text)  # once: what was put in is not searched


def languages() -> dict[str, dict[str, str]]:
    """{"en": {key: text}, ...}: a file in page/languages is a language; English comes first."""
    files = sorted((PAGE / "languages").glob("*.json"), key=lambda path: (path.stem != "en", path.stem))
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in files}


def as_json(value: Any) -> str:
    """JSON that may stand inside of a script element: a name with "</script>" in it cannot end it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").encode("utf-8", "replace").decode("utf-8")
