"""Laws that hold for any strategy and workload, and examples of AWS, through the whole model."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from simulation import Fleet, Outcome, Scenario, Workload, simulate
from snapkit.strategy import Retention, Schedule, Strategy, Tier
from snapkit.timing import Timing
from tests.simulation.linear import BLOCK, linear

GIB = 2**30
QUICK = Timing(latency=1, rate=1e9, spread=0)


def run(workload: Workload, minutes: int, horizon: str = "12h", timing: Timing = QUICK, **kept: Any) -> Outcome:
    tier = Tier(Schedule(f"every {minutes}min"), Retention(**(kept or {"last": "all"})))
    return simulate(Scenario(Strategy("law", [tier]), workload, horizon, timing=timing))


def footprint(parts: list[float]) -> Workload:
    """Counts of blocks that grow with the time, but no faster than it."""
    minute = 60 * parts[0]
    hour = minute * (1 + 59 * parts[1])
    return Workload.from_table({"1min": minute, "1h": hour, "1d": hour * (1 + 23 * parts[2])}, None, "100 GiB")


footprints = st.lists(st.floats(0, 1), min_size=3, max_size=3).map(footprint)


@settings(max_examples=40, deadline=None)
@given(footprints, st.sampled_from([20, 60, 120]))
def test_half_the_interval_makes_no_snapshot_larger_and_copies_no_less(workload: Workload, minutes: int) -> None:
    often, seldom = (run(workload, each).snapshots["changed_bytes"][1:] for each in (minutes, 2 * minutes))
    assert often.max() <= seldom.max() * (1 + 1e-9)
    assert often.sum() >= seldom.sum() * (1 - 1e-9)


@settings(max_examples=40, deadline=None)
@given(footprints, st.integers(1, 20), st.integers(1, 20))
def test_a_longer_retention_never_stores_less(workload: Workload, last: int, more: int) -> None:
    short, long = (run(workload, 60, "2d", last=each).stored for each in (last, last + more))
    assert (long.reindex(short.index, method="ffill") >= short - 1e-3).all()


@settings(max_examples=40, deadline=None)
@given(footprints, st.floats(1, 9), st.floats(1, 9))
def test_a_faster_upload_completes_nothing_later(workload: Workload, rate: float, faster: float) -> None:
    slow, fast = (
        run(workload, 60, timing=Timing(latency=1, rate=each * 1e7, spread=0)) for each in (rate, rate * faster)
    )
    pairs = zip(slow.log.completed, fast.log.completed, strict=True)
    assert all(quick <= late + 1e-6 for late, quick in pairs)


def test_where_nothing_is_written_nothing_is_copied() -> None:
    workload = Workload.from_table({"1h": 0, "1d": 0}, None, "10 GiB")
    outcome = run(workload, 60, last=3)
    assert set(outcome.snapshots["changed_bytes"][1:]) == {0}
    assert set(outcome.stored) == {10 * GIB}


def test_where_everything_is_written_every_snapshot_is_a_full_one() -> None:
    workload = Workload.from_table({"1min": 20_480, "1d": 20_480}, None, "10 GiB")
    assert set(run(workload, 60).snapshots["changed_bytes"]) == {10 * GIB}


def test_volumes_may_be_given_in_any_order() -> None:
    volumes = {
        name: Scenario(Strategy("s", [Tier(Schedule("every 1h"), Retention(last=3))]), linear("10 GiB", rate), "6h")
        for name, rate in (("a", 1), ("b", 5), ("c", 20))
    }
    there, back = (simulate(Fleet(dict(each)), 3) for each in (volumes.items(), reversed(volumes.items())))
    assert there.summary().sort_index().equals(back.summary().sort_index())


class Example(Workload):
    """The volume of AWS's example: 10 GiB of data; of these 4 GiB change; then 2 GiB are added."""

    def __init__(self) -> None:
        fixed = Workload.from_table({"1h": 0, "1d": 0}, None, "10 GiB")
        super().__init__(fixed._known, name="example", source="", span=86_400.0, size=10 * GIB, block_size=BLOCK)

    @property
    def stationary(self) -> bool:
        return False

    def changed_between(self, a: Any, b: Any) -> float:
        return float(4 * (a < 1800 <= b) + 2 * (a < 5400 <= b)) * GIB / BLOCK

    def allocated(self, t: Any) -> float:
        return float(10 + 2 * (t >= 5400)) * GIB / BLOCK


def test_the_example_of_aws_stores_sixteen_gibibytes() -> None:
    """Source: EBS user guide, "How Amazon EBS snapshots work": 10 GiB, then 4 GiB, then 2 GiB."""
    outcome = run(Example(), 60, "3h")
    assert outcome.snapshots["changed_bytes"].tolist() == [10 * GIB, 4 * GIB, 2 * GIB, 0]
    assert outcome.stored.iloc[-1] == 16 * GIB


def test_the_example_of_aws_for_deleting_keeps_what_later_ones_need() -> None:
    """Source: EBS user guide, "Delete an Amazon EBS snapshot": of 14 GiB, 10 GiB stay once the first is deleted."""
    outcome = run(Example(), 60, "1h 10min", last=1)
    assert outcome.stored.max() == 14 * GIB
    assert outcome.stored.iloc[-1] == 10 * GIB
