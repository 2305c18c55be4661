"""Changed bytes to seconds: how long a snapshot stays pending."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
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
_FARTHEST = math.log(10) / 1.2816
"""No fit is taken to be off by more than a factor of ten, eight times in ten: *assumed*."""
_LEAST_SPREAD = 1e-4
"""Durations that lie closer than this to the fit, as made ones do, tell no more [log]."""
_SETTLED = 1e-14
"""A search ends when a step changes nothing by more than this share."""
_NOTHING = 1e-6
"""What takes less than this share of the shortest duration takes no time; a search comes near 0, not to it."""
_DOUBTS = 5
"""The purpose of the random stream that doubts are drawn from."""


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """How far off latency and rate may be, as factors: normal in their logarithms.

    Attributes:
        latency: standard deviation of the logarithm of the latency; 0 for a certain one.
        rate: that of the logarithm of the rate.
        correlation: of the two, from -1 to 1: above 0 where a longer latency would go with a higher rate.
    """

    latency: float = 0.0
    rate: float = 0.0
    correlation: float = 0.0

    def __post_init__(self) -> None:
        """Refuse deviations that cannot be."""
        for name, value, good in (
            ("latency", self.latency, lambda given: 0 <= given < math.inf),
            ("rate", self.rate, lambda given: 0 <= given < math.inf),
            ("correlation", self.correlation, lambda given: -1 <= given <= 1),
        ):
            if isinstance(value, bool) or not isinstance(value, Real) or not good(value):
                remedy = "give standard deviations of logarithms, such as 0.1, and a correlation from -1 to 1"
                raise InvalidRequest(f"doubt {name}", value, "cannot be", remedy)


@dataclass(frozen=True, kw_only=True)
class Timing:
    """How long EBS takes to complete a snapshot.

    AWS publishes no figure, and says that none can be given. The default rate and latency were *measured* by others on
    gp3 volumes: three full first snapshots, and one report of the time in which a tiny snapshot completes. That the
    spread over those three volumes is also that from one hour to another is *assumed*. What is given by hand is taken
    to be certain; see `PUBLISHED` for the doubt that so few measurements leave.

    Attributes:
        latency: time that even an empty snapshot stays pending [s].
        rate: upload rate [bytes/s].
        spread: standard deviation of the logarithm of the duration from one hour to another; 0 for none.
        doubt: how far off latency and rate may be.
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
    doubt: Doubt = Doubt()
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
        if not isinstance(self.doubt, Doubt):
            raise InvalidRequest("timing doubt", self.doubt, "is none", "give Doubt(latency=0.5, rate=0.2), say")

    def seconds(self, changed_bytes: float) -> float:
        """Estimate the median time [s] from start to completion of a snapshot that copies so many bytes.

        An array gives that of each, and is not checked.

        Raises:
            InvalidRequest: the number is below 0, infinite or NaN.
        """
        if isinstance(changed_bytes, (float, int, np.generic)) and not 0 <= changed_bytes < math.inf:
            raise InvalidRequest("changed_bytes", changed_bytes, "cannot be", "give a number of bytes from 0 up")
        return self.latency + changed_bytes / self.rate

    def sampled(self, seed: int, replication: int = 0) -> Self:
        """Draw a timing that may be the true one, with no doubt left; a certain timing is itself.

        Args:
            seed: root of all random streams.
            replication: from 0 up; the numbers of one seed give independent draws.

        Raises:
            InvalidRequest: one of them is below 0.
        """
        for name, value in (("seed", seed), ("replication", replication)):
            if value < 0:
                raise InvalidRequest(name, value, "is below 0", "give a whole number from 0 up")
        doubt = self.doubt
        if not doubt.latency and not doubt.rate:
            return self
        stream = np.random.default_rng(np.random.SeedSequence(int(seed), spawn_key=(int(replication), _DOUBTS)))
        one, other = stream.standard_normal(2).tolist()
        with_it = doubt.correlation * one + math.sqrt(1 - doubt.correlation**2) * other
        latency, rate = self.latency * math.exp(doubt.latency * one), self.rate * math.exp(doubt.rate * with_it)
        return replace(self, latency=latency, rate=rate, doubt=Doubt())

    @classmethod
    def fit(cls, changed_bytes: Iterable[float], seconds: Iterable[float], *, latency: Duration | None = None) -> Self:
        """Fit it to how long snapshots took.

        The logarithms of the durations are compared, so that short ones count as much as long ones, and what lies far
        off counts less. What cannot be told apart keeps its default, and the doubt of that; `basis` says so.

        The doubt is the covariance that the least squares leave, by a linear model around the fit. Its deviations are
        those of normal draws of which as many lie within an 80 % interval as by Student's t, for few snapshots tell
        little of their spread. The spread itself is taken as it was found. All figures keep six digits, so that the
        same snapshots give the same fit on every machine.

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
        usual = PUBLISHED.doubt
        if known is None and np.ptp(sizes) == 0:
            return cls._of_one_size(float(sizes[0]), durations)
        if known is not None and not sizes.any():
            told = "; all were empty: the rate is the default"
            return cls._with(known, cls.rate, sizes, durations, 0, (0.0, usual.rate), told)
        fitted, per_byte = _fitted(sizes, durations, known)
        told = "" if known is None else f"; latency given as {seconds_text(known)}"
        if not per_byte:
            told += "; larger ones took no longer" if known is None else ", and they took no longer"
            told += ": the rate is infinite"
        rate = 1 / per_byte if per_byte else math.inf
        if known is not None:
            return cls._with(fitted, rate, sizes, durations, 1, (0.0, _FARTHEST), told)
        return cls._with(fitted, rate, sizes, durations, 2, (_FARTHEST, _FARTHEST), told)

    @classmethod
    def _of_one_size(cls, size: float, durations: NDArray[np.float64]) -> Self:
        """Fit the rate at the default latency or, where they took no longer than that, the latency."""
        usual, sizes = float(np.exp(np.log(durations).mean())), np.full(len(durations), size)
        told = f"; all were of {bytes_text(size)}, so latency and rate cannot be told apart: the"
        doubt = PUBLISHED.doubt
        if size > 0 and usual > cls.latency:
            rate, widest = size / (usual - cls.latency), (doubt.latency, _FARTHEST)
            return cls._with(cls.latency, rate, sizes, durations, 1, widest, f"{told} latency is the default")
        rest = usual - size / cls.rate
        if rest >= 0:
            widest = (_FARTHEST, doubt.rate)
            return cls._with(rest, cls.rate, sizes, durations, 1, widest, f"{told} rate is the default")
        widest = (_FARTHEST, _FARTHEST)
        return cls._with(0.0, size / usual, sizes, durations, 1, widest, f"{told} latency is taken to be none")

    @classmethod
    def _with(
        cls,
        latency: float,
        rate: float,
        sizes: NDArray[np.float64],
        durations: NDArray[np.float64],
        parameters: int,
        widest: tuple[float, float],
        told: str,
    ) -> Self:
        fitted = np.maximum(latency + sizes / rate, 1e-9)
        off = np.log(durations) - np.log(fitted)
        freedom = len(off) - parameters
        # Around the fit, not around the mean of what is left: robust residuals need not add up to nothing.
        spread = math.sqrt(float(np.square(off).sum()) / freedom)
        doubt = _doubt(latency / fitted, spread, freedom, widest)
        basis = f"fitted to {len(off)} snapshots{told}"
        latency, rate, spread = _steady(latency), _steady(rate), _steady(spread)
        return cls(latency=latency, rate=rate, spread=spread, doubt=doubt, basis=basis)


PUBLISHED = Timing(doubt=Doubt(latency=0.54, rate=0.18))
"""The defaults of `Timing` with the doubt that so few published measurements leave.

