"""A bar that moves while one waits for a snapshot.

In a notebook it is a widget. In a terminal it is a line on standard error. Where nobody looks, in a log or a pipe,
there is none. Nor is there one where waiting takes no time, as on a sandbox whose clock stands: so what a notebook of a
sandbox shows is the same each time.
"""

import shutil
import sys
from typing import TYPE_CHECKING, Any, Protocol, TextIO

if TYPE_CHECKING:
    from snapkit.clock import Clock
    from snapkit.ebs.waiting import Progress

_WIDTH, _LEAST = 20, 5


class Bar(Protocol):
    """What shows how far a snapshot is.

    Attributes:
        tick: how often it wants to be told [s].
    """

    tick: float

    def show(self, step: "Progress") -> None:
        """Show a step."""
        ...

    def close(self, state: str, told: str) -> None:
        """Show in which state the wait has left the snapshot, and nothing any more.

        Args:
            state: completed, error, or pending where it goes on.
            told: what else to say.
        """
        ...


def bar(clock: "Clock") -> Bar | None:
    """Make the bar that fits where this runs, if any; it is told about once a second of the world outside."""
    pace = float(getattr(clock, "speed", 1.0))
    if pace == 0:
        return None
    if in_notebook():
        return NotebookBar(pace)
    return LineBar(sys.stderr, pace) if sys.stderr.isatty() else None


def in_notebook() -> bool:
    """Tell whether this runs in the kernel of a notebook; IPython is not loaded to find out."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return getattr(shell, "kernel", None) is not None


class LineBar:
    """A line of a terminal, written over again and again.

    Attributes:
        tick: how often it wants to be told [s].
    """

    def __init__(self, stream: TextIO, tick: float) -> None:
        self.tick = tick
        self._stream = stream
        self._last = 0

    def show(self, step: "Progress") -> None:
        """Show a step: the bar as far as there is room for it."""
        # A line that does not fit could not be written over.
        room = shutil.get_terminal_size().columns - 1
        width = min(_WIDTH, room - len(step.brief) - len("[] "))
        full = width * step.percent // 100
        meter = f"[{'#' * full}{'.' * (width - full)}] " if width >= _LEAST else ""
        line = f"{meter}{step.brief}"[:room]
        self._stream.write(f"\r{line.ljust(self._last)}")
        self._stream.flush()
        self._last = len(line)

    def close(self, state: str, told: str) -> None:  # noqa: ARG002 - an error says it
        """Leave the line as it is."""
        if self._last:
            self._stream.write("\n")
            self._stream.flush()


class NotebookBar:
    """A bar as a widget; where widgets are not shown, such as in a saved notebook, a line that is always the same.

    Attributes:
        tick: how often it wants to be told [s].
    """

    def __init__(self, tick: float) -> None:
        self.tick = tick
        self._box: Any = None
        self._saved = ""

    def show(self, step: "Progress") -> None:
        """Show a step."""
        if self._box is None:
            self._begin(step)
        meter, label = self._box.children
        meter.value, label.value = step.percent, str(step)

    def close(self, state: str, told: str) -> None:
        """Colour it as it ended: green, red, or yellow where it goes on."""
        if self._box is not None:
            meter, label = self._box.children
            meter.bar_style = {"completed": "success", "error": "danger"}.get(state, "warning")
            label.value += told and f"; {told}"

    def _begin(self, step: "Progress") -> None:
        import ipywidgets
        from IPython.display import display

        self._saved = f"waiting for {step.snapshot_id}"
        self._box = ipywidgets.HBox([ipywidgets.IntProgress(max=100), ipywidgets.Label()])
        display(self)  # type: ignore[no-untyped-call] # likewise

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {**self._box._repr_mimebundle_(), "text/plain": self._saved}
