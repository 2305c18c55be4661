"""A volume of which much is written anew at some moments."""

import math
from bisect import bisect_right
from collections.abc import Iterable
from numbers import Real

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snapkit.blocks import generation
from snapkit.blocks.extrapolation import Band
from snapkit.blocks.workload import Provenance, Workload, window
from snapkit.errors import InvalidRequest
from snapkit.units import Duration, seconds_text, to_seconds


class Rewritten(Workload):
    """Another workload, and moments at which a share of all allocated blocks is written at once.

    A window with such a moment in it changes that share of what is allocated, and of the rest what changes otherwise.
    Rewrites are no part of `footprint` and its band, which stand for the time between them; `changed` and the curve
    average over the span, with those that fall into it. Make one with `Workload.rewritten`.

    Attributes:
        original: what is written besides.
        moments: when blocks are rewritten, since the start [s], in order.
        share: of the allocated blocks that is rewritten, always the same first part of the volume.
    """

    def __init__(self, original: Workload, at: Duration | Iterable[Duration], share: float = 1.0) -> None:
        listed = at if isinstance(at, Iterable) and not isinstance(at, str) else [at]
        self.moments = tuple(sorted({to_seconds(each, "at") for each in listed}))
        if not self.moments:
            raise InvalidRequest("at", [], "names no moment", "give one, such as '30d'")
        if isinstance(share, bool) or not isinstance(share, Real) or not 0 < share <= 1:
            raise InvalidRequest(
                "share", share, "is no share above 0 and up to 1", "give 1 for all, 0.25 for a quarter"
            )
        self.original: Workload = original
        self.share: float = float(share)
        told = ", ".join(seconds_text(each) for each in self.moments)
        rewritten = (
            f"{self.share:.3g} of the allocated blocks are written at once at {told}; it is the same part of the"
        )
        rewritten += " volume each time, and what else changes lies inside and outside of it alike."
        super().__init__(
            None,
            name=f"{original.name}, rewritten",
            source=original.source,
            span=original.span,
            size=original.size,
            block_size=original.block_size,
            assumptions=(*original.assumptions, rewritten),
        )

    @property
    def stationary(self) -> bool:
        """Never: what changes depends on when one looks."""
        return False

    def changed_between(self, a: Duration, b: Duration) -> int | float:  # noqa: D102 - see Workload, as for all below
        if not (isinstance(a, float) and isinstance(b, float) and 0.0 <= a <= b < math.inf):
            a, b = window(a, b)
        changed = self.original.changed_between(a, b)
        return self._with_rewrite(changed, a, b) if self._rewritten(a, b) else changed

    def provenance(self, a: Duration, b: Duration) -> Provenance:  # noqa: D102
        start, end = window(a, b)
        return "assumed" if self._rewritten(start, end) else self.original.provenance(start, end)

    def allocated(self, t: Duration) -> int | float:  # noqa: D102
        return self.original.allocated(t)

    def sampled(self, seed: int, replication: int = 0) -> Workload:  # noqa: D102
        path = self.original.sampled(seed, replication)
        return self if path is self.original else Rewritten(path, self.moments, self.share)

    def to_trace(self, span: Duration) -> pd.DataFrame:  # noqa: D102
        trace, seconds = self.original.to_trace(span), to_seconds(span, "span")
        for at in self.moments[: bisect_right(self.moments, seconds)]:
            end = math.floor(self.share * self.original.allocated(at) + 0.5)
            first = np.arange(0, end, generation.LONGEST_RUN)
            blocks = np.minimum(end - first, generation.LONGEST_RUN)
            trace = generation.with_writes(trace, np.full(len(first), at), first, blocks, self.block_size)
        return trace

    def footprint(self, interval: Duration) -> float:  # noqa: D102
        return self.original.footprint(interval)

    def footprints(self, intervals: NDArray[np.float64]) -> NDArray[np.float64]:  # noqa: D102
        return self.original.footprints(intervals)

    def footprint_band(self, interval: Duration) -> Band:  # noqa: D102
        return self.original.footprint_band(interval)

    def _rewritten(self, a: float, b: float) -> bool:
        """Tell whether some moment lies after a, and not after b."""
        return bisect_right(self.moments, a) < bisect_right(self.moments, b)

    def _with_rewrite(self, changed: float, start: float, end: float) -> float:
        """Add the last rewrite of a window to what changes in it otherwise; what is new lies behind what was there."""
        allocated = self.original.allocated
        last = self.moments[bisect_right(self.moments, end) - 1]
        before, after, rewritten = allocated(start), allocated(end), self.share * allocated(last)
        new = after - max(before, rewritten)
        return min(after, rewritten + new + (1 - self.share) * (changed - (after - before)))

    def _windows(self, interval: float) -> list[int]:
        """Number the windows of the span, laid end to end, that have a rewrite in them."""
        end = self.span // interval * interval
        return sorted({int(at // interval) for at in self.moments if at < end})

    @property
    def _distinct(self) -> float:
        return self._mean(self.span)[0]

    def _provenance_of(self, interval: float) -> Provenance:
        return "assumed" if self._windows(interval) else self.original._provenance_of(interval)

    def _mean(self, interval: float) -> tuple[float, int]:
        blocks, windows = self.original._mean(interval)
        more = 0.0
        for number in self._windows(interval):
            start, end = number * interval, (number + 1) * interval
            changed = self.original.changed_between(start, end) if windows else blocks
            more += self._with_rewrite(changed, start, end) - changed
        return blocks + (more / (self.span // interval) if more else 0.0), windows
