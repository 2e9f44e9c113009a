"""The words of a command line: read by argparse, with whole names only, and the near name where one is mistyped."""

import argparse
import difflib
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from .colour import RED, paint

BAD_INPUT = 2  # the exit code
_NUMBER = re.compile(r"-\.?\d")


class Parser(argparse.ArgumentParser):
    """argparse without abbreviations, with errors of two lines instead of the whole usage."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **{"allow_abbrev": False} | options)

    def error(self, message: str) -> NoReturn:
        said = f"{self.prog}: {paint('error:', RED, sys.stderr)} {message}\nsee: {self.prog} --help"
        print(said, file=sys.stderr)
        sys.exit(BAD_INPUT)

    def commands(self) -> dict[str, "Parser"]:
        """{name: parser} of the commands inside of this one."""
        return next((dict(action.choices) for action in self._actions if isinstance(action.choices, dict)), {})

    def options(self) -> dict[str, argparse.Action]:
        """{"--name": what argparse knows of it}."""
        return {name: action for action in self._actions for name in action.option_strings}

    def look_over(self, words: Sequence[str]) -> None:
        """End as `error` does at the first word that looks like a command or an option and is none."""
        known = self.options()
        for number, word in enumerate(words):
            name = word.partition("=")[0]
            if word == "--":
                return
            if word.startswith("-") and word != "-" and not _NUMBER.match(word):
                if name not in known:
                    self.error(f"there is no option {name} here{near(name, known)}")
            elif commands := self.commands():
                if word not in commands:
                    self.error(f"there is no command {word!r}{near(word, commands)}")
                return commands[word].look_over(words[number + 1 :])


def near(name: str, known: Iterable[str]) -> str:
    """ "; did you mean ...?" of the names that are like this one, "" if none is."""
    names = list(known)
    begun = [one for one in names if name.strip("-") and one.startswith(name)]
    found = begun or difflib.get_close_matches(name.lower(), names, n=2, cutoff=0.7)
    return f"; did you mean {' or '.join(found[:2])}?" if found else ""
