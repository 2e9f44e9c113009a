"""`write_report`: from a run folder to figures, tables and one page that can be sent on."""

from pathlib import Path

from ..figures.style import to_png
from ..record import RunFiles
from .notes import verdict
from .page import embed, render_page
from .pictures import all_pictures
from .recorded import read_run
from .tables import all_tables


def run_verdict(run_folder: Path) -> str:
    """What a finished run says of its two stages, as its report does."""
    return verdict(read_run(run_folder))


def write_report(run_folder: Path) -> Path:
    """Write figures/*.png, tables/*.csv and *.md, and report.html into a finished run folder; returns the page's path.

    The page is one file: figures inside, no scripts, nothing fetched. The same folder gives the same bytes. Everything
    is drawn before the first file is written, each file appears whole or not at all, and the page comes last.
    A piece of the run folder that is missing or damaged raises InputError naming the file.
    """
    folder = Path(run_folder)
    run = read_run(folder)
    tables = all_tables(run)
    files, embedded = {}, {}
    for name, picture in all_pictures(run).items():
        files[name] = to_png(picture.figure)
        embedded[name] = embed(picture, files[name], to_png(picture.narrow) if picture.narrow else None)
    page = render_page(run, embedded, tables)

    report = RunFiles(folder).report
    for name, png in files.items():
        report.write_figure(name, png)
    for table in tables.values():
        report.write_table(table.name, table.to_csv(), table.to_markdown())
    report.write_page(page)
    return report.page
