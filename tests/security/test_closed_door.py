"""Closed means closed: at every door, for sign-ups that had begun as well, and a door that is off is not there."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from regserver.config import ConfigFault
from regserver.config.load import load
from tests.system.server import FROM_ROSTER, kept_store, local_server, sign_up
from tests.system.test_account import PHONE, claim, init, rpc
from tests.system.test_live import ADA

CLOSED = (403, {"error": "RegistrationClosed"})


async def register(client: httpx.AsyncClient, name: str = "bob") -> tuple[int, Any]:
    body = {"username": name, "email": f"{name}@example.org", "password": "a long password of his"}
    answer = await client.post("/login/register", json=body)
    return answer.status_code, answer.json()


async def test_one_setting_closes_every_door(tmp_path: Path) -> None:
    """Whom the source knows is let in as ever, and so is whoever has an account."""
    store = kept_store(tmp_path)
    async with local_server(store=store) as (server, client):
        await sign_up(client, "rosalind")
        user_id = (await claim(server, client, "begun"))["result"]["userId"]
    async with local_server(store=store, signup={"mode": "closed"}, live=FROM_ROSTER) as (_, client):
        assert await register(client) == CLOSED
        begun = await client.post(
            "/init", json={"userName": "bobby", "password": "not common", "email": "b@mail.example"}
        )
        assert (begun.status_code, begun.json()["id"]) == (403, "REGISTRATION_CLOSED")
        for method, contact in (
            ("firstStep", {"phone": "+380000000009"}),
            ("firstStepEmail", {"email": "a@mail.example"}),
        ):
            assert (await rpc(client, method, **contact, captcha=""))["error"]["code"] == 1114
        keys = {"publicOwnerKey": "x", "publicActiveKey": "x"}
        late = await rpc(client, "toBlockChain", phone=PHONE, username="begun", userId=user_id, **keys)
        assert late["error"]["code"] == 1114
        credentials = {"username": "rosalind", "password": "rosalind's long password"}
        assert (await client.post("/login", json=credentials)).status_code == 200
        assert (await client.post("/login", json=ADA)).status_code == 303


@pytest.mark.parametrize(
    "settings", [{"login": {"open_registration": False}}, {"signup": {"doors": {"rooms": "closed"}}}]
)
async def test_the_room_door_alone(settings: dict[str, Any]) -> None:
    async with local_server(**settings) as (_, client):
        assert await register(client) == CLOSED
        assert (await init(client, "bobby"))["id"] == "INIT_DONE"


async def test_the_live_door_alone() -> None:
    async with local_server(signup={"doors": {"live": "closed"}}, live=FROM_ROSTER) as (_, client):
        answer = await client.post("/login", json=ADA)
        assert (answer.status_code, answer.json()) == CLOSED
        wrong = await client.post("/login", json={**ADA, "password": "wrong"})
        assert (wrong.status_code, wrong.json()) == (401, {"error": "BadCredentials"})


async def test_doors_that_are_off_are_not_there(tmp_path: Path) -> None:
    """They answer as any unknown route does; the accounts of all doors sign in."""
    doors = dict.fromkeys(("rooms", "steps", "directory", "live"), "off")
    store = kept_store(tmp_path)
    async with local_server(store=store) as (_, client):
        await sign_up(client, "rosalind")
    async with local_server(store=store, signup={"doors": doors}, live=FROM_ROSTER) as (_, client):
        unknown = (404, {"error": "RouteNotFound"})
        for method, path in (
            ("POST", "/login/register"),
            ("POST", "/room/create"),
            ("GET", "/room/list"),
            ("POST", "/rpc"),
            ("POST", "/init"),
            ("GET", "/rosalind/check"),
            ("GET", "/rosalind/server"),
            ("GET", "/messages-en.js"),
            ("GET", "/register/u-1/events"),
        ):
            answer = await client.request(method, path, json={} if method == "POST" else None)
            assert (answer.status_code, answer.json()) == unknown, path
        credentials = {"username": "rosalind", "password": "rosalind's long password"}
        assert (await client.post("/login", json=credentials)).status_code == 200
        assert (await client.post("/login", json=ADA)).status_code == 401


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ('signup.domains=["example"]', 'domains of addresses, such as "example.org"'),
        ('signup.domains=["*.example.org"]', 'domains of addresses, such as "example.org"'),
        ("signup.operator=nobody", "an e-mail address, or none"),
        ("signup.operator_language=de", '"en"'),
        ("signup.waiting_ttl=10s", '"1m" to "3650d"'),
        ("signup.daily_waiting=0", "1 to 1000000"),
        ("signup.mode=off", '"open" or "invite" or "approve" or "closed"'),
        ("signup.doors.steps=shut", '"off"'),
        ("signup.doors.room=off", "did you mean signup.doors.rooms?"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_words(override: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "empty.toml").write_text("")
    with pytest.raises(ConfigFault) as caught:
        load(tmp_path / "empty.toml", [override], {})
    assert said in str(caught.value)
