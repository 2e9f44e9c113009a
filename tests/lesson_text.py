"""What a lesson's text quotes, and the program of a lesson with its answers: read from its `# %%` cells.

    python tests/lesson_text.py examples/lessons/01_a_neuron.py

runs the lesson and its answers, quickly, and lists the quoted lines that were not printed.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

CELL = re.compile(r"^# %%.*$", re.MULTILINE)
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
MEASURED = re.compile(r"(?<=True|alse) \(.*\)$")  # what lesson.check adds: this machine's own number


def texts(lesson: Path) -> list[str]:
    """The markdown cells of a lesson, as markdown."""
    source = lesson.read_text(encoding="utf-8")
    heads = list(CELL.finditer(source))
    ends = [head.start() for head in heads[1:]] + [len(source)]
    cells = [source[head.end() : end] for head, end in zip(heads, ends, strict=True) if "[markdown]" in head.group()]
    return [re.sub(r"^# ?", "", cell.strip("\n"), flags=re.MULTILINE) + "\n" for cell in cells]


def fences(text: str) -> list[tuple[str, str]]:
    """(language, what is inside) of each fenced block, in order; an indented block loses its indent."""
    return [
        (language, re.sub(f"^{indent}", "", inside, flags=re.MULTILINE))
        for indent, language, inside in FENCE.findall(text)
    ]


def parts(lesson: Path) -> tuple[str, str]:
    """A lesson's text up to "Try it", and from there."""
    before, _, after = "\n".join(texts(lesson)).partition("\n## Try it\n")
    return before, after


def quoted(lesson: Path) -> list[str]:
    """The lines that the lesson says it prints."""
    return [line for _, inside in fences(parts(lesson)[0]) for line in inside.splitlines()]


def tasks(lesson: Path) -> list[str]:
    """What there is to try: each task with its answer."""
    return re.split(r"^- ", parts(lesson)[1], flags=re.MULTILINE)[1:]


def answers(lesson: Path) -> list[tuple[str, list[str]]]:
    """(code, the lines that it prints) of each answer that has code."""
    found = []
    for task in tasks(lesson):
        blocks = fences(task)
        code = "\n".join(inside for language, inside in blocks if language == "python")
        if code:
            found.append((code, [line for lang, inside in blocks if lang == "text" for line in inside.splitlines()]))
    return found


def missing(lines: list[str], printed: str) -> list[str]:
    """The lines that were not printed, the number behind a verdict aside."""
    said = set(printed.splitlines())
    said |= {MEASURED.sub("", line) for line in said}
    return [line for line in lines if line not in said]


def run(lesson: Path, folder: Path, *, with_answers: bool) -> subprocess.CompletedProcess[str]:
    """The lesson as a quick script, its figures in `folder`; then each answer, with a copy of the lesson's names."""
    program = lesson.read_text(encoding="utf-8")
    if with_answers:
        for number, (code, _) in enumerate(answers(lesson), 1):
            program += f"\nexec(compile({code!r}, 'answer {number}', 'exec'), dict(globals()))\n"
    script = folder / lesson.name
    script.write_text(program, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-W", "error", str(script), "--quick"],
        capture_output=True,
        text=True,
        cwd=folder,
        env=os.environ | {"BATIK_LESSON_FIGURES": str(folder)},
    )


if __name__ == "__main__":
    asked = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as place:
        done = run(asked, Path(place), with_answers=True)
    print(done.stdout + done.stderr)
    wanted = quoted(asked) + [line for _, lines in answers(asked) for line in lines]
    print(*(f"NOT PRINTED: {line}" for line in missing(wanted, done.stdout)), sep="\n")
