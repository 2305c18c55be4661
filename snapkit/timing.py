"""Changed bytes to seconds: how long a snapshot stays pending."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from numbers import Real
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from snapkit.errors import InvalidRequest
from snapkit.units import Duration, bytes_text, seconds_text, to_seconds

LAZY_RATE = 135e6
"""At which rate a gp3 volume was seen to load by itself while all of it was read [bytes/s].

Source: AWS re:Post, article ARAkrDcHieSsSYOPHL3ZJYeg (130 to 140 MB/s, whatever throughput the volume has): *measured*
by its authors; AWS publishes no figure. That other types are as fast is *assumed*.
"""

_FEWEST = 3
_TYPICAL = 0.4
"""A deviation of the logarithm up to which a duration counts in full; beyond it counts less and less."""
_DEFAULTS = "the defaults of snapkit, measured by others"


@dataclass(frozen=True, kw_only=True)
class Timing:
    """How long EBS takes to complete a snapshot.

    AWS publishes no figure, and says that none can be given. The default rate and latency were *measured* by others on
    gp3 volumes: three full first snapshots, and one report of the time in which a tiny snapshot completes. That the
    spread over those three volumes is also that from one hour to another is *assumed*.

    Attributes:
        latency: time that even an empty snapshot stays pending [s].
        rate: upload rate [bytes/s].
        spread: standard deviation of the logarithm of the duration from one hour to another; 0 for none.
        basis: what it rests on, for people; two timings are equal whatever they rest on.

    Source:
        rate and spread: PingCAP, TiDB Operator documentation, "EBS snapshot backup and restore performance"
        (us-west-2, gp3 at 400 MiB/s; 50 GB in 20 min, 200 GB in 100 min, 1024 GB in 350 min), each less the latency:
        geometric mean and sample deviation. latency: aws-sdk-ruby issue 978, about three minutes for a tiny
        volume (2015).
    """

    latency: float = 180.0
    rate: float = 43.6e6
    spread: float = 0.21
    basis: str = field(default=_DEFAULTS, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Refuse a timing in which a snapshot would never end, or end before it began."""
        remedy = "give the latency and spread as 0 or more and the rate as more than 0"
        for name, value, low in (
            ("latency", self.latency, 0.0),
            ("spread", self.spread, 0.0),
            ("rate", self.rate, 1e-9),
        ):
            if (
                isinstance(value, bool)
                or not isinstance(value, Real)
                or not value >= low
                or (math.isinf(value) and name != "rate")
            ):
                raise InvalidRequest(f"timing {name}", value, "cannot be", remedy)

    def seconds(self, changed_bytes: float) -> float:
        """Estimate the median time [s] from start to completion of a snapshot that copies so many bytes."""
        return self.latency + changed_bytes / self.rate

    @classmethod
    def fit(cls, changed_bytes: Iterable[float], seconds: Iterable[float], *, latency: Duration | None = None) -> Self:
        """Fit it to how long snapshots took.

        The logarithms of the durations are compared, so that short ones count as much as long ones, and what lies far
        off counts less. What cannot be told apart keeps its default; `basis` says so.

        Args:
            changed_bytes: what each snapshot had to copy [bytes].
            seconds: from start to completion of each [s].
            latency: where it is known [s], so that only rate and spread are fitted.

        Raises:
            InvalidRequest: there are fewer than three, not as many of one as of the other, or one is no number.
        """
        sizes, durations = (_numbers(*each) for each in (("changed_bytes", changed_bytes), ("seconds", seconds)))
        known = None if latency is None else to_seconds(latency, "timing latency", zero=True)
        _check(sizes, durations)
        if known is None and np.ptp(sizes) == 0:
            return cls._of_one_size(float(sizes[0]), durations)
        if known is not None and not sizes.any():
            return cls._with(known, cls.rate, sizes, durations, 0, "; all were empty: the rate is the default")
        fitted, per_byte = _fitted(sizes, durations, known)
        told = "" if known is None else f"; latency given as {seconds_text(known)}"
        if per_byte <= 0:
            told += "; larger ones took no longer"
        rate = 1 / per_byte if per_byte > 0 else math.inf
        return cls._with(fitted, rate, sizes, durations, 2 if known is None else 1, told)

    @classmethod
    def _of_one_size(cls, size: float, durations: NDArray[np.float64]) -> Self:
        """Fit the rate at the default latency or, where they took no longer than that, the latency."""
        usual, sizes = float(np.exp(np.log(durations).mean())), np.full(len(durations), size)
        told = f"; all were of {bytes_text(size)}, so latency and rate cannot be told apart: the"
        if size > 0 and usual > cls.latency:
            rate = size / (usual - cls.latency)
            return cls._with(cls.latency, rate, sizes, durations, 1, f"{told} latency is the default")
        rest = usual - size / cls.rate
        if rest >= 0:
            return cls._with(rest, cls.rate, sizes, durations, 1, f"{told} rate is the default")
        return cls._with(0.0, size / usual, sizes, durations, 1, f"{told} latency is taken to be none")

    @classmethod
    def _with(
        cls,
        latency: float,
        rate: float,
        sizes: NDArray[np.float64],
        durations: NDArray[np.float64],
        parameters: int,
        told: str,
    ) -> Self:
        off = np.log(durations) - np.log(np.maximum(latency + sizes / rate, 1e-9))
        # Around the fit, not around the mean of what is left: robust residuals need not add up to nothing.
        spread = math.sqrt(float(np.square(off).sum()) / (len(off) - parameters))
        return cls(latency=latency, rate=rate, spread=spread, basis=f"fitted to {len(off)} snapshots{told}")


