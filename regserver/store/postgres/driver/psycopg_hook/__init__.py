"""What psycopg writes as generators, which yield whenever they would block, driven by Trio: `trio_connection`, `attempt`.

This package alone reaches into psycopg's private parts. They are no public interface: `check_version` refuses versions that
were not read, and the tests hold a fingerprint of every module that is used here.
"""

from typing import Final

import psycopg

READ_VERSIONS: Final = ("3.3.9",)


class UnreadVersion(ImportError):
    """psycopg is of a version that this module was not compared with."""


def check_version(version: str = psycopg.__version__) -> None:
    """Raises UnreadVersion unless the version is one of READ_VERSIONS."""
    if version not in READ_VERSIONS:
        raise UnreadVersion(f"psycopg {version} is installed, but {' or '.join(READ_VERSIONS)} is needed")


check_version()
