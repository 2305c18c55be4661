"""The columns of a listing of snapshots."""

from collections.abc import Callable
from datetime import UTC, datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from snapkit.ebs.describing import ME
from snapkit.ebs.listing import Column
from snapkit.ebs.rows import Rows
from snapkit.ebs.sharing import EVERYONE
from snapkit.units import GIB, bytes_text

if TYPE_CHECKING:
    from snapkit.ebs.snapshots import Snapshot


def shares_text(shares: tuple[str, ...]) -> str:
    """Write with whom a snapshot is shared, such as ``"public, with 111122223333"``."""
    users = ["me" if user == ME else user for user in sorted(shares) if user != EVERYONE]
    told = ["public"] if EVERYONE in shares else []
    return ", ".join(told + ([f"with {', '.join(users)}"] if users else [])) or "no"


def _column(
    title: str,
    name: str,
    value: Callable[[Any], Any],
    values: Callable[[Rows[Any]], list[Any]],
    dtype: str = "string",
    shown: Callable[[Any], str] = str,
    none: str = "",
) -> Column[Any]:
    def told(each: Any) -> str:
        found = value(each)
        return none if found is None else shown(found)

    return Column(title, told, name, value, dtype, values)


def _shown_time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"


COLUMNS: "tuple[Column[Snapshot], ...]" = (
    _column("ID", "id", attrgetter("id"), lambda rows: rows.raw("SnapshotId")),
    _column("name", "name", attrgetter("name"), lambda rows: rows.tag("name")),
    _column("account", "account", attrgetter("account"), lambda rows: rows.raw("OwnerId")),
    _column("owner", "owner", attrgetter("owner"), lambda rows: rows.tag("owner")),
    _column("group", "group", attrgetter("group"), lambda rows: rows.tag("group")),
    _column("billing code", "billing_code", attrgetter("billing_code"), lambda rows: rows.tag("billing_code")),
    _column(
        "date, UTC", "taken_at", attrgetter("taken_at"), lambda rows: rows.raw("StartTime"), "datetime64[ms, UTC]",
        _shown_time,
    ),
    _column(
        "size", "size_bytes", attrgetter("size"), lambda rows: [size * GIB for size in rows.raw("VolumeSize")], "int64",
        bytes_text,
    ),
    _column(
        "full size", "full_size_bytes", attrgetter("full_size"),
        lambda rows: [raw.get("FullSnapshotSizeInBytes") for raw in rows.raws], "Int64", bytes_text,
    ),
    _column(
        "shared", "shared", lambda each: None if each.known_shares is None else shares_text(each.known_shares),
        lambda rows: [None if shares is None else shares_text(shares) for shares in rows.shares], none="not looked up",
    ),
    _column("state", "state", attrgetter("state"), lambda rows: rows.raw("State")),
    _column(
        "tier", "tier", attrgetter("tier"), lambda rows: [raw.get("StorageTier", "standard") for raw in rows.raws]
    ),
    _column("volume", "volume", attrgetter("volume_id"), lambda rows: rows.raw("VolumeId")),
)  # fmt: skip
"""The columns of the original's page, and what operators ask for besides.

The account is the one of AWS that it belongs to, the owner the person that made it, as its tag says.
"""

WHERE: "tuple[Column[Any], ...]" = (
    _column(
        "account", "account", attrgetter("region.account"), lambda rows: [region.account for region in rows.regions]
    ),
    _column("region", "region", attrgetter("region.name"), lambda rows: [region.name for region in rows.regions]),
)  # fmt: skip
"""What an estate tells besides, where the columns do not tell it themselves."""
