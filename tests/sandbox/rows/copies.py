"""Rules about copying snapshots."""

from typing import Any

from tests.sandbox.ground import Ground, Table, refused

ROWS = Table()
GUIDE = "EBS user guide, Copy an Amazon EBS snapshot"
TIMED = "EBS user guide, Time-based copies for Amazon EBS snapshots and EBS-backed AMIs"
API = "EC2 API reference, "
GIB = 2048
MIB_500 = 1000
FAR = "eu-west-1"
LATENCY, RATE = 180, 43.6e6


def _copy(ground: Ground, source: str, *, account: int = 0, region: str = FAR, **more: Any) -> str:
    given = {"SourceRegion": "us-east-1", "SourceSnapshotId": source, **more}
    return str(ground.ec2(account, region).copy_snapshot(**given)["SnapshotId"])


def _done(ground: Ground, copy: str, *, account: int = 0, region: str = FAR) -> dict[str, Any]:
    """Describe a copy once it is complete."""
    ground.clock.advance("48h")
    shown = ground.shown(copy, account=account, region=region)
    assert shown["State"] == "completed", shown
    return shown


def _seconds(shown: dict[str, Any]) -> float:
    return float((shown["CompletionTime"] - shown["StartTime"]).total_seconds())


def _copied(ground: Ground, source: str, **how: Any) -> int:
    """Copy a snapshot; return how many blocks that took, by its duration."""
    where = {name: how[name] for name in ("account", "region") if name in how}
    shown = _done(ground, _copy(ground, source, **how), **where)
    return round((_seconds(shown) - LATENCY) * RATE / 2**19)


def _key(ground: Ground, *, account: int = 0, region: str = FAR) -> str:
    return str(ground.client("kms", account, region).create_key()["KeyMetadata"]["Arn"])


def _managed(ground: Ground, *, account: int = 0, region: str = FAR) -> str:
    return str(ground.client("kms", account, region).describe_key(KeyId="alias/aws/ebs")["KeyMetadata"]["Arn"])


def _share(ground: Ground, snapshot_id: str) -> None:
    ground.ec2().modify_snapshot_attribute(
        SnapshotId=snapshot_id, CreateVolumePermission={"Add": [{"UserId": ground.accounts[1]}]}
    )


@ROWS.row(GUIDE)
def a_copy_is_a_snapshot_of_its_own(ground: Ground) -> None:
    tags = [{"Key": "team", "Value": "data"}]
    volume = ground.volume(12, written=GIB)
    source = ground.snapshot(
        volume, Description="weekly", TagSpecifications=[{"ResourceType": "snapshot", "Tags": tags}]
    )
    _share(ground, source)
    answer = ground.ec2(region=FAR).copy_snapshot(
        SourceRegion="us-east-1", SourceSnapshotId=source, Description="for the drill"
    )
    assert set(answer) <= {"SnapshotId", "Tags", "ResponseMetadata"}
    assert not answer.get("Tags")
    copy = answer["SnapshotId"]
    assert copy != source
    begun = ground.shown(copy, region=FAR)
    assert (begun["State"], begun["VolumeId"], begun["VolumeSize"]) == ("pending", "vol-ffffffff", 12)
    assert (begun["Description"], begun["TransferType"]) == ("for the drill", "standard")
    shown = _done(ground, copy)
    assert _seconds(shown) == round(LATENCY + 2**30 / RATE, 3)
    assert shown["FullSnapshotSizeInBytes"] == 2**30
    assert (shown["OwnerId"], shown["Encrypted"], shown["Progress"]) == (ground.accounts[0], False, "100%")
    assert "Tags" not in shown
    assert "CompletionDurationMinutes" not in shown
    permissions = ground.ec2(region=FAR).describe_snapshot_attribute(
        SnapshotId=copy, Attribute="createVolumePermission"
    )
    assert permissions["CreateVolumePermissions"] == []
    assert "TransferType" not in ground.shown(source)


