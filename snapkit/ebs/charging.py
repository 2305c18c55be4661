"""Charging what is made to billing codes, as far as a person's access lets it.

A person whose access names billing codes may charge to those only; one whose access names none, to any. What has no
billing code is charged to nobody and never refused. Where a code has a quota, its run rate is looked up before anything
new is charged to it: what `Region.costs` finds for the code in this region of this account. What other regions and
accounts charge to the same code is not counted.

How the band of a run rate is read is told in `snapkit.access.billing`: refused is what is above the hard quota for
certain, warned is of what may be above one. Of the low side only that counts which is not assumed.

A look-up takes one request for each 1,000 snapshots and 1,000 volumes, and one or two more. It is remembered for a
minute, with what was charged meanwhile; before anything is refused, it is done anew. Without a quota nothing is looked
up.
"""

import math
import threading
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from snapkit.access.billing import BillingCode, Charge, Quota, QuotaWarning, State, Verdict, charge, check_charge
from snapkit.ebs.blockers import DENIED
from snapkit.ebs.listing import Column, Listing
from snapkit.ebs.restoring import fast_restore_state
from snapkit.errors import AwsError, InvalidRequest
from snapkit.plan import Band
from snapkit.plan.step import total
from snapkit.prices import MONTH
from snapkit.units import usd_text

if TYPE_CHECKING:
    from snapkit.ebs.costs import Costs
    from snapkit.ebs.region import Region
    from snapkit.ebs.snapshots import Snapshot
    from snapkit.ebs.volumes import Volume

REMEMBERED_FOR = 60.0
"""How long a look-up of run rates is remembered [s]."""
_HEARD: ContextVar[list[str] | None] = ContextVar("heard", default=None)


@dataclass(frozen=True)
class CodeState:
    """A billing code, and how its run rate stands to its quota.

    Attributes:
        code: the billing code.
        low: its run rate, at least [USD a month].
        high: its run rate, at most [USD a month].
        state: normal; soft alarm, where it is or may be above a quota; hard alarm, where nothing new can be charged.
    """

    code: BillingCode
    low: float
    high: float
    state: State


@dataclass
class _Look:
    """What was looked up, and what was charged since."""

    at: datetime
    costs: "Costs"
    since: dict[str, list[Band]] = field(default_factory=lambda: defaultdict(list))

    def rate(self, code: str) -> Band:
        """Return the run rate of a billing code: what it is for certain, and what it is at most [USD a month]."""
        charged = self.costs.of(billing_code=code)
        certain = [each.low for each in charged.things if each.basis != "assumed"]
        return total([(sum(certain), charged.high), *self.since[code]])


