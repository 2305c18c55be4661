"""How the documentation is built: everything from here, nothing from the network."""

import os
from itertools import groupby
from pathlib import Path
from typing import Any

import snapkit

project = "snapkit"
author = "the snapkit authors"
version = release = snapkit.__version__
extensions = ["sphinx.ext.autodoc", "sphinx.ext.napoleon", "myst_nb"]
exclude_patterns = ["**/.ipynb_checkpoints"]
default_role = "py:obj"

html_theme = "pydata_sphinx_theme"
html_title = "snapkit"
html_show_sourcelink = False
html_copy_source = False
html_show_copyright = False
html_theme_options = {"show_prev_next": True, "navigation_depth": 2, "secondary_sidebar_items": ["page-toc"]}
html_static_path = ["_static"]
html_css_files = ["snapkit.css"]
html_sidebars: dict[str, list[str]] = {"index": [], "tutorial/*": []}

myst_heading_anchors = 3

# Every page is executed, in a folder of its own, each time that it is read: a cache would not see that the code moved.
nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_merge_streams = True
nb_ipywidgets_js: dict[str, dict[str, str]] = {}  # the default is loaded from the network

autoclass_content = "both"
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
napoleon_custom_sections = ["Columns", "Shape", "Source"]
python_use_unqualified_type_names = True
maximum_signature_line_length = 88


def settle(_app: Any, what: str, _name: str, _object: Any, _options: Any, lines: list[str]) -> None:
    """Turn the Markdown of the docstrings, tables and indented text, into reStructuredText."""
    settled: list[str] = []
    for is_table, run in groupby(lines, lambda line: line.lstrip().startswith("| ")):
        block = list(run)
        settled += _list_table(block) if is_table else block
    if what == "module":
        settled = _literal_blocks(settled)
    lines[:] = settled


def _list_table(rows: list[str]) -> list[str]:
    margin = rows[0][: len(rows[0]) - len(rows[0].lstrip())]
    table = [".. list-table::", "   :header-rows: 1", ""]
    for row in rows[:1] + rows[2:]:
        marks = ("   * - ", "     - ")
        table += [marks[place > 0] + cell.strip() for place, cell in enumerate(row.strip().strip("|").split("|"))]
    return [*(margin + line for line in table), ""]


def _literal_blocks(lines: list[str]) -> list[str]:
    settled: list[str] = []
    for before, line in zip(["x", *lines], lines, strict=False):
        inside = bool(settled) and next((text for text in reversed(settled) if text), "").startswith("    ")
        if line.startswith("    ") and not before and not inside:
            settled += [".. code-block:: none", ""]
        settled.append(line)
    return settled


def quiet_kernels(folder: Path) -> None:
    """Give kernels a configuration of their own: no remarks on the transport, and no trace in the user's home."""
    profile = folder / "ipython" / "profile_default"
    profile.mkdir(parents=True, exist_ok=True)
    (profile / "ipython_kernel_config.py").write_text("get_config().IPKernelApp.log_level = 50\n")
    os.environ |= {"IPYTHONDIR": str(profile.parent), "JUPYTER_RUNTIME_DIR": str(folder / "jupyter")}


def setup(app: Any) -> None:
    """Settle docstrings before napoleon, which listens at 500, reads them."""
    app.connect("autodoc-process-docstring", settle, priority=400)
    quiet_kernels(Path(app.doctreedir))
