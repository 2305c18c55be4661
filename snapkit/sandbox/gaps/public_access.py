"""Block public access for snapshots, per account and region.

EnableSnapshotBlockPublicAccess, DisableSnapshotBlockPublicAccess and GetSnapshotBlockPublicAccessState, all of them
missing in moto.

Source: EBS user guide, "Block public access for Amazon EBS snapshots"; EC2 API reference of the three operations.
"""

from snapkit.sandbox.call import Answer, Call, operation
from snapkit.sandbox.ec2 import Ec2
from snapkit.sandbox.refusal import Refusal, invalid

BLOCK_ALL = "block-all-sharing"
BLOCK_NEW = "block-new-sharing"
UNBLOCKED = "unblocked"


@operation("ec2", "EnableSnapshotBlockPublicAccess")
def enable_snapshot_block_public_access(call: Call) -> Answer:
    """Refuse to share snapshots with everybody; if asked for, hide those that already are."""
    state = call.get("State")
    if state not in (BLOCK_ALL, BLOCK_NEW):
        raise invalid("State", state, f"Valid values: {BLOCK_ALL}, {BLOCK_NEW}.")
    return _set(call.ec2, state)


@operation("ec2", "DisableSnapshotBlockPublicAccess")
def disable_snapshot_block_public_access(call: Call) -> Answer:
    """Allow to share snapshots with everybody; those that were hidden can be seen again."""
    return _set(call.ec2, UNBLOCKED)


@operation("ec2", "GetSnapshotBlockPublicAccessState")
def get_snapshot_block_public_access_state(call: Call) -> Answer:
    """Tell whether snapshots can be shared with everybody."""
    return {"State": state_of(call.ec2), "ManagedBy": "account"}


def check_public(ec2: Ec2) -> None:
    """Refuse to share a snapshot with everybody where that is blocked."""
    state = state_of(ec2)
    if state != UNBLOCKED:
        raise Refusal(
            "OperationNotPermitted",
            f"Public sharing of snapshots is blocked for this account in {ec2.region_name}: block public access is "
            f"enabled in the mode {state}.",
        )


def state_of(ec2: Ec2) -> str:
    """Return what is blocked for an account in a region."""
    return str(ec2.settings.get("block public access", UNBLOCKED))


def _set(ec2: Ec2, state: str) -> Answer:
    ec2.settings["block public access"] = state
    ec2.settings["hides public snapshots"] = state == BLOCK_ALL
    return {"State": state}
