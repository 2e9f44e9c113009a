"""Many small ES modules as one script: what a page needs that is a single file and opens without a server.

A browser does not let a page from the disk load modules that lie beside it. So each module becomes a function that
returns what it exports, in an order in which all that it imports is there already. Two forms are understood, which
are those that the page uses:

    import { a, b } from "./other.js";          (the list may go over several lines)
    export function f..., export class C..., export const x...
"""

import posixpath
import re
from pathlib import Path

from ..errors import InputError

IMPORT = re.compile(r'^import \{([^}]*)\} from "([^"]+)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (async function|function|class|const) (\w+)", re.MULTILINE)
OTHER = re.compile(r"^(import|export)\b.*$", re.MULTILINE)


def bundle(folder: Path, entry: str) -> str:
    """The script of `folder`/`entry` and all that it imports. InputError names a line that is of neither form."""
    done: dict[str, str] = {}
    _add(folder, entry, done, ())
    names = {path: f"module{number}" for number, path in enumerate(done)}
    parts = [_as_function(path, text, names) for path, text in done.items()]
    return "\n".join(['"use strict";', *parts])


def _add(folder: Path, path: str, done: dict[str, str], above: tuple[str, ...]) -> None:
    if path in above:
        raise InputError(f"modules: no module may import itself, by whatever way; got {' > '.join([*above, path])}")
    if path in done:
        return
    text = (folder / path).read_text(encoding="utf-8")
    for _, target in IMPORT.findall(text):
        _add(folder, _resolved(path, target), done, (*above, path))
    done[path] = text


def _as_function(path: str, text: str, names: dict[str, str]) -> str:
    def taken(match: re.Match[str]) -> str:
        wanted = " ".join(match[1].replace(" as ", ": ").split())
        return f"const {{ {wanted} }} = {names[_resolved(path, match[2])]};\n"

    exported = [name for _, name in EXPORT.findall(text)]
    body = EXPORT.sub(r"\1 \2", IMPORT.sub(taken, text))
    if left := OTHER.search(body):
        raise InputError(f"{path}: imports and exports have one form here (see modules.py); got {left[0]!r}")
    return f"// {path}\nconst {names[path]} = (() => {{\n{body}return {{ {', '.join(exported)} }};\n}})();"


def _resolved(path: str, target: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
