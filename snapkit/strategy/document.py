"""Strategies as TOML documents.

    name = "protect db"

    [[tiers]]
    name = "hourly"
    schedule = "every 1h"
    timezone = "Europe/Berlin"
    window = { days = ["mon", "tue"], start = "04:00", end = "09:00" }
    blackout = ["2026-12-24/2027-01-01"]
    retention = { last = 24, daily = 30 }
    archive = { monthly = 12 }

A tier's time zone holds for its schedule and for its retentions, unless a retention names its own.
"""

import difflib
import tomllib
from collections.abc import Callable, Iterable
from contextlib import suppress
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar

import tomli_w

from snapkit.errors import InvalidRequest, StrategyError
from snapkit.strategy.archive import Archive
from snapkit.strategy.copies import Copy
from snapkit.strategy.place import Place
from snapkit.strategy.retention import Retention
from snapkit.strategy.schedule import Schedule
from snapkit.strategy.strategy import RecoveryVolume, Strategy, Tier
from snapkit.strategy.window import Window

_Made = TypeVar("_Made")
_SCHEDULE_KEYS = ("schedule", "timezone", "anchor", "window", "blackout")
_TIER_KEYS = ("name", *_SCHEDULE_KEYS, "retention", "retries", "retry_delay", "copies", "archive")
_COPY_KEYS = ("region", "retention", "kms_key")
_RECOVERY_KEYS = (*_SCHEDULE_KEYS, "zone", "initialized", "delay")
_WINDOW_KEYS = ("days", "start", "end")
_RETENTION_KEYS = tuple(Retention.__dataclass_fields__)


