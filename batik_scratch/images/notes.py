"""What is read of a picture otherwise than one may think, noted file by file and told by number."""

from collections.abc import Mapping

from PIL import Image

from .greys import scale_words

WHITE = "white "  # and the number that was taken for it, of greys with more than 8 bits
FRAMES = "more frames"
TINY = "tiny"
LEAST_SIDE = 16  # pixels; what is smaller is a placeholder or a dot of a web page rather than a photo


def notes_of(image: Image.Image, white: int | None) -> tuple[str, ...]:
    """The notes on a decoded picture; it may lose its place among its frames."""
    notes = [] if white is None else [f"{WHITE}{white}"]
    if min(image.size) < LEAST_SIDE:
        notes.append(TINY)
    if _has_more_frames(image):
        notes.append(FRAMES)
    return tuple(notes)


def note_words(notes: Mapping[str, int]) -> list[str]:
    """What is worth saying of {note: files}, in sentences."""
    found = scale_words({note.removeprefix(WHITE): n for note, n in notes.items() if note.startswith(WHITE)})
    if number := notes.get(FRAMES):
        found.append(f"{number} files hold more than one picture (frames or pages); the first of each is used alone")
    if number := notes.get(TINY):
        found.append(f"{number} pictures have fewer than {LEAST_SIDE} pixels on a side, and are stretched to size")
    return found


def _has_more_frames(image: Image.Image) -> bool:
    try:
        return bool(getattr(image, "is_animated", False))
    except Exception:  # whatever a decoder raises on a second frame that is damaged: there is something
        return True
