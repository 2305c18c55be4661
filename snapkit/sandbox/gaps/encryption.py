"""Encryption of volumes and snapshots: by default or on request, and with which key of KMS.

Replaces moto's GetEbsEncryptionByDefault and its kin, which CreateVolume and CopySnapshot ignore there, and its keys,
any text being taken for one. GetEbsDefaultKmsKeyId and ResetEbsDefaultKmsKeyId are missing there.

A key of another account can be used if it exists: key policies are not read.

Source: EBS user guide, "How Amazon EBS encryption works", "Enable Amazon EBS encryption by default"; EC2 API reference
of the six operations, and of CreateVolume for the four ways to name a key.
"""

import re
from dataclasses import dataclass

from moto.kms.models import Key, kms_backends

from snapkit.sandbox.call import Answer, Call, operation
from snapkit.sandbox.ec2 import Ec2
from snapkit.sandbox.refusal import Refusal
from snapkit.sandbox.snapshot import Snapshot
from snapkit.sandbox.world import World

MANAGED = "alias/aws/ebs"
"""The alias of the key that AWS manages for EBS. Source: EBS user guide, "How Amazon EBS encryption works"."""

_ARN = re.compile(r"arn:[^:]+:kms:(?P<region>[^:]+):(?P<account>\d{12}):(?P<name>(?:key|alias)/.+)")


@dataclass
class Defaults:
    """What encrypts new volumes and copies of an account in a region.

    Attributes:
        always: whether they are encrypted without being asked for.
        key: ARN of the key that was chosen, or None for the one that AWS manages.
    """

    always: bool = False
    key: str | None = None


def defaults(ec2: Ec2) -> Defaults:
    """Return the settings of an account in a region."""
    found: Defaults = ec2.settings.setdefault("encryption", Defaults())
    return found


@operation("ec2", "GetEbsEncryptionByDefault")
def get_ebs_encryption_by_default(call: Call) -> Answer:
    """Tell whether new volumes and copies are encrypted without being asked for."""
    return {"EbsEncryptionByDefault": defaults(call.ec2).always}


@operation("ec2", "EnableEbsEncryptionByDefault")
def enable_ebs_encryption_by_default(call: Call) -> Answer:
    """Encrypt new volumes and copies from now on."""
    defaults(call.ec2).always = True
    return {"EbsEncryptionByDefault": True}


@operation("ec2", "DisableEbsEncryptionByDefault")
def disable_ebs_encryption_by_default(call: Call) -> Answer:
    """Encrypt new volumes and copies only on request from now on."""
    defaults(call.ec2).always = False
    return {"EbsEncryptionByDefault": False}


@operation("ec2", "GetEbsDefaultKmsKeyId")
def get_ebs_default_kms_key_id(call: Call) -> Answer:
    """Tell which key is taken where none is named."""
    return {"KmsKeyId": default_key(call.ec2)}


@operation("ec2", "ModifyEbsDefaultKmsKeyId")
def modify_ebs_default_kms_key_id(call: Call) -> Answer:
    """Choose the key that is taken where none is named."""
    chosen = defaults(call.ec2).key = key_arn(call, call.get("KmsKeyId"))
    return {"KmsKeyId": chosen}


@operation("ec2", "ResetEbsDefaultKmsKeyId")
def reset_ebs_default_kms_key_id(call: Call) -> Answer:
    """Let the key that AWS manages be taken again where none is named."""
    defaults(call.ec2).key = None
    return {"KmsKeyId": default_key(call.ec2)}


def default_key(ec2: Ec2) -> str:
    """Return the ARN of the key that is taken where none is named."""
    return defaults(ec2).key or managed_key(ec2)


def managed_key(ec2: Ec2) -> str:
    """Return the ARN of the key that AWS manages for EBS; it is made when it is first needed."""
    kms = kms_backends[ec2.account_id][ec2.region_name]
    key = kms.keys[kms.any_id_to_key_id(MANAGED)]
    key.key_manager = "AWS"
    return str(key.arn)


