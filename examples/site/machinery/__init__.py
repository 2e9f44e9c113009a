"""What makes the site of what is in the repository; Sphinx calls `setup`.

settings   where things are, the version, the address      gather    every page into one folder
links      from a file's links to the site's               lessons   scripts as notebooks
bugs       the museum's pages                              tasks     the exercises' pages
reference  the API's pages from docstrings                 sources   the package's files as pages
mathml     formulas that need no script                    reports   of a run and of an experiment
card       favicon and social card                         lite      the notebooks that run in the browser
"""

from typing import Any

from . import card, gather, links, lite, mathml, reference, reports, sources


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx, before it looks for pages."""
    gather.setup(app)
    for part in (card, links, mathml, reference, sources, reports, lite):
        part.setup(app)
    return {"parallel_read_safe": False, "parallel_write_safe": False}
