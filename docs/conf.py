"""Sphinx configuration: sphinx-build -W docs docs/_build."""

import skgoodmin

project = "skgoodmin"
author = "The skgoodmin developers"
copyright = "2026, the skgoodmin developers"
version = release = skgoodmin.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
    "myst_parser",
]
exclude_patterns = ["_build"]
autosummary_generate = True
numpydoc_show_class_members = False
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": "plot_",
    "ignore_pattern": "quickstart",
    "abort_on_example_error": True,
}
html_theme = "pydata_sphinx_theme"
html_title = "skgoodmin"
