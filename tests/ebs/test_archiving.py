"""The archive: what it saves, said beforehand; archiving and restoring."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from snapkit.ebs import Snapshot
from snapkit.ebs.archiving import ArchivePreview, least_left
from snapkit.errors import InvalidRequest
from snapkit.prices import Prices
from snapkit.units import DAY, GIB
from tests.ebs.ground import OTHER, Field


def taken(field: Field, written: int = 2048, **options: Any) -> Snapshot:
    return field.new_volume(written=written).take_snapshot(**options).wait()


def archived(field: Field) -> Snapshot:
    snapshot = taken(field)
    snapshot.archive(confirm=snapshot.id)
    field.clock.advance("1d")
    return snapshot.refresh()


def of_100_gib(own: int) -> ArchivePreview:
    return ArchivePreview("snap-1", 100 * GIB, own, own, "measured", Prices())


def test_100_gib_cost_a_dollar_and_a_quarter_a_month_and_three_to_restore() -> None:
    told = of_100_gib(100 * GIB)
    assert told.monthly == pytest.approx(1.25)
    assert told.restore == pytest.approx(3.0)
    assert told.least == pytest.approx(3.75)
    assert "$1.25 a month for its full 100 GiB" in str(told)
    assert "$3.00 for each restore" in str(told)
    assert repr(told) == f"<ArchivePreview: {told}>"
    assert told._repr_html_() == f"<p>{told}</p>"


def test_archive_deleted_on_day_40_is_billed_fifty_days_more() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    assert least_left(start, start + timedelta(days=40)) == 50 * DAY
    assert least_left(start, start + timedelta(days=100)) == 0


def test_break_even_lies_where_both_tiers_cost_the_same() -> None:
    told = of_100_gib(100 * GIB)
    # $5 a month against $3.75 for the 90 days: 22.5 days; with a restore $6.75: 40.5 days.
    assert told.break_even(100 * GIB) == pytest.approx(22.5 * DAY)
    assert told.break_even(100 * GIB, restores=1) == pytest.approx(40.5 * DAY)
    # Half of it own: $2.50 a month. The 90 days and a restore are $6.75, which 81 days save; with two restores it is
    # $6 against $1.25 a month saved: 144 days.
    assert told.break_even(50 * GIB, restores=1) == pytest.approx(81 * DAY)
    assert told.break_even(50 * GIB, restores=2) == pytest.approx(144 * DAY)
    assert told.break_even_size == pytest.approx(25 * GIB)


def test_archive_never_pays_off_below_a_quarter_of_own_blocks() -> None:
    assert math.isinf(of_100_gib(100 * GIB).break_even(25 * GIB, restores=1))
    assert math.isinf(of_100_gib(100 * GIB).break_even(0))
    assert "it never pays off" in str(of_100_gib(0))


def test_preview_of_one_of_several_shows_a_band_and_calls_it_assumed(field: Field) -> None:
    volume = field.new_volume(written=2048)
    volume.take_snapshot().wait()
    told = volume.take_snapshot().wait().archive_preview()
    assert (told.own_low, told.own_high) == (0, GIB)
    assert told.basis.startswith("assumed")
    assert "last complete" not in str(told)


def test_preview_uses_what_was_measured(field: Field) -> None:
    told = taken(field).archive_preview(own="512 MiB")
    assert told.own_low == told.own_high == GIB // 2
    assert told.basis == "measured"


def test_preview_refuses_more_own_blocks_than_there_are(field: Field) -> None:
    with pytest.raises(InvalidRequest, match="more than the 1 GiB"):
        taken(field).archive_preview(own="2 GiB")


def test_preview_warns_of_the_last_complete_snapshot_of_its_volume(field: Field) -> None:
    told = taken(field).archive_preview()
    assert "last complete snapshot" in str(told)
    assert "the next one will be full" in str(told)


def test_preview_warns_that_shares_end(field: Field) -> None:
    snapshot = taken(field)
    snapshot.share(OTHER)
    assert f"no longer be shared with {OTHER}" in str(snapshot.archive_preview())


def test_archiving_needs_the_id_typed_once_more(field: Field) -> None:
    snapshot = taken(field)
    with pytest.raises(InvalidRequest, match="90 days"):
        snapshot.archive(confirm="yes")
    assert snapshot.tier_status().operation == ""


def test_archived_snapshot_lies_in_the_archive(field: Field) -> None:
    snapshot = taken(field)
    assert snapshot.archive(confirm=snapshot.id) is snapshot
    assert snapshot.tier_status().moving
    field.clock.advance("1d")
    assert snapshot.refresh().tier == "archive"
    assert snapshot.tier_status().archived_at is not None


def test_archiving_twice_is_refused_before(field: Field) -> None:
    snapshot = taken(field)
    snapshot.archive(confirm=snapshot.id)
    with pytest.raises(InvalidRequest, match="is on its way"):
        snapshot.archive(confirm=snapshot.id)
    field.clock.advance("1d")
    with pytest.raises(InvalidRequest, match="archived already"):
        snapshot.archive(confirm=snapshot.id)


def test_archiving_a_pending_snapshot_is_refused_before(field: Field) -> None:
    snapshot = field.new_volume().take_snapshot()
    with pytest.raises(InvalidRequest, match=r"still pending; wait for it"):
        snapshot.archive(confirm=snapshot.id)
    assert "still pending" in snapshot.archive_preview().refusals[0]


def test_archiving_what_an_image_holds_is_refused_before_and_names_it(field: Field) -> None:
    snapshot = taken(field)
    image = field.ec2().register_image(
        Name="gold", RootDeviceName="/dev/sda1",
        BlockDeviceMappings=[{"DeviceName": "/dev/sda1", "Ebs": {"SnapshotId": snapshot.id}}],
    )["ImageId"]  # fmt: skip
    with pytest.raises(InvalidRequest, match=image):
        snapshot.archive(confirm=snapshot.id)


def test_restored_for_some_days_it_goes_back(field: Field) -> None:
    snapshot = archived(field)
    snapshot.restore_from_archive(days=7)
    on = "archive, temporary-restore-in-progress, 0 %"
    assert repr(snapshot.tier_status()) == f"<TierStatus of {snapshot.id}: {on}>"
    with pytest.raises(InvalidRequest, match="is on its way"):
        snapshot.restore_from_archive(days=7)
    field.clock.advance("3d")
    assert snapshot.refresh().tier == "standard"
    until = snapshot.tier_status().restored_until
    assert until is not None
    told = f"standard, restored until {until:%Y-%m-%d %H:%M} UTC"
    assert repr(snapshot.tier_status()) == f"<TierStatus of {snapshot.id}: {told}>"
    with pytest.raises(InvalidRequest, match="only temporarily restored"):
        snapshot.archive(confirm=snapshot.id)
    field.clock.advance("8d")
    assert snapshot.refresh().tier == "archive"


def test_restored_for_ever_it_stays(field: Field) -> None:
    snapshot = archived(field)
    snapshot.restore_from_archive(permanent=True)
    field.clock.advance("300d")
    assert snapshot.refresh().tier == "standard"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "both missing"),
        ({"days": 7, "permanent": True}, "both given"),
        ({"days": 0}, "from 1 to 180"),
        ({"days": 181}, "from 1 to 180"),
        ({"days": 1.5}, "from 1 to 180"),
    ],
)
def test_restore_that_cannot_be_is_refused_before(field: Field, given: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidRequest, match=told):
        taken(field).restore_from_archive(**given)


def test_restore_of_what_is_not_archived_is_refused_before(field: Field) -> None:
    with pytest.raises(InvalidRequest, match="is not archived"):
        taken(field).restore_from_archive(days=1)
