"""The columns of a listing of snapshots."""

from datetime import datetime
from typing import TYPE_CHECKING

from snapkit.ebs.listing import Column
from snapkit.units import bytes_text

if TYPE_CHECKING:
    from snapkit.ebs.snapshots import Snapshot


def _shown_time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


COLUMNS: "tuple[Column[Snapshot], ...]" = (
    Column("ID", lambda each: each.id, "id", lambda each: each.id),
    Column("name", lambda each: each.name, "name", lambda each: each.name),
    Column("volume", lambda each: each.volume_id, "volume", lambda each: each.volume_id),
    Column("owner", lambda each: each.owner, "owner", lambda each: each.owner),
    Column("group", lambda each: each.group, "group", lambda each: each.group),
    Column("billing code", lambda each: each.billing_code, "billing_code", lambda each: each.billing_code),
    Column(
        "date, UTC", lambda each: _shown_time(each.taken_at), "taken_at", lambda each: each.taken_at,
        "datetime64[ms, UTC]",
    ),
    Column("size", lambda each: bytes_text(each.size), "size_bytes", lambda each: each.size, "int64"),
    Column(
        "full size", lambda each: "" if each.full_size is None else bytes_text(each.full_size), "full_size_bytes",
        lambda each: each.full_size, "Int64",
    ),
    Column("state", lambda each: each.state, "state", lambda each: each.state),
    Column("tier", lambda each: each.tier, "tier", lambda each: each.tier),
)  # fmt: skip
"""The columns of the original's page, and what operators ask for besides."""
