"""Block-storage snapshots as Python objects, with a simulator that chooses how often to take them."""

from snapkit.errors import InvalidRequest, SnapkitError, StrategyError
from snapkit.prices import Prices
from snapkit.timing import Timing

__all__ = ["InvalidRequest", "Prices", "SnapkitError", "StrategyError", "Timing", "__version__"]
__version__ = "0.1.0"
