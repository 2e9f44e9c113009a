"""Reading one picture from a stranger: upright, RGB, eight bits, or a clear refusal."""

import os
import re
import stat
import struct
import zlib
from pathlib import Path
from typing import IO

import numpy as np
from PIL import (  # importing a plugin registers its format: Image.open knows only registered ones
    BmpImagePlugin,  # noqa: F401
    GifImagePlugin,  # noqa: F401
    Image,
    JpegImagePlugin,  # noqa: F401
    PngImagePlugin,  # noqa: F401
    PpmImagePlugin,  # noqa: F401
    TiffImagePlugin,  # noqa: F401
    WebPImagePlugin,  # noqa: F401
)

from ..errors import InputError
from .greys import NoScale, check_bright, stored_in_sixteen, to_eight_bits
from .kinds import heic_is_read, what_it_is
from .names import nearest
from .notes import notes_of

# the content decides, not the extension; the decoders of other formats are never shown a stranger's file
# (MPO, two JPEGs in one file, is read by the JPEG decoder)
FORMATS = ("PNG", "JPEG", "BMP", "WEBP", "TIFF", "PPM", "GIF")
FORMAT_NAMES = "PNG, JPEG, BMP, WebP, TIFF, PPM or GIF"
MAX_PIXELS = 64_000_000
MAX_FILE_BYTES = 256 * 2**20
DECODER_VERSION = 1  # part of every cache key, and so of what a run knows its photos by
READING = 3  # raise it when any file would give other pixels or notes: caches decode again, and keep their names

# what Pillow's decoders are known to raise on damaged files
_DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    EOFError,
    RuntimeError,
    AssertionError,
    MemoryError,
    struct.error,
    zlib.error,
)


class UnreadableImage(InputError):
    """A file that is no image of the formats we read, or a damaged one; `reason` says which.

    passing   it is not the file's fault, as far as one knows: the disk, or its permissions; another try may succeed
    """

    def __init__(self, path: str | os.PathLike, reason: str, passing: bool = False) -> None:
        super().__init__(f"{printable(path)}: {reason}")
        self.path, self.reason, self.passing = path, reason, passing


def printable(path: str | os.PathLike) -> str:
    """A file's name for messages: control characters and bytes that are no text are shown escaped."""
    text = os.fspath(path)
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in str(text))


def read_image(path: str | os.PathLike) -> Image.Image:
    """The first frame of an image file as RGB, upright (EXIF orientation applied, invalid ones ignored).

    Transparency is composited on white; CMYK, palettes and greys are converted, greys of more than 8 bits by the rule
    of `greys`. Raises UnreadableImage for anything that does not decode completely, fits no scale, or is larger than
    MAX_PIXELS or MAX_FILE_BYTES.
    """
    return read_with_notes(path)[0]


def read_with_notes(path: str | os.PathLike) -> tuple[Image.Image, tuple[str, ...]]:
    """As `read_image`; and the `notes` on what is read otherwise than one may think."""
    try:
        with _open(path) as file:
            size = os.fstat(file.fileno()).st_size
            if size > MAX_FILE_BYTES:
                raise UnreadableImage(path, f"has {size:,} bytes, the limit is {MAX_FILE_BYTES:,}")
            if size == 0:
                raise UnreadableImage(path, "is an empty file")
            head = file.read(64)
            file.seek(0)
            with Image.open(file, formats=(*FORMATS, "HEIF") if heic_is_read() else FORMATS) as image:
                width, height = image.size
                if width * height > MAX_PIXELS:
                    raise UnreadableImage(
                        path, f"has {width}x{height} pixels, the limit is {MAX_PIXELS:,} in all; save it smaller"
                    )
                sixteen = stored_in_sixteen(image)
                image.load()  # only a full decode shows that a file is cut short
                if sixteen:
                    check_bright(image)
                rgb, white = _to_rgb(image)
                return _upright(rgb, image), notes_of(image, white)
    except UnreadableImage:
        raise
    except NoScale as error:
        raise UnreadableImage(path, str(error)) from None
    except Image.UnidentifiedImageError:
        raise UnreadableImage(path, _no_image(head)) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:  # Pillow's limit comes before ours
        pixels = re.search(r"\d+", str(error))
        count = f"{int(pixels[0]):,}" if pixels else "too many"
        raise UnreadableImage(
            path, f"has {count} pixels, the limit is {MAX_PIXELS:,} in all; save it smaller"
        ) from None
    except FileNotFoundError:
        raise UnreadableImage(path, f"there is no such file{_near(Path(path))}", passing=True) from None
    except _DECODER_ERRORS as error:
        if isinstance(error, OSError) and error.errno is not None:  # the system's, not the decoder's
            raise UnreadableImage(path, f"cannot be read: {os.strerror(error.errno)}", passing=True) from None
        reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise UnreadableImage(path, f"does not decode: {reason}") from None


