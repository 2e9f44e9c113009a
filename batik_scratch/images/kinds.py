"""What a file is that is no picture of ours: by its extension, and by its first bytes."""

import os
from functools import cache
from pathlib import Path

EXTENSIONS = frozenset({".png", ".jpg", ".jpeg", ".jfif", ".jpe", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".gif"})
HEIC_EXTENSIONS = frozenset({".heic", ".heif", ".hif"})
HEIC = "HEIC photos"
OTHER_PICTURES = "pictures in a format that is not read"
MISNAMED = "pictures without an image's extension"
OTHERS = "files without an image's extension"
IN_THE_CLOUD = "photos that iCloud has not downloaded"
HIDDEN = "hidden or system files"
LINKS = "symbolic links"
OWN = "folders that this program wrote"
SPECIAL = "pipes, sockets or devices"
BESIDE = "files beside the class folders"
UNREADABLE = "unreadable files, left out by --skip-bad"
UNUSED = "parts of a split that are not used"
# a kind as it is called where there is one of it
ONE = {
    HEIC: "HEIC photo",
    OTHER_PICTURES: "picture in a format that is not read",
    MISNAMED: "picture without an image's extension",
    OTHERS: "file without an image's extension",
    IN_THE_CLOUD: "photo that iCloud has not downloaded",
    HIDDEN: "hidden or system file",
    LINKS: "symbolic link",
    OWN: "folder that this program wrote",
    SPECIAL: "pipe, socket or device",
    BESIDE: "file beside the class folders",
    UNREADABLE: "unreadable file, left out by --skip-bad",
    UNUSED: "part of a split that is not used",
}
# those that somebody meant to be trained on
MEANT = frozenset({HEIC, OTHER_PICTURES, MISNAMED, IN_THE_CLOUD, LINKS, UNREADABLE})
# what to do about a kind, after its count
ADVICE = {
    HEIC: "install pillow-heif (the extra [heic]), or convert them to JPEG",
    OTHER_PICTURES: "convert them to JPEG or PNG",
    IN_THE_CLOUD: "download them in Finder first",
    MISNAMED: "give them their extension",
    LINKS: "use --follow-links, or copy the files",
    UNREADABLE: "see data scan",
}
_OTHER_PICTURE_EXTENSIONS = frozenset(
    {".avif", ".jxl", ".jp2", ".j2k", ".svg", ".psd", ".xcf", ".eps", ".ico", ".tga", ".dds", ".exr", ".hdr", ".pcx"}
    | {".pgm", ".pbm", ".pnm", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf", ".srw", ".pef", ".raw"}
    | {".dcm", ".pdf"}
)
_SYSTEM_NAMES = frozenset({"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"})
_SYSTEM_FOLDERS = frozenset(
    {"__macosx", "@eadir", "#recycle", "$recycle.bin", "system volume information", "lost+found", "__pycache__"}
)
# first bytes, where they begin, and what the file then is
_SIGNATURES = (
    (b"\xff\xd8\xff", 0, "a JPEG"),
    (b"\x89PNG\r\n\x1a\n", 0, "a PNG"),
    (b"GIF8", 0, "a GIF"),
    (b"WEBP", 8, "a WebP"),
    (b"II*\0", 0, "a TIFF"),
    (b"MM\0*", 0, "a TIFF"),
    (b"ftyphe", 4, "a HEIC photo"),
    (b"ftypmif1", 4, "a HEIC photo"),
    (b"ftypmsf1", 4, "a HEIC photo"),
    (b"ftypavi", 4, "an AVIF picture"),
    (b"ftyp", 4, "a video"),
    (b"\0\0\0\x0cJXL ", 0, "a JPEG XL picture"),
    (b"\xff\x0a", 0, "a JPEG XL picture"),
    (b"\0\0\0\x0cjP  ", 0, "a JPEG 2000 picture"),
    (b"8BPS", 0, "a Photoshop file"),
    (b"%PDF", 0, "a PDF"),
    (b"PK\x03\x04", 0, "a zip archive"),
    (b"Rar!", 0, "a RAR archive"),
    (b"\x1f\x8b", 0, "a gzip archive"),
    (b"version https://git-lfs", 0, "a Git LFS pointer, not the photo itself: git lfs pull fetches it"),
)
_READ = frozenset({"a JPEG", "a PNG", "a GIF", "a WebP", "a TIFF"})


def counted(count: int, kind: str) -> str:
    """So many of a kind, in words."""
    return f"{count} {ONE.get(kind, kind) if count == 1 else kind}"


def extension_of(name: str) -> str:
    """The ending of a file's name in small letters, with its point; "" for none."""
    return os.path.splitext(name)[1].lower()


def is_hidden(name: str) -> bool:
    """Whether a file or folder is the system's: hidden, or of a name that only systems give."""
    return name.startswith(".") or name.lower() in _SYSTEM_NAMES | _SYSTEM_FOLDERS


def is_in_the_cloud(name: str) -> bool:
    """Whether a hidden file stands for a photo that macOS keeps in iCloud only: .IMG_1.jpg.icloud"""
    inner, ending = os.path.splitext(name.lower())
    return ending == ".icloud" and extension_of(inner) in EXTENSIONS | HEIC_EXTENSIONS | _OTHER_PICTURE_EXTENSIONS


def is_picture(name: str) -> bool:
    """Whether a file of this name is read as a picture."""
    ending = extension_of(name)
    return ending in EXTENSIONS or (ending in HEIC_EXTENSIONS and heic_is_read())


def kind_of(path: Path) -> str:
    """The kind of a file that is not read as a picture, by its extension; without a known one, by its first bytes."""
    ending = extension_of(path.name)
    if ending in HEIC_EXTENSIONS:
        return HEIC
    if ending in _OTHER_PICTURE_EXTENSIONS:
        return OTHER_PICTURES
    try:
        with path.open("rb") as file:
            head = file.read(64)
    except OSError:
        return OTHERS
    return MISNAMED if what_it_is(head) in _READ else OTHERS


def what_it_is(head: bytes) -> str | None:
    """What a file is that begins with these bytes, in words; None if they tell nothing."""
    for signature, start, words in _SIGNATURES:
        if head[start : start + len(signature)] == signature:
            return words
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "a web page"
    if text.startswith((b"<svg", b"<?xml")):
        return "XML, such as an SVG drawing"
    return "JSON text" if text.startswith((b'{"', b'[{"')) else None


@cache
def heic_is_read() -> bool:
    """Whether `pillow-heif` is installed; it is then told to Pillow."""
    try:
        import pillow_heif
    except ImportError:
        return False
    pillow_heif.register_heif_opener(thumbnails=False)
    return True
