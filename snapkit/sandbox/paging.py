"""Pages of the Describe and List operations.

Replaces moto's, which returns everything and takes any token.

Source: EC2 API reference, "Query requests: pagination"; the bounds are those of each operation.
"""

import base64
import json
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import TypeVar

from snapkit.sandbox.call import Call
from snapkit.sandbox.refusal import Refusal, combination

Item = TypeVar("Item")


def page(
    call: Call,
    items: Sequence[Item],
    place: Callable[[Item], int],
    *,
    least: int = 5,
    most: int = 1000,
    ids: str | None = None,
) -> tuple[list[Item], str | None]:
    """Cut a page out of a listing.

    A token says after which item to go on, not at which number, so nothing is skipped or shown twice when something is
    created or deleted between two pages.

    Args:
        call: its MaxResults and NextToken are read.
        items: the whole listing, by ascending place.
        place: where an item stands in it; never changes.
        least: the smallest MaxResults allowed.
        most: the largest one that is honoured.
        ids: the parameter that lists ids, which excludes MaxResults.

    Returns:
        The page, and the token for the next one, if there is more.

    Raises:
        Refusal: MaxResults is out of bounds, or the token is not one of this operation.
    """
    size, token = call.get("MaxResults"), call.get("NextToken")
    if ids is not None and size is not None and call.get(ids):
        name = ids[0].lower() + ids[1:].removesuffix("s") + "Set"
        raise combination(f"The parameter {name} cannot be used with the parameter maxResults")
    if size is not None and size < least:
        raise Refusal(
            "InvalidParameterValue",
            f"Value ( {size} ) for parameter maxResults is invalid. Expecting a value of {least} or more.",
        )
    start = bisect_right(items, _read(call, token), key=place) if token is not None else 0
    stop = len(items) if size is None else min(len(items), start + min(size, most))
    shown = list(items[start:stop])
    return shown, _write(call, place(shown[-1])) if stop < len(items) else None


def _write(call: Call, place: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([call.operation, call.account, call.region, place]).encode()).decode()


def _read(call: Call, token: str) -> int:
    try:
        operation, account, region, place = json.loads(base64.urlsafe_b64decode(token.encode()))
    except (ValueError, TypeError, RecursionError):
        operation, account, region, place = "", "", "", None
    if (operation, account, region) != (call.operation, call.account, call.region) or not isinstance(place, int):
        raise Refusal("InvalidParameterValue", "Unable to parse pagination token")
    return place