def _open(path: str | os.PathLike) -> IO[bytes]:
    """The file; UnreadableImage for a folder, and for what would never end or answer: pipes, sockets and devices."""
    mode = os.stat(path).st_mode
    if stat.S_ISDIR(mode):
        raise UnreadableImage(path, f"is a folder, not an image; give files, such as {printable(path)}/photo.jpg")
    if not stat.S_ISREG(mode):
        raise UnreadableImage(path, "is no regular file but a device, a pipe or a socket")
    return Path(path).open("rb")


def _near(path: Path) -> str:
    """The file beside a missing one that was perhaps meant; it is not itself, which may be back by now."""
    try:
        names = [entry.name for entry in path.absolute().parent.iterdir() if entry.name != path.name]
    except OSError:
        return ""
    found = nearest(path.name, names)
    return f"; did you mean {printable(path.with_name(found))}?" if found else ""


def _no_image(head: bytes) -> str:
    """Why a file is none that begins with these bytes."""
    what = what_it_is(head)
    if what == "a HEIC photo" and heic_is_read():
        return "does not decode: is a HEIC photo that is damaged or cut short"
    advice = "; install pillow-heif (the extra [heic]) to read it" if what == "a HEIC photo" else ""
    return f"is not an image in {FORMAT_NAMES} format{f', but {what}' if what else ''}{advice}"


def read_pixels(path: str | os.PathLike, size: int) -> np.ndarray:
    """The image squeezed to uint8 (size, size, 3), antialiased bilinear, as Keras' `target_size` does."""
    return squeezed(read_image(path), size)  # (size, size, 3)


def squeezed(image: Image.Image, size: int) -> np.ndarray:
    """An RGB image as uint8 (size, size, 3)."""
    return np.asarray(image.resize((size, size), Image.Resampling.BILINEAR), np.uint8)


def _to_rgb(image: Image.Image) -> tuple[Image.Image, int | None]:
    """RGB, and the number that became white where that was chosen."""
    if image.mode.startswith("I") or image.mode == "F":
        greys, white = to_eight_bits(np.asarray(image))  # (H, W)
        return Image.fromarray(greys).convert("RGB"), white
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        colours = image.convert("RGBA")
        ground = Image.new("RGB", colours.size, "white")
        ground.paste(colours, mask=colours.getchannel("A"))
        return ground, None
    return image.convert("RGB"), None


def _upright(rgb: Image.Image, source: Image.Image) -> Image.Image:
    """`rgb` turned as the EXIF orientation of `source` says; an orientation that cannot be read leaves it as stored."""
    try:
        orientation = source.getexif().get(0x0112, 1)
    except _DECODER_ERRORS:
        return rgb
    if orientation not in range(2, 9):
        return rgb
    turn = Image.Transpose
    method = {
        2: turn.FLIP_LEFT_RIGHT,
        3: turn.ROTATE_180,
        4: turn.FLIP_TOP_BOTTOM,
        5: turn.TRANSPOSE,
        6: turn.ROTATE_270,
        7: turn.TRANSVERSE,
        8: turn.ROTATE_90,
    }[orientation]
    return rgb.transpose(method)
