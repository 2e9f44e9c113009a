"""Output for programs: one JSON document, whose form has a name and a number (examples/scripts/README.md).

A key is never renamed or taken away, and none gets another meaning, without a new number; new keys may join.
"""

import json
import math
from typing import Any

FORMS = {
    name: f"batik-scratch {name} 1"
    for name in ("predict", "evaluate", "train", "summary", "gradcheck", "bench", "exercise list", "exercise check")
}


def add_json_option(parser: Any) -> None:
    """--json, in the same words everywhere."""
    parser.add_argument("--json", action="store_true", help="print one JSON document, for programs")


def document(name: str, content: dict[str, Any]) -> str:
    """The document of the command `name`: its form first. Numbers that JSON has not (NaN, infinity) become null."""
    return json.dumps(finite({"form": FORMS[name]} | content), indent=2, allow_nan=False)


def finite(value: Any) -> Any:
    """The same with None for every number that is not finite; numbers of NumPy become Python's."""
    if isinstance(value, dict):
        return {str(key): finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [finite(one) for one in value]
    if hasattr(value, "tolist"):
        return finite(value.tolist())
    return None if isinstance(value, float) and not math.isfinite(value) else value
