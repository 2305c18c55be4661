"""Rules about fast snapshot restore."""

from datetime import timedelta
from typing import Any

from tests.sandbox.ground import Ground, Table, refused

ROWS = Table()
GUIDE = "EBS user guide, Amazon EBS fast snapshot restore, "
API = "EC2 API reference, EnableFastSnapshotRestores"
UNKNOWN = "snap-0123456789abcdef0"
ZONE = "us-east-1a"


def enable(ground: Ground, *snapshots: str, zones: tuple[str, ...] = (ZONE,), account: int = 0) -> dict[str, Any]:
    """Enable it for snapshots in zones."""
    ec2 = ground.ec2(account)
    return dict(ec2.enable_fast_snapshot_restores(AvailabilityZones=list(zones), SourceSnapshotIds=list(snapshots)))


def disable(ground: Ground, *snapshots: str, zones: tuple[str, ...] = (ZONE,)) -> dict[str, Any]:
    """Disable it for snapshots in zones."""
    ec2 = ground.ec2()
    return dict(ec2.disable_fast_snapshot_restores(AvailabilityZones=list(zones), SourceSnapshotIds=list(snapshots)))


def found(ground: Ground, *, account: int = 0, **asked: Any) -> list[dict[str, Any]]:
    """Describe them."""
    return list(ground.ec2(account).describe_fast_snapshot_restores(**asked)["FastSnapshotRestores"])


def states(ground: Ground, account: int = 0) -> list[str]:
    """List their states."""
    return [each["State"] for each in found(ground, account=account)]


def errors(answer: dict[str, Any]) -> list[tuple[str, str, str]]:
    """List what did not go well: snapshot, zone and code; each with a message."""
    return [
        (each["SnapshotId"], error["AvailabilityZone"], error["Error"]["Code"])
        for each in answer["Unsuccessful"]
        for error in each["FastSnapshotRestoreStateErrors"]
        if error["Error"]["Message"] and error["AvailabilityZoneId"]
    ]


def restored(ground: Ground, snapshot: str, *, account: int = 0, zone: str = ZONE) -> bool:
    """Make a volume; tell whether it was restored fast."""
    ec2 = ground.ec2(account)
    volume = ec2.create_volume(AvailabilityZone=zone, SnapshotId=snapshot, VolumeType="gp3")["VolumeId"]
    return bool(ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]["FastRestored"])


def share(ground: Ground, snapshot: str, kind: str = "add") -> None:
    """Share a snapshot with the second account, or no longer."""
    ground.ec2().modify_snapshot_attribute(
        SnapshotId=snapshot, Attribute="createVolumePermission", OperationType=kind, UserIds=[ground.accounts[1]]
    )


@ROWS.row(GUIDE + "states: 60 minutes per TiB")
def it_goes_from_enabling_over_optimizing_to_enabled(ground: Ground) -> None:
    snapshot, began = ground.snapshot(ground.volume(1024)), ground.clock.now()
    answer = enable(ground, snapshot)
    assert answer["Unsuccessful"] == []
    assert answer["Successful"] == [
        {
            "SnapshotId": snapshot,
            "AvailabilityZone": ZONE,
            "AvailabilityZoneId": "use1-az6",
            "State": "enabling",
            "StateTransitionReason": "Client.UserInitiated",
            "OwnerId": ground.accounts[0],
            "EnablingTime": began,
        }
    ]
    ground.clock.advance("36s")
    shown = found(ground)[0]
    assert (shown["State"], shown["OptimizingTime"]) == ("optimizing", began + timedelta(seconds=36))
    assert shown["StateTransitionReason"] == "Client.UserInitiated - Lifecycle state transition"
    ground.clock.advance("59min 59s")
    assert states(ground) == ["optimizing"]
    ground.clock.advance("1s")
    shown = found(ground)[0]
    assert (shown["State"], shown["EnabledTime"]) == ("enabled", began + timedelta(hours=1, seconds=36))
    assert shown["EnablingTime"] == began


@ROWS.row(GUIDE + "volume creation credits: the example of 128 GiB")
def a_credit_of_128_gib_takes_seven_and_a_half_minutes(ground: Ground) -> None:
    snapshot = ground.snapshot(ground.volume(128))
    enable(ground, snapshot)
    ground.clock.advance("36s")
    ground.clock.advance("7min 30s")
    assert states(ground) == ["enabled"]
    assert not restored(ground, snapshot)
    ground.clock.advance("7min 29s")
    assert not restored(ground, snapshot)
    ground.clock.advance("31s")
    assert [restored(ground, snapshot) for _ in range(2)] == [True, False]
    # 8 minutes give 1.0667 credits: what was left of them counts.
    ground.clock.advance("6min 59s")
    assert not restored(ground, snapshot)
    ground.clock.advance("1s")
    assert restored(ground, snapshot)


