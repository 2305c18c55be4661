"""Rules about the metrics of volumes."""

from datetime import UTC, timedelta
from typing import Any

import pandas as pd

from snapkit.blocks import Workload
from tests.sandbox.ground import Ground, Table, refused

ROWS = Table()
GUIDE = "EBS user guide, Amazon CloudWatch metrics for Amazon EBS"
API = "CloudWatch API reference, "
BLOCK = 524288


def trace() -> pd.DataFrame:
    """Write 1 block at 30 s, 3 at 90 s, 8 at 450 s; the recording lasts 10 minutes."""
    return pd.DataFrame(
        {
            "t_us": [30_000_000, 90_000_000, 450_000_000, 600_000_000],
            "op": ["W", "W", "W", "R"],
            "off": [0, 4 * BLOCK, 0, 0],
            "len": [BLOCK, 3 * BLOCK, 8 * BLOCK, BLOCK],
        }
    )


def replayed(ground: Ground, wait: str = "1h", **how: Any) -> str:
    volume = ground.volume(**how)
    ground.sandbox.replay(volume, trace())
    ground.clock.advance(wait)
    return volume


def statistics(ground: Ground, volume: str, **how: Any) -> list[dict[str, Any]]:
    now = ground.clock.now()
    asked = {
        "Namespace": "AWS/EBS", "MetricName": "VolumeWriteBytes", "Period": 300, "Statistics": ["Sum"],
        "Dimensions": [{"Name": "VolumeId", "Value": volume}], "StartTime": now - timedelta(hours=1), "EndTime": now,
    } | how  # fmt: skip
    found: list[dict[str, Any]] = ground.client("cloudwatch").get_metric_statistics(**asked)["Datapoints"]
    return found


def query(volume: str, name: str = "q", **how: Any) -> dict[str, Any]:
    metric = {
        "Namespace": "AWS/EBS", "MetricName": "VolumeWriteBytes", "Dimensions": [{"Name": "VolumeId", "Value": volume}],
    }  # fmt: skip
    return {"Id": name, "MetricStat": {"Metric": metric, "Period": 300, "Stat": "Sum"} | how}


def data(ground: Ground, *queries: dict[str, Any], **how: Any) -> dict[str, Any]:
    now = ground.clock.now()
    asked = {"StartTime": now - timedelta(hours=1), "EndTime": now, "ScanBy": "TimestampAscending"} | how
    answer: dict[str, Any] = ground.client("cloudwatch").get_metric_data(MetricDataQueries=list(queries), **asked)
    return answer


@ROWS.row(GUIDE)
def the_sum_is_what_was_written_in_each_period(ground: Ground) -> None:
    volume = replayed(ground)
    points = statistics(ground, volume)
    assert [point["Sum"] / BLOCK for point in points] == [4, 8] * 6
    assert {point["Unit"] for point in points} == {"Bytes"}
    assert points[1]["Timestamp"] - points[0]["Timestamp"] == timedelta(minutes=5)
    assert sum(point["Sum"] for point in statistics(ground, volume, Period=3600)) == 72 * BLOCK
    assert [point["Sum"] / BLOCK for point in statistics(ground, volume, Period=60)[:8]] == [1, 3, 0, 0, 0, 0, 0, 8]


@ROWS.row(GUIDE)
def other_statistics_are_over_the_minutes(ground: Ground) -> None:
    names = ["SampleCount", "Average", "Sum", "Minimum", "Maximum"]
    (point, *_) = statistics(ground, replayed(ground), Statistics=names)
    assert [point[name] for name in names] == [5, 4 * BLOCK / 5, 4 * BLOCK, 0, 3 * BLOCK]


@ROWS.row("EBS user guide, Amazon EBS I/O characteristics and monitoring")
def operations_are_of_256_kib_and_of_1_mib_on_hard_disks(ground: Ground) -> None:
    for kind, size in (("gp3", 2**18), ("st1", 2**20)):
        volume = replayed(ground, gib=125, VolumeType=kind)
        points = statistics(ground, volume, MetricName="VolumeWriteOps")
        assert [point["Sum"] for point in points] == [4 * BLOCK / size, 8 * BLOCK / size] * 6
        assert points[0]["Unit"] == "Count"


@ROWS.row(GUIDE)
def the_period_that_is_not_over_has_what_was_written_so_far(ground: Ground) -> None:
    volume = replayed(ground, wait="95s")
    now = ground.clock.now()
    points = statistics(ground, volume, EndTime=now + timedelta(hours=1))
    assert [point["Sum"] / BLOCK for point in points] == [1, 3]


