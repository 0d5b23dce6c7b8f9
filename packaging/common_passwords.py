"""Writes the table of common passwords: `python packaging/common_passwords.py`, in an environment with zxcvbn.

The passwords are those of zxcvbn (MIT licence): the 30,000 most frequent ones of published collections, and the names and
words that it counts as easily guessed. Its lists are disjoint: a password that is also a name or a word stands in one of
the others, so all of them are taken. Those that no door would take for their length are left out.
"""

from pathlib import Path

from zxcvbn.frequency_lists import FREQUENCY_LISTS

from regserver.adapters import common_password
from regserver.adapters.common_password import TABLE, common_entry

SHORTEST = 6
"""The shortest password of any door, the directory's."""


def build() -> bytes:
    """The table."""
    listed = {word for words in FREQUENCY_LISTS.values() for word in words if len(word) >= SHORTEST}
    return b"".join(sorted({common_entry(word) for word in listed}))


if __name__ == "__main__":
    Path(common_password.__file__).with_name(TABLE).write_bytes(build())
