"""Which statements a connection has prepared.

A text is prepared when it is run for the second time, and then found by the text alone: as an int is always an int8, and a
NULL or a str takes the type that the server infers, one text makes one prepared statement. Only where a parameter is of
another known type than the first time does the text get a second one. The least recently used are given up.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from psycopg.pq import Format

Types = tuple[int, ...]
"""The OIDs of the parameters; 0 leaves one to the server."""
_BYTEA = 17


@dataclass(slots=True)
class PreparedStatement:
    """A text and its types. name: of the prepared statement, empty until it is prepared."""

    text: bytes
    types: Types
    name: bytes = b""

    def takes(self, types: Types, formats: Sequence[Format]) -> bool:
        """Whether it can be run with such parameters."""
        return self.types == types or all(map(_fits, self.types, types, formats))


class PreparedStatements:
    """Those of one connection. most: how many there may be, those that were seen once included."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: OrderedDict[object, PreparedStatement] = OrderedDict()
        self._made = 0

    def __len__(self) -> int:
        return len(self._known)

    def find(self, text: str, types: Types, formats: Sequence[Format]) -> PreparedStatement | None:
        """The statement, or None if it was not seen yet: then it is remembered."""
        found = self._known.get(text)
        key: object = text
        if found is not None and not found.takes(types, formats):
            key = (text, types)
            found = self._known.get(key)
        if found is None:
            self._known[key] = PreparedStatement(text.encode(), types)
            return None
        self._known.move_to_end(key)
        return found

    def next_name(self) -> bytes:
        """A name that no other statement of the connection has."""
        self._made += 1
        return b"s%d" % self._made

    def evict(self) -> list[bytes]:
        """Forgets what is too much; returns the names that are to be closed on the server."""
        names = []
        while len(self._known) > self._most:
            names.append(self._known.popitem(last=False)[1].name)
        return [name for name in names if name]


def _fits(known: int, given: int, form: Format) -> bool:
    return given in (known, 0) or (known == 0 and (form == Format.TEXT or given == _BYTEA))
