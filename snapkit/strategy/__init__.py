"""Strategies: when to snapshot, what to keep, and what follows from both now. Pure: nothing here calls anything."""

from snapkit.strategy.archive import Archive, ArchiveLedger
from snapkit.strategy.copies import Copy
from snapkit.strategy.keeper import Keeper
from snapkit.strategy.ledger import Ledger
from snapkit.strategy.retention import Retention, Taken, Verdict
from snapkit.strategy.schedule import Schedule
from snapkit.strategy.strategy import Decision, RecoveryVolume, Strategy, Take, Tier
from snapkit.strategy.window import Window

__all__ = [
    "Archive",
    "ArchiveLedger",
    "Copy",
    "Decision",
    "Keeper",
    "Ledger",
    "RecoveryVolume",
    "Retention",
    "Schedule",
    "Strategy",
    "Take",
    "Taken",
    "Tier",
    "Verdict",
    "Window",
]