@ROWS.row(GUIDE)
def there_are_no_values_before_the_volume_or_of_no_volume(ground: Ground) -> None:
    ground.clock.advance("2h")
    volume = replayed(ground)
    long_ago = ground.clock.now() - timedelta(hours=3)
    assert len(statistics(ground, volume, StartTime=long_ago)) == 12
    assert statistics(ground, "vol-0123456789abcdef0") == []
    assert statistics(ground, volume, Dimensions=[]) == []
    assert statistics(ground, volume, Unit="Percent") == []
    assert statistics(ground, ground.volume()) == []
    day = {"StartTime": ground.clock.now(), "EndTime": ground.clock.now() + timedelta(hours=1)}
    assert statistics(ground, volume, **day) == []


@ROWS.row(GUIDE)
def an_attached_volume_has_values_even_if_nothing_writes(ground: Ground) -> None:
    instance = ground.instance()
    volume = ground.volume()
    ground.ec2().attach_volume(VolumeId=volume, InstanceId=instance, Device="/dev/sdf")
    ground.clock.advance("1h")
    assert [point["Sum"] for point in statistics(ground, volume)] == [0.0] * 12


@ROWS.row("CloudWatch user guide, Metrics retention")
def minutes_are_kept_15_days_five_minutes_63_days_hours_455_days(ground: Ground) -> None:
    volume = ground.volume()
    ground.sandbox.run(volume, Workload.profile("workstation", "10 GiB"))
    ground.clock.advance("500d")
    start = ground.clock.now() - timedelta(days=500)
    for period, days in ((60, 15), (300, 63), (3600, 455)):
        (result,) = data(ground, query(volume, Period=period), StartTime=start)["MetricDataResults"]
        assert ground.clock.now() - result["Timestamps"][0].astimezone(UTC) == timedelta(days=days)
        assert len(result["Values"]) == days * 86400 // period


@ROWS.row(API + "GetMetricStatistics")
def at_most_1440_datapoints_are_told_at_once(ground: Ground) -> None:
    volume = replayed(ground)
    start = ground.clock.now() - timedelta(days=5, minutes=5)
    refused("InvalidParameterCombination", lambda: statistics(ground, volume, StartTime=start), "1,441")
    assert statistics(ground, volume, StartTime=start + timedelta(minutes=5))


@ROWS.row(API + "GetMetricStatistics, errors")
def bad_questions_are_refused(ground: Ground) -> None:
    volume, now = replayed(ground), ground.clock.now()
    wrong: list[dict[str, Any]] = [{"StartTime": now}, {"Period": 90}, {"Period": 30}, {"Statistics": ["Median"]}]
    for how in wrong:
        refused("InvalidParameterValue", lambda how=how: statistics(ground, volume, **how))  # type: ignore[misc]
    nothing = {"Namespace": "AWS/EBS", "MetricName": "VolumeWriteBytes", "StartTime": now, "EndTime": now, "Period": 60}
    refused("MissingParameter", lambda: ground.client("cloudwatch").get_metric_statistics(**nothing))
    refused("ValidationError", lambda: data(ground, query(volume), EndTime=now - timedelta(hours=2)))
    refused("ValidationError", lambda: data(ground, query(volume, Stat="p99")))
    refused("InvalidParameterValue", lambda: data(ground, query(volume, Period=61)))


@ROWS.row(API + "GetMetricData")
def several_volumes_are_asked_for_at_once_newest_first(ground: Ground) -> None:
    volumes = [replayed(ground), replayed(ground, wait="0s")]
    answer = data(ground, query(volumes[0], "a"), query(volumes[1], "b", Stat="Maximum"), ScanBy="TimestampDescending")
    first, second = answer["MetricDataResults"]
    assert [value / BLOCK for value in first["Values"]] == [8, 4] * 6
    assert first["Timestamps"] == sorted(first["Timestamps"], reverse=True)
    assert (first["StatusCode"], second["Values"]) == ("Complete", [])
    assert "NextToken" not in answer


