"""How fast a volume made of a snapshot is at full speed, and what that costs: fast restore, initialization rates."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pandas as pd

from snapkit.ebs._aws import CODES
from snapkit.ebs.listing import Column, Listing
from snapkit.errors import AwsError, InvalidRequest
from snapkit.prices import MONTH, Prices
from snapkit.rules import INITIALIZATION_RATES
from snapkit.units import GIB, HOUR, MIB, TIB, Size, to_bytes, usd_text

if TYPE_CHECKING:
    from snapkit.ebs.snapshots import Snapshot

LARGEST = 16 * TIB
"""Size of the largest volume whose snapshots can be enabled [bytes].

Source: EBS user guide, "Amazon EBS fast snapshot restore", considerations.
"""

OPTIMIZING = HOUR / TIB
"""How long it takes to enable, for each byte of the volume [s/byte].

Source: EBS user guide, "Amazon EBS fast snapshot restore": 60 minutes per TiB.
"""

MOST_CREDITS = 10.0
"""Most volume creation credits in a bucket, and most that it gathers in an hour.

Source: EBS user guide, "Volume creation credits for fast snapshot restore".
"""

LAZY_RATES = {"gp3": (130e6, 140e6), "io2": (700e6, 1200e6)}
"""At which rates a volume of some types was seen to load by itself while all of it was read [bytes/s].

