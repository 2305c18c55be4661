"""What came of a drill, as an object, a page and a line of JSON."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from snapkit import _html
from snapkit.automation.managed import text
from snapkit.errors import InvalidRequest
from snapkit.units import bytes_text, seconds_text, usd_text

SURE = 0.95
"""How sure it is that a damage of the size that a report names would have been found."""

_SHOWN = 10


@dataclass(frozen=True, kw_only=True)
class DrillReport:
    """What came of a drill.

    Attributes:
        snapshot_id: which snapshot was restored.
        volume_id: of which volume it is.
        taken_at: the moment that it captures.
        size: of the volume [bytes].
        region: where.
        zone: where in it.
        begun_at: when the drill began.
        ended_at: when it was over, the cleaning up included.
        initialization_rate: of the restored volume [MiB/s]; None for the default one.
        available_after: from asking for the volume until it could be attached [s], *measured*; None where it never was.
        initialized_after: from asking for it until all blocks were there [s], *measured*: AWS tells it up to 5 minutes
            late, and it is looked at every 15 s or 5 % of the time.
        blocks: how many blocks of the snapshot hold data; None where they could not be listed.
        sampled: how many of them were drawn.
        compared: of how many of them the data were compared, the sample and what was written since; None where it did
            not come to that.
        different: the blocks that are not the same in both, ascending.
        changes_listed: whether AWS listed the blocks that were written since the restore, so that every write is seen
            and not only those in the sample.
        seed: from which the sample was drawn.
        price_usd: what it cost at most [USD], *modelled*: the volume as long as it was there, requests, initialization.
        troubles: what went wrong, a sentence each.
        left: ids of what could not be cleaned up; a later drill does.
    """

    snapshot_id: str
    volume_id: str
    taken_at: datetime
    size: int
    region: str
    zone: str
    begun_at: datetime
    ended_at: datetime
    initialization_rate: int | None
    available_after: float | None
    initialized_after: float | None
    blocks: int | None
    sampled: int
    compared: int | None
    different: tuple[int, ...]
    changes_listed: bool
    seed: int
    price_usd: float
    troubles: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the snapshot was restored in full, and no block was found different."""
        return self.compared is not None and self.initialized_after is not None and not self.different

    @property
    def age(self) -> float:
        """How old the data were when the drill began [s]: what would have been lost."""
        return (self.begun_at - self.taken_at).total_seconds()

    @property
    def detectable(self) -> float | None:
        """Which share of the blocks, damaged anywhere, the sample would have shown with 95 %."""
        if not self.blocks or self.compared is None:
            return None
        return smallest_found(self.blocks, self.sampled) / self.blocks

    def to_json(self) -> str:
        """Write it on one line; moments in UTC, times in seconds, blocks by number."""
        told = asdict(self) | {"passed": self.passed, "detectable": self.detectable, "different": list(self.different)}
        moments = {name: text(value) for name, value in told.items() if isinstance(value, datetime)}
        return json.dumps({"drill": told | moments}, ensure_ascii=False)

    @property
    def name(self) -> str:
        """The name of its files, without what they end in."""
        return f"drill-{self.snapshot_id}-{self.begun_at:%Y%m%dT%H%M%SZ}"

    def write(self, directory: Path) -> None:
        """Write it to a directory as a page and as a line of JSON, each whole or not at all.

        Raises:
            InvalidRequest: they cannot be written.
        """
        try:
            directory.mkdir(parents=True, exist_ok=True)
            for kind, content in (("html", self._page()), ("json", f"{self.to_json()}\n")):
                part = directory / f".{self.name}.{kind}.part"
                part.write_text(content, encoding="utf-8")
                part.replace(directory / f"{self.name}.{kind}")
        except OSError as error:
            rule = f"cannot be written to ({error.strerror})"
            raise InvalidRequest("directory", str(directory), rule, "give one that can, or see drill.report") from error

    def rows(self) -> Sequence[tuple[str, str]]:
        """Tell everything in words, what and how."""
        rate = f"at {self.initialization_rate} MiB/s" if self.initialization_rate else "at the default rate"
        rows = [
            ("result", "passed" if self.passed else "failed"),
            ("snapshot", f"{self.snapshot_id} of {self.volume_id}, {bytes_text(self.size)}"),
            ("data of", f"{self.taken_at:%Y-%m-%d %H:%M} UTC, {seconds_text(self.age)} before the drill"),
            ("drill", f"{self.begun_at:%Y-%m-%d %H:%M} UTC to {self.ended_at:%Y-%m-%d %H:%M} UTC in {self.zone}"),
            ("could be attached after", _after(self.available_after)),
            ("had all blocks after", f"{_after(self.initialized_after)}, {rate}"),
            ("compared", self._compared()),
            ("different", self._different()),
            ("cost", f"{usd_text(self.price_usd)} at most, modelled"),
        ]
        rows += [("trouble", each) for each in self.troubles]
        rows += [("left behind", f"{each}; a later drill deletes it") for each in self.left]
        return rows

    def _compared(self) -> str:
        if self.blocks is None:
            return "nothing: the blocks could not be listed"
        if self.compared is None:
            return f"nothing; {self.blocks:,} blocks hold data"
        told = f"which of the blocks hold data, and the data of {self.compared:,} of {self.blocks:,} by SHA-256"
        share = self.detectable
        if share is not None and self.sampled < self.blocks:
            told += f": finds a damage of {100 * share:.2g} % of the blocks with {100 * SURE:.0f} %"
        return f"{told}; every block written since is listed" if self.changes_listed else told

    def _different(self) -> str:
        if self.compared is None:
            return "not known"
        shown = ", ".join(map(str, self.different[:_SHOWN]))
        more = f" and {len(self.different) - _SHOWN:,} more" if len(self.different) > _SHOWN else ""
        count = f"{len(self.different):,} block{'' if len(self.different) == 1 else 's'}"
        return f"{count}: {shown}{more}" if self.different else "none"

    def _page(self) -> str:
        return (
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Drill of {self.snapshot_id}</title>'
            f"<h1>Drill of {self.snapshot_id}</h1>{self._repr_html_()}</html>\n"
        )

    def __repr__(self) -> str:
        return f"<DrillReport: {self.snapshot_id} {'passed' if self.passed else 'failed'}>"

    def __str__(self) -> str:
        return "\n".join(f"{what}: {told}" for what, told in self.rows())

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002, FBT001 - IPython's protocol
        printer.text(str(self))

    def _repr_html_(self) -> str:
        return _html.table(("what", "told"), self.rows())


def smallest_found(blocks: int, sampled: int) -> int:
    """Tell how many of some blocks have to be damaged for a sample of them to show one with 95 %.

    Args:
        blocks: how many there are.
        sampled: how many of them are looked at, drawn without replacement.
    """
    low, high = 1, blocks
    while low < high:
        middle = (low + high) // 2
        if _missed(blocks, sampled, middle) <= 1 - SURE:
            high = middle
        else:
            low = middle + 1
    return low


def _missed(blocks: int, sampled: int, damaged: int) -> float:
    """Tell how likely a sample shows none of the damaged blocks: hypergeometric."""
    sound = blocks - damaged
    if sampled > sound:
        return 0.0
    parts = (math.lgamma(n + 1) - math.lgamma(n - sampled + 1) for n in (sound, blocks))
    of_sound, of_all = parts
    return math.exp(of_sound - of_all)


def _after(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds_text(seconds)}, measured"
