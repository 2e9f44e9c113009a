"""Whether a value that was read from JSON is what a TypedDict says: a stranger's file is believed only then."""

import types
import typing
from collections.abc import Mapping
from typing import Any


def misfit(value: Any, kind: Any, place: str = "it") -> str | None:
    """What in `value` is not of `kind`, in words; None if all is.

    Known kinds are TypedDicts (keys that they do not name may be there too), list[...], dict[...] and Mapping[...] with
    text for keys, str, int, float (whole numbers too), None, unions of these, and Any.
    """
    if kind is Any:
        return None
    origin, inside = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.NotRequired:
        return misfit(value, inside[0], place)
    if origin in (types.UnionType, typing.Union):
        found = [misfit(value, choice, place) for choice in inside]
        return None if None in found else found[0]
    if typing.is_typeddict(kind):
        return _misfit_of_keys(value, kind, place)
    if origin is list:
        if not isinstance(value, list):
            return f"{place} is {value!r:.60}, not a list"
        parts = ((f"{place}[{number}]", entry, inside[0]) for number, entry in enumerate(value))
    elif origin in (dict, Mapping):
        if not isinstance(value, dict):
            return f"{place} is {value!r:.60}, not an object"
        parts = ((f"{place}[{key!r:.40}]", entry, inside[1]) for key, entry in value.items())
    else:
        right = {float: (float, int)}.get(kind, kind)
        fits = isinstance(value, right) and (kind is bool or not isinstance(value, bool))
        fits = fits and not (isinstance(value, int) and abs(value) >= 2**63)  # no float, and no array, could hold it
        return None if fits else f"{place} is {value!r:.60}, not {_WORDS.get(kind, kind.__name__)}"
    return next((wrong for name, entry, of in parts if (wrong := misfit(entry, of, name))), None)


_WORDS = {str: "text", int: "a whole number", float: "a number", types.NoneType: "null"}


def _misfit_of_keys(value: Any, kind: Any, place: str) -> str | None:
    if not isinstance(value, dict):
        return f"{place} is {value!r:.60}, not an object"
    hints = typing.get_type_hints(kind, include_extras=True)
    for key, of in hints.items():
        if key not in value:
            if key in kind.__required_keys__:
                return f"lacks {key}"
        elif value[key] is None and key not in kind.__required_keys__:
            continue  # as good as not there
        elif wrong := misfit(value[key], of, key):
            return wrong
    return None
