"""Filters of the Describe operations.

Replaces moto's, which lack owner-alias and transfer-type, match no wildcards in times, and refuse an unknown filter
only where there is something to filter.

Source: EC2 user guide, "List and filter using the CLI and API": values of one filter are alternatives, filters add up,
``*`` and ``?`` are wildcards, a backslash makes them literal, and case matters.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeAlias, TypeVar

from snapkit.sandbox.call import Call
from snapkit.sandbox.refusal import Refusal, invalid

Item = TypeVar("Item")
Value: TypeAlias = str | Iterable[str] | None
MOST_VALUES = 200
"""Source: EC2 user guide, "List and filter using the CLI and API"."""


def select(
    call: Call,
    items: Iterable[Item],
    values: Mapping[str, Callable[[Item], Value]],
    tags: Callable[[Item], Mapping[str, str]] | None = None,
) -> list[Item]:
    """Keep the items that pass the filters of a call.

    Args:
        call: its Filters are read.
        items: what there is.
        values: how to read the value of each filter that the operation knows, as text.
        tags: how to read the tags, where the operation has the filters ``tag:<key>`` and ``tag-key``.

    Raises:
        Refusal: a filter is unknown or has no values.
    """
    tests = [_test(given, values, tags) for given in call.get("Filters", [])]
    if sum(len(given.get("Values") or []) for given in call.get("Filters", [])) > MOST_VALUES:
        raise Refusal("FilterLimitExceeded", f"The maximum number of filter values is {MOST_VALUES}")
    return [item for item in items if all(test(item) for test in tests)] if tests else list(items)


def text(value: object) -> str | None:
    """Write a value as filters compare it."""
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}Z"
    return str(value)


def _test(
    given: Mapping[str, Any],
    values: Mapping[str, Callable[[Item], Value]],
    tags: Callable[[Item], Mapping[str, str]] | None,
) -> Callable[[Item], bool]:
    name = given.get("Name") or "null"
    wanted = given.get("Values") or []
    read: Callable[[Item], Value]
    if name in values:
        read = values[name]
    elif tags is not None and name == "tag-key":
        read = _keys(tags)
    elif tags is not None and name.startswith("tag:"):
        read = _value(tags, name.removeprefix("tag:"))
    else:
        raise Refusal("InvalidParameterValue", f"The filter '{name}' is invalid")
    if not wanted:
        raise invalid("filter", name, "A filter needs at least one value.")
    patterns = [_pattern(str(each)) for each in wanted]

    def test(item: Item) -> bool:
        value = read(item)
        if value is None:
            return False
        found = (value,) if isinstance(value, str) else value
        return any(pattern(each) for each in found for pattern in patterns)

    return test


def _keys(tags: Callable[[Item], Mapping[str, str]]) -> Callable[[Item], Value]:
    return lambda item: tuple(tags(item))


def _value(tags: Callable[[Item], Mapping[str, str]], key: str) -> Callable[[Item], Value]:
    return lambda item: tags(item).get(key)


@lru_cache(maxsize=1024)
def _pattern(wanted: str) -> Callable[[str], bool]:
    if not any(character in wanted for character in "*?\\"):
        return wanted.__eq__
    pieces = [""]
    for part in re.findall(r"\\.|.", wanted, re.DOTALL):
        if part == "*":
            pieces.append("")
        else:
            pieces[-1] += "." if part == "?" else re.escape(part[-1])
    first, *middle, last = pieces if len(pieces) > 1 else (pieces[0], "")
    # The first place where a piece fits is as good as any later one; tried all, many stars would take for ever.
    regex = first + "".join(f"(?>.*?{piece})" for piece in middle) + (".*" if len(pieces) > 1 else "") + last
    match = re.compile(regex, re.DOTALL).fullmatch
    return lambda value: match(value) is not None
