"""Rules about the blocks of snapshots."""

import base64
import hashlib
from typing import Any

from tests.sandbox.ground import Ground, Table, refused

ROWS = Table()
API = "EBS direct APIs reference, "
FAQ = "EBS user guide, Frequently asked questions for EBS direct APIs"
ENCRYPTION = "EBS user guide, Encryption outcomes for EBS direct APIs"
BLOCK = 524288
NOWHERE = "snap-0123456789abcdef0"


def reason(code: str, why: str, call: Any) -> None:
    assert refused(code, call).response["Reason"] == why


def sum_of(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def put(ebs: Any, snapshot: str, block: int, data: bytes, **other: Any) -> Any:
    given = {"DataLength": len(data), "Checksum": sum_of(data), "ChecksumAlgorithm": "SHA256"} | other
    return ebs.put_snapshot_block(SnapshotId=snapshot, BlockIndex=block, BlockData=data, **given)


def upload(ground: Ground, blocks: dict[int, bytes], **how: Any) -> str:
    ebs = ground.client("ebs")
    snapshot = str(ebs.start_snapshot(**{"VolumeSize": 1} | how)["SnapshotId"])
    for block, data in blocks.items():
        put(ebs, snapshot, block, data)
    ebs.complete_snapshot(SnapshotId=snapshot, ChangedBlocksCount=len(blocks))
    ground.clock.advance("12h")
    assert ground.shown(snapshot)["State"] == "completed"
    return snapshot


def blocks_of(ebs: Any, snapshot: str, **how: Any) -> dict[int, str]:
    listed = ebs.list_snapshot_blocks(SnapshotId=snapshot, **how)
    return {block["BlockIndex"]: block["BlockToken"] for block in listed["Blocks"]}


def changes(ebs: Any, first: str, second: str) -> dict[int, tuple[bool, bool]]:
    listed = ebs.list_changed_blocks(FirstSnapshotId=first, SecondSnapshotId=second)
    return {
        each["BlockIndex"]: ("FirstBlockToken" in each, "SecondBlockToken" in each) for each in listed["ChangedBlocks"]
    }


def read(ebs: Any, snapshot: str, block: int) -> bytes:
    got = ebs.get_snapshot_block(SnapshotId=snapshot, BlockIndex=block, BlockToken=blocks_of(ebs, snapshot)[block])
    data = bytes(got["BlockData"].read())
    assert (got["DataLength"], got["Checksum"], got["ChecksumAlgorithm"]) == (BLOCK, sum_of(data), "SHA256")
    assert len(data) == BLOCK
    return data


@ROWS.row(API + "ListSnapshotBlocks")
def only_written_blocks_are_listed_in_order(ground: Ground) -> None:
    volume = ground.volume(10)
    for first in (70, 3, 20_000):
        ground.sandbox.write(volume, first, 2)
    snapshot = ground.snapshot(volume)
    listed = ground.client("ebs").list_snapshot_blocks(SnapshotId=snapshot)
    assert [block["BlockIndex"] for block in listed["Blocks"]] == [3, 4, 70, 71, 20_000, 20_001]
    assert len({block["BlockToken"] for block in listed["Blocks"]}) == 6
    assert (listed["VolumeSize"], listed["BlockSize"]) == (10, BLOCK)
    assert (listed["ExpiryTime"] - ground.clock.now()).total_seconds() == 7 * 86400
    assert "NextToken" not in listed


@ROWS.row("EBS user guide, How snapshots work; known answer K8")
def blocks_of_512_kib_make_up_the_full_size(ground: Ground) -> None:
    snapshot = ground.snapshot(ground.volume(10, written=16_383))
    ebs = ground.client("ebs")
    pages = [ebs.list_snapshot_blocks(SnapshotId=snapshot)]
    pages.append(ebs.list_snapshot_blocks(SnapshotId=snapshot, NextToken=pages[0]["NextToken"]))
    assert [len(page["Blocks"]) for page in pages] == [10_000, 6_383]
    assert "NextToken" not in pages[1]
    assert 7.99 < 16_383 * pages[0]["BlockSize"] / 2**30 < 8
    assert ground.shown(snapshot)["FullSnapshotSizeInBytes"] == 16_383 * BLOCK


@ROWS.row(API + "ListSnapshotBlocks, MaxResults, StartingBlockIndex and NextToken")
def pages_follow_each_other_and_a_token_overrides_the_index(ground: Ground) -> None:
    snapshot, ebs = ground.snapshot(ground.volume(written=250)), ground.client("ebs")
    first = ebs.list_snapshot_blocks(SnapshotId=snapshot, MaxResults=100, StartingBlockIndex=20)
    assert [each["BlockIndex"] for each in first["Blocks"]] == list(range(20, 120))
    second = ebs.list_snapshot_blocks(SnapshotId=snapshot, NextToken=first["NextToken"], StartingBlockIndex=0)
    assert [each["BlockIndex"] for each in second["Blocks"]] == list(range(120, 250))
    assert "NextToken" not in second
    assert not ebs.list_snapshot_blocks(SnapshotId=snapshot, StartingBlockIndex=250)["Blocks"]


@ROWS.row(FAQ)
def who_asks_for_fewer_than_100_gets_100(ground: Ground) -> None:
    snapshot, ebs = ground.snapshot(ground.volume(written=250)), ground.client("ebs")
    ebs.meta.events.register("before-call.ebs.ListSnapshotBlocks", asking_for(5))
    assert len(ebs.list_snapshot_blocks(SnapshotId=snapshot)["Blocks"]) == 100


@ROWS.row(API + "ListSnapshotBlocks, MaxResults")
def nobody_gets_more_than_10000(ground: Ground) -> None:
    snapshot, ebs = ground.snapshot(), ground.client("ebs")
    ebs.meta.events.register("before-call.ebs.ListSnapshotBlocks", asking_for(10_001))
    reason("ValidationException", "INVALID_PARAMETER_VALUE", lambda: ebs.list_snapshot_blocks(SnapshotId=snapshot))


def asking_for(size: int) -> Any:
    """Put in a MaxResults that boto3 itself refuses to send."""
    return lambda params, **_: params.update(url=f"{params['url']}?maxResults={size}")


@ROWS.row(FAQ)
def page_tokens_last_60_minutes_and_are_for_one_listing(ground: Ground) -> None:
    volume = ground.volume(written=250)
    snapshot, ebs = ground.snapshot(volume), ground.client("ebs")
    other = ground.snapshot(volume)
    token = ebs.list_snapshot_blocks(SnapshotId=snapshot, MaxResults=100)["NextToken"]
    for wrong, given in ((snapshot, "bm9uZQ=="), (snapshot, "AAAA"), (other, token)):
        reason(
            "ValidationException",
            "INVALID_PAGE_TOKEN",
            lambda wrong=wrong, given=given: ebs.list_snapshot_blocks(SnapshotId=wrong, NextToken=given),
        )
    ground.clock.advance("59min")
    assert ebs.list_snapshot_blocks(SnapshotId=snapshot, NextToken=token)["Blocks"]
    ground.clock.advance("1min")
    reason(
        "ValidationException",
        "INVALID_PAGE_TOKEN",
        lambda: ebs.list_snapshot_blocks(SnapshotId=snapshot, NextToken=token),
    )


@ROWS.row(API + "GetSnapshotBlock")
def a_block_reads_back_as_it_was_at_the_time_of_the_snapshot(ground: Ground) -> None:
    volume, ebs = ground.volume(written=4), ground.client("ebs")
    ground.sandbox.put(volume, 1, b"a" * BLOCK)
    first = ground.snapshot(volume)
    ground.sandbox.put(volume, 1, b"b" * BLOCK)
    ground.sandbox.write(volume, 2)
    second = ground.snapshot(volume)
    assert (read(ebs, first, 1), read(ebs, second, 1)) == (b"a" * BLOCK, b"b" * BLOCK)
    assert read(ebs, first, 2) != read(ebs, second, 2)
    assert read(ebs, first, 3) == read(ebs, second, 3)


@ROWS.row(API + "GetSnapshotBlock; " + FAQ)
def a_block_token_is_for_one_block_of_one_snapshot_and_for_seven_days(ground: Ground) -> None:
    volume, ebs = ground.volume(written=4), ground.client("ebs")
    first, second = ground.snapshot(volume), ground.snapshot(volume)
    token = blocks_of(ebs, first)[1]

    def got(snapshot: str = first, block: int = 1, own: str = token) -> Any:
        return ebs.get_snapshot_block(SnapshotId=snapshot, BlockIndex=block, BlockToken=own)

    for wrong in ({"block": 2}, {"block": 9}, {"snapshot": second}, {"own": "AAAA"}, {"own": "x"}, {"own": "z" * 32}):
        reason("ValidationException", "INVALID_BLOCK_TOKEN", lambda wrong=wrong: got(**wrong))
    reason("ValidationException", "INVALID_BLOCK", lambda: got(block=10 * 2048))
    ground.clock.advance("167h")
    assert got()["DataLength"] == BLOCK
    ground.clock.advance("1h")
    reason("ValidationException", "INVALID_BLOCK_TOKEN", got)


@ROWS.row(API + "ListChangedBlocks, ChangedBlock")
def changes_between_two_snapshots_are_found_in_both_directions(ground: Ground) -> None:
    volume, ebs = ground.volume(written=4), ground.client("ebs")
    first = ground.snapshot(volume)
    ground.sandbox.write(volume, 3, 2)
    second = ground.snapshot(volume)
    assert changes(ebs, first, second) == {3: (True, True), 4: (False, True)}
    assert changes(ebs, second, first) == {3: (True, True), 4: (True, False)}
    assert changes(ebs, first, first) == {}


@ROWS.row(API + "ListChangedBlocks, ChangedBlock")
def the_tokens_of_a_change_read_what_was_before_and_after(ground: Ground) -> None:
    volume, ebs = ground.volume(written=2), ground.client("ebs")
    first = ground.snapshot(volume)
    ground.sandbox.put(volume, 1, b"b" * BLOCK)
    second = ground.snapshot(volume)
    (change,) = ebs.list_changed_blocks(FirstSnapshotId=first, SecondSnapshotId=second)["ChangedBlocks"]
    before = ebs.get_snapshot_block(SnapshotId=first, BlockIndex=1, BlockToken=change["FirstBlockToken"])
    after = ebs.get_snapshot_block(SnapshotId=second, BlockIndex=1, BlockToken=change["SecondBlockToken"])
    assert before["BlockData"].read() == read(ebs, first, 1)
    assert after["BlockData"].read() == b"b" * BLOCK


@ROWS.row(API + "ListChangedBlocks, lineage")
def changes_are_found_across_volumes_of_one_lineage(ground: Ground) -> None:
    volume, ebs = ground.volume(written=4), ground.client("ebs")
    origin = ground.snapshot(volume)
    branch = ground.volume(10, SnapshotId=origin)
    ground.sandbox.write(branch, 0)
    ground.sandbox.write(volume, 8)
    ground.sandbox.write(volume, 1)
    here, there = ground.snapshot(volume), ground.snapshot(branch)
    assert changes(ebs, here, there) == {0: (True, True), 1: (True, True), 8: (True, False)}


@ROWS.row(API + "ListChangedBlocks, paging")
def changes_come_in_pages(ground: Ground) -> None:
    volume, ebs = ground.volume(written=300), ground.client("ebs")
    first = ground.snapshot(volume)
    ground.sandbox.write(volume, 50, 230)
    second = ground.snapshot(volume)
    pages = ebs.list_changed_blocks(FirstSnapshotId=first, SecondSnapshotId=second, MaxResults=100)
    found = list(pages["ChangedBlocks"])
    while "NextToken" in pages:
        pages = ebs.list_changed_blocks(
            FirstSnapshotId=first, SecondSnapshotId=second, MaxResults=100, NextToken=pages["NextToken"]
        )
        found += pages["ChangedBlocks"]
    assert [each["BlockIndex"] for each in found] == list(range(50, 280))
    later = ebs.list_changed_blocks(FirstSnapshotId=first, SecondSnapshotId=second, StartingBlockIndex=279)
    assert [each["BlockIndex"] for each in later["ChangedBlocks"]] == [279]


@ROWS.row(API + "ListChangedBlocks, FirstSnapshotId")
def one_snapshot_alone_has_no_changes(ground: Ground) -> None:
    ebs, snapshot = ground.client("ebs"), ground.snapshot()
    reason("ValidationException", "INVALID_PARAMETER_VALUE", lambda: ebs.list_changed_blocks(SecondSnapshotId=snapshot))


@ROWS.row(API + "ListChangedBlocks, errors")
def snapshots_of_unrelated_volumes_are_not_compared(ground: Ground) -> None:
    ebs, first, second = ground.client("ebs"), ground.snapshot(), ground.snapshot()
    reason(
        "ValidationException",
        "UNRELATED_SNAPSHOTS",
        lambda: ebs.list_changed_blocks(FirstSnapshotId=first, SecondSnapshotId=second),
    )


@ROWS.row(API + "errors, ResourceNotFoundException and ValidationException")
def unknown_and_malformed_ids_are_told_apart(ground: Ground) -> None:
    ebs, known = ground.client("ebs"), ground.snapshot()
    for call in (
        lambda: ebs.list_snapshot_blocks(SnapshotId=NOWHERE),
        lambda: ebs.list_changed_blocks(FirstSnapshotId=NOWHERE, SecondSnapshotId=known),
        lambda: ebs.list_changed_blocks(FirstSnapshotId=known, SecondSnapshotId=NOWHERE),
        lambda: ebs.get_snapshot_block(SnapshotId=NOWHERE, BlockIndex=0, BlockToken="AAAA"),
        lambda: ebs.start_snapshot(VolumeSize=1, ParentSnapshotId=NOWHERE),
        lambda: put(ebs, NOWHERE, 0, bytes(BLOCK)),
        lambda: ebs.complete_snapshot(SnapshotId=NOWHERE, ChangedBlocksCount=0),
        lambda: ground.client("ebs", 1).list_snapshot_blocks(SnapshotId=known),
    ):
        reason("ResourceNotFoundException", "SNAPSHOT_NOT_FOUND", call)
    reason("ValidationException", "INVALID_SNAPSHOT_ID", lambda: ebs.list_snapshot_blocks(SnapshotId="vol-1"))


@ROWS.row(FAQ)
def pending_snapshots_cannot_be_read(ground: Ground) -> None:
    ebs = ground.client("ebs")
    taken = ground.ec2().create_snapshot(VolumeId=ground.volume(written=4))["SnapshotId"]
    reason("ValidationException", "INVALID_SNAPSHOT_ID", lambda: ebs.list_snapshot_blocks(SnapshotId=taken))
    reason(
        "ValidationException", "INVALID_SNAPSHOT_ID", lambda: ebs.start_snapshot(VolumeSize=10, ParentSnapshotId=taken)
    )
    reason("ValidationException", "INVALID_SNAPSHOT_ID", lambda: put(ebs, taken, 0, bytes(BLOCK)))


@ROWS.row(API + "StartSnapshot")
def a_snapshot_written_block_by_block_reads_back(ground: Ground) -> None:
    ebs, ec2 = ground.client("ebs"), ground.ec2()
    begun = ebs.start_snapshot(VolumeSize=2, Description="from elsewhere", Tags=[{"Key": "a", "Value": "b"}])
    snapshot = begun["SnapshotId"]
    assert (begun["Status"], begun["VolumeSize"], begun["BlockSize"]) == ("pending", 2, BLOCK)
    assert (begun["OwnerId"], begun["StartTime"]) == (ground.accounts[0], ground.clock.now())
    shown = ground.shown(snapshot)
    assert (shown["State"], shown["VolumeSize"], shown["VolumeId"]) == ("pending", 2, "vol-ffffffff")
    assert (shown["Description"], shown["Tags"]) == ("from elsewhere", [{"Key": "a", "Value": "b"}])
    assert not ec2.describe_volumes()["Volumes"]
    contents = {7: b"7" * BLOCK, 4095: b"l" * BLOCK, 0: bytes(BLOCK)}
    for block, data in contents.items():
        assert put(ebs, snapshot, block, data)["Checksum"] == sum_of(data)
    ended = ebs.complete_snapshot(SnapshotId=snapshot, ChangedBlocksCount=3)
    assert (ended["Status"], ground.shown(snapshot)["State"]) == ("pending", "pending")
    ground.clock.advance("1h")
    shown = ground.shown(snapshot)
    assert (shown["State"], shown["FullSnapshotSizeInBytes"]) == ("completed", 3 * BLOCK)
    assert ebs.complete_snapshot(SnapshotId=snapshot, ChangedBlocksCount=3)["Status"] == "completed"
    assert list(blocks_of(ebs, snapshot)) == [0, 7, 4095]
    assert {block: read(ebs, snapshot, block) for block in contents} == contents


@ROWS.row(API + "StartSnapshot, ParentSnapshotId")
def a_child_inherits_the_blocks_of_its_parent(ground: Ground) -> None:
    ebs = ground.client("ebs")
    parent = upload(ground, {1: b"1" * BLOCK, 2: b"2" * BLOCK})
    child = upload(ground, {2: b"x" * BLOCK, 3: b"3" * BLOCK}, ParentSnapshotId=parent)
    assert [read(ebs, child, block)[:1] for block in blocks_of(ebs, child)] == [b"1", b"x", b"3"]
    assert changes(ebs, parent, child) == {2: (True, True), 3: (False, True)}
    assert ground.shown(child)["FullSnapshotSizeInBytes"] == 3 * BLOCK
    ground.ec2().delete_snapshot(SnapshotId=parent)
    assert read(ebs, child, 1) == b"1" * BLOCK


@ROWS.row(API + "StartSnapshot, ParentSnapshotId")
def a_volume_restored_from_an_upload_begins_with_its_blocks(ground: Ground) -> None:
    uploaded = upload(ground, {5: b"5" * BLOCK})
    again = ground.snapshot(ground.volume(1, SnapshotId=uploaded))
    assert read(ground.client("ebs"), again, 5) == b"5" * BLOCK


@ROWS.row("EBS user guide, Ensure idempotency in StartSnapshot API requests")
def a_repeated_start_begins_no_second_snapshot(ground: Ground) -> None:
    ebs = ground.client("ebs")
    first = ebs.start_snapshot(VolumeSize=1, ClientToken="once")
    second = ebs.start_snapshot(VolumeSize=1, ClientToken="once")
    assert first["SnapshotId"] == second["SnapshotId"]
    assert len(ground.ec2().describe_snapshots(OwnerIds=["self"])["Snapshots"]) == 1
    refused("ConflictException", lambda: ebs.start_snapshot(VolumeSize=2, ClientToken="once"))


@ROWS.row(API + "StartSnapshot, Timeout")
def a_snapshot_nobody_completes_ends_in_error(ground: Ground) -> None:
    ebs = ground.client("ebs")
    snapshot = ebs.start_snapshot(VolumeSize=1, Timeout=10)["SnapshotId"]
    ground.clock.advance("9min")
    put(ebs, snapshot, 0, bytes(BLOCK))
    ground.clock.advance("599s")
    assert ground.shown(snapshot)["State"] == "pending"
    ground.clock.advance("1s")
    shown = ground.shown(snapshot)
    assert shown["State"] == "error"
    assert "timeout" in shown["StateMessage"]
    reason("ValidationException", "INVALID_SNAPSHOT_ID", lambda: put(ebs, snapshot, 1, bytes(BLOCK)))
    reason(
        "ValidationException",
        "INVALID_SNAPSHOT_ID",
        lambda: ebs.complete_snapshot(SnapshotId=snapshot, ChangedBlocksCount=1),
    )
    lasting = ebs.start_snapshot(VolumeSize=1)["SnapshotId"]
    ground.clock.advance("59min")
    assert ground.shown(lasting)["State"] == "pending"
    ground.clock.advance("1min")
    assert ground.shown(lasting)["State"] == "error"


@ROWS.row(API + "PutSnapshotBlock")
def blocks_are_whole_checked_and_on_the_volume(ground: Ground) -> None:
    ebs = ground.client("ebs")
    snapshot, data = ebs.start_snapshot(VolumeSize=1)["SnapshotId"], bytes(BLOCK)
    for why, call in (
        ("INVALID_BLOCK", lambda: put(ebs, snapshot, 2048, data)),
        ("INVALID_BLOCK", lambda: put(ebs, snapshot, 0, b"abc")),
        ("INVALID_BLOCK", lambda: put(ebs, snapshot, 0, data, DataLength=512)),
        ("INVALID_PARAMETER_VALUE", lambda: put(ebs, snapshot, 0, data, Checksum=sum_of(b""))),
        ("INVALID_PARAMETER_VALUE", lambda: put(ebs, snapshot, 0, data, ChecksumAlgorithm="MD5")),
        ("INVALID_PARAMETER_VALUE", lambda: put(ebs, snapshot, 0, data, Progress=101)),
        ("INVALID_PARAMETER_VALUE", lambda: ebs.complete_snapshot(SnapshotId=snapshot, ChangedBlocksCount=1)),
    ):
        reason("ValidationException", why, call)


@ROWS.row(API + "PutSnapshotBlock")
def a_block_written_twice_counts_once_and_none_is_written_after_completion(ground: Ground) -> None:
    ebs = ground.client("ebs")
    snapshot = ebs.start_snapshot(VolumeSize=1)["SnapshotId"]
    put(ebs, snapshot, 5, b"a" * BLOCK, Progress=50)
    put(ebs, snapshot, 5, b"b" * BLOCK, Progress=100)
    reason(
        "ValidationException",
        "INVALID_PARAMETER_VALUE",
        lambda: ebs.complete_snapshot(SnapshotId=snapshot, ChangedBlocksCount=2),
    )
    ebs.complete_snapshot(SnapshotId=snapshot, ChangedBlocksCount=1)
    reason("ValidationException", "INVALID_SNAPSHOT_ID", lambda: put(ebs, snapshot, 6, bytes(BLOCK)))
    ground.clock.advance("1h")
    assert read(ebs, snapshot, 5) == b"b" * BLOCK


@ROWS.row(API + "CompleteSnapshot, Checksum")
def the_linear_checksum_is_that_of_the_checksums(ground: Ground) -> None:
    ebs, blocks = ground.client("ebs"), {9: b"9" * BLOCK, 3: b"3" * BLOCK}
    snapshot = ebs.start_snapshot(VolumeSize=1)["SnapshotId"]
    for block, data in blocks.items():
        put(ebs, snapshot, block, data)
    right = sum_of(b"".join(hashlib.sha256(blocks[block]).digest() for block in (3, 9)))
    asked = {"SnapshotId": snapshot, "ChangedBlocksCount": 2, "ChecksumAlgorithm": "SHA256"}
    for wrong in ({"Checksum": sum_of(b"")}, {"Checksum": right, "ChecksumAggregationMethod": "TREE"}):
        reason(
            "ValidationException",
            "INVALID_PARAMETER_VALUE",
            lambda wrong=wrong: ebs.complete_snapshot(**asked, **wrong),
        )
    ebs.complete_snapshot(**asked, Checksum=right, ChecksumAggregationMethod="LINEAR")
    ground.clock.advance("1h")
    assert ground.shown(snapshot)["State"] == "completed"


@ROWS.row("EBS user guide, Permissions to use AWS KMS keys")
def blocks_under_a_disabled_key_cannot_be_read(ground: Ground) -> None:
    ebs, kms = ground.client("ebs"), ground.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    locked = upload(ground, {0: bytes(BLOCK)}, Encrypted=True, KmsKeyArn=key)
    assert list(blocks_of(ebs, locked)) == [0]
    kms.disable_key(KeyId=key.rpartition("/")[2])
    reason("AccessDeniedException", "DEPENDENCY_ACCESS_DENIED", lambda: blocks_of(ebs, locked))


@ROWS.row(FAQ)
def a_privately_shared_snapshot_is_readable_and_a_public_one_is_not(ground: Ground) -> None:
    snapshot, other = ground.snapshot(ground.volume(written=2)), ground.client("ebs", 1)
    share = {"SnapshotId": snapshot, "Attribute": "createVolumePermission", "OperationType": "add"}
    ground.ec2().modify_snapshot_attribute(**share, UserIds=[ground.accounts[1]])
    assert read(other, snapshot, 1) == read(ground.client("ebs"), snapshot, 1)
    refused("AccessDeniedException", lambda: other.start_snapshot(VolumeSize=10, ParentSnapshotId=snapshot))
    ground.ec2().modify_snapshot_attribute(**share, GroupNames=["all"])
    for ebs in (other, ground.client("ebs")):
        reason("ValidationException", "INVALID_SNAPSHOT_ID", lambda ebs=ebs: blocks_of(ebs, snapshot))


@ROWS.row("EBS user guide, Archive Amazon EBS snapshots")
def archived_snapshots_cannot_be_read(ground: Ground) -> None:
    snapshot, ebs = ground.snapshot(ground.volume(written=2)), ground.client("ebs")
    ground.ec2().modify_snapshot_tier(SnapshotId=snapshot, StorageTier="archive")
    ground.clock.advance("72h")
    assert ground.shown(snapshot)["StorageTier"] == "archive"
    reason("ValidationException", "INVALID_SNAPSHOT_ID", lambda: blocks_of(ebs, snapshot))


@ROWS.row(API + "StartSnapshot")
def what_cannot_be_started_is_refused(ground: Ground) -> None:
    ebs, parent = ground.client("ebs"), ground.snapshot()
    tags = [{"Key": f"k{number}", "Value": ""} for number in range(51)]
    for why, asked in (
        ("INVALID_VOLUME_SIZE", {"VolumeSize": 65_537}),
        ("INVALID_VOLUME_SIZE", {"VolumeSize": 9, "ParentSnapshotId": parent}),
        ("INVALID_PARAMETER_VALUE", {"VolumeSize": 10, "ParentSnapshotId": parent, "Encrypted": False}),
        ("INVALID_PARAMETER_VALUE", {"VolumeSize": 1, "Timeout": 4321}),
        ("INVALID_PARAMETER_VALUE", {"VolumeSize": 1, "Description": "d" * 256}),
        ("INVALID_TAG", {"VolumeSize": 1, "Tags": [{"Key": "aws:a", "Value": ""}]}),
        ("INVALID_TAG", {"VolumeSize": 1, "Tags": [{"Key": "a", "Value": ""}, {"Key": "a", "Value": "b"}]}),
        ("INVALID_TAG", {"VolumeSize": 1, "Tags": tags}),
    ):
        reason("ValidationException", why, lambda asked=asked: ebs.start_snapshot(**asked))
    assert len(ground.ec2().describe_snapshots(OwnerIds=["self"])["Snapshots"]) == 1


@ROWS.row("Service Quotas, Concurrent snapshots, L-94D7AB7D")
def at_most_100_snapshots_are_pending(ground: Ground) -> None:
    ebs = ground.client("ebs")
    for _ in range(100):
        ebs.start_snapshot(VolumeSize=1)
    refused("ConcurrentLimitExceededException", lambda: ebs.start_snapshot(VolumeSize=1))


@ROWS.row(ENCRYPTION)
def encryption_follows_the_table_of_outcomes(ground: Ground) -> None:
    ebs, kms = ground.client("ebs"), ground.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    plain = upload(ground, {})
    assert not ground.shown(plain)["Encrypted"]
    begun = ebs.start_snapshot(VolumeSize=1, Encrypted=True)
    assert ":key/" in begun["KmsKeyArn"]
    assert ground.shown(begun["SnapshotId"])["KmsKeyId"] == begun["KmsKeyArn"]
    assert ebs.start_snapshot(VolumeSize=1, Encrypted=True, KmsKeyArn=key)["KmsKeyArn"] == key
    locked = upload(ground, {}, Encrypted=True, KmsKeyArn=key)
    assert ebs.start_snapshot(VolumeSize=1, ParentSnapshotId=locked)["KmsKeyArn"] == key
    for why, asked in (
        ("INVALID_PARAMETER_VALUE", {"KmsKeyArn": key}),
        ("INVALID_PARAMETER_VALUE", {"KmsKeyArn": key, "Encrypted": False}),
        ("INVALID_PARAMETER_VALUE", {"KmsKeyArn": key, "ParentSnapshotId": locked}),
        ("INVALID_CUSTOMER_KEY", {"KmsKeyArn": "banana", "Encrypted": True}),
    ):
        reason("ValidationException", why, lambda asked=asked: ebs.start_snapshot(VolumeSize=1, **asked))
    ground.ec2().enable_ebs_encryption_by_default()
    assert "KmsKeyArn" in ebs.start_snapshot(VolumeSize=1)
    assert ebs.start_snapshot(VolumeSize=1, KmsKeyArn=key)["KmsKeyArn"] == key
    for asked in ({"Encrypted": False}, {"ParentSnapshotId": plain}):
        reason(
            "ValidationException",
            "INVALID_PARAMETER_VALUE",
            lambda asked=asked: ebs.start_snapshot(VolumeSize=1, **asked),
        )
