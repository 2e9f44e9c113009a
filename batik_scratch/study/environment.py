"""Where a run was made: versions, processor, threads. Its speed depends on these, besides its configuration."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from .. import __version__
from ..ops import threads
from ..record import Environment

PACKAGES = ("numpy", "scipy", "numba", "pillow", "scikit-learn", "matplotlib")


def environment() -> Environment:
    """This machine, as this process finds it."""
    return {
        "versions": {"batik_scratch": __version__} | {name: _version(name) for name in PACKAGES},
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "threads": threads.count(),
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


def _cpu() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
