"""What a run loses and stores over time, read off its log."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snapkit.strategy import losses

if TYPE_CHECKING:
    from simulation.copies import CopyLog
    from simulation.log import Log

Floats = NDArray[np.float64]


def stored_between(log: "Log | CopyLog", begin: float, end: float) -> float:
    """Integrate stored blocks from one moment to another [block seconds]."""
    # No scalar product: its library may use as many threads as there are processors, which the workers of a study need,
    # and add up in another order then.
    return float((np.diff(np.clip([*log.stored_at, end], begin, end)) * np.array(log.stored)).sum())


def moments(seconds: Floats, start: datetime) -> pd.DatetimeIndex:
    """Turn seconds from a start into moments (UTC); what is not finite into NaT."""
    moments = [start + timedelta(seconds=second) if np.isfinite(second) else pd.NaT for second in seconds.tolist()]
    return pd.DatetimeIndex(moments, tz="UTC").as_unit("ms")


def exposure(log: "Log", horizon: float) -> tuple[float, Floats, Floats]:
    """Cut a run where its newest complete snapshot changes: see `snapkit.strategy.losses.exposure`."""
    return losses.exposure(np.array(log.started), np.array(log.completed), horizon, log.by_hand)