class Charging:
    """Charges what is made in a region to billing codes.

    Attributes:
        region: where.
    """

    def __init__(self, region: "Region") -> None:
        self.region = region
        self._last: _Look | None = None
        self._begun: dict[str, list[Band]] = defaultdict(list)
        self._turn = threading.Condition()

    def check(self, code: str) -> BillingCode | None:
        """Refuse a billing code that the person may not charge to, without a look at its run rate.

        Args:
            code: the billing code, or nothing.

        Returns:
            The code with its quota; None where it has none.

        Raises:
            InvalidRequest: the person may not charge to that code.
        """
        access = self.region.access
        if access is None or not code:
            return None
        known = access.billing_codes.get(code)
        if known is None and access.billing_codes:
            remedy = f"charge one of {', '.join(access.billing_codes)}"
            raise InvalidRequest("billing code", code, f"is none that {access.user} may charge to", remedy)
        return None if known is None or known.quota == Quota() else known

    def charge(self, code: str, extra: Band | Callable[[], Band]) -> Charge | None:
        """Charge something new to a billing code before it is made; warns where it is or may be above a quota.

        Args:
            code: the billing code, or nothing.
            extra: what it costs a month, at least and at most [USD]; or what tells that, called only where the code
                has a quota.

        Returns:
            How the code then stands to its quota; None where it has none.

        Raises:
            InvalidRequest: the person may not charge to that code, or it would run above its hard quota for certain.
            AwsError: AWS refuses a look-up, other than for a missing permission.
        """
        with self.hold(code, extra) as charged:
            return charged

    @contextmanager
    def hold(self, code: str, extra: Band | Callable[[], Band]) -> Iterator[Charge | None]:
        """Charge something new as `charge` does while it is made, so that several at a time do not pass together."""
        known = self.check(code)
        if known is None:
            yield None
            return
        denied: AwsError | None = None
        try:
            more = extra() if callable(extra) else extra
            checked, missing = self._begin(known, more)
        except AwsError as error:
            if error.code not in DENIED:
                raise
            denied = error
        if denied is not None:
            _warn(f"{code} has a quota, which is not checked: what is charged to it could not be read: {denied}")
            yield None
            return
        made = False
        try:
            if checked.verdict is Verdict.WARNING or missing:
                _warn("; ".join((checked.reason, *missing)))
            yield checked
            made = True
        finally:
            self._end(code, more, made=made)

    def charge_snapshots(self, tags: Mapping[str, str], sizes: Callable[[], Iterable[float]]) -> Charge | None:
        """Charge snapshots to the code in their tags: from nothing to all that volumes or sources of such sizes hold.

        Args:
            tags: of the snapshots.
            sizes: tells how much each of them can hold [bytes].
        """
        return self.charge(
            self.region.belonging(tags).billing_code, lambda: (0.0, math.fsum(map(self.region.prices.monthly, sizes())))
        )

    def hold_volume(
        self, tags: Mapping[str, str], volume_type: str, size: float, options: Mapping[str, Any]
    ) -> AbstractContextManager[Charge | None]:
        """Charge a new volume of a size [bytes] to the code in its tags, with its ``iops`` and ``throughput``."""
        monthly = self._volume(volume_type, size, options.get("iops"), options.get("throughput"))
        return self.hold(self.region.belonging(tags).billing_code, (monthly, monthly))

    def hold_growth(self, volume: "Volume", size: float) -> AbstractContextManager[Charge | None]:
        """Charge to the code of a volume what it costs more at another size [bytes]."""
        given = volume.raw.get("Iops"), volume.raw.get("Throughput")
        before, after = (self._volume(volume.volume_type, each, *given) for each in (volume.size, size))
        return self.hold(volume.billing_code, (after - before, after - before))

    def hold_fast_restore(self, snapshot: "Snapshot", zones: Iterable[str]) -> AbstractContextManager[Charge | None]:
        """Charge fast snapshot restore in zones to the code of a snapshot; where it is on already costs nothing."""

        def extra() -> Band:
            on = {each.zone for each in fast_restore_state(snapshot) if each.monthly}
            monthly = len(set(zones) - on) * self.region.prices.fast_restored(MONTH)
            return monthly, monthly

        return self.hold(snapshot.billing_code, extra)

    def codes(self) -> Listing[CodeState]:
        """List the billing codes that the person may charge to, with their run rates here and how these stand.

        Those with a hard alarm take nothing new, and need not be offered.

        Raises:
            AwsError: AWS refuses.
        """
        codes = self.region.access.billing_codes if self.region.access else {}
        found = []
        if codes:
            with self._turn:
                look = self._look()
                for code in codes.values():
                    rate = look.rate(code.code)
                    found.append(CodeState(code, *rate, code.quota.state(rate)))
        return Listing(found, COLUMNS, noun="billing code")

    def _begin(self, code: BillingCode, extra: Band) -> tuple[Charge, tuple[str, ...]]:
        """Charge what is about to be made; returns how the code then stands, and what could not be read."""

        def refused() -> bool:
            return check_charge(code, self._rate(look, code.code), extra).verdict is Verdict.REFUSED

        with self._turn:
            while True:
                known = self._last
                look = self._remembered() or self._look()
                if refused() and look is known:
                    # Something may have been freed meanwhile.
                    look = self._look()
                if not (refused() and self._begun[code.code]):
                    break
                # What others are making may fail, or be counted twice.
                self._turn.wait()
            checked = charge(code, self._rate(look, code.code), extra)
            self._begun[code.code].append(extra)
        return checked, tuple(f"{what} could not be read" for what in look.costs.failed)

    def _end(self, code: str, extra: Band, *, made: bool) -> None:
        with self._turn:
            self._begun[code].remove(extra)
            if made and self._last is not None:
                self._last.since[code].append(extra)
            elif not made:
                # What became of it is best looked up.
                self._last = None
            self._turn.notify_all()

    def _rate(self, look: _Look, code: str) -> Band:
        return total([look.rate(code), *self._begun[code]])

    def _volume(self, volume_type: str, size: float, iops: int | None, throughput: int | None) -> float:
        prices = self.region.prices
        return prices.volume(volume_type, size, MONTH, iops=iops or 0, throughput=throughput or 0)

    def _remembered(self) -> _Look | None:
        last, now = self._last, self.region.clock.now()
        return last if last is not None and (now - last.at).total_seconds() < REMEMBERED_FOR else None

    def _look(self) -> _Look:
        self._last = _Look(self.region.clock.now(), self.region.costs())
        return self._last


@contextmanager
def heard() -> Iterator[list[str]]:
    """Have what is warned of in this thread told here, for what shows it by itself, and not as a `QuotaWarning`."""
    told: list[str] = []
    before = _HEARD.set(told)
    try:
        yield told
    finally:
        _HEARD.reset(before)


def _warn(text: str) -> None:
    told = _HEARD.get()
    if told is not None:
        told.append(text)
        return
    # Without a file and a line, which would differ from one machine to the next.
    warnings.warn_explicit(text, QuotaWarning, "snapkit", 1)


def _usd(amount: float | None) -> str:
    return "" if amount is None else usd_text(amount)


COLUMNS: tuple[Column[CodeState], ...] = (
    Column("billing code", lambda each: each.code.code, "billing_code", lambda each: each.code.code),
    Column(
        "at least, a month", lambda each: usd_text(each.low), "usd_per_month_low", lambda each: each.low, "float64"
    ),
    Column(
        "at most, a month", lambda each: usd_text(each.high), "usd_per_month_high", lambda each: each.high, "float64"
    ),
    Column(
        "soft quota", lambda each: _usd(each.code.quota.soft), "soft_usd_per_month", lambda each: each.code.quota.soft,
        "Float64",
    ),
    Column(
        "hard quota", lambda each: _usd(each.code.quota.hard), "hard_usd_per_month", lambda each: each.code.quota.hard,
        "Float64",
    ),
    Column("state", lambda each: str(each.state), "state", lambda each: str(each.state)),
)  # fmt: skip
