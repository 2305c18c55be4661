"""A volume on which data are added."""

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snapkit.blocks import generation
from snapkit.blocks.extrapolation import Band
from snapkit.blocks.workload import Provenance, Workload, moment, window
from snapkit.errors import InvalidRequest
from snapkit.units import DAY, Duration, Size, bytes_text, to_bytes, to_seconds


class Growing(Workload):
    """Another workload, and new blocks that are appended at an even rate.

    Each new block is written once. So in any time as many change as are added in it, besides what else changes, and
    `size` is that at the start. Make one with `Workload.growing`.

    Attributes:
        original: what is written besides.
        per_day: how much is added in a day [bytes].
    """

    def __init__(self, original: Workload, per_day: Size) -> None:  # see Workload.growing
        self.original = original
        self.per_day = to_bytes(per_day, "per_day")
        if original.allocated(float(DAY)) > original.allocated(0.0):
            remedy = "add the two up, and let the original grow by that"
            raise InvalidRequest("per_day", per_day, f"is added to {original.name}, which grows already", remedy)
        grown = f"{bytes_text(self.per_day)} of new data a day are appended evenly, to blocks that are written once."
        super().__init__(
            None,
            name=f"{original.name}, growing by {bytes_text(self.per_day)} a day",
            source=original.source,
            span=original.span,
            size=original.size,
            block_size=original.block_size,
            assumptions=(*original.assumptions, grown),
        )
        self._rate = self.per_day / DAY / self.block_size

    @property
    def stationary(self) -> bool:  # noqa: D102 - see Workload, as for all below
        return self.original.stationary

    def changed_between(self, a: Duration, b: Duration) -> float:  # noqa: D102
        if not (isinstance(a, float) and isinstance(b, float) and 0.0 <= a <= b < math.inf):
            a, b = window(a, b)
        return self.original.changed_between(a, b) + self._rate * (b - a)

    def allocated(self, t: Duration) -> float:  # noqa: D102
        return self.original.allocated(t) + self._rate * moment(t, "t")

    def sampled(self, seed: int, replication: int = 0) -> Workload:  # noqa: D102
        path = self.original.sampled(seed, replication)
        return self if path is self.original else Growing(path, self.per_day)

    def to_trace(self, span: Duration) -> pd.DataFrame:  # noqa: D102
        seconds = to_seconds(span, "span")
        new = np.arange(math.floor(self._rate * seconds))
        full_at = (new + 1) / self._rate
        first = int(self.original.allocated(0.0)) + new
        return generation.with_writes(self.original.to_trace(span), full_at, first, np.ones_like(new), self.block_size)

    def footprint(self, interval: Duration) -> float:  # noqa: D102
        return self.original.footprint(interval) + self._rate * moment(interval, "interval")

    def footprints(self, intervals: NDArray[np.float64]) -> NDArray[np.float64]:  # noqa: D102
        return self.original.footprints(intervals) + self._rate * intervals

    def footprint_band(self, interval: Duration) -> Band:  # noqa: D102
        new = self._rate * moment(interval, "interval")
        return Band(*(blocks + new for blocks in self.original.footprint_band(interval)))

    def _provenance_of(self, interval: float) -> Provenance:  # noqa: ARG002 - there is growth in every interval
        return "assumed"

    def _mean(self, interval: float) -> tuple[float, int]:
        blocks, windows = self.original._mean(interval)
        return blocks + self._rate * interval, windows
