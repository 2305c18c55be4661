"""Snapshots without a volume are found, with the evidence, and left alone."""

from snapkit import Sandbox
from tests.ebs.ground import ESCAPED, HOSTILE, Field
from tests.ebs.test_blockers import image_of


def test_pain_13_orphans_are_listed_with_evidence_and_none_is_deleted(field: Field) -> None:
    region, kept, gone = field.region(), field.new_volume(), field.new_volume()
    field.sandbox.fill(kept.id, 1)
    field.sandbox.fill(gone.id, 2, tags={"Name": HOSTILE})
    gone.delete()
    orphans = region.orphans()
    assert {each.snapshot.volume_id for each in orphans} == {gone.id}
    newest, older = orphans
    assert newest.evidence == (
        f"no volume {gone.id} in this region", "the newest complete one of it: its data is nowhere later",
        "one of 2 of it",
    )  # fmt: skip
    assert not older.newest
    assert len(region.snapshots.find()) == 3
    assert HOSTILE not in orphans._repr_html_()
    assert ESCAPED in orphans._repr_html_()


def test_a_copy_is_no_orphan_as_its_volume_id_says_nothing(field: Field) -> None:
    volume = field.new_volume()
    (source,) = field.sandbox.fill(volume.id, 1)
    field.ec2().copy_snapshot(SourceRegion="us-east-1", SourceSnapshotId=source)
    field.clock.advance("12h")
    assert len(field.region().snapshots.find()) == 2
    assert len(field.region().orphans()) == 0


def test_an_orphan_that_an_image_stands_on_is_in_use(field: Field) -> None:
    volume = field.new_volume()
    (snapshot,) = field.sandbox.fill(volume.id, 1)
    image = image_of(field, snapshot)
    volume.delete()
    (orphan,) = field.region().orphans()
    assert orphan.images == (image,)
    assert f"held by {image}: in use" in orphan.evidence


def test_a_volume_in_the_recycle_bin_can_still_come_back(field: Field) -> None:
    field.client("rbin").create_rule(
        ResourceType="EBS_VOLUME", RetentionPeriod={"RetentionPeriodValue": 7, "RetentionPeriodUnit": "DAYS"}
    )
    field.clock.advance("1h")
    volume = field.new_volume()
    field.sandbox.fill(volume.id, 1)
    volume.delete()
    (orphan,) = field.region().orphans()
    assert orphan.evidence[0] == f"{volume.id} is in the recycle bin until 2026-01-12 01:00 UTC"


def test_the_most_that_an_orphan_costs_is_that_of_its_full_size() -> None:
    frame = Sandbox.demo().region().orphans().to_frame()
    assert len(frame) == 6
    assert list(frame["most_usd_per_month"]) == [1.0] * 6
    assert str(frame["full_size_bytes"].dtype) == "Int64"


def test_an_estate_without_orphans_lists_none(field: Field) -> None:
    field.sandbox.fill(field.new_volume().id, 1)
    assert repr(field.region().orphans()) == "<0 orphans>"