@ROWS.row(API + "GetMetricData, MaxDatapoints and NextToken")
def values_come_in_pages(ground: Ground) -> None:
    volume = replayed(ground)
    queries = [query(volume, "a"), query(volume, "b")]
    found: dict[str, list[float]] = {"a": [], "b": []}
    token: dict[str, str] = {}
    statuses: list[str] = []
    while True:
        answer = data(ground, *queries, MaxDatapoints=7, **token)
        for result in answer["MetricDataResults"]:
            found[result["Id"]] += result["Values"]
            statuses.append(result["StatusCode"])
        if "NextToken" not in answer:
            break
        token = {"NextToken": answer["NextToken"]}
    assert found == {"a": [4 * BLOCK, 8 * BLOCK] * 6, "b": [4 * BLOCK, 8 * BLOCK] * 6}
    assert "PartialData" in statuses
    refused("InvalidNextToken", lambda: data(ground, *queries, NextToken="x"))


@ROWS.row(API + "GetMetricData and PutMetricData")
def metrics_of_ones_own_are_still_answered(ground: Ground) -> None:
    volume, cloudwatch = replayed(ground), ground.client("cloudwatch")
    moment = ground.clock.now() - timedelta(minutes=30)
    cloudwatch.put_metric_data(Namespace="mine", MetricData=[{"MetricName": "m", "Value": 3, "Timestamp": moment}])
    own = {"Id": "own", "MetricStat": {"Metric": {"Namespace": "mine", "MetricName": "m"}, "Period": 60, "Stat": "Sum"}}
    results = data(ground, query(volume), own)["MetricDataResults"]
    assert [(result["Id"], result["Values"][:1]) for result in results] == [("q", [4 * BLOCK]), ("own", [3])]
    (point,) = statistics(ground, "", Namespace="mine", MetricName="m", Dimensions=[])
    assert point["Sum"] == 3


@ROWS.row(API + "ListMetrics")
def what_has_values_is_listed(ground: Ground) -> None:
    cloudwatch, volume = ground.client("cloudwatch"), replayed(ground)
    idle = ground.volume()
    listed = cloudwatch.list_metrics(Namespace="AWS/EBS")["Metrics"]
    assert {(each["MetricName"], each["Dimensions"][0]["Value"]) for each in listed} == {
        ("VolumeWriteBytes", volume),
        ("VolumeWriteOps", volume),
    }
    for dimensions, count in (([{"Name": "VolumeId"}], 1), ([{"Name": "VolumeId", "Value": idle}], 0)):
        named = cloudwatch.list_metrics(Namespace="AWS/EBS", MetricName="VolumeWriteBytes", Dimensions=dimensions)
        assert len(named["Metrics"]) == count
    assert not cloudwatch.list_metrics(Namespace="AWS/EC2")["Metrics"]
    assert not ground.client("cloudwatch", 1).list_metrics(Namespace="AWS/EBS")["Metrics"]


@ROWS.row(API + "ListMetrics, NextToken")
def metrics_come_in_pages_of_500(ground: Ground) -> None:
    for _ in range(260):
        ground.sandbox.replay(ground.volume(1), trace())
    pages = ground.client("cloudwatch").get_paginator("list_metrics").paginate(Namespace="AWS/EBS")
    sizes = [len(page["Metrics"]) for page in pages]
    assert sizes == [500, 20]


@ROWS.row("EBS user guide, Amazon EBS fast snapshot restore, CloudWatch metrics")
def the_credits_of_fast_restore_are_shown(ground: Ground) -> None:
    snapshot = ground.snapshot(ground.volume(128))
    ground.ec2().enable_fast_snapshot_restores(AvailabilityZones=["us-east-1a"], SourceSnapshotIds=[snapshot])
    ground.clock.advance("4h")
    own = [{"Name": "SnapshotId", "Value": snapshot}, {"Name": "AvailabilityZone", "Value": "us-east-1a"}]
    now = ground.clock.now()
    asked = {"Dimensions": own, "EndTime": now + timedelta(minutes=1), "Statistics": ["Average"]}
    for metric in ("FastSnapshotRestoreCreditsBalance", "FastSnapshotRestoreCreditsBucketSize"):
        (point,) = statistics(ground, "", MetricName=metric, **asked)
        assert point["Average"] == 8
        assert statistics(ground, "", MetricName=metric, **asked | {"Dimensions": own[:1]}) == []
    listed = ground.client("cloudwatch").list_metrics(Namespace="AWS/EBS")["Metrics"]
    assert {each["MetricName"] for each in listed} == {
        "FastSnapshotRestoreCreditsBalance",
        "FastSnapshotRestoreCreditsBucketSize",
    }
