"""A figure that shows itself in a notebook, in colours for a light or a dark page."""

import warnings
from dataclasses import dataclass
from io import BytesIO

from matplotlib.figure import Figure

from snapkit.errors import InvalidRequest


@dataclass(frozen=True)
class Theme:
    """The colours of a picture; they stay apart where it is printed in grey.

    Attributes:
        paper: the page.
        text: what is written.
        line: frames and grids.
        ink: what the picture is about.
        pale: what it is compared with.
        limit: limits, and what went wrong.
        shades: of things that stand beside each other; from the first to the last nearer to the page.
    """

    paper: str
    text: str
    line: str
    ink: str
    pale: str
    limit: str
    shades: tuple[str, ...]


THEMES = {
    "light": Theme(
        paper="#ffffff",
        text="#222222",
        line="#c4c9ce",
        ink="#1f4e79",
        pale="#8fb4d9",
        limit="#b03a2e",
        shades=("#14365c", "#8a3b73", "#2f8f83", "#e0a13e", "#f1dfb4"),
    ),
    "dark": Theme(
        paper="#14181d",
        text="#e6e9ec",
        line="#4a525b",
        ink="#8cc4f0",
        pale="#3f6e99",
        limit="#ff8a75",
        shades=("#f4e9c8", "#f0b45b", "#46a294", "#a0548c", "#3a4f85"),
    ),
}


class Picture(Figure):
    """A figure that shows itself in a notebook without pyplot and its global state.

    Attributes:
        theme: its colours.
        alt: what it shows, in a sentence for those who do not see it.
    """

    def __init__(self, width: float, height: float, theme: str = "light") -> None:
        """Make an empty picture [inches].

        Raises:
            InvalidRequest: there is no such theme.
        """
        if theme not in THEMES:
            raise InvalidRequest("theme", theme, "is none", f"use one of {', '.join(THEMES)}")
        self.theme = THEMES[theme]
        self.alt = ""
        super().__init__(figsize=(width, height), dpi=110, layout="constrained", facecolor=self.theme.paper)

    def __repr__(self) -> str:
        return f"<Picture: {self.alt}>" if self.alt else super().__repr__()

    def _repr_png_(self) -> bytes:
        buffer = BytesIO()
        with warnings.catch_warnings():
            # What users write may have characters that no font here has; a box stands for them.
            warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
            # The version of matplotlib would otherwise be written into the file.
            self.savefig(buffer, format="png", metadata={"Software": None, "Description": self.alt or None})
        return buffer.getvalue()