Source: AWS re:Post, article ARAkrDcHieSsSYOPHL3ZJYeg: *measured* by its authors; AWS publishes no figure.
"""

_RATES = (INITIALIZATION_RATES[0], 200, INITIALIZATION_RATES[1])


def credit_rate(size: int) -> float:
    """Tell how many volume creation credits a snapshot of this size [bytes] gathers in an hour.

    Source: EBS user guide, "Volume creation credits for fast snapshot restore": MIN(10, 1024 / size in GiB).
    """
    return min(MOST_CREDITS, 1024 * GIB / size)


def bucket(size: int) -> float:
    """Tell how many volume creation credits a snapshot of this size [bytes] can have: at least one."""
    return max(1.0, credit_rate(size))


@dataclass(frozen=True)
class FastRestore:
    """Fast snapshot restore of a snapshot in a zone.

    Attributes:
        snapshot_id: of which.
        zone: where.
        state: enabling, optimizing, enabled, disabling or disabled.
        enabled_at: since when it is enabled.
        credits: how many volumes can be made at full speed now, at most: *modelled* from the time since then, as if
            none had been made.
        bucket: how many credits there can be.
        refill: how many it gathers [credits/h].
        monthly: what it costs [USD per month].
    """

    snapshot_id: str
    zone: str
    state: str
    enabled_at: datetime | None
    credits: float
    bucket: float
    refill: float
    monthly: float


def enable_fast_restore(snapshot: "Snapshot", zones: Sequence[str]) -> Listing[FastRestore]:
    """Begin to enable fast snapshot restore of a snapshot in zones; it is paid for from now on.

    Raises:
        InvalidRequest: a zone is not in the region, the snapshot is above 16 TiB, archived or in error; nothing was
            done.
        LimitExceeded: as many snapshots are enabled as the quota allows.
        AwsError: AWS refuses.
    """
    snapshot.region.allow("Snapshot", "CreateVolume", snapshot)
    wanted = _zones(snapshot, zones)
    if snapshot.size > LARGEST:
        rule = "is of a volume above 16 TiB, the most for fast snapshot restore"
        raise InvalidRequest("snapshot", snapshot.id, rule, "give its volumes an initialization rate instead")
    if snapshot.state not in ("pending", "completed"):
        raise InvalidRequest("snapshot", snapshot.id, f"is in state {snapshot.state}", "choose a complete one")
    if snapshot.tier != "standard":
        remedy = "restore it first with snapshot.restore_from_archive()"
        raise InvalidRequest("snapshot", snapshot.id, "is archived", remedy)
    _change(snapshot, "EnableFastSnapshotRestores", wanted)
    return fast_restore_state(snapshot)


def disable_fast_restore(snapshot: "Snapshot", zones: Sequence[str] | None = None) -> Listing[FastRestore]:
    """Begin to disable fast snapshot restore of a snapshot, by default wherever it is enabled.

    Raises:
        InvalidRequest: it is not enabled there; nothing was done.
        AwsError: AWS refuses.
    """
    snapshot.region.allow("Snapshot", "CreateVolume", snapshot)
    on = [each.zone for each in fast_restore_state(snapshot) if each.state in ("enabling", "optimizing", "enabled")]
    wanted = on if zones is None else _zones(snapshot, zones)
    off = [zone for zone in wanted if zone not in on]
    if off or not on:
        rule = f"has no fast restore of {snapshot.id}" if off else f"have no fast restore of {snapshot.id}"
        raise InvalidRequest(
            "zone" if off else "zones", off[0] if off else (), rule, f"it is in {', '.join(on) or 'none'}"
        )
    _change(snapshot, "DisableFastSnapshotRestores", wanted)
    return fast_restore_state(snapshot)


def fast_restore_state(snapshot: "Snapshot") -> Listing[FastRestore]:
    """List where fast snapshot restore of a snapshot is enabled or was, with credits and price.

    Raises:
        AwsError: AWS refuses to say.
    """
    region, now = snapshot.region, snapshot.region.clock.now()
    found: list[FastRestore] = []
    asked = [{"Name": "snapshot-id", "Values": [snapshot.id]}]
    token: dict[str, str] = {}
    while True:
        answer = region.aws.call("DescribeFastSnapshotRestores", snapshot.id, Filters=asked, **token)
        found += [_read(snapshot, raw, now, region.prices) for raw in answer["FastSnapshotRestores"]]
        if not answer.get("NextToken"):
            break
        token = {"NextToken": answer["NextToken"]}
    found.sort(key=lambda each: each.zone)
    return Listing(found, COLUMNS, noun="fast snapshot restore")


def restore_options(snapshot: "Snapshot", size: Size | None = None, *, volume_type: str = "gp3") -> pd.DataFrame:
    """Compare the ways to make a volume of a snapshot: time until it has full speed, and price.

    Args:
        snapshot: a complete one.
        size: of its data, where AWS does not tell it; by default all of its volume.
        volume_type: of the volume.

    Returns:
        One row for each way, from the slowest: option, seconds_low, seconds_high, basis, price_usd, paid, notes.

    Raises:
        InvalidRequest: the size cannot be.

    Source: EBS user guide, "Initialize Amazon EBS volumes": 10 GiB of data at 300 MiB/s take 34.1 s.
    """
    data, known = _data(snapshot, size)
    low, high = LAZY_RATES.get(volume_type, LAZY_RATES["gp3"])
    seen = f"measured by others on {volume_type}" if volume_type in LAZY_RATES else "assumed to be as on gp3"
    prices = snapshot.region.prices
    rows: list[tuple[str, float, float, str, float, str, str]] = [
        ("default", data / high, data / low, seen, 0.0, "", "if all of it is read at once; without that, no bound"),
        *(
            (
                f"initialization rate {rate} MiB/s", data / (rate * MIB), data / (rate * MIB), "documented",
                prices.initialized(data, rate), "each volume", "within 10 % of the rate for 99 % of the time",
            )
            for rate in _RATES
        ),
    ]  # fmt: skip
    if snapshot.size <= LARGEST:
        volumes = f"{bucket(snapshot.size):.3g} volumes at once, {credit_rate(snapshot.size):.3g} more an hour"
        wait = f"enable it {snapshot.size * OPTIMIZING / HOUR:.2g} h before; {volumes}"
        monthly = prices.fast_restored(MONTH)
        rows.append(("fast snapshot restore", 0.0, 0.0, "documented", monthly, "a month and zone", wait))
    names = ("option", "seconds_low", "seconds_high", "basis", "price_usd", "paid", "notes")
    frame = pd.DataFrame(rows, columns=list(names))
    frame["basis"] = frame["basis"] + ("" if known else "; size of the data assumed")
    texts = dict.fromkeys(("option", "basis", "paid", "notes"), "string")
    return frame.astype(texts)


def _data(snapshot: "Snapshot", size: Size | None) -> tuple[int, bool]:
    """Tell how much data a snapshot has [bytes], and whether that is known."""
    if size is None:
        return (snapshot.size, False) if snapshot.full_size is None else (snapshot.full_size, True)
    data = to_bytes(size)
    if data > snapshot.size:
        raise InvalidRequest("size", size, f"is more than the volume of {snapshot.id} has", "give that of its data")
    return data, True


def _zones(snapshot: "Snapshot", zones: Sequence[str]) -> list[str]:
    wanted = [zones] if isinstance(zones, str) else list(dict.fromkeys(zones))
    there = snapshot.region.zones
    if not wanted:
        raise InvalidRequest("zones", zones, "are none", f"choose of {', '.join(there)}")
    for zone in wanted:
        if zone not in there:
            raise InvalidRequest("zone", zone, f"is not in {snapshot.region.name}", f"choose of {', '.join(there)}")
    return wanted


def _change(snapshot: "Snapshot", operation: str, zones: list[str]) -> None:
    """Enable or disable; AWS answers even where it refused, with the reasons in the answer."""
    answer = snapshot.region.aws.call(operation, snapshot.id, AvailabilityZones=zones, SourceSnapshotIds=[snapshot.id])
    for failed in answer.get("Unsuccessful", []):
        for each in failed["FastSnapshotRestoreStateErrors"]:
            code, told = str(each["Error"]["Code"]), str(each["Error"]["Message"])
            done = sorted(good["AvailabilityZone"] for good in answer.get("Successful", []))
            remedy = f"it went well in {', '.join(done)}" if done else "see snapshot.fast_restore_state()"
            about = f"{snapshot.id} in {each['AvailabilityZone']}"
            raise CODES.get(code, AwsError)(code, operation, told, about, remedy)


def _read(snapshot: "Snapshot", raw: dict[str, Any], now: datetime, prices: Prices) -> FastRestore:
    enabled: datetime | None = raw.get("EnabledTime")
    most, rate = bucket(snapshot.size), credit_rate(snapshot.size)
    on = raw["State"] == "enabled" and enabled is not None
    hours = (now - enabled).total_seconds() / HOUR if on and enabled else 0.0
    paid = raw["State"] in ("enabling", "optimizing", "enabled")
    return FastRestore(
        snapshot.id,
        str(raw["AvailabilityZone"]),
        str(raw["State"]),
        enabled,
        min(most, hours * rate),
        most,
        rate,
        prices.fast_restored(MONTH) if paid else 0.0,
    )


COLUMNS: tuple[Column[FastRestore], ...] = (
    Column("zone", lambda each: each.zone, "zone", lambda each: each.zone),
    Column("state", lambda each: each.state, "state", lambda each: each.state),
    Column(
        "credits, at most", lambda each: f"{each.credits:.2f} of {each.bucket:.2f}", "credits_modelled",
        lambda each: each.credits, "float64",
    ),
    Column(
        "credits an hour", lambda each: f"{each.refill:.2f}", "credits_per_hour", lambda each: each.refill, "float64"
    ),
    Column("a month", lambda each: usd_text(each.monthly), "monthly_usd", lambda each: each.monthly, "float64"),
)  # fmt: skip
