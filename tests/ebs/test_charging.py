"""Nothing new is charged to a billing code above its hard quota, and without a quota nothing is looked up."""

import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest

from snapkit.access import Access, BillingCode, Quota, QuotaWarning, Role, State
from snapkit.ebs import Region
from snapkit.errors import AwsError, InvalidRequest, Throttled
from snapkit.rules import BLOCK
from snapkit.units import GIB
from tests.ebs.ground import ZONE, Field
from tests.ebs.test_costs import denied

PER_GIB = GIB // BLOCK
LISTINGS = ["DescribeSnapshots", "DescribeVolumes", "DescribeFastSnapshotRestores"]
CREATING = ("Create", "Copy", "Enable", "Modify")


def access(*codes: BillingCode | str) -> Access:
    return Access("ada", {"db": "all"}, [Role("all", ["ANY: ANY: ANY"])], codes)


def code(soft: float | None = None, hard: float | None = None, name: str = "CC-42") -> BillingCode:
    return BillingCode(name, Quota(soft, hard))


def limited(field: Field, *codes: BillingCode | str, region: str = "us-east-1") -> tuple[Region, list[str]]:
    """Look at a region with an access; returns it with the names of the calls that are made from now on."""
    found, calls = field.region(region), list[str]()
    found.access = access(*codes)
    found.aws.client.meta.events.register("before-call.ec2", lambda model, **_: calls.append(model.name))
    return found, calls


def begun(calls: list[str]) -> list[str]:
    return [each for each in calls if each.startswith(CREATING)]


def test_a_volume_above_the_hard_quota_is_refused_before_the_call(field: Field) -> None:
    region, calls = limited(field, code(hard=1))
    made = region.volumes.create(ZONE, "10 GiB", billing_code="CC-42")
    with pytest.raises(InvalidRequest) as caught:
        region.volumes.create(ZONE, "3 GiB", billing_code="CC-42")
    assert (caught.value.field, caught.value.value) == ("billing code", "CC-42")
    assert caught.value.rule == "would run at $1.04 a month, above its hard quota of $1.00"
    assert caught.value.remedy == "charge another code, free something, or raise the quota"
    assert begun(calls) == ["CreateVolume"]
    made.delete()
    region.volumes.create(ZONE, "3 GiB", billing_code="CC-42")


@pytest.mark.parametrize(
    "make",
    [
        lambda region, volume, snapshot: volume.take_snapshot(),
        lambda region, volume, snapshot: region.servers.find()[0].take_snapshots(billing_code="CC-42"),
        lambda region, volume, snapshot: snapshot.create_volume(ZONE),
        lambda region, volume, snapshot: snapshot.copy_to(region),
        lambda region, volume, snapshot: snapshot.copy_to(region, duration="15min"),
        lambda region, volume, snapshot: snapshot.enable_fast_restore([ZONE]),
        lambda region, volume, snapshot: volume.resize("20 GiB"),
        lambda region, volume, snapshot: volume.take_snapshot(billing_code="", tags={"snapkit:billing-code": "CC-42"}),
    ],
)
def test_over_the_hard_quota_nothing_new_is_begun(field: Field, make: Callable[..., Any]) -> None:
    volume = field.new_volume(10, written=10, billing_code="CC-42")
    volume.take_snapshot().wait()
    field.new_server()
    region, calls = limited(field, code(hard=0.5))
    snapshot = region.snapshots.find(volume=volume.id)[0]
    with pytest.raises(InvalidRequest, match=r"billing code 'CC-42' would run at .* above its hard quota of \$0.50"):
        make(region, region.volumes.get(volume.id), snapshot)
    assert begun(calls) == []


def test_a_copy_is_charged_where_it_is_kept(field: Field) -> None:
    volume = field.new_volume(1, written=PER_GIB, billing_code="CC-42")
    snapshot = volume.take_snapshot().wait()
    abroad, calls = limited(field, code(hard=0.55), region="eu-west-1")
    abroad.volumes.create("eu-west-1a", "6 GiB", billing_code="CC-42")
    snapshot.copy_to(abroad)
    assert begun(calls) == ["CreateVolume", "CopySnapshot"]
    abroad.access = None
    abroad.volumes.create("eu-west-1a", "1 GiB", billing_code="CC-42")
    abroad.access = access(code(hard=0.55))
    field.clock.advance("2min")
    calls.clear()
    with pytest.raises(InvalidRequest, match="above its hard quota"):
        snapshot.copy_to(abroad)
    assert begun(calls) == []


