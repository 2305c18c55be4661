"""Changed bytes to seconds: how long a snapshot stays pending."""

import math
from dataclasses import dataclass
from numbers import Real

from snapkit.errors import InvalidRequest


@dataclass(frozen=True, kw_only=True)
class Timing:
    """How long EBS takes to complete a snapshot.

    AWS publishes no figure, and says that none can be given. The default rate and latency were *measured* by others on
    gp3 volumes: three full first snapshots, and one report of the time in which a tiny snapshot completes. That the
    spread over those three volumes is also that from one hour to another is *assumed*.

    Attributes:
        latency: time that even an empty snapshot stays pending [s].
        rate: upload rate [bytes/s].
        spread: standard deviation of the logarithm of the duration from one hour to another; 0 for none.

    Source:
        rate and spread: PingCAP, TiDB Operator documentation, "EBS snapshot backup and restore performance"
        (us-west-2, gp3 at 400 MiB/s; 50 GB in 20 min, 200 GB in 100 min, 1024 GB in 350 min), each less the latency:
        geometric mean and sample deviation. latency: aws-sdk-ruby issue 978, about three minutes for a tiny
        volume (2015).
    """

    latency: float = 180.0
    rate: float = 43.6e6
    spread: float = 0.21

    def __post_init__(self) -> None:
        """Refuse a timing in which a snapshot would never end, or end before it began."""
        remedy = "give the latency and spread as 0 or more and the rate as more than 0"
        for name, value, low in (
            ("latency", self.latency, 0.0),
            ("spread", self.spread, 0.0),
            ("rate", self.rate, 1e-9),
        ):
            if (
                isinstance(value, bool)
                or not isinstance(value, Real)
                or not value >= low
                or (math.isinf(value) and name != "rate")
            ):
                raise InvalidRequest(f"timing {name}", value, "cannot be", remedy)

    def seconds(self, changed_bytes: float) -> float:
        """Estimate the median time [s] from start to completion of a snapshot that copies so many bytes."""
        return self.latency + changed_bytes / self.rate
