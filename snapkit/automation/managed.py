"""The snapshots that a strategy manages, told by their tags.

What snapkit takes for a strategy it marks with these tags, in the call that makes it:

    snapkit:strategy = hourly
    snapkit:tiers    = ["often", "daily"]
    snapkit:due      = 2026-01-05T03:00:00Z

Volume, strategy, tiers and due time are together the token of a snapshot: whoever runs the strategy, and however often,
marks the one that was due with the same. What lacks one of the tags, or was copied by hand, is managed by nobody here
and never touched.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from snapkit.ebs import Snapshot
from snapkit.ebs.blockers import is_copy
from snapkit.errors import InvalidRequest, StrategyError
from snapkit.rules import LONGEST_VALUE
from snapkit.strategy import Strategy

STRATEGY = "snapkit:strategy"
"""The tag that names the strategy: of a snapshot the one that manages it, of a volume the one that protects it."""

TIERS = "snapkit:tiers"
"""The tag that lists the tiers of a snapshot, as JSON."""

DUE = "snapkit:due"
"""The tag that says for which due time a snapshot was taken."""

MOMENT = "snapkit:moment"
"""The tag of a copy, or of a recovery volume, that says which moment its data are of; only those that a strategy
wanted have it."""


@dataclass(frozen=True)
class Managed:
    """What a strategy asks of a snapshot that it manages.

    Attributes:
        snapshot: which.
        strategy: the name of the strategy.
        tiers: for which it was taken.
        due: for which due time.
        taken_at: the moment whose data it holds; not before it was due, so that the clock which found it due may be
            ahead of that of AWS.
        state: pending, completed or error.
        storage_tier: where it lies, or is on its way to: standard or archive.
    """

    snapshot: Snapshot
    strategy: str
    tiers: tuple[str, ...]
    due: datetime
    taken_at: datetime
    state: str
    storage_tier: str = "standard"

    @property
    def id(self) -> str:
        """Its id."""
        return self.snapshot.id

    @property
    def error(self) -> str:
        """Why it ended in error; nothing where it did not."""
        return str(self.snapshot.raw.get("StateMessage") or "AWS gives no reason") if self.state == "error" else ""


def mark(strategy: Strategy, tiers: Sequence[str], due: datetime) -> dict[str, str]:
    """Write the tags of a snapshot that is taken for some tiers of a strategy."""
    return {STRATEGY: strategy.name, TIERS: json.dumps(list(tiers), ensure_ascii=False), DUE: text(due)}


def check_marks(strategy: Strategy) -> None:
    """Refuse a strategy whose names do not fit in tags, and what is none.

    Raises:
        InvalidRequest: it is no strategy.
        StrategyError: its name, or those of its tiers together, are too long.
    """
    if not isinstance(strategy, Strategy):
        raise InvalidRequest("strategy", strategy, "is none", "give Strategy.load('hourly.toml'), say")
    names = json.dumps([tier.name for tier in strategy.tiers], ensure_ascii=False)
    for field, value in (("strategy name", strategy.name), ("names of the tiers", names)):
        if len(value) > LONGEST_VALUE:
            raise StrategyError(field, value, f"do not fit in a tag of {LONGEST_VALUE} characters", "shorten them")


def read(snapshot: Snapshot) -> Managed | None:
    """Read the mark of a snapshot; None where it has none that can be read, or is a copy."""
    tags = snapshot.tags
    due, tiers = moment(tags.get(DUE, "")), _tiers(tags.get(TIERS, ""))
    if due is None or tiers is None or STRATEGY not in tags or is_copy(snapshot):
        return None
    return Managed(snapshot, tags[STRATEGY], tiers, due, max(snapshot.taken_at, due), snapshot.state, snapshot.tier)


def read_copy(copy: Snapshot) -> Managed | None:
    """Read the mark of a copy that a strategy wanted; None where there is none."""
    tags = copy.tags
    due, tiers, taken_at = moment(tags.get(DUE, "")), _tiers(tags.get(TIERS, "")), moment(tags.get(MOMENT, ""))
    if due is None or tiers is None or taken_at is None or STRATEGY not in tags:
        return None
    return Managed(copy, tags[STRATEGY], tiers, due, taken_at, copy.state, copy.tier)


def doubles(mine: Iterable[Managed]) -> dict[str, Managed]:
    """Find what was taken twice for one due time of a volume, as by two runs at once.

    Args:
        mine: the snapshots of one volume, oldest first.

    Returns:
        By the id of each later one the earlier one; one that ended in error is neither.
    """
    first: list[Managed] = []
    found = {}
    for each in mine:
        if each.state == "error":
            continue
        twin = next((one for one in first if one.due == each.due and set(one.tiers).issuperset(each.tiers)), None)
        if twin is None:
            first.append(each)
        else:
            found[each.id] = twin
    return found


def text(moment: datetime) -> str:
    """Write a moment as tags have it, to the microsecond where it is no whole second."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def moment(text: str) -> datetime | None:
    """Read a moment from a tag; None where somebody else wrote something else."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return read.astimezone(UTC) if read.tzinfo else None


def _tiers(text: str) -> tuple[str, ...] | None:
    try:
        names = json.loads(text)
    except ValueError:
        return None
    if not (isinstance(names, list) and names and all(isinstance(name, str) for name in names)):
        return None
    return tuple(names)
