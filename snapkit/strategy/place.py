"""Where something stands in a TOML document, for errors: tomllib tells no lines but those of its own."""

import tomllib
from bisect import bisect_left
from dataclasses import dataclass, replace
from typing import Any, Self, TypeAlias

Path: TypeAlias = tuple[str | int, ...]
"""The keys, and the numbers in lists, that lead to something."""

_CLOSINGS = ("", "\n]", "\n]}]")
"""What ends a text that is cut in a list of tables, or in a list of one of those."""


@dataclass(frozen=True)
class Place:
    """A table of a document.

    Attributes:
        text: the document.
        source: where it came from.
        path: of the table; nothing for the document itself.
    """

    text: str
    source: str
    path: Path = ()

    def at(self, *path: str | int) -> Self:
        """Look at what is in it."""
        return replace(self, path=(*self.path, *path))

    def told(self, *keys: str) -> str:
        """Write it, with the line of the first of these keys that it has, or else of itself."""
        paths = (*((*self.path, key) for key in keys), self.path)
        line = next((found for path in paths if (found := line_of(self.text, path)) is not None), None)
        where = self.source if line is None else f"{self.source}, line {line}"
        name = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.path)
        return f"{where}: {name.removeprefix('.')}" if name else where


def line_of(text: str, path: Path) -> int | None:
    """Tell in which line of a document something begins, from 1 up; None where it has no such thing.

    It is the first line with which the document, ended there, has it. A list of values over several lines counts with
    its first one.
    """
    lines = text.replace("\r\n", "\n").split("\n")  # tomllib knows no lines that end in half of that

    def there(count: int) -> bool:
        # What ends in the middle of a value is not TOML: that value is read to its end.
        for end in range(count, len(lines) + 1):
            for closing in _CLOSINGS:
                try:
                    return _has(tomllib.loads("\n".join(lines[:end]) + closing), path)
                except tomllib.TOMLDecodeError:
                    continue
        return False

    found = bisect_left(range(len(lines) + 1), x=True, key=there)
    return found if 0 < found <= len(lines) else None


def _has(document: Any, path: Path) -> bool:
    for part in path:
        try:
            document = document[part]
        except (LookupError, TypeError):
            return False
    return True
