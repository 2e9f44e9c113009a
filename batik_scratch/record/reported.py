"""What the report adds to a run folder: figures/, tables/ and report.html."""

from pathlib import Path

from ..files import write_bytes, write_text


class ReportFiles:
    """Drawn from the other files, and replaced whenever they are drawn again; nothing reads them back."""

    def __init__(self, folder: Path) -> None:
        self.page, self.figures, self.tables = folder / "report.html", folder / "figures", folder / "tables"

    def write_figure(self, name: str, png: bytes) -> None:
        """figures/NAME.png"""
        self.figures.mkdir(exist_ok=True)
        write_bytes(self.figures / f"{name}.png", png)

    def write_table(self, name: str, csv: str, markdown: str) -> None:
        """tables/NAME.csv and tables/NAME.md"""
        self.tables.mkdir(exist_ok=True)
        write_text(self.tables / f"{name}.csv", csv)
        write_text(self.tables / f"{name}.md", markdown)

    def write_page(self, html: str) -> None:
        """report.html"""
        write_text(self.page, html)
