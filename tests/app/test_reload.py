"""A reload: all parts or none, and every setting either taken or named."""

import logging
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from regserver.app.part_reload import Prepared
from regserver.app.reload import Reloader
from regserver.config import ConfigFault, Loaded, Settings, load
from regserver.config.reloadable import RELOADED, RESTARTED, change
from regserver.config.section import fields_of
from regserver.ports.store import StoreFault

DOCUMENT = Path(__file__).parents[2] / "docs" / "operate.md"


class Part:
    """One part of a server: what it was told to do, and whether it fails."""

    def __init__(self, told: list[str], name: str) -> None:
        self._told = told
        self._name = name
        self.fault: ConfigFault | None = None
        self.store_fault: StoreFault | None = None

    async def prepare(self, loaded: Loaded) -> Prepared:
        self._told.append(f"prepare {self._name}")
        if self.fault is not None:
            raise self.fault
        return Prepared(partial(self._told.append, f"apply {self._name}"), self._settle)

    async def _settle(self) -> None:
        self._told.append(f"settle {self._name}")
        if self.store_fault is not None:
            raise self.store_fault


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def parts(told: list[str]) -> list[Part]:
    return [Part(told, "a"), Part(told, "b")]


def reloader(parts: list[Part]) -> Reloader:
    return Reloader(Loaded(Settings(), None), [part.prepare for part in parts])


def given(*settings: str) -> Loaded:
    return load(None, settings, {})


async def test_all_parts_prepare_before_one_applies(parts: list[Part], told: list[str]) -> None:
    await reloader(parts).reload(lambda: given("log.level=debug"))
    assert told == ["prepare a", "prepare b", "settle a", "settle b", "apply a", "apply b"]


async def test_a_part_that_cannot_leaves_all_as_they_are(
    parts: list[Part], told: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    whole = reloader(parts)
    parts[1].fault = ConfigFault("live.file.path: x", "live.file.path: y")
    await whole.reload(lambda: given("log.level=debug"))
    assert told == ["prepare a", "prepare b"]
    assert caplog.messages == ["not reloaded: live.file.path: x", "not reloaded: live.file.path: y"]
    assert whole.loaded.settings == Settings()


async def test_a_reload_that_the_store_cannot_do_may_be_repeated(
    parts: list[Part], told: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    whole = reloader(parts)
    parts[0].store_fault = StoreFault("the disk is full")
    await whole.reload(lambda: given("log.level=debug"))
    assert "apply a" not in told
    parts[0].store_fault = None
    await whole.reload(lambda: given("log.level=debug"))
    assert told[-2:] == ["apply a", "apply b"]
    assert caplog.messages == ["not reloaded: the disk is full", "reloaded"]


async def test_what_needs_a_restart_is_named_at_every_reload(
    parts: list[Part], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    whole = reloader(parts)
    for _ in range(2):
        caplog.clear()
        await whole.reload(lambda: given("rooms.max_members=7", "log.level=debug", "server.hsts=1d"))
        assert caplog.messages == [
            "server.hsts has changed, which needs a restart",
            "rooms.max_members has changed, which needs a restart",
            "reloaded",
        ]
    assert whole.loaded.settings.log.level == "debug"
    assert whole.loaded.settings.rooms.max_members == Settings().rooms.max_members


async def test_what_needs_another_setting_that_needs_a_restart_is_refused(
    parts: list[Part], told: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Links in real mail start with server.public_url, which is not taken."""
    await reloader(parts).reload(
        lambda: given("mail.smtp=smtp://mail", "server.public_url=https://example.org")
    )
    assert told == []
    assert caplog.messages == [
        "not reloaded: --set server.public_url: expected a URL, since links in real mail start with it,"
        " before server.public_url at a restart"
    ]


@pytest.mark.parametrize(
    ("old", "new", "taken"),
    [
        (("signup.doors.steps=closed",), ("signup.doors.steps=invite",), True),
        (("signup.doors.steps=off",), ("signup.doors.steps=invite",), False),
        ((), ("signup.doors.steps=off",), False),
        (("server.tls_cert=a", "server.tls_key=b"), ("server.tls_cert=c", "server.tls_key=d"), True),
        ((), ("server.tls_cert=c", "server.tls_key=d"), False),
    ],
)
def test_routes_and_tls_do_not_come_and_go(old: tuple[str, ...], new: tuple[str, ...], taken: bool) -> None:
    before, after = given(*old).settings, given(*new).settings
    found = change(before, after)
    assert (bool(found.taken), bool(found.needs_restart)) == (taken, not taken)
    assert found.settings == (after if taken else before)


def settings_names(kind: Any, at: str = "") -> Iterator[str]:
    """The names of all settings, such as "server.bounds.head"."""
    for key, inner in fields_of(kind).items():
        yield from settings_names(inner, f"{at}{key}.") if fields_of(inner) else (f"{at}{key}",)


def test_every_setting_is_in_one_of_the_two_lists() -> None:
    names = set(settings_names(Settings))
    assert names == RELOADED | RESTARTED
    assert RELOADED.isdisjoint(RESTARTED)


def test_the_document_lists_what_is_taken() -> None:
    section = DOCUMENT.read_text("utf-8").partition("## Reload\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `\[([\w.]+)\]` \| (.*) \|$", section, re.MULTILINE)
    listed = {f"{part}.{key}" for part, keys in rows for key in re.findall(r"`([\w.]+)`", keys)}
    assert listed == RELOADED
