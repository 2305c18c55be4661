"""One thing that a plan would do, and what it costs."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from snapkit.units import usd_text

Band: TypeAlias = tuple[float, float]
"""The least and the most that an amount can be [USD]."""


def _do_nothing() -> None:
    """Stand in for what a step does where it is only shown."""


def _never() -> bool:
    return False


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing that a plan would do.

    Attributes:
        what: a verb, such as ``"delete"``.
        on: the id of what it is done to.
        reason: why.
        price_usd: what it costs once: an amount, or the least and the most it can be [USD]; None where nobody knows.
        monthly_usd: what it changes a month from then on, likewise; below zero it saves [USD].
        blockers: why it cannot be done, a sentence each; a step with any is not run.
        warnings: what to know before it is done, a sentence each; they do not hinder it.
        waits_for: names of steps that have to be done before it.
        record: what AWS told last of what it deletes, for whoever keeps a log; nobody else can tell it afterwards.
        do: does it; raises a `SnapkitError` where that fails.
        done: tells whether it has been done already.
    """

    what: str
    on: str
    reason: str
    price_usd: float | Band | None = 0.0
    monthly_usd: float | Band | None = 0.0
    blockers: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    waits_for: tuple[str, ...] = ()
    record: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    do: Callable[[], object] = field(default=_do_nothing, repr=False, compare=False)
    done: Callable[[], bool] = field(default=_never, repr=False, compare=False)

    @property
    def name(self) -> str:
        """By which other steps wait for it, such as ``"delete snap-1"``."""
        return f"{self.what} {self.on}"

    def to_dict(self) -> dict[str, Any]:
        """Write what it says, without how it is done."""
        return {
            "what": self.what,
            "on": self.on,
            "reason": self.reason,
            "price_usd": self.price_usd,
            "monthly_usd": self.monthly_usd,
            "blockers": list(self.blockers),
            "warnings": list(self.warnings),
            "waits_for": list(self.waits_for),
        }


def band(amount: float | Band | None) -> Band:
    """Read an amount as a band; what nobody knows as no number."""
    if amount is None:
        return (float("nan"), float("nan"))
    return amount if isinstance(amount, tuple) else (amount, amount)


def total(amounts: Iterable[float | Band | None]) -> Band:
    """Add amounts up; those that nobody knows are left out."""
    bands = [band(amount) for amount in amounts if amount is not None]
    return sum((low for low, _ in bands), 0.0), sum((high for _, high in bands), 0.0)


def amount_text(amount: float | Band | None) -> str:
    """Write an amount or a band of them; what is below zero is saved."""
    if amount is None:
        return "not known"
    low, high = band(amount)
    if low < 0 and high <= 0:
        return f"saves {amount_text((-high, -low))}"
    return _usd(low) if low == high else f"{_usd(low)} to {_usd(high)}"


def _usd(amount: float) -> str:
    # Minus nothing is nothing.
    return f"-{usd_text(-amount)}" if amount < 0 else usd_text(amount + 0.0)
