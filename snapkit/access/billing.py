"""Billing codes, and quotas on what is charged to them.

A quota compares the run rate [USD a month]: what everything charged to the code costs a month from now on, not what was
spent so far. Past the soft quota one may still charge, with a warning; past the hard one nothing new may be charged,
and nothing that exists is touched.

What snapshots cost is only known between bounds, so that a run rate may be a band. **Refused is what is above the hard
quota for certain, by the low side of the band.** The high side may be many times the truth, as most snapshots hold few
blocks of their own; to refuse by it would be to claim what nobody knows, and the price would be a backup that was not
taken. **Warned is of what may be above a quota, by the high side**, so that nothing passes unsaid. Between the two the
person decides, who can measure first: see `snapkit.ebs.costs.Costs.measured`.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

from snapkit.errors import InvalidRequest
from snapkit.units import usd_text


class QuotaWarning(UserWarning):
    """Something new was charged to a billing code that runs, or may run, above a quota."""


class State(StrEnum):
    """How a run rate stands to a quota."""

    NORMAL = "normal"
    SOFT_ALARM = "soft alarm"
    HARD_ALARM = "hard alarm"


class Verdict(StrEnum):
    """What becomes of something new."""

    ALLOWED = "allowed"
    WARNING = "allowed with a warning"
    REFUSED = "refused"


@dataclass(frozen=True)
class Quota:
    """Two limits of a run rate; a limit that is not given never alarms.

    Attributes:
        soft: above it, a warning [USD a month].
        hard: above it, nothing new [USD a month].
    """

    soft: float | None = None
    hard: float | None = None

    def __post_init__(self) -> None:
        for name in ("soft", "hard"):
            if getattr(self, name) is not None:
                _amount(f"{name} quota", getattr(self, name))
        if self.soft is not None and self.hard is not None and self.soft > self.hard:
            raise InvalidRequest("soft quota", self.soft, f"is above the hard quota of {self.hard}", "exchange them")

    def state(self, run_rate: float | tuple[float, float]) -> State:
        """Tell how a run rate [USD a month], or a band of it, stands to it.

        A band is above the hard quota only where its low side is; where its high side is above either, that is a soft
        alarm.
        """
        low, high = _band(run_rate)
        if self.hard is not None and low > self.hard:
            return State.HARD_ALARM
        return (
            State.SOFT_ALARM
            if any(high > each for each in (self.soft, self.hard) if each is not None)
            else State.NORMAL
        )


@dataclass(frozen=True)
class BillingCode:
    """What things are charged to.

    Attributes:
        code: as it stands in the tag.
        quota: on its run rate.
    """

    code: str
    quota: Quota = Quota()

    def __post_init__(self) -> None:
        if not isinstance(self.code, str) or not self.code.strip():
            raise InvalidRequest("billing code", self.code, "is no text", 'give a code such as "CC-42"')


@dataclass(frozen=True)
class Charge:
    """Something new, seen against a quota.

    Attributes:
        code: what it is to be charged to.
        verdict: what becomes of it.
        before: the state without it.
        after: the state with it.
        reason: the verdict in a sentence.
    """

    code: str
    verdict: Verdict
    before: State
    after: State
    reason: str

    def __str__(self) -> str:
        return self.reason


def check_charge(
    code: BillingCode, run_rate: float | tuple[float, float], extra: float | tuple[float, float] = 0.0
) -> Charge:
    """Tell whether something new may be charged to a billing code.

    Args:
        code: the billing code.
        run_rate: of all that is charged to it already, or the least and the most it can be [USD a month].
        extra: of what is new, likewise; 0 where its price is not known.

    Raises:
        InvalidRequest: a rate is no number from 0.
    """
    (low, high), (more_low, more_high) = _band(run_rate, "run rate"), _band(extra, "extra")
    then = (low + more_low, high + more_high)
    before, after = code.quota.state((low, high)), code.quota.state(then)
    verdict = {State.NORMAL: Verdict.ALLOWED, State.SOFT_ALARM: Verdict.WARNING, State.HARD_ALARM: Verdict.REFUSED}
    return Charge(code.code, verdict[after], before, after, f"{code.code} {_told(code.quota, then)}")


def charge(
    code: BillingCode, run_rate: float | tuple[float, float], extra: float | tuple[float, float] = 0.0
) -> Charge:
    """Charge something new to a billing code; returns what `check_charge` says.

    Raises:
        InvalidRequest: it would run above the hard quota for certain.
    """
    checked = check_charge(code, run_rate, extra)
    if checked.verdict is Verdict.REFUSED:
        rule = checked.reason.removeprefix(f"{code.code} ")
        raise InvalidRequest("billing code", code.code, rule, "charge another code, free something, or raise the quota")
    return checked


def _told(quota: Quota, rate: tuple[float, float]) -> str:
    """Say at what rate a code would run, and above which quota that is or may be: the highest of those that are."""
    low, high = rate
    kinds = [(kind, limit) for kind, limit in (("hard", quota.hard), ("soft", quota.soft)) if limit is not None]
    shown = f"{usd_text(low)} a month" if low == high else f"{usd_text(low)} to {usd_text(high)} a month"
    told = f"would run at {shown}"
    for word, side in (("", low), ("which may be ", high)):
        above = next(((kind, limit) for kind, limit in kinds if side > limit), None)
        if above is not None:
            return f"{told}, {word}above its {above[0]} quota of {usd_text(above[1])}"
    return told


def _band(amount: float | tuple[float, float], field: str = "run rate") -> tuple[float, float]:
    low, high = amount if isinstance(amount, tuple) else (amount, amount)
    _amount(field, low)
    _amount(field, high)
    if low > high:
        raise InvalidRequest(field, amount, "is no band", "give the least first, then the most")
    return low, high


def _amount(field: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise InvalidRequest(field, value, "is no amount", "give USD a month, from 0")
