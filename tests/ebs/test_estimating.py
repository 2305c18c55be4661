"""How long a snapshot will take is told from what the region has seen, and how sure that is."""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from snapkit import InvalidRequest, Sandbox
from snapkit.blocks import Workload
from snapkit.ebs import Region, Snapshot
from snapkit.ebs.estimating import FRESH, Estimate, Past, as_profile, as_workload, of_size, predict
from snapkit.timing import Timing
from snapkit.units import GIB, HOUR
from tests.ebs.ground import Field
from tests.ebs.test_blockers import calls_of

START = datetime(2026, 1, 5, tzinfo=UTC)
AWAY = "eu-west-1"


def past(hours: float, seconds: float | None, line: str = "vol-1", size: int = 100 * GIB, **more: Any) -> Past:
    return Past(line, START + timedelta(hours=hours), seconds, size, more.get("full", size))


def sure(guess: Estimate | None) -> Estimate:
    assert guess is not None
    return guess


def predicted(this: Past, history: Sequence[Past], **more: Any) -> Estimate | None:
    own = [each for each in history if each.line == this.line]
    return predict(this, own, lambda: history, "snapshots", more.get("grows", as_profile))


def earlier(history: Sequence[Past], moment: datetime) -> list[Past]:
    """Put a history back to what was known of it at a moment."""
    known = []
    for each in history:
        done = each.seconds is not None and each.began + timedelta(seconds=each.seconds) <= moment
        if each.began < moment:
            known.append(each if done else replace(each, seconds=None, full=None))
    return known


@pytest.mark.parametrize(
    ("seed", "share", "error"), [(0, 0.754, 0.15), (1, 0.772, 0.15), (2, 0.825, 0.16), (3, 0.842, 0.17)]
)
def test_the_band_holds_eight_in_ten_of_the_demo_as_it_says(seed: int, share: float, error: float) -> None:
    demo, held, off = Sandbox.demo(seed), [], []
    for account in demo.accounts:
        for name in ("us-east-1", AWAY):
            region = demo.region(name, account)
            taken = [each for each in region.snapshots.find() if "TransferType" not in each.raw]
            history = region.snapshots.durations.of_region(taken[0]) if taken else ()
            for each in (each for each in history if each.seconds is not None):
                guess = predicted(replace(each, seconds=None, full=None), earlier(history, each.began))
                if guess and each.seconds:
                    held.append(guess.low <= each.seconds <= guess.high)
                    off.append(abs(math.log(guess.likely / each.seconds)))
    assert len(held) == 171
    assert np.mean(held) == pytest.approx(share, abs=0.001)
    assert math.exp(np.median(off)) - 1 == pytest.approx(error, abs=0.006)


def test_the_rest_is_as_sure_at_any_moment_of_the_wait() -> None:
    took = 600 * np.exp(np.random.default_rng(1).normal(0, 0.4, 20_000))
    guess = Estimate(600 * math.exp(-1.2816 * 0.4), 600, 600 * math.exp(1.2816 * 0.4), "")
    for elapsed in (0.0, 1.0, 300.0, 600.0, 1200.0):
        low, high = guess.rest(elapsed)
        left = took[took > elapsed] - elapsed
        assert np.mean((low <= left) & (left <= high)) == pytest.approx(0.8, abs=0.03)


def test_what_lasts_far_too_long_has_a_rest_all_the_same() -> None:
    low, high = Estimate(500, 600, 720, "").rest(1e6)
    assert 0 <= low <= high < math.inf


def test_a_band_without_width_counts_down_to_nothing() -> None:
    guess = Estimate(600, 600, 600, "by nothing")
    assert (guess.rest(100), guess.rest(700)) == ((500, 500), (0, 0))
    assert str(guess) == "10 min, modelled by nothing"


