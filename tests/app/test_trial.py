"""Whom the page of a server for trying out names: people of the example roster, where that is the one in use."""

from pathlib import Path

import msgspec
import pytest

from regserver.app.trial import has_examples
from regserver.config import Loaded, Settings

EXAMPLE = Path(__file__).parents[2] / "config" / "roster.example.toml"


def _loaded(roster: Path, *, mailbox: bool = True) -> Loaded:
    settings = Settings()
    server = msgspec.structs.replace(settings.server, mailbox=mailbox)
    live = msgspec.structs.replace(
        settings.live, file=msgspec.structs.replace(settings.live.file, path=str(roster))
    )
    return Loaded(msgspec.structs.replace(settings, server=server, live=live), None)


async def test_the_example_roster_has_them() -> None:
    assert await has_examples(_loaded(EXAMPLE))
    assert not await has_examples(_loaded(EXAMPLE, mailbox=False))


@pytest.mark.parametrize(
    "rows",
    ["username,password\nada,another password\nalan,enigma bombe\n", "username,password\nbob,secret\n", "x"],
)
async def test_another_roster_has_not(tmp_path: Path, rows: str) -> None:
    (tmp_path / "people.csv").write_text(rows)
    assert not await has_examples(_loaded(tmp_path / "people.csv"))


async def test_none_has_not(tmp_path: Path) -> None:
    assert not await has_examples(_loaded(tmp_path / "missing.toml"))
