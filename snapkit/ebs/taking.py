"""Beginning a snapshot, a set or a copy once, whatever happens to the answer.

CreateSnapshot and CopySnapshot have no idempotency token, so each creation carries a tag of its own. When no answer
comes, the tag is looked for, as long as a new resource may be hidden from look-ups, before anything is decided.
"""

import secrets
import threading
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from snapkit.ebs._aws import unanswered
from snapkit.errors import AwsError, LimitExceeded, OutcomeUnknown, Throttled
from snapkit.rules import CREATE_GAP
from snapkit.tags import to_aws
from snapkit.units import Duration, seconds_text, to_seconds

if TYPE_CHECKING:
    from snapkit.ebs.region import Region

HIDDEN_FOR = 60.0
"""How long a new resource is looked for after an answer was lost [s].

Source: assumed. AWS calls it eventual consistency and names no bound (EC2 API reference, "Eventual consistency"); it
advises retries up to minutes.
"""

LOOK_EVERY = 5.0
"""Time between two looks [s]."""

PATIENCE = 300.0
"""How long a creation that is throttled, or waits for its turn, is tried again before the error is passed on [s]."""

PASSING = ("ConcurrentSnapshotLimitExceeded", "PendingSnapshotLimitExceeded", "ResourceLimitExceeded")
"""Quotas that are free again when a snapshot or copy in progress is complete.

Source: EBS user guide, "Quotas for Amazon EBS", "Copy an Amazon EBS snapshot".
"""

_LONGEST_PAUSE = 30.0
_SHOWN = 5


class Taking:
    """Begins snapshots in a region.

    Attributes:
        region: where.
    """

    def __init__(self, region: "Region") -> None:
        self.region = region
        self._patience = PATIENCE
        self._seen: datetime | None = None
        self._next: dict[str, datetime] = {}
        self._lock = threading.Lock()

    @property
    def patience(self) -> float:
        """How long a creation may wait for its turn [s]; set it higher, say to ``"6h"``, to begin many in a row."""
        return self._patience

    @patience.setter
    def patience(self, longest: Duration) -> None:
        self._patience = to_seconds(longest, "patience", zero=True)

    def begin(
        self, operation: str, about: str, tags: Mapping[str, str], volumes: tuple[str, ...] = (), **params: Any
    ) -> list[dict[str, Any]]:
        """Call a creating operation once.

        Args:
            operation: ``"CreateSnapshot"``, ``"CreateSnapshots"`` or ``"CopySnapshot"``.
            about: the volume, server or snapshot that it is about.
            tags: of what it creates.
            volumes: which volumes it takes snapshots of; each has to rest 15 seconds between two.
            params: of the operation.

        Returns:
            The snapshots that it began, as AWS describes them.

        Raises:
            OutcomeUnknown: no answer came, and nothing with its tag was found; it may still turn up.
            LimitExceeded: as many are in progress as AWS allows, still after all patience; names them.
            AwsError: AWS refuses, also after patience where it throttles.
        """
        region, token = self.region, secrets.token_hex(8)
        specification = {
            "ResourceType": "snapshot",
            "Tags": to_aws({**region.owned(tags), region.tag_keys.token: token}),
        }
        waited, pause = 0.0, 1.0
        while True:
            turn = self._reserve(volumes)
            region.clock.sleep(max(0.0, (turn - region.clock.now()).total_seconds()))
            try:
                answer = region.aws.call(operation, about, TagSpecifications=[specification], **params)
            except (Throttled, LimitExceeded) as error:
                self._free(volumes, turn)
                if isinstance(error, LimitExceeded) and error.code not in PASSING:
                    raise
                if waited >= self.patience:
                    raise self._in_progress(error, volumes) from error
                rest = CREATE_GAP if error.code == "SnapshotCreationPerVolumeRateExceeded" else pause
                region.clock.sleep(rest)
                waited, pause = waited + rest, min(2 * pause, _LONGEST_PAUSE)
                continue
            except AwsError as error:
                if not unanswered(error):
                    self._free(volumes, turn)
                    raise
                return self._find(operation, about, token, error, count=len(volumes) or 1)
            return [dict(each) for each in answer.get("Snapshots", [answer])]

    def _reserve(self, volumes: tuple[str, ...]) -> datetime:
        """Take the first moment at which all these volumes have rested; several threads get one after the other."""
        gap = timedelta(seconds=CREATE_GAP)
        with self._lock:
            now = self.region.clock.now()
            if self._seen is not None and now < self._seen:
                self._next.clear()  # The clock was set back: nobody knows any more.
            self._seen = now
            turn = max((now, *(self._next.get(volume, now) for volume in volumes)))
            self._next.update(dict.fromkeys(volumes, turn + gap))
        return turn

    def _free(self, volumes: tuple[str, ...], turn: datetime) -> None:
        """Give a moment back at which nothing was begun, unless another thread already goes by it."""
        with self._lock:
            for volume in volumes:
                if self._next.get(volume) == turn + timedelta(seconds=CREATE_GAP):
                    self._next[volume] = turn

    def _in_progress(self, error: AwsError, volumes: tuple[str, ...]) -> AwsError:
        """Name what is in progress where a quota is used up."""
        if isinstance(error, Throttled):
            return error
        filters = [{"Name": "status", "Values": ["pending"]}]
        if error.code == "ConcurrentSnapshotLimitExceeded":
            filters.append({"Name": "volume-id", "Values": list(volumes)})
        if error.operation == "CopySnapshot":
            filters.append({"Name": "transfer-type", "Values": ["standard", "time-based"]})
        found = list[dict[str, Any]]()
        with suppress(AwsError):
            found = list(self.region.aws.pages("DescribeSnapshots", "Snapshots", OwnerIds=["self"], Filters=filters))
        shown = [f"{each['SnapshotId']} ({each.get('Progress') or '0%'})" for each in found[:_SHOWN]]
        more = [f"{len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
        told = f"{error.told.rstrip('.')}, still after {seconds_text(self.patience)}"
        remedy = (
            f"in progress: {', '.join([*shown, *more]) or 'nothing that could be listed'}; wait for one of them, or "
            "set region.taking.patience = '6h', so that it waits longer for its turn"
        )
        return type(error)(error.code, error.operation, told, error.about, remedy)

    def _find(self, operation: str, about: str, token: str, error: AwsError, *, count: int) -> list[dict[str, Any]]:
        """Look for what a call began whose answer was lost: so many snapshots."""
        region = self.region
        key = region.tag_keys.token
        looked, found = 0.0, list[dict[str, Any]]()
        while True:
            filters = [{"Name": f"tag:{key}", "Values": [token]}]
            # Where the look-up fails as well, the next one may not.
            with suppress(AwsError):
                found = list(region.aws.pages("DescribeSnapshots", "Snapshots", OwnerIds=["self"], Filters=filters))
            if len(found) >= count:
                return found
            if looked >= HIDDEN_FOR:
                break
            region.clock.sleep(LOOK_EVERY)
            looked += LOOK_EVERY
        unknown = OutcomeUnknown(
            "NoAnswer",
            operation,
            f"no answer came, and after {HIDDEN_FOR:.0f} s {len(found)} of {count} snapshots with the tag "
            f"{key}={token} were found",
            about,
            "look for that tag once more before you try again, or there may be two",
        )
        unknown.token = token
        raise unknown from error
