"""Rules about copies of volumes."""

from typing import Any

from tests.sandbox.ground import Ground, Table, refused
from tests.sandbox.rows.volume_status import details, status
from tests.sandbox.rows.volumes import described, make

ROWS = Table()
GUIDE = "EBS user guide, Copy an Amazon EBS volume"
API = "EC2 API reference, CopyVolumes"


def copy(ground: Ground, source: str, account: int = 0, **given: Any) -> Any:
    [made] = ground.ec2(account).copy_volumes(SourceVolumeId=source, **given)["Volumes"]
    return made


@ROWS.row(API)
def a_copy_is_made_in_the_zone_of_its_source(ground: Ground) -> None:
    tags = [{"ResourceType": "volume", "Tags": [{"Key": "a", "Value": "b"}]}]
    source = ground.volume(20, AvailabilityZone="us-east-1c", TagSpecifications=tags)
    made = copy(ground, source)
    assert (made["State"], made["SourceVolumeId"], made["Size"]) == ("creating", source, 20)
    assert (made["VolumeType"], made["Iops"], made["AvailabilityZone"]) == ("gp2", 100, "us-east-1c")
    shown = described(ground, made["VolumeId"])
    assert (shown["State"], shown["SourceVolumeId"], shown["SnapshotId"]) == ("available", source, "")
    assert "Tags" not in shown
    other = copy(
        ground, ground.volume(20), Size=30, VolumeType="gp3", Iops=4000, Throughput=500, TagSpecifications=tags
    )
    assert (other["Size"], other["Iops"], other["Throughput"]) == (30, 4000, 500)
    assert other["Tags"] == [{"Key": "a", "Value": "b"}]


@ROWS.row(GUIDE)
def a_copy_holds_what_was_written_when_it_was_asked_for(ground: Ground) -> None:
    source = ground.volume(10, written=100)
    made = copy(ground, source)["VolumeId"]
    ground.sandbox.write(source, 1000, 50)
    ground.sandbox.write(made, 2000, 7)
    blocks = {
        volume: ground.shown(ground.snapshot(volume))["FullSnapshotSizeInBytes"] >> 19 for volume in (source, made)
    }
    assert blocks == {source: 150, made: 107}


@ROWS.row(GUIDE + ": the copy is a volume of its own")
def the_first_snapshot_of_a_copy_is_full_and_the_next_is_not(ground: Ground) -> None:
    source = ground.volume(10, written=2048)
    ground.snapshot(source)
    made = copy(ground, source)["VolumeId"]
    first = ground.ec2().create_snapshot(VolumeId=made)["SnapshotId"]
    ground.clock.advance("181s")
    assert ground.shown(first)["State"] == "pending"
    ground.clock.advance("30s")
    assert ground.shown(first)["State"] == "completed"
    second = ground.ec2().create_snapshot(VolumeId=made)["SnapshotId"]
    ground.clock.advance("181s")
    assert ground.shown(second)["State"] == "completed"


@ROWS.row(GUIDE + ", Initialization duration: 6 hours for the first TiB")
def a_copy_initializes_in_time_by_its_data(ground: Ground) -> None:
    made = copy(ground, ground.volume(1024, written=2048 * 1024))["VolumeId"]
    ground.clock.advance("3h")
    shown = status(ground, made)
    assert shown["InitializationStatusDetails"] == {"InitializationType": "volume-copy", "Progress": 50}
    assert details(shown)["initialization-state"] == "initializing"
    ground.clock.advance("3h")
    assert status(ground, made)["InitializationStatusDetails"]["Progress"] == 100


@ROWS.row(GUIDE + ", Initialization duration: 1.2 hours for each further TiB")
def a_further_tib_of_a_copy_takes_less(ground: Ground) -> None:
    made = copy(ground, ground.volume(2048, written=2048 * 2048), VolumeType="gp3")["VolumeId"]
    ground.clock.advance("7h 11min")
    assert status(ground, made)["InitializationStatusDetails"]["Progress"] == 99
    ground.clock.advance("1min")
    assert status(ground, made)["InitializationStatusDetails"]["Progress"] == 100


