"""Where this program keeps what it can make again."""

import atexit
import os
import shutil
import tempfile
import warnings
from pathlib import Path


def user_cache() -> Path:
    """Drawn and decoded data: BATIK_SCRATCH_CACHE, else XDG_CACHE_HOME/batik_scratch, else ~/.cache/batik_scratch."""
    if chosen := os.environ.get("BATIK_SCRATCH_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "batik_scratch"


def writable_cache(chosen: str | os.PathLike | None = None) -> Path:
    """`chosen` or the user's cache, made if it is not there; one for this process, with a warning, if it takes no file.

    That one is removed when the process ends.
    """
    folder = Path(chosen) if chosen is not None else user_cache()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        temporary = Path(tempfile.mkdtemp(prefix="batik_scratch-"))
        atexit.register(shutil.rmtree, temporary, ignore_errors=True)
        warnings.warn(
            f"the cache folder {folder} cannot be written ({error.strerror}); {temporary} is used for this run. "
            "Set BATIK_SCRATCH_CACHE to a writable folder.",
            RuntimeWarning,
            stacklevel=3,
        )
        return temporary


def own_name() -> str:
    """What ends the name of a file that this user keeps beside another's in a shared cache."""
    return str(os.getuid()) if hasattr(os, "getuid") else "own"
