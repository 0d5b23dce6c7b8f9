"""docs/coming-from.md against the server: settings that it names are there, and what it says of answers is so."""

import re

import msgspec

from regserver.config import Settings
from regserver.web.directory.message import MESSAGES
from tests.system.server import FROM_ROSTER, ROOT, listening, local_server, sign_up
from tests.system.steps_client import StepsClient

TEXT = (ROOT / "docs" / "coming-from.md").read_text("utf-8")
SECTION = {field.name: field.type for field in msgspec.structs.fields(Settings)}


def test_the_settings_that_it_names_are_there() -> None:
    named = re.findall(r"`(\w+)\.(\w+)(?: = [^`]*)?`", TEXT)
    for section, key in [(s, k) for s, k in named if s in SECTION]:
        assert key in SECTION[section].__struct_fields__, f"{section}.{key}"
    assert {s for s, _ in named} >= {"steps", "captcha", "directory", "live", "login", "ledger", "sms"}
    assert set(re.findall(r"`([A-Z_]{8,})`", TEXT)) <= {*MESSAGES, "FAILURE", "AUTHENTICATION"}


async def test_clients_of_the_four_protocols_change_what_it_says() -> None:
    async with local_server(
        steps={"code_digits": 4},
        server={"test_mode": True},
        sms={"test": {"+15550001111": "4242"}},
        live=FROM_ROSTER,
    ) as (server, http):
        person = await sign_up(http, "ann")
        async with listening(f"{server.socket_url}/room/websocket?token={person.token}"):
            pass
        async with listening(f"{server.socket_url}/room/websocket?token=x") as socket:
            assert await socket.text() == "BadToken"
            assert await socket.close_code() == 1008

        body = {"username": "ada", "password": "correct horse battery"}
        plain = await http.post("/login", json=body)
        assert (plain.status_code, plain.headers["location"][:5]) == (303, "ws://")
        asked = await http.post("/login", json=body, headers={"prefer": "respond-async"})
        assert (asked.status_code, asked.json()["location"]) == (202, plain.headers["location"])

        steps = StepsClient(http)
        await steps.call("registration.firstStep", phone="+15550001111", captcha=None)
        wrong = await steps.reply("verify", phone="+15550001111", code=1111)
        assert (wrong["error"]["code"], wrong["error"]["currentState"]) == (1104, "verify")
        assert (await steps.call("verify", phone="+15550001111", code=4242))["currentState"] == "setUsername"

        assert (await http.get("/alice/check")).json() == {"exists": False}
        refused = (await http.post("/init", data={"userName": "admin", "password": "x" * 100})).json()
        assert "RESERVED_USER_NAME" in {error["id"] for error in refused["errors"]}
        assert "99" in next(e["detail"] for e in refused["errors"] if e["id"] == "INVALID_PASSWORD")
