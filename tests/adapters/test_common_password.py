"""The built-in list of common passwords, and the package that it is made of."""

import runpy
import secrets
from importlib.resources import files
from pathlib import Path

import pytest

from regserver.adapters.common_password import TABLE, CommonPasswords, common_entry, load_common_passwords

SCRIPT = Path(__file__).parents[2] / "packaging" / "common_passwords.py"
COMMON = load_common_passwords()


def test_the_table_is_that_of_the_package() -> None:
    built = runpy.run_path(str(SCRIPT))["build"]()
    assert (files("regserver.adapters") / TABLE).read_bytes() == built


def test_it_has_many() -> None:
    assert len(COMMON) >= 20_000


@pytest.mark.parametrize(
    "password",
    [
        "123456",
        "password",
        "PassWord",
        " 12345678 ",
        "\uff11\uff12\uff13\uff14\uff15\uff16",
        "jennifer",
        "trustno1",
    ],
)
def test_common_ones_are_found_however_they_are_spelled(password: str) -> None:
    assert password in COMMON


def test_others_are_not() -> None:
    drawn = [secrets.token_urlsafe(12) for _ in range(1000)]
    assert sum(password in COMMON for password in drawn) <= 2
    assert "correct horse battery" not in COMMON
    assert "rather long" not in COMMON


def test_the_ends_of_the_table_are_found() -> None:
    words = ["one", "two", "three"]
    table = CommonPasswords(b"".join(sorted(common_entry(word) for word in words)))
    assert all(word in table for word in words)
    assert "four" not in table
    assert "anything" not in CommonPasswords(b"")
