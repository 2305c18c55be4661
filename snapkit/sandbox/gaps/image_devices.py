"""An image as the sandbox keeps it, and the devices that it has and gives to instances.

Source: EC2 user guide, "Block device mappings for volumes on Amazon EC2 instances".
"""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from moto.ec2.models.amis import Ami

from snapkit.sandbox.call import Call
from snapkit.sandbox.ec2 import Ec2
from snapkit.sandbox.gaps.volume_making import call_of_machine, check, snapshot_to_restore, too_small
from snapkit.sandbox.refusal import Refusal, missing
from snapkit.sandbox.snapshot import NO_VOLUME, Snapshot


class Image(Ami):
    """What an image is, beyond moto's: it stands on real snapshots.

    Attributes:
        devices: its block device mapping, as DescribeImages shows it.
    """

    def __init__(self, ec2: Ec2, *, devices: list[dict[str, Any]], **known: Any) -> None:
        super().__init__(_without_snapshots(ec2), root_device_type="ebs", **known)
        self.ec2_backend = ec2
        self.devices = devices

    @property
    def block_device_mappings(self) -> list[dict[str, Any]]:
        """Its devices, as moto asks for them."""
        return self.devices

    @property
    def snapshot_ids(self) -> list[str]:
        """The snapshots that it stands on."""
        return [each["Ebs"]["SnapshotId"] for each in self.devices if "SnapshotId" in each["Ebs"]]

    def get_tags(self) -> list[dict[str, str]]:
        """List its tags by a look-up, where moto scans the tags of every resource."""
        return [{"key": key, "value": value} for key, value in self.ec2_backend.tags.get(self.id, {}).items()]

    def get_filter_value(self, filter_name: str, method_name: str | None = None) -> Any:
        """Return what a filter of DescribeImages compares; moto asks for it."""
        if filter_name == "block-device-mapping.snapshot-id":
            return self.snapshot_ids
        return super().get_filter_value(filter_name, method_name)


def _without_snapshots(ec2: Ec2) -> Any:
    """Return what moto takes for the backend while it makes an image, so that it makes no snapshot of its own."""
    return SimpleNamespace(
        account_id=ec2.account_id,
        create_volume=lambda **_: SimpleNamespace(id=NO_VOLUME),
        create_snapshot=lambda *_, **__: None,
        delete_volume=lambda _: None,
    )


def holder_of(snapshot: Snapshot) -> str | None:
    """Return the image of its account that stands on a snapshot, if there is one."""
    for image in snapshot.ec2_backend.amis.values():
        if isinstance(image, Image) and snapshot.id in image.snapshot_ids:
            return str(image.id)
    return None


def devices_to_launch(ec2: Ec2, image_id: str, given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Merge the devices of an image and those that RunInstances gives, in moto's form.

    Raises:
        Refusal: the image is not available.
    """
    if image_id in ec2.deleted_amis:
        raise unavailable(image_id)
    image = ec2.amis.get(image_id)
    if not isinstance(image, Image):
        _check(ec2, given)
        return given
    if image.state != "available":
        raise unavailable(image_id)
    devices = {each["DeviceName"]: {**each, "Ebs": dict(each["Ebs"]), "NoDevice": None} for each in image.devices}
    for each in given:
        known = devices.setdefault(each["DeviceName"], {**each, "Ebs": {}})
        known["NoDevice"] = each.get("NoDevice")
        known["Ebs"] |= {name: value for name, value in each["Ebs"].items() if value is not None}
    for each in devices.values():
        # An encrypted snapshot makes an encrypted volume under its key by itself; moto wants no key without the flag.
        each["Ebs"].setdefault("KmsKeyId", None)
    _check(ec2, list(devices.values()))
    return list(devices.values())


def _check(ec2: Ec2, devices: list[dict[str, Any]]) -> None:
    """Refuse the volumes that AWS would refuse, before moto has begun the instance that is to have them."""
    for each in devices:
        if each.get("NoDevice") is None:
            ebs = each["Ebs"]
            check(
                call_of_machine(
                    ec2, size=ebs.get("VolumeSize"), zone=f"{ec2.region_name}a", snapshot_id=ebs.get("SnapshotId"),
                    volume_type=ebs.get("VolumeType"), encrypted=ebs.get("Encrypted"), kms_key_id=ebs.get("KmsKeyId"),
                )
            )  # fmt: skip


def is_volume(mapping: Mapping[str, Any]) -> bool:
    """Tell whether a device of a request is to be a volume, not left out or on the instance itself."""
    return bool(mapping.get("Ebs")) and "NoDevice" not in mapping


def check_changes(mapping: Mapping[str, Any]) -> None:
    """Refuse to change more about a volume of the instance than whether it goes with the instance.

    Source: EC2 API reference, CreateImage, BlockDeviceMappings.
    """
    others = sorted(set(mapping.get("Ebs", {})) - {"DeleteOnTermination"})
    if others:
        raise Refusal(
            "InvalidBlockDeviceMapping", f"{others[0]} of the device {mapping['DeviceName']} cannot be changed."
        )


def added_device(call: Call, mapping: Mapping[str, Any]) -> dict[str, Any]:
    """Read a device that the request adds, of a snapshot or empty."""
    ebs = dict(mapping["Ebs"])
    if not mapping.get("DeviceName"):
        raise missing("deviceName")
    if not ebs.get("SnapshotId"):
        if not ebs.get("VolumeSize"):
            raise missing("size or snapshotId")
        return {"DeviceName": mapping["DeviceName"], "Ebs": ebs}
    snapshot = snapshot_to_restore(call, ebs["SnapshotId"])
    if "Encrypted" in ebs:
        raise Refusal("InvalidBlockDeviceMapping", "The encrypted flag cannot be specified together with a snapshot.")
    size = ebs.get("VolumeSize", snapshot.volume_gib)
    if size < snapshot.volume_gib:
        raise too_small(call, size, snapshot)
    return device_of(
        mapping["DeviceName"], snapshot, VolumeSize=size, VolumeType=ebs.get("VolumeType", "gp2"), Iops=ebs.get("Iops"),
        DeleteOnTermination=ebs.get("DeleteOnTermination", True),
    )  # fmt: skip


def device_of(name: str, snapshot: Snapshot, **ebs: Any) -> dict[str, Any]:
    """Return a device as DescribeImages shows it."""
    shown = {"SnapshotId": snapshot.id, "VolumeSize": snapshot.volume_gib, "Encrypted": snapshot.encrypted, **ebs}
    return {"DeviceName": name, "Ebs": {key: value for key, value in shown.items() if value is not None}}


def unavailable(image_id: str) -> Refusal:
    """Say that an image is not complete yet, or was deregistered."""
    return Refusal("InvalidAMIID.Unavailable", f"The image ID '{image_id}' is no longer available")
