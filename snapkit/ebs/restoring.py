"""How fast a volume made of a snapshot is at full speed, and what that costs: fast restore, initialization rates."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from snapkit.ebs._aws import CODES
from snapkit.ebs.listing import Column, Listing
from snapkit.errors import AwsError, InvalidRequest
from snapkit.prices import MONTH, Prices
from snapkit.rules import (
    FAST_RESTORE_LARGEST,
    FAST_RESTORE_OPTIMIZING,
    INITIALIZATION_RATES,
    VOLUME_SIZES,
    credit_rate,
)
from snapkit.units import HOUR, MIB, Size, bytes_text, seconds_text, to_bytes, usd_text

if TYPE_CHECKING:
    from snapkit.ebs.snapshots import Snapshot

LAZY_RATES = {"gp3": (130e6, 140e6), "io2": (700e6, 1200e6)}
"""At which rates a volume of some types was seen to load by itself while all of it was read [bytes/s].

Source: AWS re:Post, article ARAkrDcHieSsSYOPHL3ZJYeg: *measured* by its authors; AWS publishes no figure.
"""

ON = ("enabling", "optimizing", "enabled")
"""The states in which fast snapshot restore is paid for."""

_DOUBT = "; size of the data assumed"

_RATES = (INITIALIZATION_RATES[0], 200, INITIALIZATION_RATES[1])


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

    def __repr__(self) -> str:
        credit = f"{self.credits:.3g} of {self.bucket:.3g} credits at most"
        told = f"{self.state}, {credit}, {usd_text(self.monthly)} a month"
        return f"<FastRestore of {self.snapshot_id} in {self.zone}: {told}>"


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
    snapshot.refresh()
    if snapshot.size > FAST_RESTORE_LARGEST:
        rule = "is of a volume above 16 TiB, the most for fast snapshot restore"
        raise InvalidRequest("snapshot", snapshot.id, rule, "give its volumes an initialization rate instead")
    if snapshot.state not in ("pending", "completed"):
        raise InvalidRequest("snapshot", snapshot.id, f"is in state {snapshot.state}", "choose a complete one")
    if snapshot.tier != "standard":
        remedy = "restore it first with snapshot.restore_from_archive()"
        raise InvalidRequest("snapshot", snapshot.id, "is archived", remedy)
    with snapshot.region.charging.hold_fast_restore(snapshot, wanted):
        _change(snapshot, "EnableFastSnapshotRestores", wanted)
    return fast_restore_state(snapshot)


def disable_fast_restore(snapshot: "Snapshot", zones: Sequence[str] | None = None) -> Listing[FastRestore]:
    """Begin to disable fast snapshot restore of a snapshot, by default wherever it is enabled.

    Raises:
        InvalidRequest: it is not enabled there; nothing was done.
        AwsError: AWS refuses.
    """
    snapshot.region.allow("Snapshot", "CreateVolume", snapshot)
    on = [each.zone for each in fast_restore_state(snapshot) if each.state in ON]
    wanted = on if zones is None else _zones(snapshot, zones)
    if not on:
        raise InvalidRequest("snapshot", snapshot.id, "has no fast restore in any zone", "nothing has to be done")
    for zone in wanted:
        if zone not in on:
            remedy = f"it is enabled in {', '.join(on)}"
            raise InvalidRequest("zone", zone, f"has no fast restore of {snapshot.id}", remedy)
    try:
        _change(snapshot, "DisableFastSnapshotRestores", wanted)
    except AwsError:
        # Where an answer was lost, the try that boto3 made again is refused.
        now = fast_restore_state(snapshot)
        if any(each.zone in wanted and each.state in ON for each in now):
            raise
        return now
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


@dataclass(frozen=True)
class RestoreOption:
    """A way to make a volume of a snapshot.

    Attributes:
        name: such as ``"initialization rate 300 MiB/s"``.
        seconds_low: the least time until the volume has its full speed [s].
        seconds_high: the most time, as far as anybody knows [s].
        basis: where the time comes from: documented, measured by others, or assumed.
        price_usd: what it costs besides the volume itself [USD].
        paid: for what the price is: each volume, or a month and zone.
        notes: what else to know.
    """

    name: str
    seconds_low: float
    seconds_high: float
    basis: str
    price_usd: float
    paid: str
    notes: str


def restore_options(
    snapshot: "Snapshot", data: Size | None = None, *, volume_type: str = "gp3"
) -> Listing[RestoreOption]:
    """Compare the ways to make a volume of a snapshot: time until it has full speed, and price.

    Args:
        snapshot: a complete one.
        data: how much of the volume was ever written, where AWS does not tell it; by default all of it.
        volume_type: of the volume.

    Returns:
        The default way first, then initialization rates, then fast snapshot restore.

    Raises:
        InvalidRequest: there cannot be so much data, or there is no such volume type.

    Source: EBS user guide, "Initialize Amazon EBS volumes": 10 GiB of data at 300 MiB/s take 34.1 s.
    """
    if volume_type not in VOLUME_SIZES:
        kinds = ", ".join(VOLUME_SIZES)
        raise InvalidRequest("volume type", volume_type, "is no EBS volume type", f"choose one of {kinds}")
    size, known = _data(snapshot, data)
    low, high = LAZY_RATES.get(volume_type, LAZY_RATES["gp3"])
    seen = f"measured by others on {volume_type}" if volume_type in LAZY_RATES else "assumed to be as on gp3"
    doubt, prices = "" if known else _DOUBT, snapshot.region.prices
    lazy = "if all of it is read at once, else no bound"
    ways = [RestoreOption("default", size / high, size / low, f"{seen}{doubt}", 0.0, "each volume", lazy)]
    ways += [initialized(snapshot, rate, data) for rate in _RATES]
    if snapshot.size <= FAST_RESTORE_LARGEST:
        ahead, hourly = seconds_text(snapshot.size * FAST_RESTORE_OPTIMIZING), prices.fast_restored(0)
        volumes = f"{int(bucket(snapshot.size))} volumes at once, {credit_rate(snapshot.size):.3g} more an hour"
        note = f"enable it {ahead} before; {volumes}; at least {usd_text(hourly)} for an hour"
        monthly = prices.fast_restored(MONTH)
        ways.append(RestoreOption("fast snapshot restore", 0.0, 0.0, "documented", monthly, "a month and zone", note))
    return Listing(ways, OPTIONS, noun="option")


def initialized(snapshot: "Snapshot", rate: int, data: Size | None = None) -> RestoreOption:
    """Tell what an initialization rate [MiB/s] does for a volume of a snapshot, and what it costs.

    Args:
        snapshot: a complete one.
        rate: of the volume [MiB/s].
        data: as for `restore_options`.

    Raises:
        InvalidRequest: there cannot be so much data.
    """
    size, known = _data(snapshot, data)
    seconds, price = size / (rate * MIB), snapshot.region.prices.initialized(size, rate)
    name, note = f"initialization rate {rate} MiB/s", "within 10 % of the rate 99 % of the time"
    basis = f"documented{'' if known else _DOUBT}"
    return RestoreOption(name, seconds, seconds, basis, price, "each volume", note)


def _data(snapshot: "Snapshot", given: Size | None) -> tuple[int, bool]:
    """Tell how much data a snapshot has [bytes], and whether that is known."""
    if given is None:
        return (snapshot.size, False) if snapshot.full_size is None else (snapshot.full_size, True)
    data = to_bytes(given, "data")
    if data > snapshot.size:
        most = bytes_text(snapshot.size)
        rule = f"is more than the {most} of the volume of {snapshot.id}"
        raise InvalidRequest("data", given, rule, f"give up to {most}")
    return data, True


def _zones(snapshot: "Snapshot", zones: Sequence[str]) -> list[str]:
    wanted = [zones] if isinstance(zones, str) else list(dict.fromkeys(zones or ()))
    there = snapshot.region.zones
    if not wanted:
        raise InvalidRequest("zones", zones, "are none", f"choose some of {', '.join(there)}")
    for zone in wanted:
        if zone not in there:
            remedy = f"choose one of {', '.join(there)}"
            raise InvalidRequest("zone", zone, f"is not in {snapshot.region.name}", remedy)
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
    paid = raw["State"] in ON
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

OPTIONS: tuple[Column[RestoreOption], ...] = (
    Column("option", lambda each: each.name, "option", lambda each: each.name),
    Column(
        "full speed after", lambda each: seconds_text(each.seconds_low), "seconds_low", lambda each: each.seconds_low,
        "float64",
    ),
    Column(
        "at worst", lambda each: seconds_text(each.seconds_high), "seconds_high", lambda each: each.seconds_high,
        "float64",
    ),
    Column("price", lambda each: usd_text(each.price_usd), "price_usd", lambda each: each.price_usd, "float64"),
    Column("paid for", lambda each: each.paid, "paid", lambda each: each.paid),
    Column("basis", lambda each: each.basis, "basis", lambda each: each.basis),
    Column("notes", lambda each: each.notes, "notes", lambda each: each.notes),
)  # fmt: skip
