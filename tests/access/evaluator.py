"""A small evaluator of IAM policies: what moto leaves out, as far as the exported policies use it.

Source: IAM user guide, "Policy evaluation logic", "Condition operators", "Multivalued context keys", "Variables and
tags".
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

Context = Mapping[str, str | Sequence[str]]
_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_PLAIN = {"*": "*", "?": "?", "$": "$"}


@dataclass(frozen=True)
class Request:
    """One action on one resource, which is how EC2 has each part of a call judged."""

    action: str
    resource: str
    context: Context = field(default_factory=dict)


def allowed(policies: Sequence[Mapping[str, Any]], requests: Sequence[Request]) -> bool:
    """Tell whether a call is allowed: each of its parts by some statement, and none of them denied."""
    return all(_judged(policies, request) for request in requests)


def _judged(policies: Sequence[Mapping[str, Any]], request: Request) -> bool:
    effects = {
        statement["Effect"] for policy in policies for statement in policy["Statement"] if _applies(statement, request)
    }
    return effects == {"Allow"}


def _applies(statement: Mapping[str, Any], request: Request) -> bool:
    # The names of condition keys do not tell cases apart, those of tags in them included.
    context = {key.casefold(): value for key, value in request.context.items()}
    actions, resources = _many(statement["Action"]), _many(statement["Resource"])
    if not any(_like(request.action.casefold(), _pattern(action.casefold(), {}) or "") for action in actions):
        return False
    if not any(_like(request.resource, _pattern(each, context) or "") for each in resources):
        return False
    return all(
        _met(operator, context.get(key.casefold()), _many(wanted), context)
        for operator, keys in statement.get("Condition", {}).items()
        for key, wanted in keys.items()
    )


def _met(operator: str, given: str | Sequence[str] | None, wanted: list[str], context: Context) -> bool:
    if operator == "Null":
        return (given is None) == (wanted == ["true"])
    quantifier, _, plain = operator.rpartition(":")
    matches, negated = _OPERATORS[plain]
    patterns = [_pattern(each, context) for each in wanted]
    if None in patterns:
        return False  # a variable that cannot be resolved makes the whole statement void
    if quantifier == "ForAnyValue":
        assert not negated, "not used, so not implemented"
        return given is not None and any(any(matches(value, str(each)) for each in patterns) for value in _many(given))
    if quantifier == "ForAllValues":
        assert not negated, "not used, so not implemented"
        return all(any(matches(value, str(each)) for each in patterns) for value in _many(given or ()))
    assert quantifier == ""
    if given is None:
        return negated
    assert isinstance(given, str), "a key of many values needs a quantifier"
    return any(matches(given, str(each)) for each in patterns) != negated


def _pattern(text: str, context: Context) -> str | None:
    """Put values in for variables, which then stand for themselves; None where one has no value."""
    out, last = "", 0
    for found in _VARIABLE.finditer(text):
        name, _, default = found[1].partition(",")
        value = _PLAIN.get(name) or context.get(name.casefold()) or (default.strip().strip("'") or None)
        if not isinstance(value, str):
            return None
        out += text[last : found.start()] + "".join(f"[{each}]" if each in "*?[" else each for each in value)
        last = found.end()
    return out + text[last:]


def _like(value: str, pattern: str) -> bool:
    return fnmatchcase(value, pattern)


def _equal(value: str, pattern: str) -> bool:
    # Equality knows no wildcards, so those that variables brought along have to lose their brackets.
    return value == re.sub(r"\[([*?\[])\]", r"\1", pattern)


def _equal_in_any_case(value: str, pattern: str) -> bool:
    return _equal(value.casefold(), pattern.casefold())


_OPERATORS: Mapping[str, tuple[Callable[[str, str], bool], bool]] = {
    "Bool": (_equal_in_any_case, False),
    "StringEquals": (_equal, False),
    "StringEqualsIgnoreCase": (_equal_in_any_case, False),
    "StringLike": (_like, False),
    "StringNotEquals": (_equal, True),
    "StringNotLike": (_like, True),
}


def _many(value: str | Sequence[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
