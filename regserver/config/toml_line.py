"""On which line of a TOML file each key stands, which tomllib does not tell.

For text that tomllib has read: what it would refuse is not looked at. A statement is a header or `key = value`; its value ends at the
first line feed outside strings and brackets.
"""

import re
from collections.abc import Iterator, Mapping

from regserver.config.section import Keys

_SPACE = r"(?:[ \t\r\n]|#[^\n]*)*"
_PART = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')"""
_DOTTED = rf"{_PART}(?:[ \t]*\.[ \t]*{_PART})*"
_STATEMENT = re.compile(
    rf"{_SPACE}(?:\[\[[ \t]*(?P<row>{_DOTTED})[ \t]*\]\]|\[[ \t]*(?P<table>{_DOTTED})[ \t]*\]|(?P<key>{_DOTTED})[ \t]*=)"
)
_PIECE = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}|' + r"'''.*?'{3,5}|" + r""""(?:[^"\\\n]|\\.)*"|'[^'\n]*'|#[^\n]*|[^"'#]""",
    re.DOTALL,
)
"""One string, one comment, or one other character."""


def toml_lines(text: str) -> Mapping[Keys, int]:
    """The line of each key, and of each header; the rows of [[name]] are ("name", "0"), ("name", "1") and so on."""
    lines: dict[Keys, int] = {}
    rows: dict[Keys, int] = {}
    at: Keys = ()
    for keys, kind, line in _statements(text):
        if kind == "key":
            lines.setdefault((*at, *keys), line)
            continue
        at = _inside(keys, rows)
        if kind == "row":
            rows[at] = rows.get(at, -1) + 1
            at = (*at, str(rows[at]))
        for depth in range(1, len(at) + 1):
            lines.setdefault(at[:depth], line)
    return lines


def _inside(keys: Keys, rows: Mapping[Keys, int]) -> Keys:
    """The keys of a header, with the number of the last row where it continues one."""
    at: Keys = ()
    for position, key in enumerate(keys, 1):
        at = (*at, key)
        if at in rows and position < len(keys):
            at = (*at, str(rows[at]))
    return at


def _statements(text: str) -> Iterator[tuple[Keys, str, int]]:
    """Each header and key, its kind ("row", "table" or "key"), and its line."""
    place, line, counted = 0, 1, 0
    while (found := _STATEMENT.match(text, place)) is not None:
        kind = str(found.lastgroup)
        line += text.count("\n", counted, found.start(kind))
        counted = found.start(kind)
        yield tuple(_plain(part) for part in re.findall(_PART, found[kind])), kind, line
        place = _end(text, found.end()) if kind == "key" else found.end()


def _plain(part: str) -> str:
    return part[1:-1] if part[0] in "\"'" else part


def _end(text: str, place: int) -> int:
    """Where the value that begins here ends."""
    depth = 0
    for piece in _PIECE.finditer(text, place):
        depth += (piece[0] in "[{") - (piece[0] in "]}")
        if piece[0] == "\n" and not depth:
            return piece.start()
    return len(text)
