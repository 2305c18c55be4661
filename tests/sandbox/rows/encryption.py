"""Rules about encryption by default, and about keys."""

from typing import Any

from tests.sandbox.ground import Ground, Table, refused

ROWS = Table()
GUIDE = "EBS user guide, How Amazon EBS encryption works"
DEFAULT = "EBS user guide, Enable Amazon EBS encryption by default"
API = "EC2 API reference, "
UNKNOWN = "12345678-1234-1234-1234-123456789012"


def _key(ground: Ground, *, account: int = 0, region: str = "us-east-1", **more: Any) -> str:
    return str(ground.client("kms", account, region).create_key(**more)["KeyMetadata"]["Arn"])


def _managed(ground: Ground, *, account: int = 0, region: str = "us-east-1") -> str:
    return str(ground.client("kms", account, region).describe_key(KeyId="alias/aws/ebs")["KeyMetadata"]["Arn"])


def _volume(ground: Ground, *, account: int = 0, **more: Any) -> dict[str, Any]:
    """Create a volume, and describe it."""
    made = ground.ec2(account).create_volume(AvailabilityZone="us-east-1a", VolumeType="gp3", **more)["VolumeId"]
    return dict(ground.ec2(account).describe_volumes(VolumeIds=[made])["Volumes"][0])


def _encrypted(ground: Ground, key: str) -> str:
    """Take a snapshot of a volume under a key; returns its id."""
    return ground.snapshot(_volume(ground, Size=1, Encrypted=True, KmsKeyId=key)["VolumeId"])


def _shared(ground: Ground, snapshot_id: str) -> str:
    ground.ec2().modify_snapshot_attribute(
        SnapshotId=snapshot_id, CreateVolumePermission={"Add": [{"UserId": ground.accounts[1]}]}
    )
    return snapshot_id


@ROWS.row(DEFAULT)
def encryption_by_default_is_one_setting_of_an_account_and_a_region(ground: Ground) -> None:
    ec2 = ground.ec2()
    assert ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"] is False
    assert ec2.enable_ebs_encryption_by_default()["EbsEncryptionByDefault"] is True
    assert ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"] is True
    assert ground.ec2(1).get_ebs_encryption_by_default()["EbsEncryptionByDefault"] is False
    assert ground.ec2(region="eu-west-1").get_ebs_encryption_by_default()["EbsEncryptionByDefault"] is False
    assert ec2.disable_ebs_encryption_by_default()["EbsEncryptionByDefault"] is False
    assert ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"] is False


@ROWS.row(API + "GetEbsDefaultKmsKeyId")
def the_default_key_is_the_one_that_aws_manages_in_the_region(ground: Ground) -> None:
    arn = ground.ec2().get_ebs_default_kms_key_id()["KmsKeyId"]
    assert arn.startswith(f"arn:aws:kms:us-east-1:{ground.accounts[0]}:key/")
    assert arn == _managed(ground) == ground.ec2().get_ebs_default_kms_key_id()["KmsKeyId"]
    assert ground.client("kms").describe_key(KeyId=arn)["KeyMetadata"]["KeyManager"] == "AWS"
    others = [ground.ec2(1), ground.ec2(region="eu-west-1")]
    assert arn not in [other.get_ebs_default_kms_key_id()["KmsKeyId"] for other in others]


@ROWS.row(API + "ModifyEbsDefaultKmsKeyId, ResetEbsDefaultKmsKeyId")
def another_default_key_is_chosen_and_given_up(ground: Ground) -> None:
    ec2, key = ground.ec2(), _key(ground)
    assert ec2.modify_ebs_default_kms_key_id(KmsKeyId=key)["KmsKeyId"] == key
    assert ec2.get_ebs_default_kms_key_id()["KmsKeyId"] == key
    assert ec2.reset_ebs_default_kms_key_id()["KmsKeyId"] == _managed(ground)
    assert ec2.get_ebs_default_kms_key_id()["KmsKeyId"] == _managed(ground)


@ROWS.row(API + "ModifyEbsDefaultKmsKeyId")
def a_key_goes_by_id_arn_alias_and_arn_of_the_alias(ground: Ground) -> None:
    ec2, key, kms = ground.ec2(), _key(ground), ground.client("kms")
    kms.create_alias(AliasName="alias/backup", TargetKeyId=key)
    alias = f"arn:aws:kms:us-east-1:{ground.accounts[0]}:alias/backup"
    for name in (key, key.rpartition("/")[2], "alias/backup", alias):
        assert ec2.modify_ebs_default_kms_key_id(KmsKeyId=name)["KmsKeyId"] == key
        ec2.reset_ebs_default_kms_key_id()
    assert ec2.modify_ebs_default_kms_key_id(KmsKeyId="alias/aws/ebs")["KmsKeyId"] == _managed(ground)


