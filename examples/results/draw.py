"""Draw the forest plot of the kept experiment again, from its results.json beside this script.

python examples/results/draw.py            # claim.png and README.md, from the results that are kept
python examples/results/draw.py runs/claim # the same, after results.json was taken over from that experiment
python examples/results/draw.py runs/photos --beside photos_cloth   # one more, of which the page gives the answer
"""

import argparse
import textwrap
from pathlib import Path

from batik_scratch.figures import style
from batik_scratch.record.experiment import ExperimentFiles
from batik_scratch.report.experiment.answer import answer, reading
from batik_scratch.report.experiment.found import Found
from batik_scratch.report.experiment.pictures import all_pictures

PAGE = """# What an experiment found

{answer}

![Accuracy with each overlay, minus accuracy with the images alone](claim.png)

{reading}

{made}
{others}"""
MADE = """{trainings}. `results.json` has every figure; `batik-scratch report examples/results` makes the whole page of
it, and `python examples/results/draw.py` this one."""
OTHER = """
## {title}

{answer}

{reading}

{trainings}
"""


def wrapped(text: str, indent: str = "") -> str:
    """The text in lines of at most 120 characters."""
    return textwrap.fill(text, 120, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def sentences(found: Found) -> str:
    """What the experiment says beside its answer, as a list."""
    return "\n".join(wrapped(f"- {sentence}", "  ") for sentence in reading(found))


def trainings(found: Found) -> str:
    """What was run."""
    own, study, images = found.settings, found.study, found.data["images"]
    inits = f"{own['inits']} initialisation{'s' * (own['inits'] > 1)}"
    return (
        f"{found.results['cells']['done']} trainings on {images} {'drawn' if found.drawn else 'real'} images: "
        f"{own['repeats']} repeats of {own['folds']} folds, {inits}, the {study['network']} network at "
        f"{study['image_size']} pixels for {study['epochs']} epochs a stage"
    )


def other(path: Path) -> str:
    """The section of an experiment that is kept beside the first."""
    found = Found(ExperimentFiles(path).results.read(), {})
    title = f"{found.data['images']} {'drawn' if found.drawn else 'real'} images, {found.study['network']} network"
    said = {"answer": wrapped(answer(found)), "reading": sentences(found)}
    return OTHER.format(title=title, **said, trainings=wrapped(f"{trainings(found)}: `{path.name}/results.json`."))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("experiment", type=Path, nargs="?", help="folder of an experiment whose results to take over")
    parser.add_argument("--beside", metavar="NAME", help="take them over into the folder NAME, beside results.json")
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent, help="where results are kept")
    options = parser.parse_args()

    kept = ExperimentFiles(options.folder)
    if options.experiment:
        taken = ExperimentFiles(options.experiment).results.read()
        study = taken["settings"]["study"]
        study["data"] = Path(study["data"]).name if study["data"] else ""  # where the photos lay is nobody's concern
        there = ExperimentFiles(options.folder / (options.beside or ""))
        there.path.mkdir(exist_ok=True)
        there.results.write(taken)
    found = Found(kept.results.read(), {})
    (options.folder / "claim.png").write_bytes(style.to_png(all_pictures(found)["forest_images"].figure))
    others = [other(path.parent) for path in sorted(options.folder.glob("*/results.json"))]
    made = wrapped(MADE.format(trainings=trainings(found)))
    page = PAGE.format(answer=wrapped(answer(found)), reading=sentences(found), made=made, others="".join(others))
    (options.folder / "README.md").write_text(page, encoding="utf-8")
    print(f"{options.folder / 'claim.png'}: {answer(found)}")


if __name__ == "__main__":
    main()
