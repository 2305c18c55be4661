"""What everything costs a month, by group and billing code, in bands: what is measured and what is assumed.

AWS does not tell what a snapshot adds to those before it. `snapkit.ebs.storing` bounds it by what AWS does tell; where
the blocks that changed are counted, the band narrows to the figure itself.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from snapkit import _html
from snapkit.ebs import changes
from snapkit.ebs.copy_preview import origin
from snapkit.ebs.listing import Column, Listing
from snapkit.ebs.snapshots import Snapshot
from snapkit.ebs.storing import Basis, Stored
from snapkit.errors import AwsError, InvalidRequest
from snapkit.plan import Band
from snapkit.plan.step import amount_text
from snapkit.rules import BLOCK
from snapkit.units import usd_text

if TYPE_CHECKING:
    import pandas as pd

    from snapkit._picture import Picture
    from snapkit.ebs.region import Region
    from snapkit.ebs.volumes import Volume

NOT_INCLUDED = (
    "not included: what the recycle bin keeps, transfer, fees of copies and restores, requests and I/O, and discounts"
)

_THREADS = 10


@dataclass(frozen=True, kw_only=True)
class Cost:
    """One thing that costs.

    Attributes:
        region: where it is.
        what: snapshots, archived snapshots, volumes or fast snapshot restore.
        id: of the snapshot or volume.
        volume: the id of the volume that it is, or was taken of.
        group: that it belongs to.
        billing_code: that pays for it.
        low: at least [USD per month].
        high: at most [USD per month].
        basis: measured, modelled or assumed.
        why: what is assumed, or why the band is wide.
        stored: of a snapshot in the standard tier: how much it stores.
    """

    region: "Region"
    what: str
    id: str
    volume: str = ""
    group: str = ""
    billing_code: str = ""
    low: float
    high: float
    basis: Basis = "measured"
    why: str = ""
    stored: Stored | None = None

    @classmethod
    def of(cls, thing: "Snapshot | Volume", what: str, low: float, high: float, **more: Any) -> "Cost":
        """Say what a snapshot or a volume costs, for its group and billing code; the rest as the attributes are."""
        return cls(
            region=thing.region,
            what=what,
            id=thing.id,
            volume=origin(thing) if isinstance(thing, Snapshot) else thing.id,
            group=thing.group,
            billing_code=thing.billing_code,
            low=low,
            high=high,
            **more,
        )

    @classmethod
    def of_stored(cls, stored: Stored) -> "Cost":
        """Price a snapshot in the standard tier."""
        prices = stored.snapshot.region.prices
        low, high = prices.monthly(stored.low), prices.monthly(stored.high)
        return cls.of(stored.snapshot, "snapshots", low, high, basis=stored.basis, why=stored.why, stored=stored)


KEYS: Mapping[str, Callable[[Cost], str]] = {
    "account": lambda each: each.region.account,
    "region": lambda each: each.region.name,
    "group": lambda each: each.group,
    "billing_code": lambda each: each.billing_code,
    "what": lambda each: each.what,
    "volume": lambda each: each.volume,
    "id": lambda each: each.id,
    "why": lambda each: each.why,
}
"""By what costs can be added up."""

_USUAL = ("group", "billing_code", "what")


@dataclass(frozen=True)
class CostRow:
    """What several things cost together.

    Attributes:
        keys: what they have in common, by the names of `KEYS`.
        count: how many they are.
        low: at least [USD per month].
        high: at most [USD per month].
        basis: measured, where the figure is known; bounded, where it lies between bounds that follow from what AWS
            tells; modelled from a sample; or assumed. What is modelled or assumed has a row of its own.
    """

    keys: Mapping[str, str]
    count: int
    low: float
    high: float
    basis: str


class Costs(Listing[CostRow]):
    """What a region or an estate costs a month from now on, the dearest first.

    Attributes:
        things: all that costs.
        low: at least [USD per month].
        high: at most [USD per month].
        failed: what could not be read and is missing, each with the reason.
        remarks: what else is missing, a sentence each.
    """

    def __init__(
        self,
        things: Iterable[Cost],
        keys: Sequence[str] = _USUAL,
        *,
        failed: Mapping[str, AwsError] | None = None,
        remarks: Iterable[str] = (),
    ) -> None:
        self.things = tuple(things)
        self.failed = dict(failed or {})
        self._keys = tuple(keys)
        self.remarks = tuple(remarks)
        self.low, self.high = _sum(self.things)
        super().__init__(_rows(self.things, self._keys), _columns(self._keys), noun="row")

    def by(self, *keys: str) -> "Costs":
        """Add up by other keys: account, region, group, billing_code, what, volume, id or why.

        Raises:
            InvalidRequest: there is no such key.
        """
        for key in keys:
            _check_key(key)
        return self._with(self.things, keys)

    def of(self, **wanted: str) -> "Costs":
        """Choose what has certain values of the keys, such as ``billing_code="CC-42"``.

        Raises:
            InvalidRequest: there is no such key.
        """
        tests = [(_check_key(key), value) for key, value in wanted.items()]
        return self._with([each for each in self.things if all(KEYS[key](each) == value for key, value in tests)])

    def preview(self, volumes: Iterable[str] | None = None, *, sample: float | None = None) -> changes.Preview:
        """Tell how many requests `measured` takes at most, and what they cost; lists no blocks yet."""
        pairs = [_pair(each) for each in self._comparable(volumes)]
        return changes.together([changes.preview(pair, sample) for pair in pairs])

    def measured(self, volumes: Iterable[str] | None = None, *, sample: float | None = None) -> "Costs":
        """Narrow the bands by counting the blocks that changed from each snapshot to the next; see `preview` first.

        It uses the EBS direct APIs, which cost. What cannot be compared keeps its band, and is told. Blocks that were
        copied once more although they did not change, as may be after a restore from the archive, are not seen.

        Args:
            volumes: ids of those to measure; by default all.
            sample: as for `snapkit.ebs.changes.changed_blocks`; the figures are then modelled, with a narrower band.

        Raises:
            InvalidRequest: there is nothing to compare.
            AwsError: AWS refuses all of it.
        """
        chosen = self._comparable(volumes)
        with ThreadPoolExecutor(_THREADS, "snapkit-costs") as pool:
            found = list(pool.map(lambda each: _compared(each, sample), chosen))
        errors = [each for each in found if isinstance(each, AwsError)]
        if len(errors) == len(found):
            raise errors[0]
        told = f"{len(errors)} of {len(found)} snapshots could not be compared ({errors[0]})" if errors else ""
        narrowed = {id(old): new for old, new in zip(chosen, found, strict=True) if isinstance(new, Cost)}
        remarks = (*self.remarks, told) if told else self.remarks
        return self._with([narrowed.get(id(each), each) for each in self.things], remarks=remarks)

    def with_history(self, history: "pd.DataFrame") -> "Costs":
        """Narrow the bands by what `Volume.change_history` has counted; asks nothing of AWS.

        Args:
            history: with the columns from, to, changed_bytes and source; a row counts where both snapshots are here,
                with none of their volume between them.

        Raises:
            InvalidRequest: it lacks a column, or none of its rows counts.
        """
        columns = ("from", "to", "changed_bytes", "source")
        missing = [name for name in columns if name not in history]
        if missing:
            raise InvalidRequest("history", missing[0], "is missing", "give volume.change_history()")
        rows = {(row[0], row[1]): row[2:] for row in history[list(columns)].itertuples(index=False)}
        new: dict[int, Cost] = {}
        for each in self.things:
            if each.stored is not None and each.stored.before is not None:
                size, source = rows.get((each.stored.before.id, each.id), (None, ""))
                if size is not None:
                    basis: Basis = "measured" if source == "measured" else "modelled"
                    new[id(each)] = _narrowed(each, float(size), float(size), basis)
        if not new:
            rule = "has no two consecutive snapshots of these"
            raise InvalidRequest("history", len(history), rule, "give volume.change_history() of a volume here")
        return self._with([new.get(id(each), each) for each in self.things])

    @property
    def notes(self) -> tuple[str, ...]:
        """What is missing, what is assumed, why bands are wide, and what is not included, a sentence each."""
        missing = [f"{what} could not be read and are missing: {error}" for what, error in self.failed.items()]
        reasons = Counter((each.basis, each.why) for each in self.things if each.why)
        wide = [
            f"{count} snapshot{'' if count == 1 else 's'}, {'assumed' if basis == 'assumed' else 'bounded'}: {why}"
            for (basis, why), count in sorted(reasons.items())
        ]
        return (*missing, *wide, *self.remarks, *_priced(self.things), NOT_INCLUDED)

    def plot(self) -> "Picture":
        """Draw each row as a bar: what it costs at least, and up to what it may cost."""
        from snapkit.ebs.cost_picture import draw

        return draw(self, self._keys)

    def _with(
        self, things: Iterable[Cost], keys: Sequence[str] | None = None, remarks: Iterable[str] | None = None
    ) -> "Costs":
        return Costs(
            things,
            self._keys if keys is None else keys,
            failed=self.failed,
            remarks=self.remarks if remarks is None else remarks,
        )

    def _comparable(self, volumes: Iterable[str] | None) -> list[Cost]:
        """Choose the snapshots that can be compared with the one that they build on."""
        wanted = None if volumes is None else set([volumes] if isinstance(volumes, str) else volumes)
        found = [
            each
            for each in self.things
            if each.stored is not None
            and each.stored.before is not None
            and each.stored.snapshot.state == each.stored.before.state == "completed"
            and each.stored.before.tier == "standard"
            and (wanted is None or each.volume in wanted)
        ]
        if not found:
            shown = sorted(wanted) if wanted else "all"
            rule = "have no two complete snapshots to compare"
            raise InvalidRequest("volumes", shown, rule, "give others, or take another snapshot")
        return found

    def _counted(self) -> str:
        parts = [f"{amount_text((self.low, self.high))} a month"]
        for basis in ("modelled", "assumed"):
            some = [each for each in self.things if each.basis == basis]
            if some:
                parts.append(f"{amount_text(_sum(some))} of it {basis}")
        return "; ".join((*parts, super()._counted()))

    def _repr_html_(self) -> str:
        return super()._repr_html_() + "".join(_html.note(each) for each in self.notes)


def _check_key(key: str) -> str:
    if key not in KEYS:
        raise InvalidRequest("key", key, "is not known", f"use some of {', '.join(KEYS)}")
    return key


def _sum(things: Iterable[Cost]) -> Band:
    bands = [(each.low, each.high) for each in things]
    return math.fsum(low for low, _ in bands), math.fsum(high for _, high in bands)


def _rows(things: Iterable[Cost], keys: Sequence[str]) -> list[CostRow]:
    """Add up what has the same keys and rests on the same, the dearest first."""
    readers = [KEYS[key] for key in keys]
    alike: dict[tuple[str, ...], list[Cost]] = defaultdict(list)
    for each in things:
        alike[*(read(each) for read in readers), each.basis].append(each)
    rows = []
    for (*values, basis), some in alike.items():
        low, high = _sum(some)
        told = "bounded" if basis == "measured" and low < high else basis
        rows.append(CostRow(dict(zip(keys, values, strict=True)), len(some), low, high, told))
    return sorted(rows, key=lambda row: (-row.high, *row.keys.values(), row.basis))


def _key_of(key: str, row: CostRow) -> str:
    return row.keys[key]


def _columns(keys: Sequence[str]) -> list[Column[CostRow]]:
    named = [Column[CostRow](key.replace("_", " "), partial(_key_of, key), key, partial(_key_of, key)) for key in keys]
    return [
        *named,
        Column("number", lambda row: f"{row.count:,}", "number", lambda row: row.count, "int64"),
        Column("at least, a month", lambda row: usd_text(row.low), "usd_per_month_low", lambda row: row.low, "float64"),
        Column(
            "at most, a month", lambda row: usd_text(row.high), "usd_per_month_high", lambda row: row.high, "float64"
        ),
        Column("basis", lambda row: row.basis, "basis", lambda row: row.basis),
    ]


def _priced(things: Iterable[Cost]) -> list[str]:
    """Say whose prices these are, and where they are assumed to hold as well."""
    regions = {each.region.name: each.region for each in things}
    told: dict[str, list[str]] = defaultdict(list)
    for name in sorted(regions):
        prices = regions[name].prices
        told[f"prices are those of {prices.region}, {prices.as_of}"] += [] if name == prices.region else [name]
    return [f"{text}{', assumed to hold in ' + ', '.join(names) if names else ''}" for text, names in told.items()]


def _pair(cost: Cost) -> "tuple[Snapshot, Snapshot]":
    assert cost.stored is not None  # noqa: S101 - for the type checker: Costs._comparable chose it
    assert cost.stored.before is not None  # noqa: S101 - likewise
    return cost.stored.before, cost.stored.snapshot


def _compared(cost: Cost, sample: float | None) -> Cost | AwsError:
    """Count what a snapshot stores besides the one that it builds on; blocks that only that one has cost nothing."""
    before, snapshot = _pair(cost)
    try:
        found = changes.changed_blocks(snapshot, before, sample=sample)
    except AwsError as error:
        return error
    gone = len(found.gone) if found.source == "measured" else 0
    low, high = ((count - gone) * BLOCK for count in found.band)
    return _narrowed(cost, low, high, found.source)


def _narrowed(cost: Cost, low: float, high: float, basis: Basis) -> Cost:
    assert cost.stored is not None  # noqa: S101 - for the type checker: only what is stored is compared
    return Cost.of_stored(cost.stored.narrowed(low, high, basis))
