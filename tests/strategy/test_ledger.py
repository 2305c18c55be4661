"""The ledger that the simulator drives step by step must agree at every step with deciding from scratch."""

from hypothesis import given, settings
from hypothesis import strategies as st

from snapkit.strategy import Ledger, Retention, Schedule, Strategy, Tier, Window
from tests.snapshots import START, Plain
from tests.strategy.test_retention import retentions

schedules = st.sampled_from(
    [
        Schedule("every 30min"),
        Schedule("every 1h"),
        Schedule("rate(5 hours)"),
        Schedule("every 1d at 02:30", timezone="Europe/Berlin"),
        Schedule("cron(0/20 1-4 ? * MON-FRI *)", timezone="America/New_York"),
        Schedule("every 2h", window=Window(["mon", "wed"], "22:00", "03:00")),
    ]
)


@st.composite
def strategies(draw: st.DrawFn) -> Strategy:
    tiers = [
        Tier(draw(schedules), draw(retentions()), f"tier {number}", draw(st.integers(0, 2)))
        for number in range(draw(st.integers(1, 3)))
    ]
    return Strategy("any", tiers)


@settings(max_examples=60)
@given(strategies(), st.lists(st.tuples(st.integers(0, 40), st.booleans()), min_size=20, max_size=60))
def test_the_ledger_agrees_with_decide_at_every_step(strategy: Strategy, chances: list[tuple[int, bool]]) -> None:
    """Whatever completes late, out of order or in error."""
    clock = START.timestamp()
    ledger = Ledger(strategy, clock)
    snapshots: dict[int, Plain] = {}
    pending: dict[int, tuple[float, bool]] = {}
    for number, (quarters, fails) in enumerate(chances):
        for ended in [key for key, (at, _) in pending.items() if at <= clock]:
            state = "error" if pending.pop(ended)[1] else "completed"
            snapshots[ended] = Plain(snapshots[ended].taken_at, state, snapshots[ended].tiers)
            if state == "error":
                ledger.fail(ended)
                continue
            for released in ledger.complete(ended):
                ledger.delete(released)
                del snapshots[released]
        moment = START.fromtimestamp(clock, START.tzinfo)
        decision = strategy.decide(snapshots.values(), moment)
        lanes = ledger.due(clock)
        assert (decision.take.tiers if decision.take else ()) == tuple(lane.tier.name for lane in lanes)
        assert all(verdict.snapshot.state == "error" for verdict in decision.delete)
        if lanes:
            snapshots[number] = Plain(moment, "pending", tuple(lane.tier.name for lane in lanes))
            ledger.start(number, clock, lanes)
            pending[number] = (clock + 900 * quarters, fails and quarters % 3 == 0)
        next_due = ledger.next_due(clock)
        assert decision.next_due is None or next_due == decision.next_due.timestamp()
        clock = min(next_due, clock + 86400)


def test_verdicts_of_a_ledger_name_the_tier_only_where_there_are_several() -> None:
    tier = Tier(Schedule("every 1h"), Retention(last=1), "hourly")
    ledger = Ledger(Strategy("one", [tier]), START.timestamp())
    for number in range(2):
        ledger.start(number, START.timestamp() + 3600 * number, list(ledger.lanes.values()))
        ledger.complete(number)
    assert ledger.verdict(0) == (False, ("not among the last 1",))
    assert ledger.verdicts()[1] == (True, ("last snapshot",))
