"""The surest mistakes as pictures: each image under its map, with what it is and what was said of it."""

import base64
import io
from dataclasses import dataclass

from PIL import Image

from ..errors import InputError
from ..files import DAMAGE, named
from ..record import overlaid_names
from .recorded import Recorded, StageName
from .tables import mistakes

SIDE = 320  # pixels at most: twice what a tile is wide


@dataclass(frozen=True)
class Mistake:
    """One misread image: its picture as a data URI ("" if the one in the run folder is lost or damaged), and words."""

    path: str
    true: str
    said: str
    percent: str
    source: str


def gallery(run: Recorded, stage: StageName, most: int) -> list[Mistake]:
    """The surest mistakes of a stage, at most `most` of them."""
    paths, folders = [row[0] for row in run.split], [row[1] for row in run.split]
    files = dict(zip(paths, overlaid_names(paths, folders), strict=True))
    spoken = dict(zip(run.folder_names, run.class_names, strict=True))
    return [
        Mistake(path, spoken[true], spoken[said], f"{100 * share:.1f} %", _picture(run, files.get(path, "")))
        for path, true, said, share in mistakes(run, stage).rows[:most]
    ]


def _picture(run: Recorded, name: str) -> str:
    """InputError if the disk fails: another try may bring the picture, and a page without it would not be the same."""
    if run.overlaid is None or not name or not (run.overlaid / name).is_file():
        return ""
    path, memory = run.overlaid / name, io.BytesIO()
    try:
        with named(path), Image.open(path) as picture:
            picture.thumbnail((SIDE, SIDE))
            picture.convert("RGB").save(memory, "JPEG", quality=85, optimize=True)
    except (OSError, Image.DecompressionBombError, *DAMAGE) as error:
        if isinstance(error, OSError) and error.errno is not None:  # the system's, not the decoder's
            raise InputError(f"report: {path} cannot be read: {error.strerror}; mend that, or run again") from None
        return ""  # the page tells of the mistake all the same
    return "data:image/jpeg;base64," + base64.b64encode(memory.getvalue()).decode("ascii")
