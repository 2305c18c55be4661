"""Block-storage snapshots as Python objects, with a simulator that chooses how often to take them."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from snapkit.errors import (
    AccessDenied,
    AwsError,
    InUse,
    InvalidRequest,
    LimitExceeded,
    NotFound,
    NotPermitted,
    NotShareable,
    OutcomeUnknown,
    SnapkitError,
    SnapshotFailed,
    StalePlan,
    StrategyError,
    Throttled,
    WaitError,
    WaitTimeout,
)
from snapkit.prices import Prices

if TYPE_CHECKING:
    from snapkit.ebs import Region, connect
    from snapkit.sandbox import Sandbox
    from snapkit.timing import Timing

__all__ = [
    "AccessDenied",
    "AwsError",
    "InUse",
    "InvalidRequest",
    "LimitExceeded",
    "NotFound",
    "NotPermitted",
    "NotShareable",
    "OutcomeUnknown",
    "Prices",
    "Region",
    "Sandbox",
    "SnapkitError",
    "SnapshotFailed",
    "StalePlan",
    "StrategyError",
    "Throttled",
    "Timing",
    "WaitError",
    "WaitTimeout",
    "__version__",
    "connect",
]
__version__ = "0.1.0"

_LATER = {
    "Region": "snapkit.ebs",
    "Sandbox": "snapkit.sandbox",
    "Timing": "snapkit.timing",
    "connect": "snapkit.ebs",
}
"""What is loaded when it is first asked for: boto3 takes half a second, the sandbox a second and an extra."""


def __dir__() -> list[str]:
    """List the public names, those that are loaded later among them."""
    return sorted(__all__)


def __getattr__(name: str) -> Any:
    """Load what is loaded later."""
    if name not in _LATER:
        raise AttributeError(f"module 'snapkit' has no attribute {name!r}")
    try:
        return getattr(import_module(_LATER[name]), name)
    except ModuleNotFoundError as error:
        if error.name not in ("moto", "werkzeug"):
            raise
        raise ImportError("snapkit.Sandbox stands on moto; install it with: pip install 'snapkit[sandbox]'") from error
