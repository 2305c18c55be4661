"""Copies of a tier's snapshots in other regions."""

from dataclasses import dataclass

from snapkit.errors import StrategyError
from snapkit.strategy.retention import Retention


@dataclass(frozen=True)
class Copy:
    """A copy of each snapshot of a tier in another region, begun when the snapshot is complete.

    The copies of a volume are begun one after the other, so that each can be incremental to the one before it.

    Attributes:
        region: where to, such as ``"eu-west-1"``.
        retention: which of the copies to keep there.
        kms_key: under which they are encrypted; without it as AWS does by default.
    """

    region: str
    retention: Retention
    kms_key: str | None = None

    def __post_init__(self) -> None:
        """Refuse a copy to nowhere, or without a retention."""
        if not self.region or not isinstance(self.region, str):
            raise StrategyError("copy region", self.region, "is no region", "name one, such as 'eu-west-1'")
        if not isinstance(self.retention, Retention):
            raise StrategyError("copy retention", self.retention, "is none", "give Retention(last=7), say")
        if self.kms_key is not None and not (isinstance(self.kms_key, str) and self.kms_key):
            raise StrategyError("copy kms_key", self.kms_key, "is no key", "give its id or ARN, or leave it out")

    def describe(self) -> str:
        """Say in words where the copies go and which stay."""
        return f"copied to {self.region} ({self.retention.describe()})"
