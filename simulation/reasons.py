"""Why each snapshot of a run was deleted or stays, in words."""

from typing import TYPE_CHECKING

from snapkit.strategy import Ledger
from snapkit.strategy.zones import epoch_of

if TYPE_CHECKING:
    from simulation.log import Log
    from simulation.scenario import Scenario

_STARTED, _COMPLETED, _FAILED, _BY_HAND, _FORGOTTEN = range(5)
"""What happened, in the order in which it counts at one moment."""


def reasons(scenario: "Scenario", log: "Log") -> list[str]:
    """Go through a run once more with a ledger that is asked for its reasons; one for each snapshot."""
    start = epoch_of(scenario.start, "start")
    ledger = Ledger(scenario.strategy, start)
    told = ["still pending"] * len(log.started)
    for at, what, number in _events(log):
        if what == _STARTED:
            ledger.start(number, start + at, [ledger.lanes[name] for name in log.tiers[number]])
        elif what == _COMPLETED:
            if not log.tiers[number]:
                told[number] = "of no tier"
            for other in ledger.complete(number):
                archived = "archived: " if ledger.archives(other) else ""
                told[other] = archived + "; ".join(ledger.verdict(other)[1])
                ledger.delete(other)
        elif what == _FAILED:
            ledger.fail(number)
            told[number] = "ended in error"
        elif what == _BY_HAND:
            ledger.delete(number)
            told[number] = "deleted by hand"
        else:
            tier = log.forgotten[number][1]
            ledger.forget(tier)
            told = [_renamed(log, each, tier, at) or reason for each, reason in enumerate(told)]
    for number, (_, why) in ledger.verdicts().items():
        told[number] = "; ".join(why)
    return told


def _renamed(log: "Log", number: int, tier: str, at: float) -> str:
    """Tell of a snapshot that is there when its tier gets another name; nothing of others."""
    there = log.started[number] <= at < log.deleted[number]
    return f"of {tier}, which was renamed" if there and tier in log.tiers[number] else ""


def _events(log: "Log") -> list[tuple[float, int, int]]:
    """List what happened, in order of time: when [s], what, and to which number."""
    return sorted(
        [
            *((at, _STARTED, number) for number, at in enumerate(log.started)),
            *((at, _COMPLETED, number) for number, at in enumerate(log.completed) if at < float("inf")),
            *((at, _FAILED, number) for number, at in log.failed.items()),
            *((at, _BY_HAND, number) for number, at in log.by_hand.items()),
            *((at, _FORGOTTEN, number) for number, (at, _) in enumerate(log.forgotten)),
        ]
    )
