"""A line that tells how far a study is."""

import sys
from time import monotonic

from snapkit.units import seconds_text

_EVERY = 0.2
_WIDTH = 30


class Progress:
    """A bar on the standard error stream, which a terminal and a notebook redraw in place; silent unless shown."""

    def __init__(self, *, shown: bool) -> None:
        self._shown = shown
        self._done = self._all = self._length = 0
        self._begin = self._drawn = monotonic()

    def expect(self, runs: int) -> None:
        """Note that so many more runs are to be done."""
        self._all += runs

    def step(self) -> None:
        """Note that one is done."""
        self._done += 1
        if self._shown and (monotonic() - self._drawn > _EVERY or self._done == self._all):
            self._draw()

    def close(self) -> None:
        """Leave the line as it is."""
        if self._shown and self._done:
            self._draw()
            sys.stderr.write("\n")

    def _draw(self) -> None:
        self._drawn = monotonic()
        left = (self._drawn - self._begin) / self._done * (self._all - self._done)
        bar = "#" * (_WIDTH * self._done // self._all)
        told = f", {seconds_text(left)} left" if self._done < self._all else ""
        line = f"[{bar:.<{_WIDTH}}] {self._done:,} of {self._all:,} runs{told}"
        sys.stderr.write("\r" + line.ljust(self._length))
        sys.stderr.flush()
        self._length = len(line)
