"""The page: what is said where, rendered from `page.html`. Text comes from strangers; everything is escaped."""

import base64
import io
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape
from PIL import Image

from ..figures.style import DPI
from . import paper
from .gallery import gallery
from .notes import DRAWN, data_warnings, in_short, notes, verdict
from .pictures import Picture
from .recorded import STAGES, Recorded, StageName
from .tables import METRIC_NAMES, Table

_MISTAKES_SHOWN = 10
_SKIPPED_SHOWN = 20
_ROWS_SHOWN = 40  # of a table; the CSV file has them all


@dataclass(frozen=True)
class Embedded:
    """A picture as the page holds it: data URIs, its size in CSS pixels, and its words."""

    name: str
    title: str
    caption: str
    alt: str
    source: str
    width: int
    height: int
    narrow: str | None = None


def embed(picture: Picture, png: bytes, narrow_png: bytes | None) -> Embedded:
    """Put the PNG (and the phone's one) of a picture into data URIs."""
    width, height = struct.unpack(">II", png[16:24])  # of the IHDR chunk
    uri = _photo_uri if picture.photographic else _data_uri
    return Embedded(
        picture.name,
        picture.title,
        picture.caption,
        picture.alt,
        uri(png),
        round(width * 96 / DPI),
        round(height * 96 / DPI),
        uri(narrow_png) if narrow_png else None,
    )


def template(name: str) -> jinja2.Template:
    """A page of this folder; what it is given is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["marked"] = marked
    environment.globals["rows_shown"] = _ROWS_SHOWN  # macros see what is global, and nothing else
    return environment.get_template(name)


def marked(text: str) -> Markup:
    """A sentence for the page: what stands between backticks, as on a terminal, is code. The rest is escaped."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def render_page(run: Recorded, pictures: Mapping[str, Embedded], tables: Mapping[str, Table]) -> str:
    """The whole page as HTML text that encodes as UTF-8."""
    text = template("page.html").render(
        run=run,
        pictures=pictures,
        tables=tables,
        paper=paper,
        tiles=[_tile(run, metric) for metric in paper.METRICS],
        verdict=verdict(run),
        warned=data_warnings(run),
        short=in_short(run),
        notes=notes(run),
        galleries={stage: gallery(run, stage, _MISTAKES_SHOWN) for stage in STAGES},
        drawn_note=DRAWN if run.drawn else "",
        stages=[(stage, stage.words.capitalize(), run.stages[stage]) for stage in STAGES],
        facts=facts_of(run.run),
        settings=[(key, plain(value)) for key, value in run.config.items()],
        skipped=[tuple(map(str, entry)) for entry in run.data.get("skipped") or []][:_SKIPPED_SHOWN],
        skipped_count=len(run.data.get("skipped") or []),
        mistakes_shown=_MISTAKES_SHOWN,
        warnings=run.warnings,
        passed_over=run.passed_over,
        validation_count=len(run.stages[StageName.FIRST].predictions),
    )
    return text.encode("utf-8", "replace").decode("utf-8")


def _tile(run: Recorded, metric: str) -> dict[str, Any]:
    def value(stage: StageName) -> dict[str, Any]:
        recorded = run.stages[stage]
        interval = "{:.3f} to {:.3f}".format(*recorded.interval) if metric == "accuracy" else ""
        return {"value": f"{recorded.metrics[metric]:.3f}", "interval": interval}

    return {
        "name": METRIC_NAMES[metric],
        "stages": [(stage.words, value(stage)) for stage in STAGES],
        "paper": f"{paper.TABLE_2[metric]:.2f}",
        "abstract": f"{paper.ABSTRACT[metric]:.2f}",
    }


def facts_of(told: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What run.json tells, in a reader's order; unknown keys follow as they are."""
    record = dict(told)
    known = (
        ("data", "Images"),
        ("command", "Command"),
        ("started", "Started"),
        ("finished", "Finished"),
        ("seconds", "Time"),
        ("cpu", "Processor"),
        ("cores", "Cores"),
        ("threads", "Threads"),
        ("platform", "System"),
        ("python", "Python"),
        ("versions", "Versions"),
    )
    facts = []
    for key, name in known:
        value = record.pop(key, None)
        if value in (None, "", {}):
            continue
        if key == "seconds" and isinstance(value, Mapping) and all(map(_is_time, value.values())):
            parts = [(str(part), float(seconds)) for part, seconds in value.items()]
            listed = ", ".join(f"{part} {_duration(seconds)}" for part, seconds in parts)
            facts.append((name, f"{_duration(sum(seconds for _, seconds in parts))} ({listed})"))
        elif key == "data" and value == "drawn":
            facts.append((name, "drawn by code"))
        else:
            facts.append((name, plain(value)))
    return facts + [(str(key), plain(value)) for key, value in record.items()]


def _is_time(value: Any) -> bool:
    return isinstance(value, int | float) and 0 <= value < 1e12


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def plain(value: Any) -> str:
    """A setting as a reader takes it."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {plain(entry)}" for key, entry in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(plain, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value) if value != "" else "–"


def _photo_uri(png: bytes) -> str:
    """The picture as JPEG, which takes a fraction of a PNG of photos; figures/ has the PNG."""
    memory = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").save(memory, "JPEG", quality=75, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(memory.getvalue()).decode("ascii")


def _data_uri(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")