@ROWS.row(GUIDE + "volume creation credits: the size of the bucket")
def the_bucket_holds_what_the_size_of_the_snapshot_allows(ground: Ground) -> None:
    for gib, most in ((50, 10), (128, 8), (600, 1), (2048, 1)):
        snapshot = ground.snapshot(ground.volume(gib))
        enable(ground, snapshot)
        ground.clock.advance("100h")
        assert [restored(ground, snapshot) for _ in range(most + 1)] == [True] * most + [False]


@ROWS.row(GUIDE + "volume creation credits: the fill rate")
def a_large_snapshot_needs_more_than_an_hour_for_a_credit(ground: Ground) -> None:
    snapshot = ground.snapshot(ground.volume(2048))
    enable(ground, snapshot)
    ground.clock.advance("2h 36s")
    assert states(ground) == ["enabled"]
    ground.clock.advance("1h 59min")
    assert not restored(ground, snapshot)
    ground.clock.advance("1min")
    assert restored(ground, snapshot)


@ROWS.row(GUIDE + "volume creation credits: one bucket per snapshot and zone")
def each_zone_and_snapshot_has_credits_of_its_own(ground: Ground) -> None:
    one, other = ground.snapshot(ground.volume(1024)), ground.snapshot(ground.volume(1024))
    enable(ground, one, zones=(ZONE, "us-east-1b"))
    ground.clock.advance("3h")
    assert restored(ground, one)
    assert not restored(ground, one)
    assert restored(ground, one, zone="us-east-1b")
    assert not restored(ground, one, zone="us-east-1c")
    assert not restored(ground, other)


@ROWS.row(GUIDE + "Enable or disable")
def it_is_disabled_when_asked_and_gives_no_credits(ground: Ground) -> None:
    snapshot = ground.snapshot()
    enable(ground, snapshot)
    ground.clock.advance("10h")
    answer = disable(ground, snapshot)
    asked = ground.clock.now()
    done = answer["Successful"][0]
    assert (done["State"], done["DisablingTime"], done["StateTransitionReason"]) == (
        "disabling",
        asked,
        "Client.UserInitiated",
    )
    assert not restored(ground, snapshot)
    ground.clock.advance("1min")
    shown = found(ground)[0]
    assert (shown["State"], shown["DisabledTime"]) == ("disabled", asked + timedelta(minutes=1))
    assert enable(ground, snapshot)["Successful"][0]["State"] == "enabling"
    again = found(ground)
    assert [each["State"] for each in again] == ["enabling"]
    assert "DisabledTime" not in again[0]
    ground.clock.advance("10h")
    assert restored(ground, snapshot)


@ROWS.row(GUIDE + "Enable or disable")
def what_is_disabled_on_the_way_does_not_get_enabled(ground: Ground) -> None:
    snapshot = ground.snapshot(ground.volume(1024))
    enable(ground, snapshot)
    ground.clock.advance("10min")
    disable(ground, snapshot)
    ground.clock.advance("10h")
    assert states(ground) == ["disabled"]


@ROWS.row(API)
def enabling_what_is_enabled_keeps_its_credits(ground: Ground) -> None:
    snapshot = ground.snapshot()
    enable(ground, snapshot)
    ground.clock.advance("10h")
    assert enable(ground, snapshot)["Successful"][0]["State"] == "enabled"
    assert len(found(ground)) == 1
    assert restored(ground, snapshot)


@ROWS.row("aws-ebs-csi-driver: it is enabled right after CreateSnapshot")
def a_pending_snapshot_is_enabled_when_it_is_complete(ground: Ground) -> None:
    snapshot = ground.ec2().create_snapshot(VolumeId=ground.volume(written=2048))["SnapshotId"]
    assert enable(ground, snapshot)["Successful"][0]["State"] == "enabling"
    ground.clock.advance("2min")
    assert states(ground) == ["enabling"]
    ground.clock.advance("1h")
    assert states(ground) == ["enabled"]
    ready = ground.shown(snapshot)["CompletionTime"] + timedelta(seconds=36)
    assert found(ground)[0]["OptimizingTime"] == ready


@ROWS.row(GUIDE + "states: disabling, where a request to enable it failed")
def a_snapshot_that_fails_is_not_enabled(ground: Ground) -> None:
    ground.sandbox.faults.add("CreateSnapshot", failing=1)
    snapshot = ground.ec2().create_snapshot(VolumeId=ground.volume())["SnapshotId"]
    enable(ground, snapshot)
    ground.clock.advance("10h")
    assert states(ground) == ["disabled"]
    assert errors(enable(ground, snapshot)) == [(snapshot, ZONE, "IncorrectState")]


