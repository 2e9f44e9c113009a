"""What a figure of speed belongs to: the versions of the programs, the processor, and what keeps it from its best."""

import importlib.metadata
import os
import platform
from functools import lru_cache
from pathlib import Path

from .. import __version__
from .programs import OURS, PROGRAMS

# settings that keep a program from instructions that the processor has
LIMITING = (
    *("OPENBLAS_CORETYPE", "NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES"),
    *("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "ATEN_CPU_CAPABILITY"),
)
VECTORS = {"avx512f": "AVX-512", "avx2": "AVX2", "avx": "AVX", "sve": "SVE", "asimd": "NEON"}  # the widest first


def versions(name: str) -> dict[str, str]:
    """The version of every library that a program is named by."""
    if name == OURS:
        return {OURS: __version__}
    return {module: importlib.metadata.version(_distribution(module)) for module in PROGRAMS[name].versions}


def describe(name: str) -> str:
    """A program's name with its versions."""
    return f"{name} ({', '.join(versions(name).values())})"


@lru_cache
def processor() -> tuple[str, str]:
    """The name that the system has for the processor, and its vector instructions: ("...", "AVX2"), "" if unknown."""
    told: dict[str, str] = {}
    if (file := Path("/proc/cpuinfo")).is_file():
        for line in file.read_text(errors="replace").splitlines():
            key, _, value = line.partition(":")
            told.setdefault(key.strip().lower(), " ".join(value.split()))
    flags = (told.get("flags") or told.get("features", "")).split()
    vectors = next((word for flag, word in VECTORS.items() if flag in flags), "")
    return told.get("model name") or platform.processor() or platform.machine(), vectors


def limits() -> dict[str, str]:
    """The settings of LIMITING that are in force."""
    return {name: os.environ[name] for name in LIMITING if os.environ.get(name)}


def told_in_words() -> str:
    """One line: the processor, its vectors, and what limits the programs."""
    name, vectors = processor()
    return "; ".join([f"{name}, {vectors}" if vectors else name, *(f"{key}={text}" for key, text in limits().items())])


def _distribution(module: str) -> str:
    """What pip calls the package of a module: tensorflow is there as tensorflow-cpu, for example."""
    return _distributions().get(module, [module])[0]


@lru_cache
def _distributions() -> dict[str, list[str]]:
    return dict(importlib.metadata.packages_distributions())
