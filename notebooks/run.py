"""Run a notebook without a screen: print what its cells show, and write the report.

    python notebooks/run.py notebooks/choose-a-strategy.ipynb trace=my.csv.gz rpo=2h

Parameters are text, and empty ones are left as the notebook has them. The report goes to build/NAME.html, whole or not
at all. Bad input, as a parameter that the notebook does not have, ends with one sentence on standard error and exit
status 2.
"""

import difflib
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nbconvert import HTMLExporter
from nbformat import ValidationError
from nbformat.reader import NotJSONError
from papermill.exceptions import PapermillExecutionError
from papermill.execute import execute_notebook
from papermill.inspection import inspect_notebook

import snapkit.errors
from snapkit import InvalidRequest

_FETCHED = ("mathjax_url", "mermaid_js_url", "mermaid_layout_elk_js_url", "require_js_url")
"""Scripts that a report would otherwise ask the network for."""


def main(arguments: list[str]) -> int:
    """Run the notebook named first with the parameters that follow; return the exit status."""
    try:
        path, parameters = read(arguments)
        with quiet_kernel():
            notebook = execute_notebook(path, None, parameters=parameters, progress_bar=False)
    except InvalidRequest as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except PapermillExecutionError as error:
        if not hasattr(snapkit.errors, error.ename):
            raise
        sys.stderr.write(f"{error.evalue}\n")
        return 2
    sys.stdout.write("\n".join(shown(notebook)))
    report = write_report(notebook, Path("build") / f"{path.stem}.html")
    sys.stdout.write(f"\nreport: {report}\n")
    return 0


def read(arguments: list[str]) -> tuple[Path, dict[str, str]]:
    """Read which notebook is to run, and with which of its parameters.

    Raises:
        InvalidRequest: there is no such notebook, or it has no such parameter.
    """
    if not arguments:
        raise InvalidRequest("notebook", None, "is not named", "give its path, and then its parameters as NAME=VALUE")
    path, parameters = Path(arguments[0]), dict[str, str]()
    if path.suffix != ".ipynb" or not path.is_file():
        raise InvalidRequest("notebook", str(path), "is not there", "give the path of one, ending in .ipynb")
    try:
        with quiet_kernel():
            known = list(inspect_notebook(path))
    except (NotJSONError, ValidationError, AttributeError) as error:
        raise InvalidRequest("notebook", str(path), "is none that can be read", "save it again in Jupyter") from error
    for text in arguments[1:]:
        name, found, value = text.partition("=")
        if not found:
            raise InvalidRequest("parameter", text, "has no value", "write NAME=VALUE")
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            meant = f"write {near[0]}; known: " if near else "known: "
            raise InvalidRequest("parameter", name, f"is none of {path.name}", meant + (", ".join(known) or "none"))
        if value:
            parameters[name] = value
    return path, parameters


@contextmanager
def quiet_kernel() -> Iterator[None]:
    """Keep the remarks of the kernel's process off the screen; what goes wrong in it comes as an exception."""
    screen = os.dup(sys.stderr.fileno())
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), sys.stderr.fileno())
        try:
            yield
        finally:
            os.dup2(screen, sys.stderr.fileno())
            os.close(screen)


def shown(notebook: Any) -> Iterator[str]:
    """Write what the cells show as text, each part under the nearest heading."""
    heading = ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.source.startswith("#"):
            heading = re.findall(r"^#+ (.*)$", cell.source, re.MULTILINE)[-1]
        for output in cell.get("outputs", ()):
            text = output.get("text") or output.get("data", {}).get("text/plain", "")
            if text and "image/png" not in output.get("data", {}):
                if heading:
                    yield f"\n{heading}\n{'-' * len(heading)}"
                    heading = ""
                yield text.rstrip()


def write_report(notebook: Any, target: Path) -> Path:
    """Write the executed notebook as one HTML file that needs nothing from elsewhere."""
    exporter = HTMLExporter(exclude_input=True, exclude_output_prompt=True, **dict.fromkeys(_FETCHED, ""))
    html, _ = exporter.from_notebook_node(notebook)
    target.parent.mkdir(exist_ok=True)
    part = target.with_suffix(".part")
    part.write_text(html, encoding="utf-8")
    return part.replace(target)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
