"""Changed blocks: told apart by kind, priced beforehand, and told apart from estimates."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ClientError

from snapkit import AwsError, InvalidRequest
from snapkit.ebs import Snapshot
from tests.ebs.direct import BLOCK, A, Direct, pair, taken
from tests.ebs.ground import Field


def test_changed_new_and_gone_blocks_are_told_apart(field: Field) -> None:
    volume = field.new_volume(written=4)
    first = taken(volume)
    field.sandbox.write(volume.id, 3, 2)
    second = taken(volume)
    forth, back = second.changed_blocks(since=first), first.changed_blocks(since=second.id)
    assert (forth.blocks.tolist(), forth.new.tolist(), forth.gone.tolist()) == ([3, 4], [4], [])
    assert (back.blocks.tolist(), back.new.tolist(), back.gone.tolist()) == ([3, 4], [], [4])
    assert forth.blocks.dtype == np.uint32
    assert (forth.count, forth.band, forth.source, forth.bytes) == (2, (2, 2), "measured", 2 * BLOCK)
    frame = back.to_frame()
    assert frame.to_dict("list") == {
        "block": [3, 4],
        "offset_bytes": [3 * BLOCK, 4 * BLOCK],
        "kind": ["changed", "gone"],
    }
    assert repr(forth) == f"<Changes of {second.id} since {first.id}: 2 blocks, 1 MiB; 1 request, under $0.0001>"
    assert f"<p>Changes of {second.id} since {first.id}: 2 blocks" in forth._repr_html_()


def test_the_blocks_of_one_snapshot_are_listed(field: Field) -> None:
    volume = field.new_volume(written=4)
    field.sandbox.write(volume.id, 70, 2)
    snapshot = taken(volume)
    assert str(snapshot.blocks_preview()) == "1 request, under $0.0001 at most (by the data that AWS says they hold)"
    found = snapshot.blocks()
    assert found.blocks.tolist() == [0, 1, 2, 3, 70, 71]
    assert found.to_frame().columns.tolist() == ["block", "offset_bytes"]
    assert len(found) == 6
    assert repr(found) == f"<Blocks of {found.snapshot_id}: 6 blocks, 3 MiB; 1 request, under $0.0001>"


def test_an_unchanged_volume_has_no_changes(field: Field) -> None:
    volume = field.new_volume(written=4)
    first, second = taken(volume), taken(volume)
    found = second.changed_blocks(since=first)
    assert (found.count, len(found), found.to_frame().empty) == (0, 0, True)


def test_measuring_with_ebs_direct_is_priced_first_and_takes_no_request() -> None:
    direct = Direct(list(range(5)))
    first, second = pair(direct, 100)
    unknown = second.changes_preview(first)
    assert not direct.asked
    assert (unknown.known, unknown.requests) == (False, 27)
    assert unknown.price_usd == pytest.approx(27 * 0.0006 / 1000)
    assert str(unknown) == "1 to 27 requests, under $0.0001 at most (assumed: every block of the volume)"
    first.raw = {**first.raw, "FullSnapshotSizeInBytes": 5 * BLOCK}
    second.raw = {**second.raw, "FullSnapshotSizeInBytes": 7 * BLOCK}
    known = second.changes_preview(first)
    assert (known.known, known.requests) == (True, 1)
    assert "1 request," in known._repr_html_()
    assert repr(known) == f"<Preview: {known}>"
    assert second.changed_blocks(since=first).requests == 1


def test_a_sample_is_labelled_and_its_band_holds_the_truth() -> None:
    random = np.random.default_rng(0)
    held = 0
    for _ in range(20):
        changed = np.sort(random.choice(2**20, 150_000, replace=False)).tolist()
        first, second = pair(Direct(changed), 512)
        found = second.changed_blocks(since=first, sample=0.1)
        assert found.source == "modelled"
        assert set(found.blocks.tolist()) < set(changed)
        assert found.count == pytest.approx(150_000, rel=0.05)
        low, high = found.band
        held += low <= 150_000 <= high
        assert "modelled from a sample" in repr(found)
        assert found.requests <= second.changes_preview(first, sample=0.1).requests
    assert held >= 17


def test_a_sample_takes_fewer_requests() -> None:
    first, second = pair(Direct(list(range(0, 8_000_000, 2))), 4096)
    assert second.changed_blocks(since=first, sample=0.01).requests < 50 < second.changed_blocks(since=first).requests


def test_a_sample_without_a_change_does_not_say_that_there_is_none() -> None:
    first, second = pair(Direct(list(range(20_000))), 4096)
    found = second.changed_blocks(since=first, sample=0.01)
    assert found.count == 0
    assert found.band[1] > 0


def test_a_list_of_one_page_is_read_whole_even_where_a_sample_would_do() -> None:
    first, second = pair(Direct(list(range(9_000))), 4096)
    found = second.changed_blocks(since=first, sample=0.1)
    assert (found.count, found.source, found.requests) == (9_000, "measured", 1)


@pytest.mark.parametrize("sample", [0, -1, 2, True, "0.1", float("nan")])
def test_a_sample_that_is_no_share_is_refused(sample: Any) -> None:
    direct = Direct([1])
    first, second = pair(direct, 8)
    with pytest.raises(InvalidRequest, match="is no share"):
        second.changed_blocks(since=first, sample=sample)
    assert not direct.asked


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"State": "pending"}, "is pending, not completed; wait"),
        ({"State": "error"}, "is error, not completed; choose a complete one"),
        ({"StorageTier": "archive"}, "is archived; restore it from the archive first"),
    ],
)
def test_what_cannot_be_read_is_refused_before_any_call(change: dict[str, str], words: str) -> None:
    direct = Direct([1])
    first, second = pair(direct, 8)
    first.raw = {**first.raw, **change}
    calls: list[Callable[[], object]] = [
        lambda: second.changed_blocks(since=first),
        lambda: first.changed_blocks(since=second),
        lambda: second.changes_preview(first),
        first.blocks,
    ]
    for call in calls:
        with pytest.raises(InvalidRequest, match=words):
            call()
    assert not direct.asked


def test_a_snapshot_is_not_compared_with_itself_or_across_regions(field: Field) -> None:
    snapshot = taken(field.new_volume(written=1))
    with pytest.raises(InvalidRequest, match="is the snapshot itself"):
        snapshot.changed_blocks(since=snapshot)
    there = Snapshot(field.region("eu-west-1"), {**snapshot.raw, "SnapshotId": A})
    with pytest.raises(InvalidRequest, match="is in eu-west-1, not in us-east-1"):
        snapshot.changed_blocks(since=there)


def test_unrelated_snapshots_are_refused_in_plain_words(field: Field) -> None:
    first, second = taken(field.new_volume(written=1)), taken(field.new_volume(written=1))
    with pytest.raises(AwsError, match="compare snapshots of one volume") as caught:
        second.changed_blocks(since=first)
    assert first.id in str(caught.value)
    assert second.id in str(caught.value)
    assert isinstance(caught.value.__cause__, ClientError)


def test_a_public_snapshot_is_refused_with_the_way_out(field: Field) -> None:
    volume = field.new_volume(written=1)
    first, second = taken(volume), taken(volume)
    field.ec2().modify_snapshot_attribute(
        SnapshotId=first.id, Attribute="createVolumePermission", CreateVolumePermission={"Add": [{"Group": "all"}]}
    )
    with pytest.raises(AwsError, match=r"make_private\(\)"):
        second.changed_blocks(since=first)