rate: the standard error of a mean of three logarithms that deviate by 0.21, widened so that 80 % of normal draws lie
where 80 % of Student's t do with two degrees of freedom: 0.21 / sqrt(3) * 1.886 / 1.2816. latency: one report tells no
deviation; that it is right within a factor of two, eight times in ten, is *assumed*: log(2) / 1.2816.
"""


def _steady(figure: float) -> float:
    """Keep the digits of a fitted figure that every processor agrees on; the last ones depend on how it adds up."""
    return float(f"{figure:.6g}")


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

    columns = np.stack([np.ones_like(scaled), scaled], axis=1)[:, known is not None :]  # of what is to be found
    certain = 0.0 if known is None else known

    def taken(given: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.maximum(certain + columns @ given, 1e-9)

    def off(given: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.log(taken(given)) - np.log(durations))

    def slopes(given: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(columns / taken(given)[:, None])

    least = float(durations.min()) * 1e-9
    first = np.maximum(start, least * 10)
    best = least_squares(
        off, first, slopes, (0.0, np.inf), loss="soft_l1", f_scale=_TYPICAL, x_scale=first + least,
        ftol=_SETTLED, xtol=_SETTLED, gtol=_SETTLED,
    )  # fmt: skip
    found = np.where(best.x > _NOTHING * durations.min(), best.x, 0.0).tolist()
    latency, per_unit = found if known is None else (known, *found)
    return latency, per_unit / unit


def _doubt(shares: NDArray[np.float64], spread: float, freedom: int, widest: tuple[float, float]) -> Doubt:
    """Tell how far off latency and rate may be.

    Args:
        shares: the share of the latency in each duration.
        spread: of the logarithms of the durations.
        freedom: degrees of freedom of the spread.
        widest: the doubt of latency and rate without these durations; 0 for what is certain.
    """
    from scipy.special import ndtri, stdtrit

    spread = max(spread * float(stdtrit(freedom, 0.9) / ndtri(0.9)), _LEAST_SPREAD)
    slopes = np.stack([shares, shares - 1], axis=1)  # of the logarithm of a duration, by those of latency and rate
    free = np.flatnonzero(widest)
    told = (slopes.T @ slopes)[np.ix_(free, free)] / spread**2
    covariance = np.zeros((2, 2))
    covariance[np.ix_(free, free)] = np.linalg.inv(told + np.diag([widest[each] ** -2 for each in free]))
    latency, rate = np.sqrt(np.diag(covariance)).tolist()
    together = float(covariance[0, 1]) / (latency * rate) if latency and rate else 0.0
    return Doubt(latency=_steady(latency), rate=_steady(rate), correlation=max(-1.0, min(1.0, _steady(together))))
