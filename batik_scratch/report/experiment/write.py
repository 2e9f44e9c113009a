"""`write_experiment_report`: from results.json to one page that can be sent on, and tables."""

from pathlib import Path

from ...errors import InputError
from ...figures.style import to_png
from ...record import BadRunFile
from ...record.experiment import ExperimentFiles
from ..page import embed
from .answer import answer
from .found import Found
from .page import render_page
from .pictures import all_pictures
from .tables import latex, whole


def found_in(folder: Path) -> str:
    """The answer that an experiment's results give, in a sentence."""
    return answer(Found(ExperimentFiles(Path(folder)).results.read(), {}))


def write_experiment_report(folder: Path) -> Path:
    """Write experiment.html, table.csv and table.tex beside results.json; returns the page's path.

    The page is one file: figures inside, no scripts, nothing fetched. The same results give the same bytes. Everything
    is drawn before the first file is written. Results that are missing or damaged raise InputError naming the file.
    """
    files = ExperimentFiles(Path(folder))
    try:
        found = Found(files.results.read(), files.run.read() if files.run.exists() else {})
        pictures = {
            name: embed(picture, to_png(picture.figure), to_png(picture.narrow) if picture.narrow else None)
            for name, picture in all_pictures(found).items()
        }
        page = render_page(found, pictures)
        csv, tex = whole(found).to_csv(), latex(found)
    except BadRunFile as error:
        raise InputError(f"report: {error}") from None
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"report: {files.results.path} is not as `experiment` writes it ({error!r}); run experiment --resume"
        ) from None
    files.write_text(files.csv, csv)
    files.write_text(files.tex, tex)
    files.write_text(files.page, page)
    return files.page