def is_default_key(world: World, arn: str | None) -> bool:
    """Tell whether a key is the one that AWS manages for EBS in its account and region."""
    key = _find(world, "", "", arn or "")
    return key is not None and MANAGED in key.aliases


def usable_key(call: Call, given: str) -> str | None:
    """Return the ARN of a key by its id, its ARN, its alias or the ARN of its alias, or None if it cannot encrypt here.

    It has to exist in the region of the call, and to be symmetric and enabled.
    """
    key = _find(call.world, call.account, call.region, given)
    if key is None or key.region != call.region:
        return None
    return str(key.arn) if enabled(key) else None


def enabled(key: Key) -> bool:
    """Tell whether a key can encrypt volumes: it is symmetric, and neither disabled nor about to be deleted."""
    return bool(key.enabled and key.key_spec == "SYMMETRIC_DEFAULT")


def accessible(world: World, arn: str) -> bool:
    """Tell whether what is encrypted under a key can be read."""
    key = _find(world, "", "", arn)
    return key is not None and enabled(key)


def key_arn(call: Call, given: str) -> str:
    """Return the ARN of a key, however it was named, or refuse.

    AWS looks at the key after it has answered, and a volume under a bad one is never seen again. Here the call itself
    says what is wrong.
    """
    found = usable_key(call, given)
    if found is None:
        raise Refusal(
            "InvalidParameterValue",
            f"Value ({given}) for parameter KmsKeyId is invalid. There is no such symmetric key in {call.region}, or "
            "it is not enabled.",
        )
    return found


def key_for_new_volume(
    call: Call,
    snapshot: Snapshot | None,
    encrypted: bool | None,  # noqa: FBT001 - a parameter of CreateVolume, which may be missing
    kms_key_id: str | None,
) -> str | None:
    """Choose the key for a new volume.

    Encryption cannot be taken off: Encrypted=False counts for nothing where the snapshot is encrypted, or volumes are
    encrypted by default.

    Args:
        call: for whom.
        snapshot: what the volume is made of.
        encrypted: as given.
        kms_key_id: as given.

    Returns:
        The ARN of the key, or None for an unencrypted volume.

    Raises:
        Refusal: a key without Encrypted, or one that cannot be used.

    Source: EBS user guide, "How Amazon EBS encryption works", encryption outcomes.
    """
    if kms_key_id and not encrypted:
        raise needs_encrypted()
    source_key = snapshot.kms_key_id if snapshot is not None and snapshot.encrypted else None
    if source_key and not accessible(call.world, source_key):
        raise Refusal(
            "InvalidParameterValue", f"The key {source_key} of the snapshot does not exist, or it is not enabled."
        )
    if kms_key_id:
        return key_arn(call, kms_key_id)
    if source_key and snapshot is not None and snapshot.owner_id == call.account:
        return source_key
    if encrypted or defaults(call.ec2).always or (snapshot is not None and snapshot.encrypted):
        return key_arn(call, default_key(call.ec2))
    return None


def needs_encrypted() -> Refusal:
    """Say that a key was named for what is not to be encrypted."""
    return Refusal("InvalidParameterDependency", "The parameter KmsKeyId requires the parameter Encrypted to be set.")


def _find(world: World, account: str, region: str, given: str) -> Key | None:
    """Find a key by its id, its ARN, its alias or the ARN of its alias."""
    name = given
    arn = _ARN.fullmatch(given)
    if arn:
        account, region = arn["account"], arn["region"]
        name = arn["name"].removeprefix("key/")
    if account not in world.accounts or region not in world.regions:
        return None
    if name == MANAGED:
        managed_key(world.ec2(account, region))
    keys: dict[str, Key] = kms_backends[account][region].keys
    if name.startswith("alias/"):
        return next((key for key in keys.values() if name in key.aliases), None)
    return keys.get(name)