def test_a_long_pause_means_a_long_snapshot() -> None:
    # Hourly and daily ones, whose durations follow from what they copy.
    timing = Timing(spread=0.0)
    moments = sorted({*range(0, 24 * 9, 24), *range(24 * 8, 24 * 9)})
    gaps = np.diff(moments, prepend=moments[0])
    sizes = [as_profile(gap * HOUR, 100 * GIB) if gap else 100 * GIB for gap in gaps]
    history = [past(hour, timing.seconds(size)) for hour, size in zip(moments, sizes, strict=True)]
    soon, late = (sure(predicted(past(moments[-1] + hours, None), history)) for hours in (1, 24))
    assert soon.likely == pytest.approx(timing.seconds(as_profile(HOUR, 100 * GIB)), rel=0.01)
    assert late.likely == pytest.approx(timing.seconds(as_profile(24 * HOUR, 100 * GIB)), rel=0.01)
    assert late.likely > 2 * soon.likely
    assert soon.basis == "on 23 earlier snapshots of vol-1"
    assert late.basis == "on 8 earlier snapshots of vol-1"


def test_those_that_waited_for_a_slow_first_one_tell_nothing_of_what_they_copied() -> None:
    first = past(0, 5 * HOUR)
    waited = [past(hour, (5 - hour) * HOUR) for hour in (1, 2, 3, 4)]
    quick = [past(hour, 600.0) for hour in range(6, 12)]
    guess = sure(predicted(past(12, None), [first, *waited, *quick]))
    assert guess.likely == pytest.approx(600, rel=0.01)
    assert guess.high == pytest.approx(600, rel=0.01)
    assert guess.basis == "on 6 earlier snapshots of vol-1"


def test_few_snapshots_make_a_wide_band() -> None:
    noise = np.exp(np.random.default_rng(3).normal(0, 0.2, 30))
    history = [past(hour, 300 * factor) for hour, factor in enumerate(noise)]
    few, many = (sure(predicted(past(count, None), history[:count])) for count in (5, 30))
    assert many.high / many.low == pytest.approx(math.exp(2 * 1.31 * 0.2), rel=0.25)
    assert few.high / few.low > many.high / many.low


