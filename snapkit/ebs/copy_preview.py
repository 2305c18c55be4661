"""What a copy of a snapshot would be, said before it is begun: full or not, its price, what stands in its way.

A copy is in full, or has only what the copies before it lack. AWS tells which after the fact; the rules are known, so
it is said beforehand, with what it rests on.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from snapkit.errors import AwsError, InvalidRequest
from snapkit.units import HOUR, MIB, MINUTE, Duration, bytes_text, seconds_text, to_seconds, usd_text

if TYPE_CHECKING:
    from snapkit.ebs.region import Region
    from snapkit.ebs.snapshots import Snapshot

STEP = 15 * MINUTE
"""A time-based copy takes a multiple of this, and at least once it [s].

Source: EBS user guide, "Time-based copies for Amazon EBS snapshots and EBS-backed AMIs".
"""

LONGEST = 48 * HOUR
"""The longest duration of a time-based copy [s]. Source: EC2 API reference, CopySnapshot, CompletionDurationMinutes."""

RATE = 500 * MIB
"""Most throughput of one time-based copy [bytes/s]; not adjustable.

Source: EBS user guide, "Time-based copies for Amazon EBS snapshots and EBS-backed AMIs", quotas.
"""

MANAGED_KEY = "alias/aws/ebs"
"""The key that AWS manages for EBS. Source: EBS user guide, "Amazon EBS encryption"."""


@dataclass(frozen=True)
class CopyPreview:
    """What a copy would be, said before it is begun.

    Attributes:
        snapshot_id: what would be copied.
        destination: to which region.
        full: whether all its blocks would be copied; None where that cannot be told.
        reason: why, in words.
        low: least that would be copied [bytes].
        high: most that would be copied [bytes].
        price_low: least that the copying would cost [USD].
        price_high: most that it would cost [USD].
        monthly_low: least that keeping the copy would cost [USD per month].
        monthly_high: most that it would cost [USD per month].
        refusals: why it cannot be begun, a sentence each.
        notes: what else to know, a sentence each; what is assumed is named.
    """

    snapshot_id: str
    destination: str
    full: bool | None
    reason: str
    low: int
    high: int
    price_low: float
    price_high: float
    monthly_low: float
    monthly_high: float
    refusals: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def told(self) -> str:
        """What it will be, why, and what that costs."""
        kind = {True: "full", False: "incremental", None: "full or incremental"}[self.full]
        size = bytes_text(self.high) if self.low == self.high else f"{_from(self.low)} to {bytes_text(self.high)}"
        once = _band(self.price_low, self.price_high)
        monthly = _band(self.monthly_low, self.monthly_high)
        return f"this copy will be {kind} because {self.reason}: {size}, {once} once and {monthly} a month"

    def __str__(self) -> str:
        refused = tuple(f"it cannot be begun: {each}" for each in self.refusals)
        return "; ".join((self.told, *refused, *self.notes))


def least_duration(size: int) -> int:
    """Tell the shortest duration [s] in which a time-based copy of so many bytes can be complete."""
    return max(STEP, math.ceil(size / (RATE * STEP)) * STEP)


class Outlook:
    """What a copy would rest on: each part is looked up when it is first asked for, and then kept.

    How long the copy may take is no part of it, so that durations can be tried without a call.

    Attributes:
        snapshot: what would be copied.
        region: where to.
    """

    def __init__(
        self, snapshot: "Snapshot", to: "Region | str", *, kms_key: str | None = None, encrypted: bool = False
    ) -> None:
        """Read the snapshot again: it may have completed, or been archived, since it was last read.

        Args:
            snapshot: what to copy.
            to: the region, of the same account where only its name is given.
            kms_key: under which the copy shall be encrypted.
            encrypted: whether it shall be, under the default key, also where AWS would not do that by itself.

        Raises:
            InvalidRequest: the region cannot be.
            AwsError: AWS refuses to say.
        """
        self.region = whither(snapshot, to)
        self.snapshot = snapshot.refresh()
        self._wanted = kms_key
        self._encrypted = encrypted

    @cached_property
    def unfit(self) -> tuple[str, ...]:
        """Why the snapshot cannot be copied, and what to do, after a semicolon."""
        return tuple(_unfit(self.snapshot, self.region))

    @cached_property
    def _key(self) -> tuple[str | None, list[str], list[str]]:
        return _key(self.snapshot, self.region, self._wanted, encrypted=self._encrypted)

    @cached_property
    def kind(self) -> tuple[bool | None, str]:
        """Whether it will be in full, None where that cannot be told; and why."""
        return _kind(self.snapshot, self.region, self._key[0])

    def check_snapshot(self) -> None:
        """Refuse a snapshot that cannot be copied as it is.

        Raises:
            InvalidRequest: it cannot.
        """
        _refuse("snapshot", self.snapshot.id, self.unfit)

    def check_key(self) -> None:
        """Refuse a key, where one was given, that no copy can be encrypted under.

        Raises:
            InvalidRequest: it is not there, or not enabled.
        """
        if self._wanted:
            _refuse("kms key", self._wanted, self._key[2])

    def check_in_time(self, duration: Duration | None) -> None:
        """Refuse a duration in which the copy cannot be complete.

        Raises:
            InvalidRequest: it cannot be, or is too short for all that will be copied.
        """
        seconds, size = check_duration(duration), self.snapshot.full_size
        # Only what changed counts, so that a copy which is not in full may well be in time.
        if seconds is not None and size and seconds < least_duration(size) and self.kind[0]:
            _refuse("duration", duration, (_too_fast(size),))

    def preview(self, duration: Duration | None = None) -> CopyPreview:
        """Say what the copy will be, and its price, if it may take so long.

        Raises:
            InvalidRequest: the duration cannot be.
            AwsError: AWS refuses to say.
        """
        snapshot, region, seconds = self.snapshot, self.region, check_duration(duration)
        _, notes, wrong = self._key
        notes = [*notes]
        refusals = [
            *(f"{snapshot.id} {each}" for each in self.unfit),
            *(f"the key {self._wanted} {each}" for each in wrong),
        ]
        full, reason = self.kind
        # Where AWS does not tell the size of its blocks, that of the volume is the most it can be.
        whole = snapshot.size if snapshot.full_size is None else snapshot.full_size
        at_home = region.name == snapshot.region.name
        low, high = (whole if full else 0), whole
        if full is False and at_home:
            high = 0
        if snapshot.full_size is None:
            low = 0
            notes.append("AWS does not tell how much of the volume was written: at most all of it is assumed")
        if seconds is not None and seconds < least_duration(low):
            refusals.append(f"the duration {seconds_text(seconds)} {_too_fast(low)}")
        prices = region.prices

        def price(size: int) -> float:
            sent = 0.0 if at_home else prices.transferred(size)
            return sent + (0.0 if seconds is None else prices.timed_copy(size, seconds))

        if not at_home and high:
            notes.append(f"transfer at {usd_text(prices.transfer)} per GiB is assumed")
        if full is False and not at_home:
            notes.append("how much changed since is not known; snapshot.changed_blocks(since=...) measures it")
        return CopyPreview(
            snapshot.id, region.name, full, reason, low, high, price(low), price(high),
            prices.monthly(low), prices.monthly(high), tuple(refusals), tuple(notes),
        )  # fmt: skip


def copy_preview(
    snapshot: "Snapshot",
    to: "Region | str",
    *,
    kms_key: str | None = None,
    encrypted: bool = False,
    duration: Duration | None = None,
) -> CopyPreview:
    """Say beforehand whether a copy will be full, why, what it costs, and what stands in its way.

    Args:
        snapshot: what to copy.
        to: the region, of the same account where only its name is given.
        kms_key: under which the copy shall be encrypted.
        encrypted: whether it shall be, under the default key, also where AWS would not do that by itself.
        duration: of a time-based copy.

    Raises:
        InvalidRequest: the region or the duration cannot be.
        AwsError: AWS refuses to say.

    Source: EBS user guide, "Copy an Amazon EBS snapshot", incremental snapshot copying.
    """
    check_duration(duration)
    return Outlook(snapshot, to, kms_key=kms_key, encrypted=encrypted).preview(duration)


def destinations(region: "Region") -> tuple[str, ...]:
    """List the regions that this account can copy to by their names, that of the snapshots first.

    Raises:
        AwsError: AWS refuses to say.

    Source: EC2 API reference, DescribeRegions: those that are enabled for the account.
    """
    names = {str(each["RegionName"]) for each in region.aws.call("DescribeRegions")["Regions"]}
    return (region.name, *sorted(names - {region.name}))


def _refuse(field: str, value: object, reasons: Sequence[str]) -> None:
    if reasons:
        rule, _, remedy = reasons[0].partition("; ")
        raise InvalidRequest(field, value, rule, remedy)


def whither(snapshot: "Snapshot", to: "Region | str") -> "Region":
    """Return the region to copy to, of the same account where only its name is given."""
    if not isinstance(to, str) and not hasattr(to, "taking"):
        raise InvalidRequest("region", to, "is no region", "give its name, such as 'eu-west-1', or a Region")
    return snapshot.region.beside(to) if isinstance(to, str) else to


def check_duration(duration: Duration | None) -> float | None:
    """Refuse a duration that no time-based copy can have.

    Returns:
        The duration [s], or None where none is given.

    Raises:
        InvalidRequest: it is not in steps of 15 minutes up to 48 hours.
    """
    if duration is None:
        return None
    seconds = to_seconds(duration, "duration")
    if seconds % STEP or not STEP <= seconds <= LONGEST:
        steps = "is not in steps of 15 minutes from 15 minutes to 48 hours"
        nearest = min(LONGEST, max(STEP, math.ceil(seconds / STEP) * STEP))
        raise InvalidRequest("duration", duration, steps, f"give '{nearest // MINUTE} min'")
    return seconds


def _unfit(snapshot: "Snapshot", region: "Region") -> list[str]:
    """Tell why a snapshot cannot be copied, and what to do, after a semicolon."""
    if snapshot.state == "pending":
        return ["is still pending; wait for it with snapshot.wait()"]
    if snapshot.state != "completed":
        return [f"is in state {snapshot.state}; take another one"]
    if snapshot.tier != "standard":
        return ["is archived; restore it first with snapshot.restore_from_archive()"]
    # With whom it is shared only its owner may ask; for others AWS has to say.
    away = region is not snapshot.region and region.account != snapshot.region.account
    if (
        away
        and snapshot.account == snapshot.region.account
        and not {region.account, "all"} & set(snapshot.shared_with())
    ):
        return [f"is not shared with {region.account}; share it first with snapshot.share({region.account!r})"]
    return []


def _too_fast(size: int) -> str:
    least = least_duration(size)
    rule = f"is too short for {bytes_text(size)} at {bytes_text(RATE)}/s"
    return f"{rule}; give '{least // MINUTE} min' ({seconds_text(least)}) or more"


def origin(snapshot: "Snapshot") -> str:
    """Tell which volume the data is of; of a copy its VolumeId does not."""
    return snapshot.tags.get(snapshot.region.tag_keys.source_volume) or snapshot.volume_id


def _kind(snapshot: "Snapshot", region: "Region", key: str | None) -> tuple[bool | None, str]:
    """Tell whether a copy will be in full, and why."""
    if region.name == snapshot.region.name and region.account == snapshot.account:
        if key == _UNKNOWN:
            return None, "it cannot be told whether it will be under the same key"
        if key != snapshot.raw.get("KmsKeyId"):
            return True, "it will be under another key"
        return False, "it stays in the same account and region under the same key, where no data is copied"
    earlier = _copies(region, origin(snapshot))
    broken = _break(snapshot, region, earlier, key)
    if broken:
        return True, broken
    last = earlier[0].id
    if key == _UNKNOWN:
        return None, f"it cannot be told whether its key is that of the most recent copy, {last}"
    return False, f"{last}, under the same key, is there to build on, if no later copy was made and deleted since"


def _break(snapshot: "Snapshot", region: "Region", earlier: "list[Snapshot]", key: str | None) -> str:
    """Tell what keeps a copy from building on earlier ones, newest first, or nothing."""
    if not earlier:
        account = "this account" if region.account == snapshot.region.account else region.account
        return f"no copy of {origin(snapshot)} made with snapkit was found in {region.name} of {account}"
    last = earlier[0]
    if last.tier != "standard":
        return f"the most recent copy, {last.id}, is archived"
    same = last.tags.get(region.tag_keys.source) == f"{snapshot.region.name}/{snapshot.id}"
    if last.state != "completed" and not same:
        return f"the most recent copy, {last.id}, is not complete yet: wait for it, and this one will be incremental"
    other = None if key == _UNKNOWN else next((each for each in earlier if each.raw.get("KmsKeyId") != key), None)
    return f"the earlier copy {other.id} is under another key ({other.raw.get('KmsKeyId') or 'none'})" if other else ""


def _copies(region: "Region", volume: str) -> "list[Snapshot]":
    """Find the copies of snapshots of a volume, newest first."""
    found = region.snapshots.find(tags={region.tag_keys.source_volume: volume})
    kept = [each for each in found if each.state in ("pending", "completed")]
    return sorted(kept, key=lambda each: (each.taken_at, each.id), reverse=True)


_UNKNOWN = "unknown"


def _key(
    snapshot: "Snapshot", region: "Region", wanted: str | None, *, encrypted: bool
) -> tuple[str | None, list[str], list[str]]:
    """Tell which key a copy will be under, as its ARN, with notes and with why that key cannot be used.

    Source: EBS user guide, "Copy an Amazon EBS snapshot", encryption outcomes for snapshot copies.
    """
    if wanted:
        return _described(region, wanted)
    always = region.aws.call("GetEbsEncryptionByDefault")["EbsEncryptionByDefault"]
    if not (snapshot.encrypted or always or encrypted):
        return None, [], []
    own = always or not snapshot.encrypted
    default = region.aws.call("GetEbsDefaultKmsKeyId")["KmsKeyId"] if own else MANAGED_KEY
    key, notes, refusals = _described(region, default)
    return key, [*notes, f"the copy will be encrypted under {default}, the default here"], refusals


def _described(region: "Region", wanted: str) -> tuple[str | None, list[str], list[str]]:
    try:
        known = region.service("kms").call("DescribeKey", wanted, KeyId=wanted)["KeyMetadata"]
    except InvalidRequest:
        return _UNKNOWN, [f"whether {wanted} can be used is not known: there is no client of KMS here"], []
    except AwsError as error:
        if wanted == MANAGED_KEY:
            return _UNKNOWN, [], []
        if error.code in ("NotFoundException", "InvalidArnException", "ValidationException"):
            return _UNKNOWN, [], [f"is no key in {region.name}; give the id, alias or ARN of one there"]
        return _UNKNOWN, [f"whether {wanted} can be used is not known: {error.told}"], []
    if known.get("KeyState", "Enabled") != "Enabled":
        return str(known["Arn"]), [], [f"is in state {known['KeyState']}; enable it, or choose another"]
    return str(known["Arn"]), [], []


def _from(low: int) -> str:
    return bytes_text(low) if low else "0"


def _band(low: float, high: float) -> str:
    return usd_text(high) if low == high else f"{usd_text(low)} to {usd_text(high)}"