@ROWS.row(GUIDE)
def a_copy_without_a_description_says_of_what_it_is_one(ground: Ground) -> None:
    source = ground.snapshot(Description="weekly")
    assert ground.shown(_copy(ground, source), region=FAR)["Description"] == f"[Copied {source} from us-east-1]"


@ROWS.row(API + "CopySnapshot, TagSpecifications")
def a_copy_gets_the_tags_of_the_request(ground: Ground) -> None:
    tags = [{"Key": "for", "Value": "drill"}]
    answer = ground.ec2(region=FAR).copy_snapshot(
        SourceRegion="us-east-1",
        SourceSnapshotId=ground.snapshot(),
        TagSpecifications=[{"ResourceType": "snapshot", "Tags": tags}],
    )
    assert answer["Tags"] == tags
    assert ground.shown(answer["SnapshotId"], region=FAR)["Tags"] == tags


@ROWS.row(API + "CopySnapshot, DestinationRegion (deprecated)")
def a_copy_lies_where_the_call_was_sent(ground: Ground) -> None:
    copy = _copy(ground, ground.snapshot(), region=FAR)
    assert ground.shown(copy, region=FAR)["SnapshotId"] == copy
    refused("InvalidSnapshot.NotFound", lambda: ground.shown(copy))


@ROWS.row(API + "DescribeSnapshots, filter transfer-type")
def copies_are_found_by_their_kind(ground: Ground) -> None:
    source = ground.snapshot()
    standard = _copy(ground, source, region="us-east-1")
    timed = _copy(ground, source, region="us-east-1", CompletionDurationMinutes=15)

    def found(kind: str) -> list[str]:
        rows = ground.ec2().describe_snapshots(Filters=[{"Name": "transfer-type", "Values": [kind]}])["Snapshots"]
        return [each["SnapshotId"] for each in rows]

    assert (found("standard"), found("time-based")) == ([standard], [timed])


@ROWS.row(GUIDE + ", Incremental snapshot copying")
def the_first_copy_is_full_and_the_next_of_the_same_volume_incremental(ground: Ground) -> None:
    volume = ground.volume(written=2 * GIB)
    first = ground.snapshot(volume)
    assert _copied(ground, first) == 2 * GIB
    ground.sandbox.write(volume, GIB, 100)
    second = ground.snapshot(volume)
    assert _copied(ground, second) == 100
    assert _copied(ground, second) == 0
    shown = _done(ground, _copy(ground, second))
    assert shown["FullSnapshotSizeInBytes"] == 2 * 2**30


@ROWS.row(GUIDE + ", Incremental snapshot copying")
def a_copy_to_another_region_or_account_is_full_again(ground: Ground) -> None:
    source = ground.snapshot(ground.volume(written=GIB))
    _share(ground, source)
    assert _copied(ground, source) == GIB
    assert _copied(ground, source, region="ap-south-1") == GIB
    assert _copied(ground, source, account=1) == GIB
    assert _copied(ground, source, account=1, region="us-east-1") == GIB
    assert _copied(ground, source, account=1, region="us-east-1") == 0


@ROWS.row(GUIDE + ", Incremental snapshot copying")
def a_copy_is_full_if_the_most_recent_one_was_deleted(ground: Ground) -> None:
    volume = ground.volume(written=GIB)
    first = ground.snapshot(volume)
    _done(ground, _copy(ground, first))
    ground.sandbox.write(volume, 0, 10)
    second = ground.snapshot(volume)
    latest = _copy(ground, second)
    _done(ground, latest)
    ground.ec2(region=FAR).delete_snapshot(SnapshotId=latest)
    ground.sandbox.write(volume, 0, 20)
    third = ground.snapshot(volume)
    assert _copied(ground, third) == GIB
    assert _copied(ground, third) == 0


