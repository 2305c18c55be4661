"""What CloudWatch shows of the volumes of the sandbox, and of fast snapshot restore.

Source: EBS user guide, "Amazon CloudWatch metrics for Amazon EBS"; CloudWatch user guide, "Metrics retention".
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from snapkit.sandbox.call import Call
from snapkit.sandbox.gaps.fast_restore import FastRestore, bucket
from snapkit.sandbox.volume import Volume

NAMESPACE = "AWS/EBS"
MINUTE = 60

KEPT = ((60, timedelta(days=15)), (300, timedelta(days=63)), (3600, timedelta(days=455)))
"""How long values are kept, by the shortest period [s] that they can be asked for with.

Source: CloudWatch user guide, "Metrics retention".
"""

LARGEST_OPERATION = {"st1": 2**20, "sc1": 2**20}
"""What counts as one operation [bytes]; 256 KiB for volumes on SSD and magnetic ones.

Source: EBS user guide, "Amazon EBS I/O characteristics and monitoring".
"""

Measure: TypeAlias = Callable[[float, float], float]
"""Tells the sum of a metric between two moments [s of the sandbox's clock]."""


def _bytes(volume: Volume) -> Measure:
    return volume.disk.bytes_between


def _operations(volume: Volume) -> Measure:
    size = LARGEST_OPERATION.get(volume.volume_type, 2**18)
    return lambda a, b: volume.disk.bytes_between(a, b) / size


METRICS: Mapping[str, tuple[str, Callable[[Volume], Measure]]] = {
    "VolumeWriteBytes": ("Bytes", _bytes),
    "VolumeWriteOps": ("Count", _operations),
}
"""Unit and measure of each metric. Source: EBS user guide, "Amazon CloudWatch metrics for Amazon EBS"."""


@dataclass(frozen=True)
class Point:
    """The value of a metric over a period.

    Attributes:
        begins: when the period does.
        measure: of the metric.
        a: when it begins, or the volume does [s of the sandbox's clock].
        b: when it ends, or now.
    """

    begins: datetime
    measure: Measure
    a: float
    b: float

    def statistic(self, name: str) -> float:
        """Return a statistic over the values of the single minutes."""
        if name == "Sum":
            return self.measure(self.a, self.b)
        if name == "SampleCount":
            return float(len(self._minutes()))
        if name == "Average":
            return self.measure(self.a, self.b) / len(self._minutes())
        values = [self.measure(minute, min(minute + MINUTE, self.b)) for minute in self._minutes()]
        return min(values) if name == "Minimum" else max(values)

    def _minutes(self) -> list[float]:
        return [self.a + MINUTE * number for number in range(max(1, -int((self.a - self.b) // MINUTE)))]


@dataclass(frozen=True)
class Gauge:
    """What a metric shows just now, in the period that begins then."""

    begins: datetime
    value: float

    def statistic(self, name: str) -> float:
        """Return a statistic over this one value."""
        return 1.0 if name == "SampleCount" else self.value


CREDITS: Mapping[str, Callable[[FastRestore], float]] = {
    "FastSnapshotRestoreCreditsBalance": lambda restore: restore.balance(restore.ec2.world.clock.now()),
    "FastSnapshotRestoreCreditsBucketSize": lambda restore: bucket(restore.snapshot.volume_gib),
}
"""What each metric of fast snapshot restore shows. Source: as for METRICS."""

UNITS = {metric: unit for metric, (unit, _) in METRICS.items()} | dict.fromkeys(CREDITS, "None")

STATISTICS = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")


def known(call: Call) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Go through the metrics that have values, with their dimensions."""
    for volume in call.ec2.volumes.values():
        if _measured(volume):
            for metric in METRICS:
                yield metric, [{"Name": "VolumeId", "Value": volume.id}]
    for restore in _restores(call):
        for metric in CREDITS:
            yield metric, _dimensions(restore)


def points_of(
    call: Call, metric: str, dimensions: Iterable[Mapping[str, str]], start: datetime, end: datetime, period: int
) -> Sequence[Point | Gauge]:
    """List the values of a metric of what the dimensions name, oldest first."""
    named = sorted((str(each.get("Name")), str(each.get("Value"))) for each in dimensions)
    if metric in CREDITS:
        return _gauges(call, metric, named, start, end, period)
    volume = call.ec2.volumes.get(named[0][1]) if len(named) == 1 and named[0][0] == "VolumeId" else None
    if volume is None or not _measured(volume):
        return []
    now, seconds = call.now, call.world.clock.seconds()
    measure = METRICS[metric][1](volume)
    kept = max(lasting for shortest, lasting in KEPT if period % shortest == 0)
    step = timedelta(seconds=period)
    begins = start.replace(second=0, microsecond=0)
    earliest = max(volume.created, now - kept)
    if begins + step <= earliest:
        begins += (earliest - begins) // step * step
    points = []
    while begins < min(end, now):
        a = max(begins, earliest)
        b = min(begins + step, now)
        if a < b:
            age = (now - a).total_seconds(), (now - b).total_seconds()
            points.append(Point(begins, measure, seconds - age[0], seconds - age[1]))
        begins += step
    return points


def _gauges(
    call: Call, metric: str, named: list[tuple[str, str]], start: datetime, end: datetime, period: int
) -> list[Gauge]:
    """Tell the present credits, if the present is asked for."""
    first = start.replace(second=0, microsecond=0)
    if not first <= call.now < end:
        return []
    step = timedelta(seconds=period)
    begins = first + (call.now - first) // step * step
    return [
        Gauge(begins, CREDITS[metric](restore))
        for restore in _restores(call)
        if sorted((each["Name"], each["Value"]) for each in _dimensions(restore)) == named
    ]


def _restores(call: Call) -> list[FastRestore]:
    found: Mapping[Any, FastRestore] = call.ec2.settings.get("fast snapshot restores", {})
    return [restore for restore in found.values() if restore.on]


def _dimensions(restore: FastRestore) -> list[dict[str, str]]:
    return [{"Name": "SnapshotId", "Value": restore.snapshot.id}, {"Name": "AvailabilityZone", "Value": restore.zone}]


def _measured(volume: Volume) -> bool:
    """Tell whether a volume has values: AWS has some of attached ones, the sandbox also of those that were written."""
    return volume.disk.written or volume.attachment is not None
