"""What the hook holds psycopg to. A new version must be read before READ_VERSIONS and this fingerprint name it."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import psycopg
import psycopg_binary
import pytest
from psycopg import (
    _capabilities,
    _connection_base,
    _conninfo_utils,
    _copy_async,
    _copy_base,
    _py_transformer,
    connection_async,
    cursor_async,
    generators,
    raw_cursor,
)
from psycopg.types import numeric

from regserver.store.postgres.driver.psycopg_hook import READ_VERSIONS, UnreadVersion, check_version

USED: Sequence[ModuleType] = (
    _capabilities,
    _connection_base,
    _conninfo_utils,
    _copy_async,
    _copy_base,
    _py_transformer,
    connection_async,
    cursor_async,
    generators,
    numeric,
    raw_cursor,
)
FINGERPRINT = "1f72985aa9b9bc15d18a23fc0596e8f9053b2d4a347e704e0abd328936ba9712"


def fingerprint(modules: Sequence[ModuleType]) -> str:
    digest = hashlib.sha256()
    for module in modules:
        assert module.__file__ is not None
        digest.update(Path(module.__file__).read_bytes())
    return digest.hexdigest()


def test_the_installed_version_was_read() -> None:
    assert psycopg.__version__ == psycopg_binary.__version__
    assert psycopg.__version__ in READ_VERSIONS


def test_another_version_is_refused() -> None:
    with pytest.raises(UnreadVersion, match=r"psycopg 3\.4\.0 is installed, but 3\.3\.9 is needed"):
        check_version("3.4.0")


def test_the_modules_that_are_used_are_those_that_were_read() -> None:
    assert fingerprint(USED) == FINGERPRINT


def test_a_changed_module_would_be_seen() -> None:
    assert fingerprint(USED[:-1]) != FINGERPRINT
