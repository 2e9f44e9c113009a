"""Notebooks that run in the browser: JupyterLite, with the package's own wheel."""

from pathlib import Path
from typing import Any

from .links import relative


def available() -> bool:
    """Is JupyterLite installed?"""
    return False


def links(lesson: Path) -> str:
    """What a lesson's page offers below its title."""
    return (
        f"[The script]({lesson.name}.x) {relative(lesson)}"
        if available()
        else f"[The script](source:{relative(lesson)})"
    )


def setup(app: Any) -> None:
    """Called by Sphinx."""