def test_without_a_quota_nothing_is_looked_up(field: Field) -> None:
    region, calls = limited(field)
    for codes in ((), ("CC-42", code(hard=1, name="CC-1"))):
        region.access = access(*codes)
        calls.clear()
        volume = region.volumes.create(ZONE, "10 GiB", billing_code="CC-42")
        volume.take_snapshot()
        region.volumes.create(ZONE, "10 GiB")
        assert [each for each in calls if each != "DescribeAvailabilityZones"] == [
            "CreateVolume", "CreateSnapshot", "CreateVolume",
        ]  # fmt: skip


def test_with_a_quota_the_run_rate_is_looked_up_once_a_minute(field: Field) -> None:
    region, calls = limited(field, code(hard=100))
    volume = region.volumes.create(ZONE, "10 GiB", billing_code="CC-42")
    assert calls == ["DescribeAvailabilityZones", *LISTINGS, "CreateVolume"]
    volume.resize("11 GiB")
    assert not set(calls[5:]) & set(LISTINGS[::2])
    field.clock.advance("2min")
    calls.clear()
    volume.take_snapshot()
    assert calls == [*LISTINGS, "CreateSnapshot"]


def test_what_was_charged_since_the_look_up_counts(field: Field) -> None:
    region, _ = limited(field, code(hard=1))

    def create(_: int) -> str:
        try:
            return region.volumes.create(ZONE, "5 GiB", billing_code="CC-42").id
        except InvalidRequest:
            return ""

    with ThreadPoolExecutor(4) as pool:
        made = [each for each in pool.map(create, range(6)) if each]
    assert len(made) == 2
    assert len(field.region().volumes.find()) == 2


def test_what_could_not_be_made_is_not_charged(field: Field) -> None:
    region, _ = limited(field, code(hard=1))
    field.faults("CreateVolume", throttle=9)
    with pytest.raises(Throttled):
        region.volumes.create(ZONE, "12 GiB", billing_code="CC-42")
    field.sandbox.faults.clear()
    region.volumes.create(ZONE, "12 GiB", billing_code="CC-42")


def test_who_would_be_refused_for_what_another_is_making_waits_for_that(field: Field) -> None:
    region, calls = limited(field, code(hard=1))
    looked = threading.Event()

    def look(model: Any, **_: Any) -> None:
        # The second look is that of the thread, just before it waits.
        if model.name == "DescribeSnapshots" and calls.count("DescribeSnapshots") == 2:
            looked.set()

    region.aws.client.meta.events.register_last("before-call.ec2", look)
    with ThreadPoolExecutor(1) as pool:
        with suppress(ZeroDivisionError), region.charging.hold("CC-42", (0.6, 0.6)):
            waiting = pool.submit(region.volumes.create, ZONE, "8 GiB", billing_code="CC-42")
            assert looked.wait(30)
            assert not waiting.done()
            raise ZeroDivisionError
        assert waiting.result(30).size == 8 * GIB


def test_a_warning_made_an_error_leaves_nothing_charged(field: Field) -> None:
    region, calls = limited(field, code(soft=0.5, hard=1))
    for _ in range(2):
        with warnings.catch_warnings():
            warnings.simplefilter("error", QuotaWarning)
            with pytest.raises(QuotaWarning, match=r"would run at \$0.96 a month"):
                region.volumes.create(ZONE, "12 GiB", billing_code="CC-42")
    assert begun(calls) == []


def test_what_was_freed_since_the_look_up_counts_as_well(field: Field) -> None:
    region, calls = limited(field, code(hard=1))
    made = region.volumes.create(ZONE, "12 GiB", billing_code="CC-42")
    field.region().volumes.get(made.id).delete()
    region.volumes.create(ZONE, "12 GiB", billing_code="CC-42")
    assert [each for each in calls if each in ("CreateVolume", "DescribeSnapshots")] == [
        "DescribeSnapshots", "CreateVolume", "DescribeSnapshots", "CreateVolume",
    ]  # fmt: skip


def test_above_the_soft_quota_is_a_warning_that_names_no_file(field: Field) -> None:
    region, calls = limited(field, code(soft=0.5, hard=10))
    with pytest.warns(QuotaWarning) as caught:
        region.volumes.create(ZONE, "10 GiB", billing_code="CC-42")
    (warning,) = caught
    assert str(warning.message) == "CC-42 would run at $0.80 a month, above its soft quota of $0.50"
    assert (warning.filename, warning.lineno) == ("snapkit", 1)
    assert begun(calls) == ["CreateVolume"]


