"""How far volumes that were made from snapshots are initialized: which part of their blocks has arrived.

Until all are there a volume is usable, but slow.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from snapkit.ebs import bars
from snapkit.ebs._aws import IDS, unanswered
from snapkit.ebs.waiting import LONGEST_POLL, POLL, Progress, Told
from snapkit.errors import AwsError, Throttled, WaitTimeout
from snapkit.units import Duration, seconds_text, to_seconds

if TYPE_CHECKING:
    from snapkit.ebs.region import Region
    from snapkit.ebs.volumes import Volume

_SHARE = 0.05
"""Of the time that it took so far, how much passes until the next look: so exact is a duration that was measured."""

_MOST_FAILED = 10
_GOES_ON = "it goes on by itself, and the volume can be used meanwhile"


def progress(region: "Region", volumes: Iterable[str]) -> dict[str, int]:
    """Tell how far volumes are initialized [percent], by their ids; AWS may lag 5 minutes behind.

    Args:
        region: where they are.
        volumes: their ids.

    Returns:
        100 for what is complete; 0 while AWS says nothing of it, as of a volume that it has not looked at yet.

    Raises:
        NotFound: one of them is gone.
        AwsError: AWS refuses.

    Source: EC2 API reference, DescribeVolumeStatus; EBS user guide, "Monitor the status of Amazon EBS volume
    initialization".
    """
    ids, found = list(dict.fromkeys(volumes)), dict[str, int]()
    for start in range(0, len(ids), IDS):
        answer = region.aws.call("DescribeVolumeStatus", VolumeIds=ids[start : start + IDS])
        for raw in answer["VolumeStatuses"]:
            states = {each["Name"]: each["Status"] for each in raw["VolumeStatus"].get("Details", ())}
            told = int(raw.get("InitializationStatusDetails", {}).get("Progress", 0))
            # The state decides: 100 % may be rounded.
            done = states.get("initialization-state") == "completed"
            found[str(raw["VolumeId"])] = 100 if done else min(told, 99)
    return found


def await_initialized(
    volume: "Volume", timeout: Duration | None = None, on_progress: Told | None = None, *, show: bool = True
) -> "Volume":
    """Return a volume when all blocks of its snapshot have arrived.

    Args:
        volume: one that was made from a snapshot.
        timeout: how long to wait at most [s]; by default as long as it takes.
        on_progress: called with each `Progress`, instead of the bar.
        show: whether to show a bar in a terminal or notebook; see `snapkit.ebs.bars`.

    Raises:
        WaitTimeout: it takes longer; it goes on by itself.
        NotFound: it was deleted meanwhile.
        AwsError: AWS refuses for good, or could not be reached ten times in a row.
    """
    clock, longest = volume.region.clock, None if timeout is None else to_seconds(timeout, "timeout", zero=True)
    bar = bars.bar(clock) if show and on_progress is None else None
    tell: Told = on_progress or (bar.show if bar else lambda _: None)
    begun, waited, failed, percent = clock.now(), 0.0, 0, 0
    try:
        while True:
            try:
                percent, failed = progress(volume.region, [volume.id]).get(volume.id, 0), 0
            except AwsError as error:
                passing = isinstance(error, Throttled) or error.code == "NotReached" or unanswered(error)
                if not passing or failed >= _MOST_FAILED:
                    raise
                failed += 1
            elapsed = max(waited, (clock.now() - begun).total_seconds())
            pause = min(LONGEST_POLL, max(POLL, _SHARE * elapsed))
            state = "completed" if percent == 100 else "initializing"
            tell(Progress(volume.id, state, percent, elapsed, None, pause, failed))
            if percent == 100:
                return volume
            if longest is not None and elapsed >= longest:
                told = f"is initialized to {percent} % only after {seconds_text(elapsed)}; {_GOES_ON}"
                raise WaitTimeout(volume.id, told)
            pause = pause if longest is None else min(pause, longest - elapsed)
            waited += pause
            clock.sleep(pause)
    finally:
        if bar is not None:
            bar.close(*(("completed", "") if percent == 100 else ("pending", _GOES_ON)))
