"""A person's access as a TOML document.

    user = "ada"

    [groups]
    db = "operator"
    web = ""

    [roles]
    operator = ["Snapshot: ANY: THIS_GROUP", "Volume: Snapshot: GROUP"]

    [billing_codes]
    CC-42 = { soft = 100, hard = 120 }

Each group names the role that it gives, or nothing; quotas are in USD a month.
"""

import difflib
import tomllib
from collections.abc import Callable, Iterable
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar

import tomli_w

from snapkit.access.billing import BillingCode, Quota
from snapkit.access.rights import Access, Role
from snapkit.errors import InvalidRequest

_Made = TypeVar("_Made")
_QUOTA = ("soft", "hard")


def load(path: str | PathLike[str]) -> Access:
    """Read an access from a TOML file.

    Raises:
        InvalidRequest: the file cannot be read, or something in it cannot be.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not UTF-8 text"
        remedy = "give the path of a readable TOML file"
        raise InvalidRequest("access file", str(path), f"cannot be read ({why})", remedy) from None
    return loads(text, str(path))


def save(access: Access, path: str | PathLike[str]) -> None:
    """Write an access to a TOML file, whole or not at all.

    Raises:
        InvalidRequest: the file cannot be written.
    """
    target = Path(path)
    part = target.with_name(f".{target.name}.part")
    try:
        part.write_text(dumps(access), encoding="utf-8")
        part.replace(target)
    except OSError as error:
        remedy = "give the path of a file in a folder"
        raise InvalidRequest("access file", str(path), f"cannot be written ({error.strerror})", remedy) from None


def loads(text: str, source: str = "access") -> Access:
    """Read an access from TOML text.

    Args:
        text: the document.
        source: where it came from, for errors.

    Raises:
        InvalidRequest: something in it cannot be.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidRequest("access file", source, f"is not TOML: {error}", "correct that line") from None
    _known(document, ("user", "groups", "roles", "billing_codes"), source)
    user = document.get("user")
    if not isinstance(user, str):
        raise InvalidRequest(f"{source}: user", user, "is no text", 'write user = "..."')
    groups = _table(document, "groups", source)
    for group, role in groups.items():
        if not isinstance(role, str):
            raise InvalidRequest(f"{source}: groups.{group}", role, "is no role", f'write {group} = "role", or ""')
    roles = [_role(name, rights, source) for name, rights in _table(document, "roles", source).items()]
    codes = [_code(code, quota, source) for code, quota in _table(document, "billing_codes", source).items()]
    return _at(source, lambda: Access(user, groups, roles, codes))


def dumps(access: Access) -> str:
    """Write an access as TOML text."""
    quotas = {code: each.quota for code, each in access.billing_codes.items()}
    return tomli_w.dumps(
        {
            "user": access.user,
            "groups": dict(access.groups),
            "roles": {name: [str(right) for right in role.rights] for name, role in access.roles.items()},
            "billing_codes": {
                code: {name: value for name in _QUOTA if (value := getattr(quota, name)) is not None}
                for code, quota in quotas.items()
            },
        }
    )


def _role(name: str, rights: object, source: str) -> Role:
    where = f"{source}: roles.{name}"
    if not isinstance(rights, list):
        raise InvalidRequest(where, rights, "is no list of rights", 'write ["Snapshot: Delete: GROUP"]')
    for number, right in enumerate(rights):
        _at(f"{where}[{number}]", lambda right=right: Role(name, [right]))  # type: ignore[misc]
    return Role(name, rights)


def _code(code: str, quota: object, source: str) -> BillingCode:
    where = f"{source}: billing_codes.{code}"
    if not isinstance(quota, dict):
        raise InvalidRequest(where, quota, "is no quota", "write { soft = 100, hard = 120 }, or {}")
    _known(quota, _QUOTA, where)
    return _at(where, lambda: BillingCode(code, Quota(**quota)))


def _known(table: dict[str, Any], keys: Iterable[str], where: str) -> None:
    for key in table:
        if key not in keys:
            near = difflib.get_close_matches(key, keys, n=1)
            remedy = f"did you mean {near[0]!r}?" if near else f"the keys are {', '.join(keys)}"
            raise InvalidRequest(f"{where}: key", key, "is not known", remedy)


def _table(document: dict[str, Any], key: str, source: str) -> dict[str, Any]:
    value = document.get(key, {})
    if not isinstance(value, dict):
        raise InvalidRequest(f"{source}: {key}", value, "is no table", f"write its keys under [{key}]")
    return value


def _at(where: str, make: Callable[[], _Made]) -> _Made:
    try:
        return make()
    except InvalidRequest as error:
        raise InvalidRequest(f"{where}: {error.field}", error.value, error.rule, error.remedy) from None
