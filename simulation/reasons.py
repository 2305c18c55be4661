"""Why each snapshot of a run was deleted or stays, in words."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from snapkit.strategy import Ledger
from snapkit.strategy.zones import epoch_of

if TYPE_CHECKING:
    from simulation.log import Log
    from simulation.scenario import Scenario

_STARTED, _COMPLETED, _FAILED, _DELETED = range(4)
"""What happened, in the order in which it counts at one moment."""


def reasons(scenario: "Scenario", log: "Log") -> list[str]:
    """Go through a run once more with a ledger that is asked for its reasons; one for each snapshot."""
    start = epoch_of(scenario.start, "start")
    ledger = Ledger(scenario.strategy, start)
    ends = zip(log.tiers, log.completed, strict=True)
    told = ["still pending" if tiers or at == float("inf") else "of no tier" for tiers, at in ends]
    there = set[int]()
    for what, number in _events(log):
        if isinstance(number, str):
            ledger.forget(number)
            for each in there:
                if number in log.tiers[each]:
                    told[each] = f"of {number}, which was renamed"
        elif what == _STARTED:
            ledger.start(number, start + log.started[number], [ledger.lanes[name] for name in log.tiers[number]])
            there.add(number)
        elif what == _COMPLETED:
            for other in ledger.complete(number):
                archived = "archived: " if ledger.archives(other) else ""
                told[other] = archived + "; ".join(ledger.verdict(other)[1])
                ledger.delete(other)
                there.remove(other)
        elif what == _FAILED:
            ledger.fail(number)
            told[number] = "ended in error"
            there.remove(number)
        else:
            ledger.delete(number)
            told[number] = "deleted by hand"
            there.remove(number)
    for number, (_, why) in ledger.verdicts().items():
        told[number] = "; ".join(why)
    return told


def _events(log: "Log") -> Iterator[tuple[int, int | str]]:
    """List what happened, in order, and to which number; incidents where they came, whatever else had its moment."""
    starts = [(at, _STARTED, number) for number, at in enumerate(log.started)]
    completed = ((at, _COMPLETED, number) for number, at in enumerate(log.completed) if at < float("inf"))
    ends = sorted([*completed, *((at, _FAILED, number) for number, at in log.failed.items())])
    started = ended = 0
    for until, over, which in log.incidents:
        yield from ((what, number) for _, what, number in sorted(starts[started:until] + ends[ended:over]))
        started, ended = until, over
        yield _DELETED, which
    yield from ((what, number) for _, what, number in sorted(starts[started:] + ends[ended:]))
