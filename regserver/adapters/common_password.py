"""The built-in list of common passwords.

The list is a sorted table of the first four bytes of each password's SHA-256: small in the package and in memory, and
searched in microseconds. One other password in 50,000 shares its four bytes with a common one and is refused as well.
packaging/common_passwords.py writes the table.
"""

import hashlib
from bisect import bisect_left
from importlib.resources import files

from regserver.domain.password import comparable

ENTRY_BYTES = 4
TABLE = "common_password.bin"


class CommonPasswords:
    """table: sorted entries."""

    def __init__(self, table: bytes) -> None:
        self._table = table

    def __len__(self) -> int:
        return len(self._table) // ENTRY_BYTES

    def __contains__(self, password: str) -> bool:
        wanted = common_entry(password)
        place = bisect_left(range(len(self)), wanted, key=self._at)
        return place < len(self) and self._at(place) == wanted

    def _at(self, number: int) -> bytes:
        return self._table[number * ENTRY_BYTES : (number + 1) * ENTRY_BYTES]


def common_entry(password: str) -> bytes:
    """The entry of a password in the table."""
    text = comparable(password).encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).digest()[:ENTRY_BYTES]


def load_common_passwords() -> CommonPasswords:
    """The list of this package."""
    return CommonPasswords((files(__package__) / TABLE).read_bytes())
