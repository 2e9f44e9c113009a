"""Beginning an exercise: the stub as a file."""

from pathlib import Path

from ...errors import InputError
from .catalogue import find
from .text import stub


def start(name: str, folder: Path) -> Path:
    """Write the exercise's stub into `folder`, which is made where it is missing; a file that exists is never changed."""
    exercise = find(name)
    path = folder / f"{exercise.name}.py"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(stub(exercise))
    except FileExistsError:
        taken = path if folder.is_dir() else folder
        raise InputError(f"{taken} exists, and is left as it is; choose another folder") from None
    return path
