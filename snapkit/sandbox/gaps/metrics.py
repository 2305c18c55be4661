"""CloudWatch's metrics of volumes: how much is written, as the disks of the sandbox know it.

Adds what moto has no values for, in the namespace AWS/EBS: VolumeWriteBytes, VolumeWriteOps, and the credits of fast
snapshot restore. Every other metric, and every expression, is moto's to answer.

A volume has values from its creation on while something writes to it by itself or it is attached, minute by minute. A
deleted volume has none, where AWS keeps them for 15 months. Of credits only the present number is known.

Source: EBS user guide, "Amazon CloudWatch metrics for Amazon EBS"; CloudWatch API reference of the three operations.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch.models import CloudWatchBackend, cloudwatch_backends

from snapkit.sandbox.call import Answer, Call, operation
from snapkit.sandbox.gaps.metric_values import MINUTE, NAMESPACE, STATISTICS, UNITS, known, points_of
from snapkit.sandbox.paging import page
from snapkit.sandbox.refusal import Refusal, combination, invalid, missing

MOST_POINTS = 1440
"""In an answer of GetMetricStatistics. Source: CloudWatch API reference, GetMetricStatistics."""

MOST_POINTS_A_PAGE = 100_800
"""In an answer of GetMetricData. Source: CloudWatch API reference, GetMetricData, MaxDatapoints."""

METRICS_A_PAGE = 500
"""Source: CloudWatch API reference, ListMetrics."""


@operation("cloudwatch", "GetMetricStatistics")
def get_metric_statistics(call: Call) -> Answer:
    """Tell statistics of one metric."""
    start, end, period = _aware(call.get("StartTime")), _aware(call.get("EndTime")), call.get("Period")
    names, metric = call.get("Statistics", []), call.get("MetricName")
    if not names and not call.get("ExtendedStatistics"):
        raise missing("Statistics")
    if start >= end:
        raise Refusal("InvalidParameterValue", "The parameter StartTime must be less than the parameter EndTime.")
    _check_period(period)
    for name in names:
        if name not in STATISTICS:
            raise invalid("Statistics", name, f"Choose from {', '.join(STATISTICS)}.")
    asked = -int(-(end - start).total_seconds() // period)
    if asked > MOST_POINTS:
        raise combination(
            f"You have requested up to {asked:,} datapoints, which exceeds the limit of {MOST_POINTS:,}. You may "
            "reduce the datapoints requested by increasing Period, or decreasing the time range."
        )
    points: list[dict[str, Any]]
    if call.get("Namespace") != NAMESPACE or metric not in UNITS:
        points = _of_moto(call, start, end)
    elif call.get("Unit") not in (None, UNITS[metric]):
        points = []
    else:
        points = [
            {"Timestamp": point.begins, "Unit": UNITS[metric]} | {name: point.statistic(name) for name in names}
            for point in points_of(call, metric, call.get("Dimensions", []), start, end, period)
        ]
    return {"Label": metric, "Datapoints": points}


@operation("cloudwatch", "GetMetricData")
def get_metric_data(call: Call) -> Answer:
    """Tell statistics of several metrics, page by page, the newest first."""
    start, end = _aware(call.get("StartTime")), _aware(call.get("EndTime"))
    if start >= end:
        raise Refusal("ValidationError", "The parameter EndTime must be greater than StartTime.")
    queries = call.get("MetricDataQueries")
    results = {
        result["Id"]: result for result in [*_known(call, queries, start, end), *_other(call, queries, start, end)]
    }
    ordered = [results[query["Id"]] for query in queries if query["Id"] in results]
    if call.get("ScanBy", "TimestampDescending") == "TimestampDescending":
        for result in ordered:
            result["Timestamps"].reverse()
            result["Values"].reverse()
    return _paged(call, ordered)


def _paged(call: Call, results: list[dict[str, Any]]) -> Answer:
    """Cut a page out of the values of all results, one after the other."""
    token, left = call.get("NextToken", "0"), call.get("MaxDatapoints", MOST_POINTS_A_PAGE)
    total = sum(len(result["Values"]) for result in results)
    if not (re.fullmatch("[0-9]{1,9}", token) and int(token) <= total):
        raise Refusal("InvalidNextToken", "The next token specified is invalid.")
    begin = int(token)
    end = begin + min(left, MOST_POINTS_A_PAGE)
    shown, place = [], 0
    for result in results:
        part = slice(max(0, begin - place), max(0, end - place))
        place += len(result["Values"])
        values = result["Values"][part]
        status = "Complete" if end >= place else "PartialData"
        if values or not begin:
            shown.append({**result, "Timestamps": result["Timestamps"][part], "Values": values, "StatusCode": status})
    return {"MetricDataResults": shown, "NextToken": str(end) if end < total else None}


@operation("cloudwatch", "ListMetrics")
def list_metrics(call: Call) -> Answer:
    """List what has values."""
    namespace, name, dimensions = call.get("Namespace"), call.get("MetricName"), call.get("Dimensions", [])
    found = [
        {"Namespace": NAMESPACE, "MetricName": metric, "Dimensions": own}
        for metric, own in known(call)
        if namespace in (None, NAMESPACE) and name in (None, metric) and all(_within(each, own) for each in dimensions)
    ]
    found += [
        {
            "Namespace": datum.namespace,
            "MetricName": datum.name,
            "Dimensions": [{"Name": each.name, "Value": each.value} for each in datum.dimensions],
        }
        for datum in _backend(call).get_filtered_metrics(name, namespace, dimensions)
    ]
    limited = replace(call, params={**call.params, "MaxResults": METRICS_A_PAGE})
    shown, token = page(limited, list(enumerate(found)), lambda item: item[0], most=METRICS_A_PAGE)
    return {"Metrics": [metric for _, metric in shown], "NextToken": token}


def _known(
    call: Call, queries: Iterable[Mapping[str, Any]], start: datetime, end: datetime
) -> Iterable[dict[str, Any]]:
    """Answer the queries about metrics of volumes."""
    for query in queries:
        if not _is_known(query) or query.get("ReturnData") is False:
            continue
        asked = query["MetricStat"]
        metric, name = asked["Metric"]["MetricName"], asked["Stat"]
        _check_period(asked["Period"])
        if name not in STATISTICS:
            raise Refusal("ValidationError", f"The value {name} for parameter Stat is not supported.")
        points = points_of(call, metric, asked["Metric"].get("Dimensions") or [], start, end, asked["Period"])
        if asked.get("Unit") not in (None, UNITS[metric]):
            points = []
        yield {
            "Id": query["Id"],
            "Label": query.get("Label") or metric,
            "Timestamps": [point.begins for point in points],
            "Values": [point.statistic(name) for point in points],
        }


def _other(
    call: Call, queries: Iterable[Mapping[str, Any]], start: datetime, end: datetime
) -> Iterable[dict[str, Any]]:
    """Let moto answer the other queries."""
    rest = [dict(query) for query in queries if not _is_known(query)]
    for query in rest:
        metric = (query.get("MetricStat") or {}).get("Metric")
        if metric is not None and not (metric.get("Namespace") and metric.get("MetricName")):
            raise Refusal("ValidationError", f"The metric of the query {query['Id']} has no Namespace or MetricName.")
    if not rest:
        return
    for result in _backend(call).get_metric_data(rest, _naive(start), _naive(end)):
        yield {
            "Id": result["id"],
            "Label": result["label"],
            "Timestamps": [moment.replace(tzinfo=UTC) for moment in result["timestamps"]],
            "Values": list(result["values"]),
        }


def _within(wanted: Mapping[str, str], own: Iterable[Mapping[str, str]]) -> bool:
    """Tell whether a dimension that is asked for, by its name or its value as well, is among those of a metric."""
    return any(wanted["Name"] == each["Name"] and wanted.get("Value") in (None, each["Value"]) for each in own)


def _is_known(query: Mapping[str, Any]) -> bool:
    metric = (query.get("MetricStat") or {}).get("Metric") or {}
    return metric.get("Namespace") == NAMESPACE and metric.get("MetricName") in UNITS


def _of_moto(call: Call, start: datetime, end: datetime) -> list[dict[str, Any]]:
    names = call.get("Statistics", [])
    found = _backend(call).get_metric_statistics(
        call.get("Namespace"), call.get("MetricName"), _naive(start), _naive(end), call.get("Period"), names,
        call.get("Dimensions", []), call.get("Unit"),
    )  # fmt: skip
    return [
        {"Timestamp": each.timestamp.replace(tzinfo=UTC), "Unit": each.unit}
        | {name: float(value) for name in names if (value := each.get_statistics_for_type(name)) is not None}
        for each in found
    ]


def _check_period(period: int) -> None:
    if period < MINUTE or period % MINUTE:
        raise invalid("Period", period, "A period of these metrics is a multiple of 60 seconds.")


def _backend(call: Call) -> CloudWatchBackend:
    return cloudwatch_backends[call.account][call.region]


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
