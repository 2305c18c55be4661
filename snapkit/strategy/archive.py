"""The archive tier: where a tier's snapshots go when its retention lets them go."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from snapkit.errors import StrategyError
from snapkit.prices import ARCHIVE_LEAST
from snapkit.strategy.keeper import Keeper
from snapkit.strategy.retention import Retention, Taken, Told

if TYPE_CHECKING:
    from snapkit.strategy.strategy import Strategy


@dataclass(frozen=True)
class Archive:
    """What becomes of a tier's snapshots when its retention lets them go: they are archived, and not deleted.

    An archived snapshot is a full one, paid for 90 days at least, and takes up to 72 hours to restore. AWS holds 25 of
    one volume unless a higher quota is granted, `snapkit.rules.ARCHIVED_PER_VOLUME`.

    Attributes:
        retention: which of the archived snapshots to keep. It looks at them alone, and at those on their way there; its
            spans are measured back from the newest of them.

    Source:
        EBS user guide, "Archive Amazon EBS snapshots"; DLM API reference, ArchiveRule and RetentionArchiveTier.
    """

    retention: Retention

    def __post_init__(self) -> None:
        """Refuse what is no retention, and one of ages alone that saves nothing."""
        if not isinstance(self.retention, Retention):
            raise StrategyError("archive retention", self.retention, "is none", "give Retention(within='1y'), say")
        spans = [rule.span for rule in self.retention.rules()]
        if all(span is not None and span.about < ARCHIVE_LEAST for span in spans):
            rule = "deletes before 90 days, for which each snapshot is paid anyway"
            raise StrategyError("archive retention", self.retention, rule, "keep them within '90d' or longer")

    def describe(self) -> str:
        """Say in words which of them stay."""
        return f"then archived ({self.retention.describe()})"


class ArchiveLedger:
    """What a strategy knows of one volume's archived snapshots, kept up to date one at a time.

    A snapshot counts from when it is to be archived: it is complete all the while.
    """

    def __init__(self, strategy: "Strategy") -> None:
        """Start with no snapshots."""
        self._alone = len(strategy.tiers) == 1
        self._keepers: dict[str, Keeper] = {
            tier.name: tier.archive.retention.keeper() for tier in strategy.tiers if tier.archive
        }
        self._tiers: dict[int, list[str]] = {}

    def add(self, key: int, taken_at: float, tiers: Iterable[str]) -> list[int]:
        """Note that a snapshot of some tiers is to be archived.

        Args:
            key: its number.
            taken_at: the moment whose data it holds [s since 1970].
            tiers: the tiers that it was taken for.

        Returns:
            The snapshots that no tier keeps in the archive because of it, which may be itself; they are forgotten.
        """
        mine = self._tiers[key] = self._archiving(tiers)
        dropped = dict.fromkeys(other for tier in mine for other in self._keepers[tier].add(key, taken_at))
        gone = [other for other in dropped if not any(self._keepers[tier].keeps(other) for tier in self._tiers[other])]
        for other in gone:
            for tier in self._tiers.pop(other):
                self._keepers[tier].remove(other)
        return gone

    def add_all(self, snapshots: Iterable[tuple[int, float, Sequence[str]]]) -> None:
        """Note many, oldest first, as if all at once: see `add`; none is forgotten."""
        given = [(key, taken_at, self._archiving(tiers)) for key, taken_at, tiers in snapshots]
        self._tiers.update((key, tiers) for key, _, tiers in given)
        for name, keeper in self._keepers.items():
            keeper.extend((key, taken_at) for key, taken_at, tiers in given if name in tiers)

    def verdicts(self) -> dict[int, Told]:
        """Tell of every snapshot whether a tier keeps it in the archive and why, in words."""
        told = {tier: keeper.verdicts() for tier, keeper in self._keepers.items()}
        return {key: self._join({tier: told[tier][key] for tier in tiers}) for key, tiers in self._tiers.items()}

    def _join(self, told: dict[str, Told]) -> Told:
        keep = any(kept for kept, _ in told.values())
        chosen = [(tier, reason) for tier, (kept, why) in told.items() if kept is keep for reason in why]
        return keep, tuple(
            f"archive: {reason}" if self._alone else f"{tier}, archive: {reason}" for tier, reason in chosen
        )

    def _archiving(self, tiers: Iterable[str]) -> list[str]:
        return [tier for tier in tiers if tier in self._keepers]


def in_archive(snapshot: Taken) -> bool:
    """Tell whether a snapshot lies in the archive; one that does not say lies in the standard tier."""
    return getattr(snapshot, "storage_tier", "standard") == "archive"
