"""What a newcomer writes for AWS: plain boto3, the account and the endpoint from the environment.

From a snapshot to the archive: take it, wait for it, share it, restore it in the other account, copy it to another
region, lock it, see that it cannot be deleted, and archive the copy.
"""

import sys
import time

import boto3
from botocore.exceptions import ClientError

other_account = sys.argv[1]

ec2 = boto3.client("ec2", region_name="us-east-1")
me = boto3.client("sts", region_name="us-east-1").get_caller_identity()["Account"]

volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=8, VolumeType="gp3")
ec2.get_waiter("volume_available").wait(VolumeIds=[volume["VolumeId"]])
snapshot = ec2.create_snapshot(
    VolumeId=volume["VolumeId"],
    Description="before the upgrade",
    TagSpecifications=[{"ResourceType": "snapshot", "Tags": [{"Key": "Name", "Value": "before the upgrade"}]}],
)
snapshot_id = snapshot["SnapshotId"]
assert snapshot["State"] == "pending"
ec2.get_waiter("snapshot_completed").wait(SnapshotIds=[snapshot_id])
print("taken", ec2.describe_snapshots(SnapshotIds=[snapshot_id])["Snapshots"][0]["Progress"])

ec2.modify_snapshot_attribute(SnapshotId=snapshot_id, CreateVolumePermission={"Add": [{"UserId": other_account}]})
role = boto3.client("sts", region_name="us-east-1").assume_role(
    RoleArn=f"arn:aws:iam::{other_account}:role/restore", RoleSessionName="restore"
)["Credentials"]
theirs = boto3.client(
    "ec2",
    region_name="us-east-1",
    aws_access_key_id=role["AccessKeyId"],
    aws_secret_access_key=role["SecretAccessKey"],
    aws_session_token=role["SessionToken"],
)
found = theirs.describe_snapshots(RestorableByUserIds=["self"], OwnerIds=[me])["Snapshots"]
print("shared", [each["SnapshotId"] for each in found] == [snapshot_id])

restored = theirs.create_volume(AvailabilityZone="us-east-1b", SnapshotId=snapshot_id, VolumeType="gp3")
theirs.get_waiter("volume_available").wait(VolumeIds=[restored["VolumeId"]])
print("restored", theirs.describe_volumes(VolumeIds=[restored["VolumeId"]])["Volumes"][0]["Size"], "GiB")

abroad = boto3.client("ec2", region_name="eu-west-1")
copy_id = abroad.copy_snapshot(SourceRegion="us-east-1", SourceSnapshotId=snapshot_id, Description="for disasters")[
    "SnapshotId"
]
abroad.get_waiter("snapshot_completed").wait(SnapshotIds=[copy_id])
print("copied", abroad.describe_snapshots(SnapshotIds=[copy_id])["Snapshots"][0]["State"])

lock = ec2.lock_snapshot(SnapshotId=snapshot_id, LockMode="governance", LockDuration=3650)
print("locked", lock["LockState"])
try:
    ec2.delete_snapshot(SnapshotId=snapshot_id)
except ClientError as refusal:
    print("not deleted", refusal.response["Error"]["Code"])

abroad.modify_snapshot_tier(SnapshotId=copy_id, StorageTier="archive")
while True:
    status = abroad.describe_snapshot_tier_status(Filters=[{"Name": "snapshot-id", "Values": [copy_id]}])
    if status["SnapshotTierStatuses"][0]["LastTieringOperationStatus"] == "archival-completed":
        break
    time.sleep(0.2)
print("archived", status["SnapshotTierStatuses"][0]["StorageTier"])
