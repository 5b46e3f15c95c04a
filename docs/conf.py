"""Sphinx configuration: sphinx-build -W docs docs/_build."""

import re

from docutils import nodes
from latex2mathml.converter import convert

import skgoodmin

project = "skgoodmin"
author = "The skgoodmin developers"
copyright = "2026, the skgoodmin developers"
version = release = skgoodmin.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
    "myst_parser",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]
autosummary_generate = True
autodoc_typehints = "none"  # the docstrings have them
numpydoc_show_class_members = False  # the template of classes has a list of its own
toc_object_entries_show_parents = "hide"
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": "plot_",
    "within_subsection_order": "FileNameSortKey",
    "ignore_pattern": "quickstart",
    "abort_on_example_error": True,
    "remove_config_comments": True,
    "write_computation_times": False,  # a page that needs the network
}
html_theme = "pydata_sphinx_theme"
html_title = "skgoodmin"
html_static_path = ["_static"]
html_css_files = ["skgoodmin.css"]
html_theme_options = {"header_links_before_dropdown": 7, "show_prev_next": True}
html_math_renderer = "mathml"


def _inline_math(translator, node):
    """A formula in a line as MathML, which browsers draw without any script."""
    translator.body.append(convert(node.astext()))
    raise nodes.SkipNode


def _display_math(translator, node):
    """Formulas on lines of their own; an empty line is between two of them."""
    for formula in node.astext().strip().split("\n\n"):
        drawn = convert(formula, display="block")
        translator.body.append(f'<div class="math">{drawn}</div>')
    raise nodes.SkipNode


def _link_to_sklearn(app, what, name, obj, options, lines):
    """Labels in docstrings that come from scikit-learn lead to its pages."""
    page = r"`\1 <https://scikit-learn.org/stable/\2.html>`__"
    for i, line in enumerate(lines):
        line = re.sub(r":ref:`([^`<]+?)\s*<(\w+)>`", page, line)
        lines[i] = re.sub(r":term:`([^`<]+?)`", r"\1", line)


def _is_of_tuples(app, what, name, obj, skip, options):
    """Leave out what named tuples have from tuples, and their fields without a text.

    None leaves the decision to Sphinx; False would show what is private.
    """
    from_tuple = getattr(obj, "__objclass__", None) is tuple
    return True if from_tuple or type(obj).__name__ == "_tuplegetter" else None


def setup(app):
    """Formulas without a network, and links of inherited docstrings."""
    app.add_html_math_renderer(
        "mathml",
        inline_renderers=(_inline_math, None),
        block_renderers=(_display_math, None),
    )
    app.connect("autodoc-process-docstring", _link_to_sklearn)
    app.connect("autodoc-skip-member", _is_of_tuples)