@ROWS.row(GUIDE + ", Incremental snapshot copying")
def a_copy_is_incremental_if_an_older_one_was_deleted(ground: Ground) -> None:
    volume = ground.volume(written=GIB)
    older = _copy(ground, ground.snapshot(volume))
    _done(ground, older)
    ground.sandbox.write(volume, 0, 10)
    assert _copied(ground, ground.snapshot(volume)) == 10
    ground.ec2(region=FAR).delete_snapshot(SnapshotId=older)
    ground.sandbox.write(volume, 0, 20)
    assert _copied(ground, ground.snapshot(volume)) == 20


@ROWS.row(GUIDE + ", Incremental snapshot copying")
def a_copy_is_full_if_the_most_recent_one_was_archived(ground: Ground) -> None:
    source = ground.snapshot(ground.volume(written=GIB))
    copy = _copy(ground, source)
    _done(ground, copy)
    ground.ec2(region=FAR).modify_snapshot_tier(SnapshotId=copy, StorageTier="archive")
    ground.clock.advance("100h")
    assert _copied(ground, source) == GIB


@ROWS.row(GUIDE + ", Incremental snapshot copying")
def a_copy_under_another_key_than_the_copies_before_is_full(ground: Ground) -> None:
    source, key = ground.snapshot(ground.volume(written=GIB)), _key(ground)
    assert _copied(ground, source) == GIB
    assert _copied(ground, source, Encrypted=True, KmsKeyId=key) == GIB
    other = ground.snapshot(ground.volume(written=GIB))
    assert _copied(ground, other, Encrypted=True, KmsKeyId=key) == GIB
    assert _copied(ground, other, Encrypted=True, KmsKeyId=key) == 0


@ROWS.row(GUIDE + ", Incremental snapshot copying")
def a_copy_in_the_same_account_and_region_under_the_same_key_copies_nothing(ground: Ground) -> None:
    source = ground.snapshot(ground.volume(written=GIB))
    assert _copied(ground, source, region="us-east-1") == 0
    assert _copied(ground, source, region="us-east-1", Encrypted=True) == GIB


@ROWS.row(GUIDE + ", Incremental snapshot copying")
def a_copy_that_failed_does_not_count_as_the_most_recent(ground: Ground) -> None:
    source = ground.snapshot(ground.volume(written=GIB))
    assert _copied(ground, source) == GIB
    failed = _copy(ground, source, Encrypted=True, KmsKeyId="alias/unknown")
    ground.clock.advance("1h")
    assert ground.shown(failed, region=FAR)["State"] == "error"
    assert _copied(ground, source) == 0


@ROWS.row(TIMED + ", Considerations")
def the_second_copy_of_a_snapshot_starts_when_the_first_ends(ground: Ground) -> None:
    source, other = ground.snapshot(), ground.snapshot()
    first = _copy(ground, source, CompletionDurationMinutes=30)
    ground.clock.advance("10m")
    second = _copy(ground, source, CompletionDurationMinutes=15)
    elsewhere = _copy(ground, source, CompletionDurationMinutes=15, region="ap-south-1")
    another = _copy(ground, other, CompletionDurationMinutes=15)
    ground.clock.advance("48h")
    durations = [_seconds(ground.shown(copy, region=FAR)) / 60 for copy in (first, second, another)]
    assert durations == [30, 20 + 15, 15]
    assert _seconds(ground.shown(elsewhere, region="ap-south-1")) / 60 == 15


@ROWS.row(TIMED + ", Considerations")
def the_second_copy_finds_what_the_first_brings(ground: Ground) -> None:
    source = ground.snapshot(ground.volume(written=GIB))
    first, second = _copy(ground, source), _copy(ground, source)
    ground.clock.advance("48h")
    whole = LATENCY + 2**30 / RATE
    assert _seconds(ground.shown(first, region=FAR)) == round(whole, 3)
    assert _seconds(ground.shown(second, region=FAR)) == round(whole + LATENCY, 3)