def _numbers(name: str, values: Iterable[float]) -> NDArray[np.float64]:
    given: Any = values if hasattr(values, "__len__") else list(values)
    try:
        numbers = np.asarray(given, np.float64)
    except (TypeError, ValueError):
        raise InvalidRequest(name, values, "are not all numbers", "give a list or array of numbers") from None
    if numbers.ndim != 1:
        raise InvalidRequest(name, values, "are no list of numbers", "give a list or array of numbers")
    bad = ~np.isfinite(numbers) | (numbers < 0) | ((name == "seconds") & (numbers == 0))
    if bad.any():
        raise InvalidRequest(name, numbers[bad][0].item(), "cannot be", "leave out what is no measurement")
    return numbers


def _check(sizes: NDArray[np.float64], durations: NDArray[np.float64]) -> None:
    if len(sizes) != len(durations):
        told = f"are not as many as the {len(sizes)} changed_bytes"
        raise InvalidRequest("seconds", len(durations), told, "give one duration for each size")
    if len(sizes) < _FEWEST:
        remedy = f"give {_FEWEST} or more, of different sizes"
        raise InvalidRequest("changed_bytes", len(sizes), "are too few snapshots to fit a timing to", remedy)


def _fitted(sizes: NDArray[np.float64], durations: NDArray[np.float64], known: float | None) -> tuple[float, float]:
    """Find latency [s] and time per byte [s], neither below 0, that lie closest to the logarithms of the durations."""
    from scipy.optimize import least_squares, nnls

    unit = float(sizes.max())  # so that both parameters are of the size of the durations
    scaled = sizes / unit
    columns = np.stack([np.ones_like(scaled), scaled], axis=1) / durations[:, None]
    if known is None:
        start, _ = nnls(columns, np.ones_like(durations))
    else:
        rest = np.maximum(durations - known, durations / 100)[scaled > 0] / scaled[scaled > 0]
        start = np.array([float(np.exp(np.log(rest).mean()))])

    def off(given: NDArray[np.float64]) -> NDArray[np.float64]:
        latency, per_unit = given if known is None else (known, given[0])
        return np.asarray(np.log(np.maximum(latency + per_unit * scaled, 1e-9)) - np.log(durations))

    least = float(durations.min()) * 1e-9
    first = np.maximum(start, least * 10)
    best = least_squares(off, first, bounds=(0.0, np.inf), loss="soft_l1", f_scale=_TYPICAL, x_scale=first + least)
    latency, per_unit = (float(each) for each in best.x) if known is None else (known, float(best.x[0]))
    return latency, per_unit / unit
