"""How far snapshots in progress are, told by one look at all of them."""

from collections.abc import Iterable
from itertools import groupby

from snapkit.ebs.estimating import Estimate
from snapkit.ebs.region import Region
from snapkit.ebs.snapshots import Snapshot
from snapkit.ebs.waiting import Progress, progress
from snapkit.errors import AwsError


class Pending:
    """Snapshots in progress.

    Attributes:
        snapshots: those that were in progress at the last look, by id.
    """

    def __init__(self, snapshots: Iterable[Snapshot]) -> None:
        self.snapshots = {each.id: each for each in snapshots}
        self._guesses: dict[str, Estimate | None] = {}

    def pace(self) -> float:
        """Tell how fast time passes by itself where it is slowest: 1 as outside, 0 where it stands.

        Raises:
            InvalidRequest: the sandbox of one of them does not answer.
        """
        clocks = {each.region.clock for each in self.snapshots.values()}
        return min(float(getattr(clock, "speed", 1.0)) for clock in clocks)

    def look(self) -> dict[str, Progress]:
        """Look at all of them with one call a region, and drop those that have ended or are gone.

        Returns:
            How far each is that is still there, in progress or ended now.

        Raises:
            AwsError: AWS refuses; nothing is dropped then.
            InvalidRequest: the sandbox of one of them does not answer; likewise.
        """
        told: dict[str, Progress] = {}
        for region, group in groupby(sorted(self.snapshots.values(), key=_place), key=lambda each: each.region):
            known = {each.id: each for each in group}
            for seen in region.snapshots.find(list(known)):
                snapshot = known[seen.id]
                snapshot.raw = seen.raw
                told[snapshot.id] = progress(
                    dict(seen.raw), region.clock.now(), self._guess(snapshot), snapshot.taken_at
                )
        self.snapshots = {key: self.snapshots[key] for key, step in told.items() if step.state == "pending"}
        return told

    def _guess(self, snapshot: Snapshot) -> Estimate | None:
        """Estimate once how long it takes; a look goes on without."""
        if snapshot.id not in self._guesses:
            try:
                self._guesses[snapshot.id] = snapshot.estimate()
            except AwsError:
                self._guesses[snapshot.id] = None
        return self._guesses[snapshot.id]


def _place(snapshot: Snapshot) -> tuple[str, int]:
    region: Region = snapshot.region
    return region.name, id(region)
