"""Whose snapshots the EBS direct APIs read, and how they refuse.

Source: EBS user guide, "Use EBS direct APIs to access the contents of an EBS snapshot"; EBS direct APIs reference.
"""

import base64
import hashlib
import re

from snapkit.sandbox.call import Call
from snapkit.sandbox.disk import Layer
from snapkit.sandbox.gaps.encryption import accessible
from snapkit.sandbox.refusal import Refusal
from snapkit.sandbox.snapshot import Snapshot


def readable(call: Call, snapshot_id: str) -> tuple[Snapshot, Layer]:
    """Find a snapshot whose blocks may be read.

    Source: EBS user guide, "Frequently asked questions for EBS direct APIs": only completed ones, no public ones;
        "Archive Amazon EBS snapshots": no archived ones; "Permissions to use AWS KMS keys": the key has to be usable.
    """
    snapshot = visible(call, snapshot_id)
    if snapshot.shares.public:
        raise refusal_of("INVALID_SNAPSHOT_ID", f"{snapshot_id} is public, and public snapshots are not supported.")
    if snapshot.tiering.tier == "archive":
        raise refusal_of("INVALID_SNAPSHOT_ID", f"{snapshot_id} is archived; restore it first.")
    if snapshot.kms_key_id and not accessible(call.world, snapshot.kms_key_id):
        message = f"The key {snapshot.kms_key_id} of {snapshot_id} cannot be used."
        raise Refusal("AccessDeniedException", message, 403, Reason="DEPENDENCY_ACCESS_DENIED")
    return snapshot, _image(snapshot)


def _image(snapshot: Snapshot) -> Layer:
    if snapshot.state != "completed" or snapshot.image is None:
        raise refusal_of("INVALID_SNAPSHOT_ID", f"{snapshot.id} is {snapshot.state}; it has to be completed.")
    return snapshot.image


def visible(call: Call, snapshot_id: str) -> Snapshot:
    """Find a snapshot of this account, or one that is shared with it, or refuse as AWS does."""
    if not re.fullmatch(r"snap-[0-9a-f]+", snapshot_id):
        raise refusal_of("INVALID_SNAPSHOT_ID", f"'{snapshot_id}' is no id of a snapshot.")
    snapshot = call.world.visible(call.account, call.region, snapshot_id)
    if snapshot is None or call.world.faults.hides(snapshot_id):
        message = f"The snapshot '{snapshot_id}' does not exist."
        raise Refusal("ResourceNotFoundException", message, 404, Reason="SNAPSHOT_NOT_FOUND")
    return snapshot


def refusal_of(reason: str, message: str) -> Refusal:
    """Make a ValidationException with a Reason of the service's model."""
    return Refusal("ValidationException", message, Reason=reason)


def checksum_of(data: bytes) -> str:
    """Write the SHA-256 of data as the API carries it, in base64."""
    return base64.b64encode(hashlib.sha256(data).digest()).decode()
