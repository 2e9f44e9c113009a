"""The pictures that somebody means by the words of a command: files, folders, patterns."""

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from . import kinds
from .own_output import is_drawn, own_output
from .reading import UnreadableImage


def pictures(words: Iterable[str | os.PathLike]) -> Iterator[Path | UnreadableImage]:
    """Files, one by one: a word is a file, a folder (all pictures below it), or a pattern such as "photos/**/*.jpg".

    Of a folder, in the order of names: what has an image's extension, without hidden files, links and what this program
    wrote; of a drawn data set, its images and not its masks. A file that is named itself is handed on whatever it is.
    In place of what is not there or has no picture comes the error that says so.
    """
    for word in words:
        path = Path(word).expanduser()
        if path.is_dir():
            yield from _of_folder(path)
        elif not os.path.lexists(path) and glob.has_magic(str(path)):
            found = sorted(glob.glob(str(path), recursive=True))
            files = [Path(name) for name in found if not os.path.isdir(name)]
            if files:
                yield from files
            else:
                yield UnreadableImage(path, "no file has a name of this pattern")
        else:
            yield path


def _of_folder(folder: Path) -> Iterator[Path | UnreadableImage]:
    root, found = folder / "images" if is_drawn(folder) else folder, 0
    for place, folders, names in os.walk(root):
        if own_output(Path(place).absolute(), [*folders, *names]):
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not kinds.is_hidden(name))
        for name in sorted(names):
            path = Path(place) / name
            if kinds.is_picture(name) and not kinds.is_hidden(name) and path.is_file() and not path.is_symlink():
                found += 1
                yield path
    if not found:
        yield UnreadableImage(folder, "has no pictures; needs files that end in .jpg, .png or the like")
