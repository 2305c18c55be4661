"""Hand a strategy to AWS's own engine: as a policy of Data Lifecycle Manager, by itself or in a template."""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from os.path import exists
from typing import TYPE_CHECKING, Any

import ipywidgets

from snapkit.automation import cloudformation, dlm, terraform
from snapkit.automation.dlm.exporting import TARGET_TAG
from snapkit.errors import StrategyError
from snapkit.forms import markup, strategy_markup
from snapkit.forms.fields import Choice, Field, Text
from snapkit.forms.form import Form
from snapkit.strategy import Strategy
from snapkit.strategy.document import write

if TYPE_CHECKING:
    from snapkit.ebs import Region

_ENGINES: Mapping[str, tuple[str, Callable[[Strategy], dict[str, Any]]]] = {
    "dlm": ("Data Lifecycle Manager: PolicyDetails", dlm.export),
    "cloudformation": ("CloudFormation: a template", cloudformation.export),
    "terraform": ("Terraform: a .tf.json file", terraform.export),
}


class Document(Field):
    """Text to read, which follows from what else is filled in."""

    def __init__(self, label: str) -> None:
        """Make one; it is empty."""
        self._document, self._shown = "", ipywidgets.HTML()
        super().__init__(label, ipywidgets.VBox([ipywidgets.HTML(markup.label(label)), self._shown]), [])
        self.widget.add_class("snapkit-section")

    @property
    def value(self) -> str:
        """The text."""
        return self._document

    @value.setter
    def value(self, given: str) -> None:
        self._document = given
        self._shown.value = strategy_markup.STYLE + strategy_markup.document(given) if given else ""

    @property
    def text(self) -> str:
        """How long it is."""
        return f"{len(self._document.splitlines()):,} lines" if self._document else ""


class ExportForm(Form):
    """Writes a strategy as the document of an engine; the result is the document, plain values for ``json.dumps``.

    What the engine cannot express is refused with the reason and the nearest that it can.

    Attributes:
        engine: ``"dlm"``, ``"cloudformation"`` or ``"terraform"``.
        document: what is written.
        path: the file that it is saved to; empty for none.
    """

    def __init__(self, strategy: Strategy, region: "Region") -> None:
        """Make the form; AWS is asked nothing.

        Args:
            strategy: what to write.
            region: where the engine is to run it.
        """
        self._strategy = strategy
        known = [(title, engine) for engine, (title, _) in _ENGINES.items()]
        self.engine = Choice("Engine", known, "dlm", hint="All three let Data Lifecycle Manager run it.")
        self.document = Document("What it gets")
        self.path = Text("File", placeholder="snapshots.json", hint="Optional: the file to save it to.")
        super().__init__(region, f"{strategy.name}: Export", "Export")

    def adapt(self) -> None:
        """Write the document; nothing where it is refused."""
        try:
            self.document.value = _text(self._written())
        except StrategyError:
            self.document.value = ""

    def checks(self) -> Iterator[Callable[[], object]]:
        """List the one that the engines make."""
        yield self._written

    def consequences(self) -> Iterator[str]:
        """Say what will run, and what that leaves to do."""
        if self.document.value:
            yield f"It protects what carries the tag {TARGET_TAG} = {self._strategy.name}: tag volumes after that."
            yield "Where snapkit protects them as well, let them leave it, or each due time gets two snapshots."
            if self.path.value:
                there = exists(self.path.value)
                yield f"Replaces {self.path.value}, which is there already." if there else f"Makes {self.path.value}."
            else:
                yield "No file is named: it is the result of the form."

    def deed(self) -> Callable[[], dict[str, Any]]:
        """Bind what was checked."""
        return partial(_saved, self._written(), self.path.value)

    def told(self, result: dict[str, Any]) -> str:
        """Say where it is."""
        lines = f"{len(_text(result).splitlines()):,} lines"
        return f"{lines}, saved to {self.path.value}" if self.path.value else f"{lines}, taken as the result"

    def _written(self) -> dict[str, Any]:
        return _ENGINES[self.engine.value][1](self._strategy)

    def _place(self, error: Any) -> str:
        return "path" if error.field == "strategy file" else super()._place(error)


def _saved(made: dict[str, Any], path: str) -> dict[str, Any]:
    if path:
        write(f"{_text(made)}\n", path)
    return made


def _text(made: dict[str, Any]) -> str:
    return json.dumps(made, indent=2, ensure_ascii=False)
