"""Sphinx's configuration: ``tox -e docs`` builds ``docs/_build/html``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

import bench

project = "MFIF-Bench"
author = copyright = "The MFIF-Bench developers"
version = release = bench.__version__

extensions = [
    "numpydoc",
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "registry_pages",  # docs/_ext: one page per method, metric and dataset
]
exclude_patterns = ["_build"]
nitpicky = False  # types of docstrings are words, not cross references

autodoc_typehints = "none"  # numpydoc's parameter lists say them
autosummary_generate = True
numpydoc_show_class_members = False
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_output_stderr = "remove"
nb_execution_timeout = 300

html_theme = "pydata_sphinx_theme"
html_title = "MFIF-Bench"
html_static_path = ["_static"]
html_css_files = ["docs.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "show_toc_level": 2,
    "header_links_before_dropdown": 8,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_sidebars = {page: [] for page in ("index", "start", "api")}