@ROWS.row(GUIDE + ", Incremental snapshot copying")
def the_second_copy_is_full_if_the_first_was_deleted_on_its_way(ground: Ground) -> None:
    source = ground.snapshot(ground.volume(written=GIB))
    first = _copy(ground, source)
    ground.ec2(region=FAR).delete_snapshot(SnapshotId=first)
    second = _copy(ground, source)
    assert _seconds(_done(ground, second)) == round(2 * (LATENCY + 2**30 / RATE), 3)


@ROWS.row(GUIDE + ", Incremental snapshot copying")
def a_copy_is_full_while_the_one_before_is_on_its_way(ground: Ground) -> None:
    volume = ground.volume(written=GIB)
    first = ground.snapshot(volume)
    ground.sandbox.write(volume, 0, 10)
    second = ground.snapshot(volume)
    _copy(ground, first)
    assert _copied(ground, second) == GIB


@ROWS.row(GUIDE)
def a_copy_goes_on_when_its_source_is_deleted(ground: Ground) -> None:
    source = ground.snapshot(ground.volume(written=GIB))
    copy = _copy(ground, source)
    ground.ec2().delete_snapshot(SnapshotId=source)
    assert _done(ground, copy)["FullSnapshotSizeInBytes"] == 2**30


@ROWS.row(GUIDE)
def a_copy_can_be_copied_on_and_restored(ground: Ground) -> None:
    source = ground.snapshot(ground.volume(12, written=GIB))
    copy = _copy(ground, source)
    _done(ground, copy)
    further = _copy(ground, copy, region="ap-south-1", SourceRegion=FAR)
    assert _done(ground, further, region="ap-south-1")["FullSnapshotSizeInBytes"] == 2**30
    made = ground.ec2(region=FAR).create_volume(SnapshotId=copy, AvailabilityZone=f"{FAR}a", VolumeType="gp3")
    assert made["Size"] == 12


@ROWS.row(GUIDE)
def a_public_snapshot_is_copied_by_others_under_a_new_owner(ground: Ground) -> None:
    source = ground.snapshot()
    ground.ec2().modify_snapshot_attribute(SnapshotId=source, CreateVolumePermission={"Add": [{"Group": "all"}]})
    copy = _copy(ground, source, account=1, region="us-east-1")
    assert _done(ground, copy, account=1, region="us-east-1")["OwnerId"] == ground.accounts[1]
    refused("InvalidSnapshot.NotFound", lambda: ground.shown(copy))


@ROWS.row(GUIDE + ", Encryption outcomes")
def an_unencrypted_snapshot_is_encrypted_on_request(ground: Ground) -> None:
    source, key = ground.snapshot(), _key(ground)
    assert "KmsKeyId" not in ground.shown(_copy(ground, source, Encrypted=False), region=FAR)
    shown = _done(ground, _copy(ground, source, Encrypted=True))
    assert (shown["Encrypted"], shown["KmsKeyId"]) == (True, _managed(ground))
    assert _done(ground, _copy(ground, source, Encrypted=True, KmsKeyId=key))["KmsKeyId"] == key
    ground.ec2(region=FAR).modify_ebs_default_kms_key_id(KmsKeyId=key)
    assert _done(ground, _copy(ground, source, Encrypted=True))["KmsKeyId"] == key


@ROWS.row(GUIDE + ", Encryption outcomes")
def a_copy_is_encrypted_where_that_is_the_default(ground: Ground) -> None:
    source, key = ground.snapshot(), _key(ground)
    ground.ec2(region=FAR).enable_ebs_encryption_by_default()
    ground.ec2(region=FAR).modify_ebs_default_kms_key_id(KmsKeyId=key)
    unasked: tuple[dict[str, Any], ...] = ({}, {"Encrypted": False})
    for more in unasked:
        shown = _done(ground, _copy(ground, source, **more))
        assert (shown["Encrypted"], shown["KmsKeyId"]) == (True, key)
    assert ground.shown(_copy(ground, source, region="us-east-1"))["Encrypted"] is False


