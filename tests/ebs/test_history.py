"""How much a volume changed from each snapshot to the next, and the workload that follows."""

from functools import cache

import pandas as pd
import pytest

from snapkit import InvalidRequest, Sandbox
from snapkit.blocks import Workload
from snapkit.ebs import Volume
from tests.ebs.direct import BLOCK, taken
from tests.ebs.ground import Field


@cache
def demo() -> tuple[Sandbox, Volume]:
    sandbox = Sandbox.demo()
    (volume,) = sandbox.region().volumes.find(name="db-1 data")
    return sandbox, volume


@cache
def demo_history() -> pd.DataFrame:
    return demo()[1].change_history()


def test_a_history_has_a_row_for_each_two_consecutive_snapshots(field: Field) -> None:
    volume = field.new_volume(written=10)
    first = taken(volume)
    field.sandbox.write(volume.id, 0, 3)
    field.clock.advance("1h")
    second = taken(volume)
    field.sandbox.write(volume.id, 2, 5)
    field.clock.advance("4h")
    third = taken(volume)
    frame = volume.change_history()
    assert frame.columns.tolist() == ["from", "to", "interval_s", "changed_blocks", "changed_bytes", "source"]
    assert frame["from"].tolist() == [first.id, second.id]
    assert frame["to"].tolist() == [second.id, third.id]
    assert frame["changed_blocks"].tolist() == [3, 5]
    assert frame["changed_bytes"].tolist() == [3 * BLOCK, 5 * BLOCK]
    assert frame["interval_s"].tolist() == [
        (after.taken_at - before.taken_at).total_seconds() for before, after in ((first, second), (second, third))
    ]
    assert set(frame["source"]) == {"measured"}
    assert volume.change_history_preview().requests == 2
    assert volume.change_history([third, first])["changed_blocks"].tolist() == [7]


def test_a_history_of_one_snapshot_or_of_another_volume_is_refused(field: Field) -> None:
    volume = field.new_volume(written=1)
    snapshot = taken(volume)
    with pytest.raises(InvalidRequest, match=f"are not two or more complete snapshots of {volume.id}"):
        volume.change_history()
    other = taken(field.new_volume(written=1))
    with pytest.raises(InvalidRequest, match=f"give those of {volume.id}"):
        volume.change_history([snapshot, other])


@pytest.mark.parametrize("interval", ["1h", "1d"])
def test_a_workload_fitted_to_the_demos_history_is_the_one_that_wrote_it(interval: str) -> None:
    fitted = Workload.from_changes(demo_history())
    wrote = Workload.profile("workstation", "40 GiB")
    assert fitted.footprint(interval) == pytest.approx(wrote.footprint(interval), rel=0.25)
    assert fitted.size == wrote.size
    assert fitted.provenance(0, interval) == "measured"


def test_a_sampled_history_says_so() -> None:
    _, volume = demo()
    chosen = list(volume.region.snapshots.find(volume=volume.id, state="completed", group="db"))[-3:]
    frame = volume.change_history(chosen, sample=0.1)
    assert set(frame["source"]) == {"modelled"}
