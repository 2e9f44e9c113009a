"""How Sphinx builds the site: `python -m sphinx -W examples/site build/site`, with the extra [docs], and no network.

The pages stand where they are kept: those of the site in this folder, lessons, data card and changelog where they
always are. `machinery/gather.py` copies them into one folder beside what Sphinx remembers, and makes the rest.
"""

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT)]
os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])  # lessons, too

from machinery import plain  # noqa: E402,F401  before anything imports the package
from machinery.settings import HOME, VERSION  # noqa: E402

project = "batik_scratch"
author = "the batik_scratch developers"
version = release = VERSION
html_title = "batik_scratch"
html_baseurl = HOME

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.linkcode", "machinery"]
exclude_patterns = ["_static"]

# Lessons run while the site is built; one that fails ends the build. What they printed is kept, by their code and the
# package's (machinery/gather.py), so that the second build takes seconds.
nb_execution_mode = "cache"
nb_execution_raise_on_error = True
nb_execution_timeout = 600
nb_execution_in_temp = True
nb_merge_streams = True
myst_enable_extensions = ["colon_fence", "dollarmath", "deflist"]
myst_heading_anchors = 4
myst_url_schemes = ["http", "https", "mailto", "source"]

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
add_module_names = False
toc_object_entries_show_parents = "hide"

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_favicon = "_static/favicon.svg"
highlight_language = "text"  # of blocks that do not say: formulas, tables, what is printed
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#7a3b12", "color-brand-content": "#1f4e79"},
    "dark_css_variables": {"color-brand-primary": "#e0a070", "color-brand-content": "#8fc1ec"},
}
html_math_renderer = "mathml"