@ROWS.row(API + "ModifyEbsDefaultKmsKeyId")
def a_key_of_another_account_goes_by_its_arn_only(ground: Ground) -> None:
    key = _key(ground, account=1)
    ground.client("kms", 1).create_alias(AliasName="alias/theirs", TargetKeyId=key)
    ec2 = ground.ec2()
    for name in (key.rpartition("/")[2], "alias/theirs"):
        refused("InvalidParameterValue", lambda name=name: ec2.modify_ebs_default_kms_key_id(KmsKeyId=name), name)  # type: ignore[misc]
    assert ec2.modify_ebs_default_kms_key_id(KmsKeyId=key)["KmsKeyId"] == key


@ROWS.row(API + "ModifyEbsDefaultKmsKeyId")
def a_key_that_cannot_encrypt_is_refused(ground: Ground) -> None:
    ec2, kms = ground.ec2(), ground.client("kms")
    disabled, doomed = _key(ground), _key(ground)
    kms.disable_key(KeyId=disabled.rpartition("/")[2])
    kms.schedule_key_deletion(KeyId=doomed.rpartition("/")[2], PendingWindowInDays=7)
    for bad in (
        disabled,
        doomed,
        _key(ground, KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT"),
        _key(ground, region="eu-west-1"),
        UNKNOWN,
        "alias/unknown",
        f"arn:aws:kms:us-east-1:{ground.accounts[0]}:key/{UNKNOWN}",
        f"arn:aws:kms:us-east-1:999999999999:key/{UNKNOWN}",
        f"arn:aws:kms:mars-1:{ground.accounts[0]}:key/{UNKNOWN}",
        "banana",
    ):
        refused("InvalidParameterValue", lambda bad=bad: ec2.modify_ebs_default_kms_key_id(KmsKeyId=bad), bad)  # type: ignore[misc]
    assert ec2.get_ebs_default_kms_key_id()["KmsKeyId"] == _managed(ground)


@ROWS.row(GUIDE)
def a_volume_is_encrypted_on_request(ground: Ground) -> None:
    key = _key(ground)
    assert _volume(ground, Size=1)["Encrypted"] is False
    plain = _volume(ground, Size=1, Encrypted=True)
    assert (plain["Encrypted"], plain["KmsKeyId"]) == (True, _managed(ground))
    own = _volume(ground, Size=1, Encrypted=True, KmsKeyId=key)
    assert (own["Encrypted"], own["KmsKeyId"]) == (True, key)


@ROWS.row(DEFAULT)
def a_volume_is_encrypted_by_default_even_if_that_is_not_wanted(ground: Ground) -> None:
    ec2, key = ground.ec2(), _key(ground)
    ec2.enable_ebs_encryption_by_default()
    assert _volume(ground, Size=1)["KmsKeyId"] == _managed(ground)
    ec2.modify_ebs_default_kms_key_id(KmsKeyId=key)
    assert _volume(ground, Size=1)["KmsKeyId"] == key
    assert _volume(ground, Size=1, Encrypted=False)["KmsKeyId"] == key


@ROWS.row(API + "CreateVolume, KmsKeyId")
def a_key_without_encryption_is_refused(ground: Ground) -> None:
    key = _key(ground)
    for more in ({}, {"Encrypted": False}):
        refused(
            "InvalidParameterDependency",
            lambda more=more: _volume(ground, Size=1, KmsKeyId=key, **more),  # type: ignore[misc]
            "Encrypted",
        )


@ROWS.row(API + "CreateVolume, KmsKeyId")
def a_volume_under_an_unknown_key_is_refused(ground: Ground) -> None:
    refused("InvalidParameterValue", lambda: _volume(ground, Size=1, Encrypted=True, KmsKeyId=UNKNOWN), UNKNOWN)


@ROWS.row(API + "ModifyEbsDefaultKmsKeyId")
def no_volume_is_encrypted_under_a_default_key_that_was_disabled(ground: Ground) -> None:
    ec2, key = ground.ec2(), _key(ground)
    ec2.modify_ebs_default_kms_key_id(KmsKeyId=key)
    ground.client("kms").disable_key(KeyId=key.rpartition("/")[2])
    refused("InvalidParameterValue", lambda: _volume(ground, Size=1, Encrypted=True), key)


@ROWS.row(GUIDE)
def a_snapshot_has_the_key_of_its_volume_and_a_volume_that_of_its_snapshot(ground: Ground) -> None:
    key, other = _key(ground), _key(ground)
    snapshot = _encrypted(ground, key)
    shown = ground.shown(snapshot)
    assert (shown["Encrypted"], shown["KmsKeyId"]) == (True, key)
    assert _volume(ground, SnapshotId=snapshot)["KmsKeyId"] == key
    assert _volume(ground, SnapshotId=snapshot, Encrypted=False)["KmsKeyId"] == key
    assert _volume(ground, SnapshotId=snapshot, Encrypted=True, KmsKeyId=other)["KmsKeyId"] == other


@ROWS.row(GUIDE)
def an_unencrypted_snapshot_gives_a_volume_that_may_be_encrypted(ground: Ground) -> None:
    snapshot, key = ground.snapshot(), _key(ground)
    assert _volume(ground, SnapshotId=snapshot)["Encrypted"] is False
    assert _volume(ground, SnapshotId=snapshot, Encrypted=True)["KmsKeyId"] == _managed(ground)
    assert _volume(ground, SnapshotId=snapshot, Encrypted=True, KmsKeyId=key)["KmsKeyId"] == key
    ground.ec2().enable_ebs_encryption_by_default()
    assert _volume(ground, SnapshotId=snapshot)["KmsKeyId"] == _managed(ground)


@ROWS.row(GUIDE)
def a_volume_of_a_shared_snapshot_has_a_key_of_the_one_who_restores_it(ground: Ground) -> None:
    snapshot = _shared(ground, _encrypted(ground, _key(ground)))
    theirs = _key(ground, account=1)
    assert _volume(ground, account=1, SnapshotId=snapshot)["KmsKeyId"] == _managed(ground, account=1)
    given = _volume(ground, account=1, SnapshotId=snapshot, Encrypted=True, KmsKeyId=theirs)
    assert given["KmsKeyId"] == theirs


@ROWS.row(GUIDE)
def nothing_is_restored_from_a_snapshot_whose_key_is_disabled(ground: Ground) -> None:
    key = _key(ground)
    snapshot = _encrypted(ground, key)
    ground.client("kms").disable_key(KeyId=key.rpartition("/")[2])
    refused("InvalidParameterValue", lambda: _volume(ground, SnapshotId=snapshot), key)
    ground.client("kms").enable_key(KeyId=key.rpartition("/")[2])
    assert _volume(ground, SnapshotId=snapshot)["KmsKeyId"] == key


@ROWS.row(API + "Snapshot, DataEncryptionKeyId")
def snapshots_of_one_lineage_have_one_data_key(ground: Ground) -> None:
    key, other = _key(ground), _key(ground)
    volume = _volume(ground, Size=1, Encrypted=True, KmsKeyId=key)["VolumeId"]
    first, second = ground.snapshot(volume), ground.snapshot(volume)

    def data_key(snapshot_id: str) -> str:
        return str(ground.shown(snapshot_id)["DataEncryptionKeyId"])

    assert data_key(first) == data_key(second)
    assert data_key(ground.snapshot(_volume(ground, SnapshotId=first)["VolumeId"])) == data_key(first)
    rekeyed = _volume(ground, SnapshotId=first, Encrypted=True, KmsKeyId=other)["VolumeId"]
    stranger = _volume(ground, Size=1, Encrypted=True, KmsKeyId=key)["VolumeId"]
    copy = ground.ec2().copy_snapshot(SourceRegion="us-east-1", SourceSnapshotId=first, Encrypted=True, KmsKeyId=key)[
        "SnapshotId"
    ]
    distinct = [first, ground.snapshot(rekeyed), ground.snapshot(stranger), copy]
    assert len({data_key(each) for each in distinct}) == 4
    assert "DataEncryptionKeyId" not in ground.shown(ground.snapshot())


@ROWS.row(API + "EnableEbsEncryptionByDefault, DryRun")
def a_dry_run_encrypts_nothing(ground: Ground) -> None:
    refused("DryRunOperation", lambda: ground.ec2().enable_ebs_encryption_by_default(DryRun=True))
    assert ground.ec2().get_ebs_encryption_by_default()["EbsEncryptionByDefault"] is False
