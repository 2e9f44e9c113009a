"""Draw the forest plot of the kept experiment again, from its results.json beside this script.

python examples/results/draw.py            # claim.png and README.md, from results.json
python examples/results/draw.py runs/claim # the same, after results.json was taken over from that experiment
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
"""
MADE = """{trainings} trainings on {images} {kind} images: {settings}. `results.json` has every figure;
`batik-scratch report examples/results` makes the whole page of it, and `python examples/results/draw.py` this one."""


def wrapped(text: str, indent: str = "") -> str:
    """The text in lines of at most 120 characters."""
    return textwrap.fill(text, 120, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("experiment", type=Path, nargs="?", help="folder of an experiment whose results to take over")
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent, help="where results are kept")
    options = parser.parse_args()

    kept = ExperimentFiles(options.folder)
    if options.experiment:
        kept.results.write(ExperimentFiles(options.experiment).results.read())
    found = Found(kept.results.read(), {})
    (options.folder / "claim.png").write_bytes(style.to_png(all_pictures(found)["forest_images"].figure))
    own, study = found.settings, found.study
    made = MADE.format(
        trainings=found.results["cells"]["done"],
        images=found.data["images"],
        kind="drawn" if found.drawn else "real",
        settings=f"{own['repeats']} repeats of {own['folds']} folds, {own['inits']} initialisations, the "
        f"{study['network']} network at {study['image_size']} pixels for {study['epochs']} epochs a stage",
    )
    sentences = "\n".join(wrapped(f"- {sentence}", "  ") for sentence in reading(found))
    page = PAGE.format(answer=wrapped(answer(found)), reading=sentences, made=wrapped(made))
    (options.folder / "README.md").write_text(page, encoding="utf-8")
    print(f"{options.folder / 'claim.png'}: {answer(found)}")


if __name__ == "__main__":
    main()
