"""Fast snapshot restore, and the comparison of ways to restore."""

from typing import Any

import pytest

from snapkit.ebs import Snapshot
from snapkit.ebs.restoring import bucket
from snapkit.errors import InvalidRequest, LimitExceeded
from snapkit.rules import credit_rate
from snapkit.units import GIB, TIB
from tests.ebs.ground import ZONE, Field


def taken(field: Field, gib: int = 8, written: int = 2048, **options: Any) -> Snapshot:
    return field.new_volume(gib, written=written, **options).take_snapshot().wait()


def test_credits_of_128_gib_match_the_documented_example() -> None:
    assert credit_rate(128 * GIB) == 8
    assert bucket(128 * GIB) == 8
    assert 8 / 60 * credit_rate(128 * GIB) == pytest.approx(1.066, abs=1e-3)
    assert credit_rate(10 * GIB) == 10
    assert credit_rate(16 * TIB) == pytest.approx(1 / 16)
    assert bucket(16 * TIB) == 1


def test_fast_restore_goes_through_its_states_and_gathers_credits(field: Field) -> None:
    snapshot = taken(field, 128)
    begun = snapshot.enable_fast_restore([ZONE])
    assert (begun[0].zone, begun[0].state, begun[0].credits) == (ZONE, "enabling", 0.0)
    field.clock.advance("36s")
    assert snapshot.fast_restore_state()[0].state == "optimizing"
    field.clock.advance("450s")
    now = snapshot.fast_restore_state()[0]
    assert now.state == "enabled"
    field.clock.advance("8min")
    assert snapshot.fast_restore_state()[0].credits - now.credits == pytest.approx(1.066, abs=1e-2)
    field.clock.advance("2h")
    full = snapshot.fast_restore_state()[0]
    assert full.credits == 8
    told = "enabled, 8 of 8 credits at most, $540.00 a month"
    assert repr(full) == f"<FastRestore of {snapshot.id} in {ZONE}: {told}>"


def test_fast_restore_costs_540_dollars_a_month_and_zone(field: Field) -> None:
    frame = taken(field).enable_fast_restore([ZONE, "us-east-1b", ZONE]).to_frame()
    assert list(frame["zone"]) == [ZONE, "us-east-1b"]
    assert frame["monthly_usd"].sum() == pytest.approx(2 * 540)


def test_fast_restore_is_disabled_wherever_it_is_enabled(field: Field) -> None:
    snapshot = taken(field)
    snapshot.enable_fast_restore([ZONE, "us-east-1b"])
    ended = snapshot.disable_fast_restore()
    assert {each.state for each in ended} == {"disabling"}
    assert sum(each.monthly for each in ended) == 0
    with pytest.raises(InvalidRequest, match="has no fast restore in any zone; nothing has to be done"):
        snapshot.disable_fast_restore()


def test_disabling_in_a_zone_where_it_is_not_enabled_is_refused_before(field: Field) -> None:
    snapshot = taken(field)
    snapshot.enable_fast_restore([ZONE])
    told = f"zone 'us-east-1b' has no fast restore of {snapshot.id}; it is enabled in {ZONE}"
    with pytest.raises(InvalidRequest, match=told):
        snapshot.disable_fast_restore([ZONE, "us-east-1b"])
    assert snapshot.fast_restore_state()[0].state == "enabling"


@pytest.mark.parametrize("zones", [[], ["eu-west-1a"], [ZONE, "us-east-1"]])
def test_zones_that_are_not_there_are_refused_before(field: Field, zones: list[str]) -> None:
    snapshot = taken(field)
    with pytest.raises(InvalidRequest, match="us-east-1a"):
        snapshot.enable_fast_restore(zones)
    assert len(snapshot.fast_restore_state()) == 0


def test_snapshot_above_16_tib_is_refused_before(field: Field) -> None:
    snapshot = taken(field, 16 * 1024 + 1)
    with pytest.raises(InvalidRequest, match="initialization rate"):
        snapshot.enable_fast_restore([ZONE])
    assert "fast snapshot restore" not in [each.name for each in snapshot.restore_options()]


def test_archived_snapshot_is_refused_before(field: Field) -> None:
    snapshot = taken(field)
    snapshot.archive(confirm=snapshot.id)
    field.clock.advance("1d")
    with pytest.raises(InvalidRequest, match=r"is archived; restore it first with snapshot.restore_from_archive\(\)"):
        snapshot.enable_fast_restore([ZONE])


def test_failed_snapshot_is_refused_before(field: Field) -> None:
    field.faults("CreateSnapshot", failing=1)
    snapshot = field.new_volume().take_snapshot()
    field.clock.advance("12h")
    with pytest.raises(InvalidRequest, match="is in state error; choose a complete one"):
        snapshot.enable_fast_restore([ZONE])


def test_quota_of_fast_restores_is_an_error_that_names_the_snapshot(field: Field) -> None:
    for _ in range(5):
        taken(field).enable_fast_restore([ZONE])
    sixth = taken(field)
    with pytest.raises(LimitExceeded, match=sixth.id):
        sixth.enable_fast_restore([ZONE])


def test_10_gib_at_300_mib_take_34_seconds(field: Field) -> None:
    options = taken(field, 20, 10 * 2048).restore_options()
    rate = {each.name: each for each in options}["initialization rate 300 MiB/s"]
    assert rate.seconds_high == pytest.approx(34.1, abs=0.05)
    assert rate.price_usd == pytest.approx(0.036)


def test_options_tell_what_is_measured_and_what_assumed(field: Field) -> None:
    snapshot = taken(field)
    slowest, *_, fastest = snapshot.restore_options()
    assert (slowest.name, slowest.basis) == ("default", "measured by others on gp3")
    assert fastest.name == "fast snapshot restore"
    assert fastest.price_usd == pytest.approx(540)
    assert snapshot.restore_options(volume_type="st1")[0].basis == "assumed to be as on gp3"
    snapshot.raw = {key: value for key, value in snapshot.raw.items() if key != "FullSnapshotSizeInBytes"}
    assert [each.basis.endswith("; size of the data assumed") for each in snapshot.restore_options()] == [
        True, True, True, True, False,
    ]  # fmt: skip


def test_pain_19_slow_first_reads_the_ways_are_shown_with_time_and_price(field: Field) -> None:
    shown = taken(field, 200, 2048).restore_options()._repr_html_()
    for told in ("<th", ">full speed after<", ">10.2 s<", ">$0.0036<", "a month and zone", "5 volumes at once"):
        assert told in shown
    assert "enable it 11.7 min before" in shown
    assert "at least $0.75 for an hour" in shown


def test_options_take_the_size_of_the_data(field: Field) -> None:
    snapshot = taken(field)
    assert snapshot.restore_options("4 GiB")[1].seconds_low == pytest.approx(4 * 1024 / 100)
    with pytest.raises(InvalidRequest, match="data '9 GiB' is more than the 8 GiB of the volume of snap-"):
        snapshot.restore_options("9 GiB")
    with pytest.raises(InvalidRequest, match="volume type 'gp9' is no EBS volume type; choose one of gp2"):
        snapshot.restore_options(volume_type="gp9")
