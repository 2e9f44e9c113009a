"""Where things are, what is built, and where it will be published."""

import configparser
import hashlib
from pathlib import Path

import batik_scratch

SITE = Path(__file__).resolve().parents[1]
ROOT = SITE.parents[1]
PACKAGE = ROOT / "batik_scratch"
VERSION = batik_scratch.__version__

_read = configparser.ConfigParser()
_read.read(ROOT / "setup.cfg", encoding="utf-8")
HOME = _read["batik_scratch"].get("site", "").rstrip("/")  # empty: the site is nowhere yet


def fingerprint() -> str:
    """Twelve letters that change when any file of the package does: what was made with it is then made again."""
    digest = hashlib.sha256()
    for path in sorted(path for path in PACKAGE.rglob("*") if path.suffix in (".py", ".npz", ".js", ".css", ".html")):
        digest.update(str(path.relative_to(PACKAGE)).encode() + path.read_bytes())
    return digest.hexdigest()[:12]
