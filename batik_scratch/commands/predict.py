"""`batik-scratch predict`: percentages per class."""

import argparse
import csv
import json
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from .colour import RED, paint
from .machine import FORMS, add_json_option, finite
from .shared import DONE, FOUND_WRONG, add_command, add_model_option, tell, tell_if_plain


def add(commands: Any) -> None:
    """The command and its options."""
    what = "class percentages of images"
    p = add_command(commands, "predict", call, what, "predict photo.jpg more_photos --model model.npz --json")
    words = 'a file, a folder, a pattern such as "photos/*.jpg", or - for names on standard input, one a line'
    p.add_argument("images", nargs="+", metavar="IMAGE", help=words)
    add_model_option(p)
    one_of = p.add_mutually_exclusive_group()
    add_json_option(one_of)
    one_of.add_argument("--csv", action="store_true", help="print a table with commas, a line for each image")


def call(options: argparse.Namespace) -> int:
    """Print a line per image as soon as it is known; the exit code is 1 if a file could not be read."""
    from tqdm import tqdm

    from ..study.answers import Answers

    tell_if_plain()
    answers = Answers(options.model, _words(options.images))
    shown = True if sys.stdout.isatty() else None  # no bar among the lines; None: on a terminal only
    with tqdm(answers, desc="predicting", unit="image", leave=False, disable=shown) as bar:
        write = _as_json if options.json else _as_csv if options.csv else _as_text
        bad = write(answers, bar)
    if bad and not options.json:
        tell(f"{bad} file{'s' if bad > 1 else ''} could not be read")
    return FOUND_WRONG if bad else DONE


def _words(given: Iterable[str]) -> Iterator[str]:
    for word in given:
        if word == "-":
            yield from (name for line in sys.stdin if (name := line.rstrip("\n")))
        else:
            yield word


def _as_text(answers: Any, each: Iterable[Any]) -> int:
    """A line each, the likeliest class first; what is wrong goes to standard error."""
    from ..images.passed_over import shortened
    from ..images.reading import printable

    bad = 0
    for one in each:
        if one.error:
            bad += 1
            tell(f"{paint('error:', RED, sys.stderr)} {printable(one.file)}: {one.error}")
            continue
        shares = sorted(one.probabilities.items(), key=lambda item: -item[1])
        told = shortened([f"{name} {share:.2%}" for name, share in shares])
        print(f"{printable(one.file)}: {one.predicted} ({told})", flush=True)
    return bad


def _as_csv(answers: Any, each: Iterable[Any]) -> int:
    """file, predicted, error, then a column for each class."""
    table, bad = csv.writer(sys.stdout, lineterminator="\n"), 0
    table.writerow(["file", "predicted", "error", *answers.class_names])
    for one in each:
        bad += bool(one.error)
        shares = [one.probabilities.get(name, "") for name in answers.class_names]
        table.writerow([_writable(one.file), one.predicted, one.error, *shares])
        sys.stdout.flush()
    return bad


def _as_json(answers: Any, each: Iterable[Any]) -> int:
    """One document that grows line by line: form, model, class_names, images, errors."""
    head = {"form": FORMS["predict"], "model": str(answers.model_file), "class_names": answers.class_names}
    print(json.dumps(head)[:-1] + ', "images": [', end="", flush=True)
    errors, between = [], "\n"
    for one in each:
        if one.error:
            errors.append({"file": one.file, "error": one.error})
            continue
        told = finite({"file": one.file, "predicted": one.predicted, "probabilities": one.probabilities})
        print(between + json.dumps(told), end="", flush=True)
        between = ",\n"
    print(f'\n], "errors": {json.dumps(errors, indent=1)}}}')
    return len(errors)


def _writable(name: str) -> str:
    """A file name that standard output takes, whatever its bytes are."""
    return name.encode("utf-8", "backslashreplace").decode()