@ROWS.row(GUIDE + "Enable or disable: shared snapshots")
def an_account_enables_what_is_shared_with_it_for_itself(ground: Ground) -> None:
    snapshot = ground.snapshot(ground.volume(1024))
    assert errors(enable(ground, snapshot, account=1)) == [(snapshot, ZONE, "InvalidSnapshot.NotFound")]
    share(ground, snapshot)
    assert enable(ground, snapshot, account=1)["Successful"][0]["OwnerId"] == ground.accounts[1]
    assert found(ground) == []
    ground.clock.advance("3h")
    assert not restored(ground, snapshot)
    assert restored(ground, snapshot, account=1)


@ROWS.row(GUIDE + "Enable or disable: the owner unshares it")
def it_ends_when_the_snapshot_is_unshared(ground: Ground) -> None:
    snapshot = ground.snapshot()
    share(ground, snapshot)
    enable(ground, snapshot, account=1)
    enable(ground, snapshot)
    ground.clock.advance("10h")
    share(ground, snapshot, "remove")
    ground.clock.advance("2min")
    assert (states(ground), states(ground, account=1)) == (["enabled"], ["disabled"])


@ROWS.row(GUIDE + "Enable or disable: the snapshot is deleted")
def it_ends_when_the_snapshot_is_deleted(ground: Ground) -> None:
    snapshot = ground.snapshot()
    share(ground, snapshot)
    enable(ground, snapshot, zones=(ZONE, "us-east-1b"))
    enable(ground, snapshot, account=1)
    ground.clock.advance("10h")
    ground.ec2().delete_snapshot(SnapshotId=snapshot)
    ground.clock.advance("1min")
    assert (states(ground), states(ground, account=1)) == (["disabling"] * 2, ["disabling"])
    ground.clock.advance("1min")
    assert (states(ground), states(ground, account=1)) == (["disabled"] * 2, ["disabled"])


@ROWS.row("EBS user guide, Recycle Bin, considerations: fast snapshot restore")
def it_stays_when_the_snapshot_comes_back_from_the_bin_soon(ground: Ground) -> None:
    ec2 = ground.ec2()
    week = {"RetentionPeriodValue": 7, "RetentionPeriodUnit": "DAYS"}
    ground.client("rbin").create_rule(ResourceType="EBS_SNAPSHOT", RetentionPeriod=week)
    soon, late = ground.snapshot(), ground.snapshot()
    enable(ground, soon, late)
    ground.clock.advance("10h")
    for snapshot in (soon, late):
        ec2.delete_snapshot(SnapshotId=snapshot)
    ec2.restore_snapshot_from_recycle_bin(SnapshotId=soon)
    ground.clock.advance("1h")
    ec2.restore_snapshot_from_recycle_bin(SnapshotId=late)
    ground.clock.advance("1h")
    assert states(ground) == ["enabled", "disabled"]


@ROWS.row("EBS user guide, Archive Amazon EBS snapshots, limitations")
def it_ends_when_the_snapshot_is_archived_and_cannot_begin_there(ground: Ground) -> None:
    snapshot = ground.snapshot()
    enable(ground, snapshot)
    ground.clock.advance("10h")
    ground.ec2().modify_snapshot_tier(SnapshotId=snapshot)
    ground.clock.advance("1min")
    assert states(ground) == ["enabled"]
    ground.clock.advance("12h")
    assert states(ground) == ["disabled"]
    assert errors(enable(ground, snapshot)) == [(snapshot, ZONE, "IncorrectState")]


@ROWS.row("Service Quotas, L-631ECBD3")
def five_snapshots_of_a_region_are_enabled(ground: Ground) -> None:
    snapshots = [ground.snapshot() for _ in range(6)]
    assert len(enable(ground, *snapshots[:5], zones=(ZONE, "us-east-1b"))["Successful"]) == 10
    answer = enable(ground, snapshots[5], snapshots[4], zones=("us-east-1c",))
    assert [each["SnapshotId"] for each in answer["Successful"]] == [snapshots[4]]
    assert errors(answer) == [(snapshots[5], "us-east-1c", "ResourceLimitExceeded")]
    disable(ground, snapshots[0], zones=(ZONE, "us-east-1b"))
    assert enable(ground, snapshots[5])["Unsuccessful"] == []


@ROWS.row(GUIDE + "16 TiB")
def snapshots_of_up_to_16_tib_are_enabled(ground: Ground) -> None:
    fits, large = ground.snapshot(ground.volume(16384)), ground.snapshot(ground.volume(16385))
    answer = enable(ground, fits, large)
    assert [each["SnapshotId"] for each in answer["Successful"]] == [fits]
    assert errors(answer) == [(large, ZONE, "InvalidParameterValue")]


