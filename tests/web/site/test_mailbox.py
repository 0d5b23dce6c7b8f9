"""The mailbox of a server for trying out: who sees it, what is in it, and how much."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from regserver.app import App, open_app
from regserver.app.asgi import quart_app
from regserver.config import ConfigFault, Loaded, Secret, Settings, load
from regserver.config.setting import ServerSection, StoreSection
from regserver.service.letter_box import MOST_CHARACTERS, MOST_LETTERS, LetterBox
from tests.fake import ManualClock

LOCAL = {"host": "127.0.0.1:8080"}


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    settings = Settings(
        store=StoreSection(url=Secret(f"sqlite:{tmp_path / 'x.db'}")), server=ServerSection(mailbox=True)
    )
    async with open_app(Loaded(settings, None)) as app:
        yield app


async def _letters(app: App) -> list[dict[str, Any]]:
    answer = await quart_app(app).test_client().get("/mailbox", headers=LOCAL)
    letters: list[dict[str, Any]] = (await answer.get_json())["letters"]
    return letters


async def test_a_code_is_in_it(app: App) -> None:
    assert await _letters(app) == []
    call = {"jsonrpc": "2.0", "id": 1, "method": "firstStep", "params": {"phone": "+380501234567"}}
    await quart_app(app).test_client().post("/rpc", json=call)
    (letter,) = await _letters(app)
    assert (letter["kind"], letter["to"], letter["subject"]) == ("sms", "+380501234567", "")
    assert any(word.isdigit() and len(word) == 6 for word in letter["text"].replace(".", " ").split())


@pytest.mark.parametrize(
    "fields",
    [
        {"host": "reg.example.org"},  # a proxy that forwards the name, or a page whose name leads here
        {**LOCAL, "x-forwarded-for": "192.0.2.7"},
        {**LOCAL, "forwarded": "for=192.0.2.7"},
    ],
)
async def test_only_this_machine_sees_it(app: App, fields: dict[str, str]) -> None:
    answer = await quart_app(app).test_client().get("/mailbox", headers=fields)
    assert (answer.status_code, (await answer.get_json())["error"]) == (403, "OperatorsOnly")


async def test_without_the_setting_there_is_none(tmp_path: Path) -> None:
    store = StoreSection(url=Secret(f"sqlite:{tmp_path / 'x.db'}"))
    async with open_app(Loaded(Settings(store=store), None)) as app:
        assert (await quart_app(app).test_client().get("/mailbox", headers=LOCAL)).status_code == 404
        page = await (await quart_app(app).test_client().get("/", headers=LOCAL)).get_data(as_text=True)
        assert 'id="mailbox"' not in str(page)


def test_it_is_bounded() -> None:
    box = LetterBox(ManualClock())
    for number in range(MOST_LETTERS + 3):
        box.keep_mail("ann@example.org", str(number), "x" * (MOST_CHARACTERS + 1))
    letters = box.letters()
    assert [letters[0].number, letters[-1].number, len(letters)] == [MOST_LETTERS + 3, 4, MOST_LETTERS]
    assert {len(letter.text) for letter in letters} == {MOST_CHARACTERS}


@pytest.mark.parametrize(
    "overrides",
    [
        ['server.bind=["127.0.0.1:1", "0.0.0.0:2"]'],
        ["server.bind=[::]:1"],
        ["server.bind=unix:/tmp/x.sock"],
        ["server.public_url=https://reg.example.org"],
    ],
)
def test_it_is_refused_where_others_come(tmp_path: Path, overrides: list[str]) -> None:
    (tmp_path / "x.toml").touch()
    with pytest.raises(ConfigFault, match=r"server\.mailbox: expected false, since"):
        load(tmp_path / "x.toml", ["server.mailbox=true", *overrides])


def test_it_is_refused_where_everything_is_sent(tmp_path: Path) -> None:
    (tmp_path / "x.toml").touch()
    real = ["mail.smtp=smtp://localhost", "server.public_url=http://localhost", "sms.kind=twilio"]
    more = ["sms.twilio.account=a", "sms.twilio.token=b", "sms.twilio.from=+1", 'sms.countries=["*"]']
    with pytest.raises(ConfigFault):
        load(tmp_path / "x.toml", ["server.mailbox=true", *real, *more])
