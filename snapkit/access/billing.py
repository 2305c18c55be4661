"""Billing codes, and quotas on what is charged to them.

A quota compares the run rate [USD a month]: what everything charged to the code costs a month from now on, not what was
spent so far. Past the soft quota one may still charge, with a warning; past the hard one nothing new may be charged,
and nothing that exists is touched.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

from snapkit.errors import InvalidRequest


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

    def state(self, run_rate: float) -> State:
        """Tell how a run rate [USD a month] stands to it."""
        if self.hard is not None and run_rate > self.hard:
            return State.HARD_ALARM
        return State.SOFT_ALARM if self.soft is not None and run_rate > self.soft else State.NORMAL


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


def check_charge(code: BillingCode, run_rate: float, extra: float = 0.0) -> Charge:
    """Tell whether something new may be charged to a billing code.

    Args:
        code: the billing code.
        run_rate: of all that is charged to it already [USD a month].
        extra: of what is new [USD a month]; 0 where its price is not known.

    Raises:
        InvalidRequest: a rate is no number from 0.
    """
    _amount("run rate", run_rate)
    _amount("extra", extra)
    before, after = code.quota.state(run_rate), code.quota.state(run_rate + extra)
    verdict = {State.NORMAL: Verdict.ALLOWED, State.SOFT_ALARM: Verdict.WARNING, State.HARD_ALARM: Verdict.REFUSED}
    limit = {State.NORMAL: None, State.SOFT_ALARM: code.quota.soft, State.HARD_ALARM: code.quota.hard}[after]
    rate = f"{code.code} would run at ${run_rate + extra:,.2f} a month"
    kind = "soft" if after is State.SOFT_ALARM else "hard"
    reason = rate if limit is None else f"{rate}, above its {kind} quota of ${limit:,.2f}"
    return Charge(code.code, verdict[after], before, after, reason)


def charge(code: BillingCode, run_rate: float, extra: float = 0.0) -> Charge:
    """Charge something new to a billing code; returns what `check_charge` says.

    Raises:
        InvalidRequest: it would run above the hard quota.
    """
    checked = check_charge(code, run_rate, extra)
    if checked.verdict is Verdict.REFUSED:
        rule = f"would run at ${run_rate + extra:,.2f} a month, above its hard quota of ${code.quota.hard:,.2f}"
        raise InvalidRequest("billing code", code.code, rule, "charge another code, free something, or raise the quota")
    return checked


def _amount(field: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise InvalidRequest(field, value, "is no amount", "give USD a month, from 0")
