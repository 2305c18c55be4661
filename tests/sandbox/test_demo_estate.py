"""The estate of `Sandbox.demo` is what it promises to be."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from snapkit import InvalidRequest, Sandbox
from snapkit.blocks import Workload
from snapkit.tags import STANDARD
from tests.sandbox.ground import refused

REGIONS = ("us-east-1", "eu-west-1")


@pytest.fixture(scope="module")
def estate() -> Iterator[Sandbox]:
    with Sandbox.demo() as sandbox:
        yield sandbox


def own(sandbox: Sandbox, account: str, region: str) -> list[dict[str, Any]]:
    return list(sandbox.client("ec2", region, account).describe_snapshots(OwnerIds=["self"])["Snapshots"])


def everything(sandbox: Sandbox) -> list[dict[str, Any]]:
    return [each for account in sandbox.accounts for region in REGIONS for each in own(sandbox, account, region)]


def tag(resource: dict[str, Any], key: str) -> str | None:
    return next((pair["Value"] for pair in resource.get("Tags", []) if pair["Key"] == key), None)


def test_it_has_some_two_hundred_snapshots_in_three_accounts_and_two_regions(estate: Sandbox) -> None:
    snapshots = everything(estate)
    assert 180 <= len(snapshots) <= 220
    assert len({each["OwnerId"] for each in snapshots}) == 3
    states = [each["State"] for each in snapshots]
    assert (states.count("pending"), states.count("error")) == (1, 1)
    assert all(each["StartTime"] < estate.clock.now() for each in snapshots)


def test_snapshots_belong_to_groups_and_billing_codes(estate: Sandbox) -> None:
    groups = {tag(each, STANDARD.group) for each in everything(estate)}
    codes = {tag(each, STANDARD.billing_code) for each in everything(estate)}
    assert {"db", "web", "files", "payments", "legacy", "audit"} <= groups
    assert {"CC-42", "CC-17", "CC-08"} <= codes


def test_servers_run_with_attached_volumes(estate: Sandbox) -> None:
    ec2 = estate.client("ec2")
    running = [each for part in ec2.describe_instances()["Reservations"] for each in part["Instances"]]
    assert {tag(each, "Name") for each in running} == {"db-1", "db-2", "web-1", "web-2", "files-1", "pay-1"}
    volumes = ec2.describe_volumes(Filters=[{"Name": "attachment.status", "Values": ["attached"]}])["Volumes"]
    assert {"db-1 root", "db-1 data", "pay-1 ledger"} <= {tag(each, "Name") for each in volumes}


def test_orphans_lost_their_volume(estate: Sandbox) -> None:
    ec2 = estate.client("ec2")
    volumes = {each["VolumeId"] for each in ec2.describe_volumes()["Volumes"]}
    orphans = [each for each in own(estate, estate.accounts[0], "us-east-1") if each["VolumeId"] not in volumes]
    assert len([each for each in orphans if tag(each, STANDARD.group) == "legacy"]) == 6


def test_an_image_holds_a_snapshot(estate: Sandbox) -> None:
    ec2 = estate.client("ec2")
    image = ec2.describe_images(Owners=["self"])["Images"][0]
    held = image["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
    assert held in {each["SnapshotId"] for each in own(estate, estate.accounts[0], "us-east-1")}
    refused("InvalidSnapshot.InUse", lambda: ec2.delete_snapshot(SnapshotId=held), image["ImageId"])


def test_some_are_encrypted_under_a_key_of_the_company(estate: Sandbox) -> None:
    encrypted = [each for each in everything(estate) if each["Encrypted"]]
    assert {tag(each, STANDARD.group) for each in encrypted} == {"payments"}
    keys = estate.client("kms").list_keys()["Keys"]
    assert {each["KmsKeyId"] for each in encrypted} <= {each["KeyArn"] for each in keys}


def test_one_is_shared_in_one_is_shared_out_and_one_is_public(estate: Sandbox) -> None:
    production, staging, audit = estate.accounts
    shared = estate.client("ec2").describe_snapshots(OwnerIds=[staging], RestorableByUserIds=["self"])["Snapshots"]
    assert len(shared) == 1
    seen = estate.client("ec2", account=audit).describe_snapshots(OwnerIds=[production])["Snapshots"]
    assert len(seen) == 1
    public = estate.client("ec2", "eu-west-1", audit).describe_snapshots(RestorableByUserIds=["all"])["Snapshots"]
    assert [each["OwnerId"] for each in public] == [staging]


def test_one_was_copied_to_the_other_region(estate: Sandbox) -> None:
    copies = [each for each in own(estate, estate.accounts[0], "eu-west-1") if each["VolumeId"] == "vol-ffffffff"]
    assert [tag(each, "Name") for each in copies] == ["db-2 data, copy"]


def test_the_history_of_a_volume_tells_how_it_is_written(estate: Sandbox) -> None:
    taken = [each for each in own(estate, estate.accounts[0], "us-east-1") if tag(each, STANDARD.group) == "db"]
    taken = sorted(
        (each for each in taken if str(tag(each, "Name")).startswith("db-1 data")), key=lambda each: each["StartTime"]
    )
    ebs = estate.client("ebs")
    workload = Workload.profile("workstation", "40 GiB")
    ratios: dict[str, list[float]] = {"hourly": [], "weekly": []}
    for first, second in pairwise(taken):
        apart = second["StartTime"] - first["StartTime"]
        kind = "hourly" if apart == timedelta(hours=1) else "weekly" if apart >= timedelta(days=5) else None
        if kind is None:
            continue
        changed = 0
        token: dict[str, str] = {}
        while True:
            page = ebs.list_changed_blocks(
                FirstSnapshotId=first["SnapshotId"], SecondSnapshotId=second["SnapshotId"], MaxResults=10_000, **token
            )
            changed += len(page["ChangedBlocks"])
            if "NextToken" not in page:
                break
            token = {"NextToken": page["NextToken"]}
        ratios[kind].append(changed / workload.footprint(apart.total_seconds()))
    for found in ratios.values():
        assert len(found) >= 3
        assert sum(found) / len(found) == pytest.approx(1.0, rel=0.1)


def test_two_demos_are_equal_and_another_seed_gives_another() -> None:
    first, again, other = (everything(Sandbox.demo(seed)) for seed in (7, 7, 8))
    assert first == again
    assert [each["SnapshotId"] for each in first] != [each["SnapshotId"] for each in other]


def test_a_demo_without_room_for_its_history_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"start '0001-01-05 .* is too early for a demo; leave 62 days"):
        Sandbox.demo(start="0001-01-05")


def test_it_is_handed_over_at_the_moment_asked_for() -> None:
    sandbox = Sandbox.demo(start="2026-06-01T12:00")
    assert sandbox.clock.now().isoformat() == "2026-06-01T12:00:00+00:00"
    assert max(each["StartTime"] for each in everything(sandbox)).isoformat().startswith("2026-06-01T11:58")