@ROWS.row(GUIDE + ", Encryption outcomes")
def a_copy_of_an_encrypted_snapshot_is_encrypted_under_a_key_of_the_destination(ground: Ground) -> None:
    here, there = _key(ground, region="us-east-1"), _key(ground)
    source = _copy(ground, ground.snapshot(), region="us-east-1", Encrypted=True, KmsKeyId=here)
    _done(ground, source, region="us-east-1")
    unasked: tuple[dict[str, Any], ...] = ({}, {"Encrypted": False})
    for more in unasked:
        shown = _done(ground, _copy(ground, source, **more))
        assert (shown["Encrypted"], shown["KmsKeyId"]) == (True, _managed(ground))
    assert _done(ground, _copy(ground, source, KmsKeyId=there))["KmsKeyId"] == there
    ground.ec2(region=FAR).modify_ebs_default_kms_key_id(KmsKeyId=there)
    assert _done(ground, _copy(ground, source))["KmsKeyId"] == _managed(ground)
    ground.ec2(region=FAR).enable_ebs_encryption_by_default()
    assert _done(ground, _copy(ground, source))["KmsKeyId"] == there


@ROWS.row(GUIDE)
def a_shared_encrypted_snapshot_is_copied_under_a_key_of_the_one_who_copies(ground: Ground) -> None:
    key, theirs = _key(ground, region="us-east-1"), _key(ground, account=1, region="us-east-1")
    source = _copy(ground, ground.snapshot(), region="us-east-1", Encrypted=True, KmsKeyId=key)
    _done(ground, source, region="us-east-1")
    _share(ground, source)
    copy = _copy(ground, source, account=1, region="us-east-1", Encrypted=True, KmsKeyId=theirs)
    assert _done(ground, copy, account=1, region="us-east-1")["KmsKeyId"] == theirs


@ROWS.row(API + "CopySnapshot, KmsKeyId; " + GUIDE)
def a_copy_under_a_bad_key_is_begun_and_fails(ground: Ground) -> None:
    source, disabled = ground.snapshot(ground.volume(100, written=100 * GIB)), _key(ground)
    ground.client("kms", region=FAR).disable_key(KeyId=disabled.rpartition("/")[2])
    for bad in (disabled, "alias/unknown", _key(ground, region="us-east-1")):
        copy = _copy(ground, source, Encrypted=True, KmsKeyId=bad)
        assert ground.shown(copy, region=FAR)["State"] == "pending"
        ground.clock.advance("10m")
        shown = ground.shown(copy, region=FAR)
        assert (shown["State"], shown["StateMessage"]) == ("error", "Given key ID is not accessible")
        assert "CompletionTime" not in shown


@ROWS.row(GUIDE)
def a_copy_fails_if_the_key_of_its_source_is_disabled(ground: Ground) -> None:
    key = _key(ground, region="us-east-1")
    source = _copy(ground, ground.snapshot(), region="us-east-1", Encrypted=True, KmsKeyId=key)
    _done(ground, source, region="us-east-1")
    ground.client("kms").disable_key(KeyId=key.rpartition("/")[2])
    copy = _copy(ground, source)
    ground.clock.advance("10m")
    assert ground.shown(copy, region=FAR)["StateMessage"] == "Given key ID is not accessible"


@ROWS.row(API + "CopySnapshot, KmsKeyId")
def a_key_without_encryption_is_refused(ground: Ground) -> None:
    source, key = ground.snapshot(), _key(ground)
    for more in ({}, {"Encrypted": False}):
        refused(
            "InvalidParameterDependency",
            lambda more=more: _copy(ground, source, KmsKeyId=key, **more),  # type: ignore[misc]
            "Encrypted",
        )


