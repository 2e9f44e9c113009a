"""The exercises as pages: what there is to write, hints that open one at a time, and the answer last."""

from batik_scratch.learn.exercises import EXERCISES, solution, stub
from batik_scratch.learn.exercises.catalogue import difficulty
from batik_scratch.learn.exercises.exercise import Exercise

from .lessons import scripts

PARTS = {"file": "the file", "forward": "the forward pass", "dx": "the gradient of the input"}


def pages(browser: bool) -> dict[str, str]:
    """{page: text} of each exercise; `browser`: are there notebooks that run in the browser?"""
    return {f"exercises/{name}.md": _page(exercise, browser) for name, exercise in EXERCISES.items()}


def _page(exercise: Exercise, browser: bool) -> str:
    lessons = {int(path.stem[:2]): path.stem for path in scripts()}
    after = ", ".join(f"[{number}](../lessons/{lessons[number]}.ipynb)" for number in exercise.after)
    many = "s" * (len(exercise.after) > 1)
    lines = [
        f"# {exercise.name}",
        f"Write {exercise.task}. After lesson{many} {after}. Difficulty: {difficulty(exercise.name)}.",
    ]
    if browser:
        address = f"../lite/notebooks/index.html?path=exercises/{exercise.name}.ipynb"
        lines.append(f'<p><a class="try" href="{address}">Write and check it in the browser</a></p>')
    lines += ["On your machine:", _shell(exercise.name), f"## Begin with\n\n```python\n{stub(exercise)}```"]
    lines.append("## Hints\n\nFrom a nudge to nearly the line itself. The check tells which part is wrong first.")
    for part, hints in exercise.hints.items():
        lines.append(f"**{PARTS.get(part, part)}**")
        lines += [f"<details><summary>Hint {i}</summary>\n\n{hint}\n\n</details>" for i, hint in enumerate(hints, 1)]
    lines.append("## The answer")
    lines.append(f"<details><summary>Show it</summary>\n\n```python\n{solution(exercise)}```\n\n</details>")
    return "\n\n".join(lines) + "\n"


def _shell(name: str) -> str:
    commands = [f"start {name} my_exercises", f"check my_exercises/{name}.py", f"hint my_exercises/{name}.py"]
    return "```\n" + "\n".join(f"batik-scratch exercise {command}" for command in commands) + "\n```"
