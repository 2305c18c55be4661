"""A figure that shows itself in a notebook."""

import warnings
from io import BytesIO

from matplotlib.figure import Figure


class Picture(Figure):
    """A figure that shows itself in a notebook without pyplot and its global state."""

    def __init__(self, width: float, height: float) -> None:
        """Make an empty picture [inches]."""
        super().__init__(figsize=(width, height), dpi=110, layout="constrained", facecolor="white")

    def _repr_png_(self) -> bytes:
        buffer = BytesIO()
        with warnings.catch_warnings():
            # What users write may have characters that no font here has; a box stands for them.
            warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
            # The version of matplotlib would otherwise be written into the file.
            self.savefig(buffer, format="png", metadata={"Software": None})
        return buffer.getvalue()