@ROWS.row(API)
def each_pair_that_does_not_go_well_says_why(ground: Ground) -> None:
    snapshot = ground.snapshot()
    answer = enable(ground, UNKNOWN, snapshot, zones=(ZONE, "us-east-1b"))
    assert [each["AvailabilityZone"] for each in answer["Successful"]] == [ZONE, "us-east-1b"]
    assert errors(answer) == [(UNKNOWN, zone, "InvalidSnapshot.NotFound") for zone in (ZONE, "us-east-1b")]
    answer = disable(ground, snapshot, UNKNOWN, zones=(ZONE, "us-east-1c"))
    assert [each["AvailabilityZone"] for each in answer["Successful"]] == [ZONE]
    assert errors(answer) == [
        (snapshot, "us-east-1c", "InvalidParameterValue"),
        (UNKNOWN, ZONE, "InvalidParameterValue"),
        (UNKNOWN, "us-east-1c", "InvalidParameterValue"),
    ]


@ROWS.row(API)
def zones_are_named_by_id_as_well(ground: Ground) -> None:
    ec2, snapshot = ground.ec2(), ground.snapshot()
    both = {"AvailabilityZoneIds": ["use1-az1", "use1-az6"], "SourceSnapshotIds": [snapshot]}
    answer = ec2.enable_fast_snapshot_restores(**both)
    assert [each["AvailabilityZone"] for each in answer["Successful"]] == ["us-east-1b", ZONE]
    assert len(ec2.disable_fast_snapshot_restores(**both)["Successful"]) == 2


@ROWS.row("EC2 API reference, DescribeFastSnapshotRestores")
def they_are_listed_by_filter_and_in_pages(ground: Ground) -> None:
    first, second = ground.snapshot(), ground.snapshot(ground.volume(1024))
    zones = (ZONE, "us-east-1b", "us-east-1c")
    enable(ground, first, second, zones=zones)
    ground.clock.advance("30min")
    disable(ground, first, zones=("us-east-1c",))

    def chosen(name: str, *values: str) -> list[tuple[str, str]]:
        shown = found(ground, Filters=[{"Name": name, "Values": list(values)}])
        return [(each["SnapshotId"], each["AvailabilityZone"]) for each in shown]

    assert chosen("snapshot-id", second) == [(second, zone) for zone in zones]
    assert chosen("availability-zone", ZONE) == [(first, ZONE), (second, ZONE)]
    assert chosen("availability-zone-id", "use1-az1") == [(first, "us-east-1b"), (second, "us-east-1b")]
    assert chosen("state", "enabled") == [(first, ZONE), (first, "us-east-1b")]
    assert chosen("state", "disabling", "optimizing") == [(first, "us-east-1c"), *((second, zone) for zone in zones)]
    assert len(chosen("owner-id", ground.accounts[0])) == 6
    assert chosen("owner-id", ground.accounts[1]) == []
    refused("InvalidParameterValue", lambda: chosen("zone", ZONE), "zone")
    ec2 = ground.ec2()
    page = ec2.describe_fast_snapshot_restores(MaxResults=4)
    rest = ec2.describe_fast_snapshot_restores(MaxResults=4, NextToken=page["NextToken"])
    assert page["FastSnapshotRestores"] + rest["FastSnapshotRestores"] == found(ground)
    assert rest.get("NextToken") is None
    assert len(found(ground, MaxResults=0)) == 6
    for change in (disable, enable):
        assert change(ground, first)["Unsuccessful"] == []
    assert chosen("snapshot-id", first) == [(first, zone) for zone in zones]
    refused("InvalidParameterValue", lambda: found(ground, NextToken="nonsense"))


@ROWS.row(API)
def bad_requests_enable_nothing(ground: Ground) -> None:
    ec2, snapshot = ground.ec2(), ground.snapshot()
    ids = [f"snap-{number:017x}" for number in range(11)]
    refused("InvalidParameterValue", lambda: enable(ground, *ids), "10")
    refused("InvalidSnapshotID.Malformed", lambda: enable(ground, snapshot, "snap-1"), "snap-1")
    refused("InvalidZone.NotFound", lambda: enable(ground, snapshot, zones=(ZONE, "eu-west-1a")), "eu-west-1a")
    refused("MissingParameter", lambda: ec2.enable_fast_snapshot_restores(SourceSnapshotIds=[snapshot]))
    refused(
        "InvalidParameterCombination",
        lambda: ec2.enable_fast_snapshot_restores(
            AvailabilityZones=[ZONE], AvailabilityZoneIds=["use1-az6"], SourceSnapshotIds=[snapshot]
        ),
    )
    refused(
        "DryRunOperation",
        lambda: ec2.enable_fast_snapshot_restores(AvailabilityZones=[ZONE], SourceSnapshotIds=[snapshot], DryRun=True),
    )
    assert found(ground) == []
