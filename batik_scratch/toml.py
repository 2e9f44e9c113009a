"""Settings as TOML: one line for each key. Python's own library reads it."""

import json
from collections.abc import Mapping
from typing import Any


def flat_toml(settings: Mapping[str, Any], table: str = "") -> str:
    """`settings`, whose values are texts, truth values, numbers and lists of them, under the heading [table] if any.

    TOML's texts in quotes are JSON's, but for the character DEL, which must be escaped too.
    """
    lines = [f"[{table}]"] if table else []
    return "\n".join([*lines, *(f"{key} = {_value(value)}" for key, value in settings.items())]) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    return repr(value)