def load(path: str | PathLike[str]) -> Strategy:
    """Read a strategy from a TOML file."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not UTF-8 text"
        raise StrategyError(
            "strategy file", str(path), f"cannot be read ({why})", "give the path of a readable TOML file"
        ) from None
    return loads(text, str(path))


def save(strategy: Strategy, path: str | PathLike[str]) -> None:
    """Write a strategy to a TOML file, whole or not at all."""
    write(dumps(strategy), path)


def write(text: str, path: str | PathLike[str]) -> None:
    """Write text to a file, whole or not at all.

    Raises:
        StrategyError: it cannot be written.
    """
    target = Path(path)
    part = target.with_name(f".{target.name}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(target)
    except (OSError, ValueError) as error:  # a path with a zero in it is a ValueError
        with suppress(OSError, ValueError):
            part.unlink(missing_ok=True)
        rule = f"cannot be written ({getattr(error, 'strerror', None) or error})"
        raise StrategyError("strategy file", str(path), rule, "give the path of a file in a folder") from None


def loads(text: str, source: str = "strategy") -> Strategy:
    """Read a strategy from TOML text.

    Args:
        text: the document.
        source: where it came from, for errors.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise StrategyError("strategy file", source, f"is not TOML: {error}", "correct that line") from None
    place = Place(text, source)
    _known(document, ("name", "tiers", "recovery"), place)
    name = _required(document, "name", place)
    tables = document.get("tiers", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        told = f"{place.told('tiers')}: tiers"
        raise StrategyError(told, tables, "is no list of tables", "write each tier under [[tiers]]")
    tiers = [_tier(table, place.at("tiers", number)) for number, table in enumerate(tables)]
    recovery = _recovery(document["recovery"], place.at("recovery")) if "recovery" in document else None
    return _build(place, "strategy", lambda: Strategy(name, tiers, recovery))


def dumps(strategy: Strategy) -> str:
    """Write a strategy as TOML text, leaving out what is as it would be anyway."""
    document: dict[str, Any] = {"name": strategy.name, "tiers": [_tier_table(tier) for tier in strategy.tiers]}
    if strategy.recovery:
        recovery = strategy.recovery
        document["recovery"] = {
            **_schedule_table(recovery.schedule),
            "zone": recovery.zone,
            **_unusual(recovery, ("initialized", "delay")),
        }
    return tomli_w.dumps(document)


def _tier(table: dict[str, Any], place: Place) -> Tier:
    _known(table, _TIER_KEYS, place)
    schedule = _schedule(table, place)
    retention = _retention(table, "retention", place, schedule.timezone)
    others: dict[str, Any] = {key: table[key] for key in ("name", "retries", "retry_delay") if key in table}
    if "archive" in table:
        kept = _retention(table, "archive", place, schedule.timezone)
        others["archive"] = _build(place.at("archive"), "archive", lambda: Archive(kept))
    tables = table.get("copies", [])
    if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
        told = place.at("copies").told()
        raise StrategyError(told, tables, "is no list of tables", "write each under [[tiers.copies]]")
    copies = [_copy(each, place.at("copies", number), schedule.timezone) for number, each in enumerate(tables)]
    return _build(place, "tier", lambda: Tier(schedule, retention, copies=copies, **others))


def _copy(table: dict[str, Any], place: Place, timezone: str) -> Copy:
    _known(table, _COPY_KEYS, place)
    region, retention = _required(table, "region", place), _retention(table, "retention", place, timezone)
    return _build(place, "copy", lambda: Copy(region, retention, table.get("kms_key")))


def _retention(table: dict[str, Any], key: str, place: Place, timezone: str) -> Retention:
    rules = _table(table, key, place)
    _known(rules, _RETENTION_KEYS, place.at(key))
    return _build(place.at(key), "retention", lambda: Retention(**{"timezone": timezone, **rules}))


def _recovery(table: object, place: Place) -> RecoveryVolume:
    if not isinstance(table, dict):
        raise StrategyError(place.told(), table, "is no table", "write its keys under [recovery]")
    _known(table, _RECOVERY_KEYS, place)
    schedule = _schedule(table, place)
    zone = _required(table, "zone", place)
    others = {key: table[key] for key in ("initialized", "delay") if key in table}
    return _build(place, "recovery", lambda: RecoveryVolume(schedule=schedule, zone=zone, **others))


def _schedule(table: dict[str, Any], place: Place) -> Schedule:
    text = _required(table, "schedule", place)
    others: dict[str, Any] = {key: table[key] for key in ("timezone", "anchor", "blackout") if key in table}
    if "window" in table:
        window = _table(table, "window", place)
        _known(window, _WINDOW_KEYS, place.at("window"))
        others["window"] = _build(place.at("window"), "window", lambda: Window(**window))
    return _build(place, "schedule", lambda: Schedule(text, **others))


def _tier_table(tier: Tier) -> dict[str, Any]:
    timezone = tier.schedule.timezone
    table = {
        "name": tier.name,
        **_schedule_table(tier.schedule),
        **_unusual(tier, ("retries", "retry_delay")),
        "retention": _retention_table(tier.retention, timezone),
    }
    if tier.archive:
        table["archive"] = _retention_table(tier.archive.retention, timezone)
    copies = [
        {
            "region": copy.region,
            **_unusual(copy, ("kms_key",)),
            "retention": _retention_table(copy.retention, timezone),
        }
        for copy in tier.copies
    ]
    return table | ({"copies": copies} if copies else {})


def _retention_table(retention: Retention, timezone: str) -> dict[str, Any]:
    table = retention.given()
    table.pop("timezone", None)
    return table | ({"timezone": retention.timezone} if retention.timezone != timezone else {})


def _schedule_table(schedule: Schedule) -> dict[str, Any]:
    table: dict[str, Any] = {"schedule": schedule.text}
    if schedule.timezone != "UTC":
        table["timezone"] = schedule.timezone
    if schedule.anchor is not None:
        table["anchor"] = schedule.anchor
    if schedule.window is not None:
        window = schedule.window
        table["window"] = {"days": list(window.days), "start": window.start, "end": window.end}
    if schedule.blackout:
        table["blackout"] = list(schedule.blackout)
    return table


def _unusual(made: Any, keys: Iterable[str]) -> dict[str, Any]:
    fields = type(made).__dataclass_fields__
    return {key: value for key in keys if (value := getattr(made, key)) != fields[key].default}


def _known(table: dict[str, Any], keys: tuple[str, ...], place: Place) -> None:
    for key in table:
        if key not in keys:
            near = difflib.get_close_matches(key, keys, n=1)
            remedy = f"did you mean {near[0]!r}?" if near else f"the keys are {', '.join(keys)}"
            raise StrategyError(f"{place.told(key)}: key", key, "is not known", remedy)


def _required(table: dict[str, Any], key: str, place: Place) -> str:
    value = table.get(key)
    if not isinstance(value, str):
        raise StrategyError(f"{place.told(key)}: {key}", value, "is no text", f'write {key} = "..."')
    return value


def _table(table: dict[str, Any], key: str, place: Place) -> dict[str, Any]:
    value = table.get(key)
    if not isinstance(value, dict):
        raise StrategyError(f"{place.told(key)}: {key}", value, "is no table", f"write {key} = {{ ... }}")
    return value


def _build(place: Place, noun: str, make: Callable[[], _Made]) -> _Made:
    """Make something of a table; an error about one of its keys, or about the noun, names the line of that."""
    try:
        return make()
    except (StrategyError, InvalidRequest) as error:
        told = f"{place.told(error.field.removeprefix(f'{noun} '), noun)}: {error.field}"
        raise StrategyError(told, error.value, error.rule, error.remedy) from None
