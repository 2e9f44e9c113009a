"""`batik-scratch data scan`: is a folder of photos fit for a study?"""

import argparse
from pathlib import Path
from typing import Any

from ..shared import DONE, FOUND_WRONG, add_command, add_folder_options


def add(commands: Any) -> None:
    """The command and its options."""
    what = "say what is wrong with a folder, file by file"
    p = add_command(commands, "scan", call, what, "data scan my_photos")
    p.add_argument("folder", type=Path, help="one subfolder of photos per class")
    add_folder_options(p)
    p.add_argument("--json", action="store_true", help="print JSON instead of a table")


def call(options: argparse.Namespace) -> int:
    """Print what was found; the exit code is 1 if anything is wrong."""
    import json

    from ... import images

    found = images.scan(options.folder, bool(options.follow_links), split_folders=bool(options.split_folders))
    print(json.dumps(found.to_json(), indent=2) if options.json else found.table())
    return DONE if found.ok else FOUND_WRONG
