"""Class names as people mean them: which are one name in two spellings, and which are nearly one."""

import difflib
import re
import unicodedata
from collections.abc import Iterable, Sequence

_COPY = re.compile(r"(\s*[-_(]?\s*(copy|salinan|kopie)\s*\)?|\s*\(\d+\))$")


def same_name(name: str) -> str:
    """What two spellings of one name have in common: no case, one Unicode form, single spaces, none at the ends.

    "é" may be one character or two (NFC, NFD); macOS and Linux write the same folder differently. Characters that show
    nothing, such as a zero-width space, are left out.
    """
    composed = unicodedata.normalize("NFC", name).casefold()
    shown = "".join(c for c in composed if unicodedata.category(c) != "Cf")
    return " ".join(unicodedata.normalize("NFC", shown).split())


def place_of(name: str, known: Sequence[str]) -> int | None:
    """Where `name` stands among `known` names, in any spelling; None if it does not."""
    places = {same_name(other): place for place, other in reversed(list(enumerate(known)))}
    return known.index(name) if name in known else places.get(same_name(name))


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that looks most like `name`; None if none looks like it."""
    keys = {same_name(other): other for other in known}
    found = difflib.get_close_matches(same_name(name), keys, n=1, cutoff=0.8)
    return keys[found[0]] if found else None


def near_misses(names: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs that differ only in separators or in the ending of a copy: "mega_mendung", "mega mendung (1)"."""
    seen: dict[str, str] = {}
    pairs = []
    for name in names:
        bare = re.sub(r"[\s_.\-]+", "", _COPY.sub("", same_name(name)))
        if bare and bare in seen:
            pairs.append((seen[bare], name))
        seen.setdefault(bare, name)
    return pairs
