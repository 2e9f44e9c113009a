"""Where this program keeps what it can make again."""

import os
from pathlib import Path


def user_cache() -> Path:
    """Drawn and decoded data: BATIK_SCRATCH_CACHE, else XDG_CACHE_HOME/batik_scratch, else ~/.cache/batik_scratch."""
    if chosen := os.environ.get("BATIK_SCRATCH_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "batik_scratch"
