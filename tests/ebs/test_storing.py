"""What snapshots store lies between the bounds, whatever was done, and the known answers of AWS come out."""

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from snapkit import Sandbox
from snapkit.ebs import Region, Snapshot
from snapkit.rules import BLOCK
from snapkit.units import GIB
from tests.ebs.ground import ZONE, Field

PER_GIB = GIB // BLOCK
VERBS = ("write", "take", "take", "restore", "restore", "forget", "delete", "copy", "untold", "abroad", "rekey",
         "archive", "clone", "draft")  # fmt: skip
STORY = st.lists(st.tuples(st.sampled_from(VERBS), st.integers(0, 11), st.integers(1, 12)), min_size=10, max_size=18)


class Tale:
    """Does things to volumes and snapshots of a sandbox, and knows what is really stored."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.region = sandbox.region()
        self.abroad = sandbox.region("eu-west-1")
        self.keys = {"rekey": sandbox.client("kms").create_key()["KeyMetadata"]["Arn"]}
        self.volumes = [self.region.volumes.create(ZONE, "1 GiB").id]

    def tell(self, verb: str, first: int, count: int) -> None:
        if verb in ("write", "take", "forget", "clone"):
            for volume_id in self.volumes[first % max(1, len(self.volumes)) :]:
                self.of_volume(verb, volume_id, first, count)
        else:
            ready = [each for each in self.region.snapshots.find(state="completed") if each.tier == "standard"]
            if ready:
                self.of_snapshot(verb, ready[first % len(ready)], count)
        self.sandbox.clock.advance("12h")

    def of_volume(self, verb: str, volume_id: str, first: int, count: int) -> None:
        if verb == "write":
            self.sandbox.write(volume_id, first, count)
        elif verb == "take":
            self.region.volumes.get(volume_id).take_snapshot()
        elif verb == "forget":
            self.volumes.remove(volume_id)
            self.region.volumes.get(volume_id).delete()
        elif len(self.volumes) < 4:
            copied = self.region.aws.call("CopyVolumes", SourceVolumeId=volume_id)["Volumes"][0]["VolumeId"]
            self.volumes.append(copied)

    def of_snapshot(self, verb: str, snapshot: Snapshot, count: int) -> None:
        if verb == "delete":
            snapshot.delete()
        elif verb == "restore":
            self.volumes.append(snapshot.create_volume(ZONE).id)
            self.sandbox.write(self.volumes[-1], count)
            self.region.volumes.get(self.volumes[-1]).take_snapshot()
        elif verb in ("copy", "rekey", "abroad"):
            snapshot.copy_to(self.abroad if verb == "abroad" else self.region, kms_key=self.keys.get(verb))
        elif verb == "untold":
            self.region.aws.call("CopySnapshot", SourceRegion="us-east-1", SourceSnapshotId=snapshot.id)
        elif verb == "archive":
            snapshot.archive(confirm=snapshot.id)
        elif not snapshot.encrypted:
            draft(self.region, snapshot, count)


def draft(region: Region, parent: Snapshot, count: int) -> None:
    """Write a snapshot block by block through the EBS direct APIs."""
    import base64
    import hashlib

    ebs = region.service("ebs")
    begun = ebs.call("StartSnapshot", VolumeSize=1, ParentSnapshotId=parent.id)["SnapshotId"]
    data = bytes(BLOCK)
    digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
    for block in range(count):
        ebs.call(
            "PutSnapshotBlock", SnapshotId=begun, BlockIndex=block, BlockData=data, DataLength=BLOCK, Checksum=digest,
            ChecksumAlgorithm="SHA256",
        )  # fmt: skip
    ebs.call("CompleteSnapshot", SnapshotId=begun, ChangedBlocksCount=count)


def really(region: Region, sandbox: Sandbox) -> int:
    """Count what the standard tier keeps [bytes]: each block once for each key, however many snapshots need it."""
    ec2 = sandbox._world.ec2(region.account, region.name)
    kept = set()
    for snapshot in ec2.snapshots.values():
        if snapshot.tiering.tier == "standard" and snapshot.image is not None:
            held: set[int] = set()
            for layer in snapshot.image.chain():
                fresh = set(layer.blocks.tolist()) - held
                held |= fresh
                kept |= {(snapshot.kms_key_id, id(layer), block) for block in fresh}
    return len(kept) * BLOCK


def bounds(region: Region) -> tuple[float, float, float]:
    """Add up the low sides that are not assumed, all low sides, and the high sides [bytes]."""
    found = [each.stored for each in region.costs().things if each.stored is not None]
    certain = sum(each.low for each in found if each.basis != "assumed")
    return certain, sum(each.low for each in found), sum(each.high for each in found)


@given(STORY)
@settings(max_examples=25, phases=[Phase.generate])  # to shrink a story takes minutes
def test_what_is_really_stored_lies_between_the_bounds(story: list[tuple[str, int, int]]) -> None:
    with Sandbox() as sandbox:
        tale = Tale(sandbox)
        for step in [("write", 0, 6), ("take", 0, 0), *story]:
            tale.tell(*step)
        for region in (tale.region, tale.abroad):
            certain, _, high = bounds(region)
            assert certain <= really(region, sandbox) <= high


def write_and_take(field: Field, *parts: tuple[int, int], gib: int = 15) -> list[Snapshot]:
    """Take a snapshot of one volume after each write, of so many GiB from a first one."""
    volume = field.new_volume(gib, written=1)
    taken = []
    for first, count in parts:
        field.sandbox.write(volume.id, first * PER_GIB, count * PER_GIB)
        taken.append(volume.take_snapshot().wait())
        field.clock.advance("1h")
    return taken


def band(region: Region, **wanted: str) -> tuple[float, float]:
    """Tell what snapshots store [GiB] at least and at most, by what they cost."""
    costs = region.costs().of(what="snapshots", **wanted)
    price = region.prices.snapshot_storage
    return costs.low / price, costs.high / price


def gib(region: Region, measured: Any) -> float:
    """Tell what snapshots store [GiB] where that is one figure."""
    costs = measured.of(what="snapshots")
    assert costs.low == pytest.approx(costs.high)
    return float(costs.low) / region.prices.snapshot_storage


def test_the_first_one_costs_all_its_blocks_and_the_next_ones_at_least_what_they_grew(field: Field) -> None:
    # EBS user guide, "How snapshots work": 10 GiB, then 4 changed, then 2 more are 10, 4 and 2; in all 16.
    write_and_take(field, (0, 10), (0, 4), (10, 2))
    region = field.region()
    assert band(region) == pytest.approx((10 + 0 + 2, 10 + 10 + 12))
    assert gib(region, region.costs().measured()) == pytest.approx(16)


def test_what_a_deleted_one_had_moves_to_the_next(field: Field) -> None:
    # EBS user guide, "Delete an Amazon EBS snapshot": 10 and 4 changed; without the first one still 10.
    first, _ = write_and_take(field, (0, 10), (0, 4))
    region = field.region()
    assert gib(region, region.costs().measured()) == pytest.approx(14)
    first.delete()
    assert band(region) == pytest.approx((10, 10))


def test_thirty_gib_of_changes_are_thirty_gib(field: Field) -> None:
    # EBS user guide, "How snapshots work": 50 of 200 GiB; then 20 changed and 10 more: 50 and 30.
    write_and_take(field, (0, 50), (30, 30), gib=200)
    region = field.region()
    assert band(region) == pytest.approx((60, 110))
    assert gib(region, region.costs().measured()) == pytest.approx(80)


def test_deleting_the_middle_one_saves_nothing_that_the_last_one_needs(field: Field) -> None:
    # 10 GiB, then 6 changed, then 2 more: 18; without the middle one still 18.
    _, middle, _ = write_and_take(field, (0, 10), (0, 6), (10, 2))
    region = field.region()
    assert gib(region, region.costs().measured()) == pytest.approx(18)
    middle.delete()
    assert gib(region, region.costs().measured()) == pytest.approx(18)


def test_an_archived_one_costs_all_its_blocks_in_the_archive(field: Field) -> None:
    # AWS re:Post, "EBS snapshot billing": 100 GB, then 5 more; archiving the second bills 105 there.
    _, second = write_and_take(field, (0, 100), (100, 5), gib=200)
    second.archive(confirm=second.id)
    field.clock.advance("10d")
    region = field.region()
    assert band(region) == pytest.approx((100, 100))
    (row,) = region.costs().of(what="archived snapshots")
    assert (row.low, row.high) == pytest.approx((105 * 0.0125, 105 * 0.0125))
    assert row.basis == "measured"


def test_a_temporarily_restored_one_costs_in_both_tiers(field: Field) -> None:
    (only,) = write_and_take(field, (0, 10))
    only.archive(confirm=only.id)
    field.clock.advance("10d")
    only.restore_from_archive(7)
    field.clock.advance("4d")
    frame = field.region().costs().by("what").to_frame().set_index("what")
    assert frame["usd_per_month_high"]["snapshots"] == pytest.approx(0.5)
    assert frame["usd_per_month_low"]["archived snapshots"] == pytest.approx(0.125)


def test_the_first_one_of_a_restored_volume_builds_on_its_snapshot(field: Field) -> None:
    (source,) = write_and_take(field, (0, 10))
    clone = source.create_volume(ZONE)
    field.sandbox.write(clone.id, 10 * PER_GIB, 2 * PER_GIB)
    clone.take_snapshot().wait()
    region = field.region()
    assert band(region, volume=clone.id) == pytest.approx((2, 12))
    assert gib(region, region.costs().measured()) == pytest.approx(12)


def test_the_first_one_of_a_volume_of_anothers_snapshot_is_full(field: Field) -> None:
    theirs = field.region(account=1)
    volume = field.new_volume(written=2 * PER_GIB, region=theirs)
    shared = volume.take_snapshot().wait()
    shared.share(field.accounts[0])
    region = field.region()
    clone = region.snapshots.get(shared.id).create_volume(ZONE)
    clone.take_snapshot().wait()
    assert band(region) == pytest.approx((2, 2))
    # What is shared with this account costs it nothing.
    assert {each.volume for each in region.costs().things} == {clone.id}


def test_where_the_volume_is_gone_the_first_one_may_share_with_others(field: Field) -> None:
    write_and_take(field, (0, 3))
    gone = field.region().volumes.find()[0]
    gone.delete()
    region = field.region()
    # There is nothing else that it could share with.
    assert band(region) == pytest.approx((3, 3))
    write_and_take(field, (0, 4))
    assert band(region, volume=gone.id) == pytest.approx((0, 3))
    assert (
        "1 snapshot, bounded: it is not known what its volume was made from, so it may share everything with others"
    ) in region.costs().notes


def test_another_data_key_shows_that_nothing_is_shared(field: Field) -> None:
    for _ in range(2):
        volume = field.new_volume(written=PER_GIB, encrypted=True)
        volume.take_snapshot().wait()
        volume.delete()
    assert band(field.region()) == pytest.approx((2, 2))


def test_a_copy_beside_its_source_costs_nothing_and_elsewhere_all_or_what_it_grew(field: Field) -> None:
    first, second = write_and_take(field, (0, 10), (9, 2))
    home, abroad = field.region(), field.region("eu-west-1")
    first.copy_to(home).wait()
    assert band(home) == pytest.approx((11, 21))
    for each in (first, second):
        each.copy_to(abroad).wait()
    assert band(abroad) == pytest.approx((11, 21))
    assert [row.basis for row in abroad.costs()] == ["bounded"]
    other = field.new_volume(written=PER_GIB).take_snapshot().wait()
    other.copy_to(abroad).wait()
    assert sorted((row.basis, row.count) for row in abroad.costs()) == [("assumed", 2), ("bounded", 1)]


def test_a_copy_that_was_made_late_adds_nothing_that_an_earlier_copy_has(field: Field) -> None:
    first, second, third = write_and_take(field, (0, 4), (0, 6), (6, 2))
    abroad = field.region("eu-west-1")
    for each in (third, first, second):
        each.copy_to(abroad).wait()
        field.clock.advance("1h")
    # 8, then all of the first one that the third lacks, then at most all of the second: it is no larger than the third.
    assert band(abroad) == pytest.approx((8, 8 + 4 + 6))


def test_a_copy_of_a_clone_may_share_with_the_origin_of_that(field: Field) -> None:
    (origin,) = write_and_take(field, (0, 10))
    clone = origin.create_volume(ZONE)
    taken = clone.take_snapshot().wait()
    copied = taken.copy_to(field.region()).wait()
    taken.delete()
    costs = field.region().costs().by("id").to_frame().set_index("id")
    assert costs["usd_per_month_low"][copied.id] == 0
    assert costs["usd_per_month_high"][copied.id] == pytest.approx(10 * 0.05)


def test_a_copy_of_a_copy_that_names_no_volume_names_none_either(field: Field) -> None:
    (source,) = write_and_take(field, (0, 10))
    untold = field.ec2().copy_snapshot(SourceRegion="us-east-1", SourceSnapshotId=source.id)["SnapshotId"]
    field.clock.advance("12h")
    copied = field.region().snapshots.get(untold).copy_to(field.region()).wait()
    field.region().snapshots.get(untold).delete()
    frame = field.region().costs().by("id").to_frame().set_index("id")
    assert frame["usd_per_month_low"][copied.id] == 0


def test_a_restored_volume_under_another_key_begins_anew(field: Field) -> None:
    (source,) = write_and_take(field, (0, 10))
    key = field.client("kms").create_key()["KeyMetadata"]["Arn"]
    clone = source.create_volume(ZONE, encrypted=True, kms_key_id=key)
    clone.take_snapshot().wait()
    assert band(field.region(), volume=clone.id) == pytest.approx((10, 10))


def test_copies_that_do_not_say_of_what_may_share_everything(field: Field) -> None:
    (source,) = write_and_take(field, (0, 10))
    abroad = field.ec2(region="eu-west-1")

    def copy() -> None:
        abroad.copy_snapshot(SourceRegion="us-east-1", SourceSnapshotId=source.id)
        field.clock.advance("12h")

    copy()
    assert band(field.region("eu-west-1")) == pytest.approx((10, 10))
    copy()
    assert band(field.region("eu-west-1")) == pytest.approx((0, 20))


def test_one_in_progress_is_bounded_by_its_volume_and_assumed(field: Field) -> None:
    field.new_volume(8, written=10).take_snapshot()
    (row,) = field.region().costs().of(what="snapshots")
    assert (row.low, row.high) == pytest.approx((0, 8 * 0.05))
    assert row.basis == "assumed"


def test_copies_that_failed_are_assumed_and_no_other_builds_on_them(field: Field) -> None:
    first, second = write_and_take(field, (0, 4), (4, 1))
    abroad = field.region("eu-west-1")
    field.faults("CopySnapshot", failing=2)
    first.copy_to(abroad)
    field.ec2(region="eu-west-1").copy_snapshot(SourceRegion="us-east-1", SourceSnapshotId=first.id)
    field.clock.advance("12h")
    second.copy_to(abroad).wait()
    assert [(row.basis, row.count) for row in abroad.costs()] == [("assumed", 2), ("measured", 1)]
    # Of those that failed AWS tells no size, so that the 15 GiB of the volume stand for it.
    assert band(abroad) == pytest.approx((5, 5 + 15 + 15))


@pytest.mark.parametrize(("tier", "what", "price"), [("standard", "snapshots", 0.05), ("archive", "archived", 0.0125)])
def test_where_the_full_size_is_not_told_the_volume_stands_for_it(tier: str, what: str, price: float) -> None:
    with Sandbox() as sandbox:
        region = sandbox.region()
        volume = region.volumes.create(ZONE, "8 GiB")
        sandbox.fill(volume.id, 2)

        def forget(parsed: dict[str, Any], **_: Any) -> None:
            for raw in parsed["Snapshots"]:
                del raw["FullSnapshotSizeInBytes"]
                raw["StorageTier"] = tier

        region.aws.client.meta.events.register("after-call.ec2.DescribeSnapshots", forget)
        (row,) = [each for each in region.costs() if each.keys["what"].startswith(what)]
        assert (row.count, row.low, row.basis) == (2, 0.0, "assumed")
        assert row.high == pytest.approx(2 * 8 * price)


def test_one_that_failed_is_assumed_and_nothing_builds_on_it(field: Field) -> None:
    volume = field.new_volume(8, written=2 * PER_GIB)
    volume.take_snapshot().wait()
    field.faults("CreateSnapshot", failing=1)
    field.clock.advance("1h")
    failed = volume.take_snapshot()
    field.clock.advance("12h")
    last = volume.take_snapshot().wait()
    costs = field.region().costs()
    frame = costs.by("id").to_frame().set_index("id")
    assert frame["basis"][failed.id] == "assumed"
    assert (frame["usd_per_month_low"][last.id], frame["usd_per_month_high"][last.id]) == (0, pytest.approx(0.1))
    assert any("it ended in error" in note for note in costs.notes)
    assert [each.stored.before.id for each in named(costs.things, last.id)] == [
        each.id for each in field.region().snapshots.find(volume=volume.id, state="completed")[1:]
    ]


def named(things: Iterable[Any], snapshot_id: str) -> list[Any]:
    return [each for each in things if each.id == snapshot_id]
