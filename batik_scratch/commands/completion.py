"""`batik-scratch completion`: a script by which a shell completes commands and options."""

import argparse
from typing import Any

from .parser import Parser
from .shared import DONE, add_command

SHELLS = ("bash", "zsh", "fish")


def add(commands: Any) -> None:
    """The command and its options."""
    what = "print the script by which a shell completes commands and options"
    p = add_command(commands, "completion", call, what, "completion bash")
    p.add_argument("shell", choices=SHELLS, metavar="SHELL", help="bash, zsh or fish; source what is printed")


def call(options: argparse.Namespace) -> int:
    """Print the script."""
    leaves = _leaves(options.parser)
    print(_fish(leaves) if options.shell == "fish" else _bash(leaves, options.shell))
    return DONE


def _leaves(parser: Parser, words: tuple[str, ...] = ()) -> dict[tuple[str, ...], Parser]:
    """{words of a command: its parser}, groups and the program itself included."""
    found = {words: parser}
    for name, inner in parser.commands().items():
        found |= _leaves(inner, (*words, name))
    return found


def _choices(parser: Parser) -> dict[str, list[str]]:
    """{option: the words that it takes, where there are few}."""
    return {name: [str(c) for c in action.choices] for name, action in parser.options().items() if action.choices}


def _bash(leaves: dict[tuple[str, ...], Parser], shell: str) -> str:
    """Words of the line choose a command's words; files complete where there are none."""
    cases, values = [], []
    for words, parser in leaves.items():
        offered = [*parser.commands(), *(name for name in parser.options() if name.startswith("--"))]
        cases.append(f'    "{" ".join(words)}") words="{" ".join(offered)}" ;;')
        values += [f'    "{" ".join(words)} {name}") words="{" ".join(c)}" ;;' for name, c in _choices(parser).items()]
    groups = "|".join(words[0] for words in leaves if len(words) == 2)
    once = "|".join(dict.fromkeys(groups.split("|")))
    lines = [
        *(["autoload -U +X bashcompinit && bashcompinit"] if shell == "zsh" else []),
        "_batik_scratch() {",
        '  local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" command="" words=""',
        '  [ "$COMP_CWORD" -gt 1 ] && command="${COMP_WORDS[1]}"',
        '  case "$command" in',
        f'    {once}) [ "$COMP_CWORD" -gt 2 ] && command="$command ${{COMP_WORDS[2]}}" ;;',
        "  esac",
        '  case "$command" in',
        *cases,
        "  esac",
        '  case "$command $before" in',
        *values,
        "  esac",
        "  COMPREPLY=()",
        '  local one; for one in $words; do case "$one" in "$word"*) COMPREPLY+=("$one") ;; esac; done',
        "}",
        "complete -o default -o bashdefault -F _batik_scratch batik-scratch",
    ]
    return "\n".join(lines)


def _fish(leaves: dict[tuple[str, ...], Parser]) -> str:
    """A line for each command and option."""
    lines = []
    for words, parser in leaves.items():
        where = " and ".join(f"__fish_seen_subcommand_from {word}" for word in words) or "__fish_use_subcommand"
        inside = parser.commands()
        if words and inside:
            where += f" and not __fish_seen_subcommand_from {' '.join(inside)}"
        lines += [f'complete -c batik-scratch -f -n "{where.replace(" and", "; and")}" -a {name}' for name in inside]
        for name, action in parser.options().items():
            if name.startswith("--"):
                said = (action.help or "").replace("\\", "").replace("'", "\\'")
                taken = f" -x -a '{' '.join(map(str, action.choices))}'" if action.choices else ""
                condition = where.replace(" and", "; and")
                lines.append(f"complete -c batik-scratch -n \"{condition}\" -l {name[2:]}{taken} -d '{said}'")
    return "\n".join(lines)