@ROWS.row(GUIDE + ", Considerations: one copy of a source at a time")
def a_source_is_copied_once_at_a_time(ground: Ground) -> None:
    source = ground.volume(10, written=2048)
    made = copy(ground, source)["VolumeId"]
    refused("ConcurrentCopyVolumeLimitExceeded", lambda: copy(ground, source), source)
    refused("IncorrectState", lambda: copy(ground, made), made)
    ground.clock.advance("10min")
    copy(ground, made)
    copy(ground, source)


@ROWS.row(GUIDE + ", Considerations: 5 in-progress copies per Region")
def five_copies_go_on_in_a_region(ground: Ground) -> None:
    for _ in range(5):
        copy(ground, ground.volume(10, written=2048))
    another = ground.volume(10, written=2048)
    refused("CopyVolumesLimitExceeded", lambda: copy(ground, another), "5")
    abroad = ground.volume(10, written=2048, region="eu-west-1")
    assert ground.ec2(region="eu-west-1").copy_volumes(SourceVolumeId=abroad)["Volumes"]
    ground.clock.advance("10min")
    copy(ground, another)


@ROWS.row(GUIDE + ", Considerations")
def what_cannot_be_copied_is_refused(ground: Ground) -> None:
    source = ground.volume(10)
    refused("InvalidParameterValue", lambda: copy(ground, source, Size=9), "10 GiB")
    refused("InvalidParameterValue", lambda: copy(ground, source, Size=16385), "16384")
    refused("InvalidParameterCombination", lambda: copy(ground, source, Iops=3000))
    refused("UnknownVolumeType", lambda: copy(ground, source, VolumeType="zz9"))
    refused("InvalidVolume.NotFound", lambda: copy(ground, "vol-0123456789abcdef0"))
    refused("InvalidVolume.NotFound", lambda: copy(ground, source, 1))
    refused("InvalidVolumeID.Malformed", lambda: copy(ground, "banana"))
    refused("DryRunOperation", lambda: copy(ground, source, DryRun=True))
    ground.ec2().modify_volume(VolumeId=source, Size=20)
    refused("IncorrectState", lambda: copy(ground, source), "modifying")
    assert len(ground.ec2().describe_volumes()["Volumes"]) == 1
    ground.clock.advance("6s")
    assert copy(ground, source)["Size"] == 20


@ROWS.row(GUIDE + ", Encryption outcomes")
def the_key_of_a_copy_is_that_of_its_source_unless_another_is_given(ground: Ground) -> None:
    kms = ground.client("kms")
    one, two = (kms.create_key()["KeyMetadata"]["Arn"] for _ in range(2))

    def key(source: str, **given: Any) -> object:
        made = copy(ground, source, **given)
        ground.clock.advance("1h")
        assert made["Encrypted"] == ("KmsKeyId" in made)
        return made.get("KmsKeyId")

    plain, secret = ground.volume(1), ground.volume(1, Encrypted=True, KmsKeyId=one)
    assert (key(plain), key(plain, Encrypted=True, KmsKeyId=two)) == (None, two)
    assert key(plain, KmsKeyId=two) == two
    assert (key(secret), key(secret, Encrypted=False), key(secret, KmsKeyId=two)) == (one, one, two)
    ground.ec2().enable_ebs_encryption_by_default()
    assert key(plain) not in (None, one, two)
    assert key(secret) == one


@ROWS.row(API + ", ClientToken")
def a_client_token_makes_one_copy(ground: Ground) -> None:
    source = ground.volume(10, written=10)
    first = copy(ground, source, ClientToken="one")
    assert copy(ground, source, ClientToken="one")["VolumeId"] == first["VolumeId"]
    refused("IdempotentParameterMismatch", lambda: copy(ground, source, ClientToken="one", Size=11))
    assert make(ground, Size=1, ClientToken="one")["VolumeId"] != first["VolumeId"]


@ROWS.row(GUIDE + ", Considerations: the copy completes without its source")
def a_copy_outlives_its_source(ground: Ground) -> None:
    source = ground.volume(10, written=2048)
    made = copy(ground, source)["VolumeId"]
    ground.ec2().delete_volume(VolumeId=source)
    ground.clock.advance("1h")
    assert status(ground, made)["InitializationStatusDetails"]["Progress"] == 100
    assert ground.shown(ground.snapshot(made))["FullSnapshotSizeInBytes"] == 2048 << 19