@ROWS.row(GUIDE + ", Considerations (20 concurrent copies)")
def twenty_copies_are_pending_per_destination_and_no_more(ground: Ground) -> None:
    source = ground.snapshot()
    _share(ground, source)
    for _ in range(20):
        _copy(ground, source)
    refused("ResourceLimitExceeded", lambda: _copy(ground, source), "20")
    _copy(ground, source, region="us-east-1")
    _copy(ground, source, account=1)
    ground.clock.advance("4m")
    _copy(ground, source)


@ROWS.row(TIMED)
def a_time_based_copy_takes_the_time_asked_for(ground: Ground) -> None:
    source = ground.snapshot(ground.volume(written=GIB))
    for minutes in (15, 2880):
        copy = _copy(ground, source, CompletionDurationMinutes=minutes)
        shown = _done(ground, copy)
        assert _seconds(shown) == minutes * 60
        assert (shown["TransferType"], shown["CompletionDurationMinutes"]) == ("time-based", minutes)


for _minutes in (1, 14, 16, 20, 2881, 2895):
    ROWS.refusal(
        f"a completion duration of {_minutes} minutes is refused",
        TIMED,
        "InvalidParameterValue",
        lambda ground, minutes=_minutes: _copy(ground, ground.snapshot(), CompletionDurationMinutes=minutes),  # type: ignore[misc]
        str(_minutes),
    )