def test_the_first_one_of_a_volume_is_estimated_from_the_region_by_its_size() -> None:
    timing = Timing(spread=0.0)
    history = [
        past(number, timing.seconds(gib * GIB / 2), f"vol-{number}", gib * GIB, full=gib * GIB // 2)
        for number, gib in enumerate((10, 50, 200, 400))
    ]
    guess = sure(predicted(past(10, None, "vol-9", 100 * GIB, full=None), history))
    assert guess.likely == pytest.approx(timing.seconds(50 * GIB), rel=0.01)
    assert (guess.source, guess.basis) == ("modelled", "on 4 earlier snapshots of this region")


def test_how_full_volumes_are_makes_the_first_one_less_sure() -> None:
    def history(*shares: float) -> list[Past]:
        return [
            past(number, 180 + share * 200 * GIB / 43.6e6, f"vol-{number}", 200 * GIB, full=int(share * 200 * GIB))
            for number, share in enumerate(shares)
        ]

    alike, unlike = (
        sure(predicted(past(10, None, "vol-9", 100 * GIB, full=None), history(*shares)))
        for shares in ((0.49, 0.5, 0.51, 0.5), (0.1, 0.5, 0.9, 0.5))
    )
    assert unlike.high / unlike.low > 2 * alike.high / alike.low


def test_nothing_is_estimated_below_what_is_known() -> None:
    # Weekly ones only: by themselves they say nothing of one that follows after a minute.
    history = [past(24 * 7 * week, 1000.0 + week) for week in range(9)]
    guess = sure(predicted(past(24 * 7 * 8 + 1 / 60, None), history))
    assert guess.likely == pytest.approx(1000, rel=0.05)


@pytest.mark.parametrize(
    "history", [[], [past(0, 60.0), past(1, 60.0), past(2, 60.0)], [past(hour, None) for hour in range(9)]]
)
def test_too_few_leave_no_estimate(history: list[Past]) -> None:
    assert predicted(past(20, None), history) is None


def test_the_workload_of_the_volume_takes_the_place_of_the_profile() -> None:
    workload = Workload.from_table({"1h": 1000, "24h": 24_000}, "24h", "100 GiB")
    timing = Timing(spread=0.0)
    grows = as_workload(workload)
    history = [past(0, 9000.0), *(past(hour, timing.seconds(grows(HOUR, 100 * GIB))) for hour in range(1, 9))]
    guess = sure(predicted(past(9, None), history, grows=grows))
    assert guess.likely == pytest.approx(timing.seconds(1000 * 512 * 1024), rel=0.01)
    assert grows(1e9, GIB) == GIB


def test_what_changed_can_be_given_and_is_timed_as_the_first_ones_were() -> None:
    timing = Timing(latency=60, rate=100e6, spread=0.0)
    history = [
        past(number, timing.seconds(gib * GIB), f"vol-{number}", gib * GIB) for number, gib in enumerate((1, 9, 30, 90))
    ]
    guess = of_size(20 * GIB, history)
    assert guess.likely == pytest.approx(timing.seconds(20 * GIB), rel=0.01)
    assert (guess.source, guess.basis) == ("modelled", "on 4 earlier first snapshots of volumes in this region")


def test_what_changed_without_a_history_is_timed_by_the_defaults_and_called_assumed() -> None:
    guess = of_size(20 * GIB, [])
    assert guess.likely == Timing().seconds(20 * GIB)
    assert (guess.source, guess.basis) == ("assumed", "by the defaults of snapkit, measured by others")
    assert "assumed by the defaults" in str(guess)


# -- on a region


def filled(field: Field, count: int = 6, **options: Any) -> Any:
    volume = field.new_volume(**options)
    field.sandbox.fill(volume.id, count)
    return volume


def test_pain_2_progress_jumps_the_estimate_comes_from_this_volume_first(field: Field) -> None:
    volume = filled(field)
    guess = sure(volume.take_snapshot().estimate())
    assert guess.basis == f"on 5 earlier snapshots of {volume.id}"
    assert guess.low <= guess.likely <= guess.high


def test_another_volume_is_estimated_from_the_region(field: Field) -> None:
    filled(field)
    guess = sure(field.new_volume().take_snapshot().estimate())
    assert guess.basis == "on 6 earlier snapshots of this region"


def test_a_size_that_cannot_be_is_refused(field: Field) -> None:
    snapshot = field.new_volume().take_snapshot()
    with pytest.raises(InvalidRequest, match="changed 'much' is not a size"):
        snapshot.estimate("much")
    assert sure(snapshot.estimate("20 GiB")).source == "assumed"


def copied(field: Field, source: Snapshot, **options: Any) -> Snapshot:
    return source.copy_to(field.region(AWAY), **options)


def test_copies_are_compared_with_copies_of_the_same_volume(field: Field) -> None:
    filled(field, region=field.region())
    volume = field.new_volume(written=2000)
    copy = copied(field, volume.take_snapshot().wait())
    assert copy.estimate() is None
    for _ in range(5):
        copy.wait()
        field.clock.advance("1h")
        field.sandbox.write(volume.id, 0, 500)
        copy = copied(field, volume.take_snapshot().wait())
    guess = sure(copy.estimate())
    assert guess.basis == f"on 4 earlier copies of {volume.id}"


def test_a_copy_that_has_to_be_complete_by_a_time_is_estimated_by_that(field: Field) -> None:
    copy = copied(field, field.new_volume(written=2000).take_snapshot().wait(), duration="30min")
    guess = sure(copy.estimate())
    assert guess == Estimate(0.0, 1800.0, 1800.0, "by the completion duration asked for", "assumed")
    assert guess.rest(600) == (0.0, 1200.0)


def test_what_the_direct_apis_write_takes_as_long_as_its_writer(field: Field) -> None:
    filled(field)
    started = field.client("ebs").start_snapshot(VolumeSize=1)["SnapshotId"]
    region = field.region()
    assert region.snapshots.get(started).estimate() is None
    assert len(region.snapshots.durations.of_region(region.snapshots.find()[-1])) == 6


def test_what_ended_in_error_says_nothing(field: Field) -> None:
    volume = filled(field)
    field.faults("CreateSnapshot", failing=1)
    volume.take_snapshot()
    field.clock.advance("1h")
    guess = sure(volume.take_snapshot().estimate())
    assert guess.basis == f"on 5 earlier snapshots of {volume.id}"


# -- what it asks of AWS


def test_only_the_volume_is_listed_where_that_is_enough(field: Field) -> None:
    volume = filled(field)
    snapshot = volume.take_snapshot()
    with calls_of(snapshot.region) as calls:
        for _ in range(3):
            assert snapshot.estimate() is not None
    assert [(name, params.get("Filters")) for name, params in calls] == [
        ("DescribeSnapshots", [{"Name": "volume-id", "Values": [volume.id]}])
    ]


def test_the_region_is_listed_once_for_one_snapshot(field: Field) -> None:
    snapshot = field.new_volume().take_snapshot()
    with calls_of(snapshot.region) as calls:
        for _ in range(3):
            assert snapshot.estimate() is None
    assert len(calls) == 2


def test_a_later_snapshot_sees_what_came_before_it(field: Field) -> None:
    region = field.region()
    volume = field.new_volume(region=region)
    for count in range(5):
        snapshot = volume.take_snapshot()
        assert (snapshot.estimate() is None) == (count < 4)
        snapshot.wait()
        field.clock.advance("1h")
    guess = sure(volume.take_snapshot().estimate())
    assert guess.basis == f"on 4 earlier snapshots of {volume.id}"


def of_pages(pages: int, each: int = 1000) -> tuple[Region, list[str]]:
    """Make a region of canned pages with so many snapshots each, and note the calls that it is asked."""
    sandbox = Sandbox()
    region, asked = sandbox.region(), list[str]()

    def answer(operation: str, about: str = "", **params: Any) -> dict[str, Any]:
        asked.append(operation)
        page = int(params.get("NextToken", 0))
        if params.get("Filters"):
            return {"Snapshots": []}
        raws = [raw(page * 1000 + number) for number in range(each)]
        return {"Snapshots": raws, "NextToken": str(page + 1) if page + 1 < pages else None}

    region.aws.call = answer  # type: ignore[method-assign]
    return region, asked


def raw(number: int, **more: Any) -> dict[str, Any]:
    begun = START - timedelta(minutes=number)
    return {
        "SnapshotId": f"snap-{number:017x}", "VolumeId": f"vol-{number % 500:017x}", "VolumeSize": 10,
        "State": "completed", "StartTime": begun, "CompletionTime": begun + timedelta(seconds=200), "OwnerId": "self",
    } | more  # fmt: skip


def test_of_a_large_region_five_thousand_are_listed_and_kept_for_an_hour() -> None:
    region, asked = of_pages(9)
    for minutes in (0, 59):
        pending = Snapshot(region, raw(-minutes - 1, VolumeId="vol-00000000", State="pending"))
        guess = sure(pending.estimate())
        assert guess.basis == "on 5000 earlier snapshots of this region"
        assert guess.likely == pytest.approx(200, rel=0.01)
        assert len(asked) == 1 + 5 + minutes // 59
    late = Snapshot(region, raw(-int(FRESH.total_seconds() / 60) - 2, VolumeId="vol-00000000", State="pending"))
    late.estimate()
    assert len(asked) == 7 + 1 + 5


def test_volumes_that_were_asked_for_long_ago_are_forgotten() -> None:
    region, asked = of_pages(1, 2)
    for number in range(1200):
        Snapshot(region, raw(1, VolumeId=f"vol-{number:08x}", State="pending")).estimate()
    assert len(region.snapshots.durations._lines) == 1000
    assert len(asked) == 1200 + 1
    Snapshot(region, raw(1, VolumeId=f"vol-{0:08x}", State="pending")).estimate()
    assert len(asked) == 1200 + 2
