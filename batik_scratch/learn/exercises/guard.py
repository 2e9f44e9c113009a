"""What an answer may not do while it is examined; held by the interpreter's audit hooks, which stay once they are set.

This keeps accidents and shortcuts away. It is no wall against malice: an answer is code, and runs with the rights of
whoever checks it. The wall is a container; examples/exercises/README.md has a recipe.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, NoReturn

PROCESSES = ("subprocess.Popen", "os.system", "os.fork", "os.forkpty", "os.exec", "os.posix_spawn", "os.spawn")
REMOVALS = ("os.remove", "os.rename", "os.rmdir", "os.truncate", "os.link", "os.symlink", "os.chmod", "shutil.rmtree")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
LARGEST_FILE = 50_000_000  # bytes that the process may write to one file
KEPT = ("choose", "threads", "jit")  # of ops: what building a layer asks for


class RefusedError(Exception):
    """The answer let somebody else do its work."""


def forbid_damage(folder: Path) -> None:
    """From here on this process removes, renames and writes no file outside `folder`, and starts no other process."""
    own = (str(folder), "/dev/")

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in PROCESSES:
            raise PermissionError(f"an answer starts no process: {event}")
        if event in REMOVALS and not _within(own, *arguments[:2]):
            raise PermissionError(f"an answer changes no files: {event}({arguments[0]!r})")
        if event == "open" and _writes(arguments) and not _within(own, arguments[0]):
            raise PermissionError(f"an answer writes no files: open({arguments[0]!r})")

    sys.addaudithook(hook)


def forbid_help(package: Path, libraries: bool = False) -> None:
    """From here on this process reads no more of the package; nor does it load a library, unless `libraries`."""
    inside = (str(package) + os.sep,)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "ctypes.dlopen" and not libraries:
            raise RefusedError(f"an answer loads no library ({event})")
        if event == "open" and isinstance(arguments[0], str | bytes | os.PathLike) and _within(inside, arguments[0]):
            raise RefusedError("an answer reads nothing of the package but what it imports as batik_scratch.nn")

    sys.addaudithook(hook)


def take_away(package: str) -> None:
    """Every pass of the package's own layers, losses and optimisers, and all of ops, raises RefusedError from now."""
    for name, module in list(sys.modules.items()):
        if not name.startswith(f"{package}."):
            continue
        parts = name.split(".")
        if parts[1] == "ops" and parts[-1] not in KEPT:
            _empty(module, name, lambda key: True)
        elif parts[1:3] in (["nn", "layers"], ["nn", "losses"], ["nn", "optimizers"]):
            _empty(module, name, lambda key: key in ("softmax", "sigmoid"))
            for kind in [value for value in vars(module).values() if isinstance(value, type)]:
                if kind.__module__ == name and kind.__name__ not in ("Layer", "Optimizer"):
                    for method in ("forward", "backward", "update", "__call__", "on_logits", "on_probabilities"):
                        if method in vars(kind):
                            setattr(kind, method, _refusal(f"{kind.__name__}.{method}"))


def limit_files() -> None:
    """No file of this process grows beyond LARGEST_FILE, if the system can see to it."""
    try:
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, hard))
    except (ImportError, OSError, ValueError):
        return


def limit_processes() -> None:
    """No process and no thread is started from here on, whatever calls the system: one that forks without end stops.

    The package's own thread is started before, by `limit_memory`. The system does not hold the administrator (root) to
    this limit.
    """
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    except (ImportError, AttributeError, OSError, ValueError):
        return


def _empty(module: ModuleType, name: str, chosen: Callable[[str], bool]) -> None:
    for key, value in list(vars(module).items()):
        of_ours = isinstance(value, FunctionType) or hasattr(value, "py_func")  # what numba compiled has that
        if of_ours and chosen(key) and not key.startswith("__"):
            setattr(module, key, _refusal(f"{name}.{key}"))


def _refusal(name: str) -> Callable[..., NoReturn]:
    def refused(*arguments: Any, **options: Any) -> NoReturn:
        raise RefusedError(f"{name} of the package does the work here; the point is to write it yourself")

    return refused


def _writes(arguments: tuple[Any, ...]) -> bool:
    mode, flags = arguments[1], arguments[2]
    if isinstance(arguments[0], int):  # a descriptor that is open already
        return False
    return bool(flags & WRITING) if mode is None else any(letter in str(mode) for letter in "wax+")


def _within(folders: tuple[str, ...], *paths: Any) -> bool:
    names = [os.path.abspath(os.fsdecode(path)) for path in paths if isinstance(path, str | bytes | os.PathLike)]
    return bool(names) and all(name.startswith(folders) for name in names)
