"""Block-storage snapshots as Python objects, with a simulator that chooses how often to take them."""

from typing import TYPE_CHECKING, Any

from snapkit.errors import InvalidRequest, SnapkitError, StrategyError
from snapkit.prices import Prices
from snapkit.timing import Timing

if TYPE_CHECKING:
    from snapkit.sandbox import Sandbox

__all__ = ["InvalidRequest", "Prices", "Sandbox", "SnapkitError", "StrategyError", "Timing", "__version__"]
__version__ = "0.1.0"


def __dir__() -> list[str]:
    """List the public names, those that are loaded later among them."""
    return sorted(__all__)


def __getattr__(name: str) -> Any:
    """Load the sandbox when it is first asked for: it takes a second, and an extra."""
    if name != "Sandbox":
        raise AttributeError(f"module 'snapkit' has no attribute {name!r}")
    try:
        from snapkit.sandbox import Sandbox
    except ModuleNotFoundError as error:
        if error.name not in ("moto", "werkzeug"):
            raise
        raise ImportError("snapkit.Sandbox stands on moto; install it with: pip install 'snapkit[sandbox]'") from error
    return Sandbox
