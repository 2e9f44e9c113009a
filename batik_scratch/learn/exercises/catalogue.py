"""All exercises, the easiest first, and then in the order in which their lessons come."""

import difflib
from importlib import import_module

from ...errors import InputError
from .exercise import Exercise
from .progress import RIGHT, progress

ORDER = ["relu", "flatten", "dense", "global_average_pooling2d", "softmax", "cross_entropy", "max_pooling2d", "dropout"]
ORDER += ["adam", "saliency", "conv2d", "batch_normalization"]
EXERCISES: dict[str, Exercise] = {name: import_module(f"{__package__}.tasks.{name}").EXERCISE for name in ORDER}


def find(name: str) -> Exercise:
    """The exercise of a name, the name of its class or function included; InputError lists them otherwise."""
    known = {e.name: e for e in EXERCISES.values()} | {e.answer.lower(): e for e in EXERCISES.values()}
    wanted = name.lower().removesuffix(".py")
    if wanted in known:
        return known[wanted]
    close = difflib.get_close_matches(wanted, known, n=1)
    hint = f"; did you mean {known[close[0]].name}?" if close else ""
    raise InputError(f"no exercise is called {name!r}{hint}\nthere are: {', '.join(EXERCISES)}")


DIFFICULTY = {  # what there is to think about, not how much to type
    "easy": ("relu", "flatten", "dense", "global_average_pooling2d"),
    "middle": ("softmax", "cross_entropy", "max_pooling2d", "dropout", "adam", "saliency"),
    "hard": ("conv2d", "batch_normalization"),
}


def difficulty(name: str) -> str:
    """ "easy", "middle" or "hard"."""
    return next(level for level, names in DIFFICULTY.items() if name in names)


def table() -> str:
    """A line per exercise: its name, what there is to write, the lessons before it, how hard it is, how far you are."""
    width, far = max(map(len, EXERCISES)), progress()
    lines = [f"{'exercise':{width}}  {'what you write':60}  {'after lessons':13}  difficulty  yours"]
    lines += [
        f"{e.name:{width}}  {e.task:60}  {e.lessons:13}  {difficulty(e.name):10}  {far.get(e.name, '')}".rstrip()
        for e in EXERCISES.values()
    ]
    for name in EXERCISES:
        if far.get(name) != RIGHT:
            first = "next" if RIGHT in far.values() else "to begin"
            return "\n".join([*lines, "", f"{first}: batik-scratch exercise start {name} my_exercises"])
    return "\n".join([*lines, "", "all of them are right"])
