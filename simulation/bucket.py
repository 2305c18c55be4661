"""How often AWS may be called."""


class Bucket:
    """A token bucket, by when the next call is allowed: the generic cell rate algorithm.

    Attributes:
        free_at: when one more call is allowed [s].
    """

    __slots__ = ("_burst", "_each", "free_at")

    def __init__(self, size: float, refill: float) -> None:
        """Fill a bucket of so many calls, to which so many are added every second."""
        self._each = 1 / refill
        self._burst = (size - 1) * self._each
        self.free_at = -self._burst

    def take(self, now: float) -> float:
        """Take the next call, and tell when it is allowed [s]: those who ask first come first."""
        free, full = self.free_at, now - self._burst
        if free < full:
            free = full
        self.free_at = free + self._each
        return free if free > now else now
