"""Reading one picture from a stranger: upright, RGB, eight bits, or a clear refusal."""

import os
import struct
import zlib
from pathlib import Path

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

# the content decides, not the extension; the decoders of other formats are never shown a stranger's file
# (MPO, two JPEGs in one file, is read by the JPEG decoder)
FORMATS = ("PNG", "JPEG", "BMP", "WEBP", "TIFF", "PPM", "GIF")
MAX_PIXELS = 64_000_000
MAX_FILE_BYTES = 256 * 2**20
DECODER_VERSION = 1  # part of every cache key: raise it when the pixels of any file would change

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
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


class UnreadableImage(InputError):
    """A file that is no image of the formats we read, or a damaged one; `reason` says which."""

    def __init__(self, path: str | os.PathLike, reason: str) -> None:
        super().__init__(f"{printable(path)}: {reason}")
        self.path, self.reason = path, reason


def printable(path: str | os.PathLike) -> str:
    """A file's name for messages: control characters and bytes that are no text are shown escaped."""
    text = os.fspath(path)
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in str(text))


def read_image(path: str | os.PathLike) -> Image.Image:
    """The first frame of an image file as RGB, upright (EXIF orientation applied, invalid ones ignored).

    Transparency is composited on white; 16-bit greys are scaled to 8 bits; CMYK, palettes and greys are converted.
    Raises UnreadableImage for anything that does not decode completely, or is larger than MAX_PIXELS or MAX_FILE_BYTES.
    """
    try:
        with Path(path).open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > MAX_FILE_BYTES:
                raise UnreadableImage(path, f"has {size:,} bytes, the limit is {MAX_FILE_BYTES:,}")
            if size == 0:
                raise UnreadableImage(path, "is an empty file")
            with Image.open(file, formats=FORMATS) as image:
                width, height = image.size
                if width * height > MAX_PIXELS:
                    raise UnreadableImage(path, f"has {width}x{height} pixels, the limit is {MAX_PIXELS:,} in all")
                image.load()  # only a full decode shows that a file is cut short
                return _upright(_to_rgb(image), image)
    except UnreadableImage:
        raise
    except Image.UnidentifiedImageError:
        raise UnreadableImage(path, "is not an image in PNG, JPEG, BMP, WebP, TIFF, PPM or GIF format") from None
    except FileNotFoundError:
        raise UnreadableImage(path, "there is no such file") from None
    except _DECODER_ERRORS as error:
        reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise UnreadableImage(path, f"does not decode: {reason}") from None


def read_pixels(path: str | os.PathLike, size: int) -> np.ndarray:
    """The image squeezed to uint8 (size, size, 3), antialiased bilinear, as Keras' `target_size` does."""
    resized = read_image(path).resize((size, size), Image.Resampling.BILINEAR)
    return np.asarray(resized, np.uint8)  # (size, size, 3)


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        return Image.fromarray(_to_eight_bits(np.asarray(image))).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        colours = image.convert("RGBA")
        white = Image.new("RGB", colours.size, "white")
        white.paste(colours, mask=colours.getchannel("A"))
        return white
    return image.convert("RGB")


def _to_eight_bits(values: np.ndarray) -> np.ndarray:
    """(H, W) of 16-bit or floating greys -> uint8; Pillow's own conversion would clip at 255."""
    fractions = values.dtype.kind == "f"
    with np.errstate(invalid="ignore"):  # a damaged file may hold any bits, signalling NaN among them
        greys = values.astype(np.float32)  # (H, W), the one large copy: what follows works in place
        np.nan_to_num(greys, copy=False)
        top = 1.0 if fractions and greys.max(initial=0) <= 1 and (greys % 1).any() else 65535.0
        np.clip(greys, 0, top, out=greys)
        greys *= np.float32(255 / top)
    return np.rint(greys, out=greys).astype(np.uint8)


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