def test_snapshots_that_may_be_above_a_quota_are_taken_with_a_warning(field: Field) -> None:
    volume = field.new_volume(100, written=10, billing_code="CC-42")
    region, _ = limited(field, code(hard=10))
    # The volume costs 8, and its snapshot at most 5.
    with pytest.warns(QuotaWarning, match=r"\$8.00 to \$13.00 a month, which may be above its hard quota of \$10.00"):
        region.volumes.get(volume.id).take_snapshot()
    assert field.count() == 1


def test_what_is_only_assumed_does_not_refuse(field: Field) -> None:
    abroad = field.region("eu-west-1")
    for _ in range(2):
        taken = field.new_volume(10, written=10 * PER_GIB, billing_code="CC-42").take_snapshot().wait()
        taken.copy_to(abroad).wait()
    region, _ = limited(field, code(hard=0.6), region="eu-west-1")
    assert region.costs().low == pytest.approx(1.0)
    with pytest.warns(QuotaWarning, match=r"\$0.08 to \$1.08 a month, which may be above its hard quota of \$0.60"):
        region.volumes.create("eu-west-1a", "1 GiB", billing_code="CC-42")


def test_a_person_may_charge_only_to_the_codes_that_the_access_names(field: Field) -> None:
    theirs = field.new_volume(1, billing_code="CC-42")
    region, calls = limited(field, "CC-1", "CC-2")
    with pytest.raises(InvalidRequest) as caught:
        region.volumes.create(ZONE, "1 GiB", billing_code="CC-42")
    assert str(caught.value) == "billing code 'CC-42' is none that ada may charge to; charge one of CC-1, CC-2"
    with pytest.raises(InvalidRequest, match="'CC-42' is none that ada may charge to"):
        region.volumes.get(theirs.id).take_snapshot()
    region.volumes.get(theirs.id).take_snapshot(billing_code="CC-1")
    assert begun(calls) == ["CreateSnapshot"]


def test_fast_restore_that_is_on_already_is_charged_once(field: Field) -> None:
    snapshot = field.new_volume(1, written=10, billing_code="CC-42").take_snapshot().wait()
    region, _ = limited(field, code(hard=600))
    seen = region.snapshots.get(snapshot.id)
    seen.enable_fast_restore([ZONE])
    field.clock.advance("2min")
    assert len(seen.enable_fast_restore([ZONE])) == 1
    with pytest.raises(InvalidRequest, match=r"would run at \$1,080"):
        seen.enable_fast_restore([ZONE, "us-east-1b"])


def test_where_the_run_rate_cannot_be_read_that_is_said_and_nothing_refused(field: Field) -> None:
    region, _ = limited(field, code(hard=1))
    with denied(region, "DescribeSnapshots"), pytest.warns(QuotaWarning, match="CC-42 has a quota, which is not check"):
        region.volumes.create(ZONE, "10 GiB", billing_code="CC-42")
    with denied(region, "DescribeVolumes"), pytest.warns(QuotaWarning, match=r"\$0.80 a month; volumes could not be"):
        region.volumes.create(ZONE, "10 GiB", billing_code="CC-42")
    field.clock.advance("2min")
    field.faults("DescribeSnapshots", internal=9)
    with pytest.raises(AwsError, match="InternalError"):
        region.volumes.create(ZONE, "1 GiB", billing_code="CC-42")
    field.sandbox.faults.clear()
    assert len(region.volumes.find()) == 2


def test_a_server_whose_volumes_may_not_be_read_is_still_backed_up(field: Field) -> None:
    server = field.new_server()
    region, calls = limited(field, code(hard=1))
    seen = region.servers.get(server.id)
    with denied(region, "DescribeVolumes"), pytest.warns(QuotaWarning, match="DescribeVolumes of i-.* was refused"):
        seen.take_snapshots(billing_code="CC-42")
    assert begun(calls) == ["CreateSnapshots"]


def test_the_codes_are_listed_with_how_they_stand(field: Field) -> None:
    field.new_volume(100, written=10, billing_code="CC-1").take_snapshot()
    field.new_volume(10, billing_code="CC-2")
    region, _ = limited(field, code(10, 20, "CC-1"), code(hard=0.5, name="CC-2"), "CC-3")
    codes = region.charging.codes()
    assert [(each.code.code, each.state) for each in codes] == [
        ("CC-1", State.SOFT_ALARM), ("CC-2", State.HARD_ALARM), ("CC-3", State.NORMAL),
    ]  # fmt: skip
    frame = codes.to_frame().round(4)
    assert list(frame["usd_per_month_high"]) == [13.0, 0.8, 0.0]
    assert list(frame["hard_usd_per_month"].isna()) == [False, False, True]
    assert "hard alarm" in codes._repr_html_()
    assert len(field.region().charging.codes()) == 0
