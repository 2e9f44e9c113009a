"""setuptools, after the README was made fit for a package index, which knows no files beside it.

`home` of setup.cfg's section [batik_scratch] is the one place where the project's address is written. With it, pictures
and links of the README become absolute, ADDRESS becomes it, and the page has links of the project. Without it pictures
are left out, since an index would show them broken, and links to files become their words.
"""

import configparser
import os
import re
from pathlib import Path

from setuptools import build_meta
from setuptools.build_meta import (
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
    get_requires_for_build_wheel,
)

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]
PICTURE = re.compile(r"!\[([^\]]*)\]\((?!https?:)([^)]+)\)")
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\((?!https?:|#)([^)]+)\)")
BUILD = Path("build")  # for what is made here and read by setuptools
PAGES = {"Source": "", "Documentation": "/tree/{branch}/examples/lessons", "Changes": "/blob/{branch}/CHANGELOG.md"}


def for_an_index(text: str, home: str, branch: str) -> str:
    """A README for a page that has no files beside it."""
    if not home:
        return LINK.sub(r"\1", PICTURE.sub("", text))
    text = PICTURE.sub(rf"![\1]({home}/raw/{branch}/\2)", text)
    text = re.sub(r"\s\(ADDRESS [^)]*\)", "", text).replace("ADDRESS", home)
    return LINK.sub(rf"[\1]({home}/blob/{branch}/\2)", text)


def prepare() -> None:
    """Write the index's README and the project's links, and have setuptools read both beside setup.cfg."""
    setting = configparser.ConfigParser()
    setting.read("setup.cfg", encoding="utf-8")
    home, branch = (setting["batik_scratch"].get(key, "").rstrip("/") for key in ("home", "branch"))
    readme, more = BUILD / "README.index.md", BUILD / "index.cfg"
    BUILD.mkdir(exist_ok=True)
    readme.write_text(for_an_index(Path("README.md").read_text(encoding="utf-8"), home, branch), encoding="utf-8")
    lines = ["[metadata]", f"long_description = file: {readme.as_posix()}"]
    if home:
        lines += [f"url = {home}", "project_urls ="]
        lines += [f"    {name} = {home}{path.format(branch=branch)}" for name, path in PAGES.items()]
    more.write_text("\n".join(lines) + "\n", encoding="utf-8")
    os.environ["DIST_EXTRA_CONFIG"] = str(more.resolve())


def build_sdist(*given, **more):
    prepare()
    return build_meta.build_sdist(*given, **more)


def build_wheel(*given, **more):
    prepare()
    return build_meta.build_wheel(*given, **more)


def build_editable(*given, **more):
    prepare()
    return build_meta.build_editable(*given, **more)


def prepare_metadata_for_build_wheel(*given, **more):
    prepare()
    return build_meta.prepare_metadata_for_build_wheel(*given, **more)


def prepare_metadata_for_build_editable(*given, **more):
    prepare()
    return build_meta.prepare_metadata_for_build_editable(*given, **more)
