"""A missing program that the tests need."""

import pytest

from tests.peer.required import find_program


def test_a_missing_program_fails_a_test_under_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="install the package that-has-it"):
        find_program("that-has-it", "no-such-program")


def test_elsewhere_the_test_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(
        pytest.skip.Exception, match="no-such-program or another is not here: install the package"
    ):
        find_program("that-has-it", "no-such-program", "another")