def _large(ground: Ground, mib: int) -> str:
    """Take a snapshot of a volume with so much data."""
    volume = ground.volume(-(-mib // 1024), written=2 * mib)
    snapshot = ground.ec2().create_snapshot(VolumeId=volume)["SnapshotId"]
    ground.clock.advance("30h")
    return str(snapshot)


@ROWS.row(TIMED + ", Determine your completion duration (900,000 MiB)")
def a_large_copy_needs_its_minimum_completion_duration(ground: Ground) -> None:
    source = _large(ground, 900_000)
    refused("InvalidParameterValue", lambda: _copy(ground, source, CompletionDurationMinutes=15), "30 minutes")
    assert _seconds(_done(ground, _copy(ground, source, CompletionDurationMinutes=30))) == 30 * 60
    _copy(ground, source, CompletionDurationMinutes=15)


@ROWS.row(TIMED + ", Quotas (225,000 MiB in 15 minutes are 250 MiB/s)")
def eight_copies_of_250_mib_per_second_take_up_the_throughput_between_two_regions(ground: Ground) -> None:
    volume = ground.volume(220, written=450_000)
    first = ground.snapshot(volume)
    sources = [first]
    for number in range(2):
        ground.sandbox.write(volume, number, 1)
        sources.append(ground.snapshot(volume))
    others = [ground.snapshot(ground.volume(220, written=450_000)) for _ in range(6)]
    small = ground.snapshot(ground.volume(written=2 * GIB))
    elsewhere = ground.snapshot(region="ap-south-1")
    for source in [*sources[:2], *others]:
        _copy(ground, source, CompletionDurationMinutes=15)
    refused("ResourceLimitExceeded", lambda: _copy(ground, small, CompletionDurationMinutes=15), "2000 MiB/s")
    _copy(ground, small)
    _copy(ground, small, region="ap-south-1", CompletionDurationMinutes=15)
    _copy(ground, elsewhere, SourceRegion="ap-south-1", CompletionDurationMinutes=15)
    ground.clock.advance("15m")
    _copy(ground, small, CompletionDurationMinutes=15)


@ROWS.row(TIMED + ", Quotas")
def a_copy_takes_longer_where_others_leave_it_less_throughput(ground: Ground) -> None:
    """Three copies at 500 MiB/s and one at 250 leave 250 MiB/s for one that needs 500."""
    quick = [_large(ground, 450_000) for _ in range(4)]
    half = _large(ground, 225_000)
    for source in [*quick[:3], half]:
        _copy(ground, source, CompletionDurationMinutes=15)
    last = _copy(ground, quick[3], CompletionDurationMinutes=15)
    assert _seconds(_done(ground, last)) == 30 * 60


@ROWS.row(GUIDE)
def a_pending_snapshot_is_not_copied(ground: Ground) -> None:
    source = ground.ec2().create_snapshot(VolumeId=ground.volume())["SnapshotId"]
    refused("IncorrectState", lambda: _copy(ground, source), source)
    ground.clock.advance("1h")
    _copy(ground, source)


@ROWS.row(GUIDE)
def a_failed_snapshot_is_not_copied(ground: Ground) -> None:
    source = _copy(ground, ground.snapshot(), region="us-east-1", Encrypted=True, KmsKeyId="alias/unknown")
    ground.clock.advance("1h")
    assert ground.shown(source)["State"] == "error"
    refused("IncorrectState", lambda: _copy(ground, source), source)


@ROWS.row("EBS user guide, Archive Amazon EBS snapshots")
def an_archived_snapshot_is_not_copied(ground: Ground) -> None:
    source = ground.snapshot()
    ground.ec2().modify_snapshot_tier(SnapshotId=source, StorageTier="archive")
    ground.clock.advance("100h")
    refused("IncorrectState", lambda: _copy(ground, source), "archived")


@ROWS.row(API + "CopySnapshot")
def a_snapshot_that_is_not_in_the_source_region_or_not_shared_is_not_found(ground: Ground) -> None:
    source = ground.snapshot()
    for call in (
        lambda: _copy(ground, source, SourceRegion=FAR),
        lambda: _copy(ground, source, account=1),
        lambda: _copy(ground, "snap-0123456789abcdef0"),
    ):
        refused("InvalidSnapshot.NotFound", call, "does not exist")
    assert ground.ec2(region=FAR).describe_snapshots()["Snapshots"] == []


@ROWS.row(API + "CopySnapshot, error codes")
def bad_input_is_refused(ground: Ground) -> None:
    source = ground.snapshot()
    tags = [{"ResourceType": "snapshot", "Tags": [{"Key": "aws:mine", "Value": ""}]}]
    for code, message, more in (
        ("InvalidParameterValue", "mars-1", {"SourceRegion": "mars-1"}),
        ("InvalidParameterValue", "255", {"Description": "x" * 256}),
        ("InvalidParameterValue", "aws:", {"TagSpecifications": tags}),
        ("InvalidParameterValue", "volume", {"TagSpecifications": [{"ResourceType": "volume", "Tags": []}]}),
        ("UnsupportedOperation", "Outpost", {"DestinationOutpostArn": "arn:aws:outposts:us-east-1:111122223333:x"}),
        ("UnsupportedOperation", "Local Zone", {"DestinationAvailabilityZone": "us-east-1-bos-1a"}),
    ):
        refused(code, lambda more=more: _copy(ground, source, **more), message)  # type: ignore[misc]
    refused("InvalidSnapshotID.Malformed", lambda: _copy(ground, "snap-banana"), "snap-banana")
    assert ground.ec2(region=FAR).describe_snapshots()["Snapshots"] == []


@ROWS.row(API + "CopySnapshot, DryRun")
def a_dry_run_copies_nothing(ground: Ground) -> None:
    source = ground.snapshot()
    refused("DryRunOperation", lambda: _copy(ground, source, DryRun=True))
    assert ground.ec2(region=FAR).describe_snapshots()["Snapshots"] == []


@ROWS.row("EBS user guide, Delete an Amazon EBS snapshot")
def a_pending_copy_that_is_deleted_goes_when_it_is_complete(ground: Ground) -> None:
    source = ground.snapshot(ground.volume(written=GIB))
    copy = _copy(ground, source)
    ground.ec2(region=FAR).delete_snapshot(SnapshotId=copy)
    assert ground.shown(copy, region=FAR)["State"] == "pending"
    ground.clock.advance("1h")
    refused("InvalidSnapshot.NotFound", lambda: ground.shown(copy, region=FAR))
    assert _copied(ground, source) == GIB
