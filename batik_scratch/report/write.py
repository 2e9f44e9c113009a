"""`write_report`: from a run folder to figures, tables and one page that can be sent on."""

from pathlib import Path

from ..files import atomic, write_text
from .page import embed, render_page
from .pictures import all_pictures
from .recorded import read_run
from .style import to_png
from .tables import all_tables


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

    for name in ("figures", "tables"):
        (folder / name).mkdir(exist_ok=True)
    for name, png in files.items():
        with atomic(folder / "figures" / f"{name}.png") as file:
            file.write(png)
    for table in tables.values():
        write_text(folder / "tables" / f"{table.name}.csv", table.to_csv())
        write_text(folder / "tables" / f"{table.name}.md", table.to_markdown())
    write_text(folder / "report.html", page)
    return folder / "report.html"
