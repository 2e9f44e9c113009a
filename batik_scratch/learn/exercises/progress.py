"""How far somebody has come with the exercises, remembered in the user's cache folder."""

import contextlib
import json
from pathlib import Path

from ...files import write_text

BEGUN, TRIED, RIGHT = "begun", "tried", "right"
ORDER = (BEGUN, TRIED, RIGHT)


def progress() -> dict[str, str]:
    """{exercise: "begun", "tried" or "right"}; of others nothing is known."""
    with contextlib.suppress(OSError, ValueError):
        held = json.loads(_store().read_text())
        if isinstance(held, dict):
            return {str(name): state for name, state in held.items() if state in ORDER}
    return {}


def remember(name: str, state: str) -> None:
    """Note a state, if it is a better one than is known; nothing happens if nothing can be written."""
    known = progress()
    if name in known and ORDER.index(known[name]) >= ORDER.index(state):
        return
    with contextlib.suppress(OSError):
        _store().parent.mkdir(parents=True, exist_ok=True)
        write_text(_store(), json.dumps(known | {name: state}))


def _store() -> Path:
    from ...images.places import user_cache  # here, because its package loads scikit-learn, which no check needs

    return user_cache() / "exercises.json"
