"""A running server whose messages cost money: strangers have codes sent to numbers in a row, people answer theirs."""

from typing import Any

import httpx
import trio

from tests.peer.http import Answer, Asked, HttpPeer, answer, open_http_peer
from tests.phone_number import mobile_number
from tests.steps import code_in
from tests.system.server import local_server

NUMBERS = 400
NETWORKS = 100
PEOPLE = 60
MOST = 10
"""Messages of an attack on one block of numbers: three an hour, ten a day."""


def settings(url: str) -> dict[str, dict[str, Any]]:
    http = {"url": f"{url}/sms", "body": '{"to": "{phone}", "text": "{message}"}'}
    return {
        "sms": {"countries": ["*"], "kind": "http", "http": http},
        "server": {"trusted_proxies": ["127.0.0.1"]},
        "limits": {"enabled": True},
    }


class Crowd:
    """Everybody comes through one proxy, which tells their addresses."""

    def __init__(self, client: httpx.AsyncClient, provider: HttpPeer) -> None:
        self._client = client
        self._provider = provider
        self.served: list[str] = []
        self.refusals: list[int] = []

    async def call(self, address: str, method: str, **params: object) -> Any:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        response = await self._client.post("/rpc", json=body, headers={"x-forwarded-for": address})
        return response.json()

    async def attack(self, number: int) -> None:
        phone = f"+38044123{number:04}"
        reply = await self.call(f"10.0.{number % NETWORKS}.1", "firstStep", phone=phone)
        if "error" in reply:
            self.refusals.append(reply["error"]["code"])

    async def register(self, number: int) -> None:
        phone, address = mobile_number(number), f"192.0.2.{number}"
        await self.call(address, "firstStep", phone=phone)
        (code,) = [code_in(text) for to, text in self.messages if to == phone]
        await self.call(address, "verify", phone=phone, code=code)
        chosen = await self.call(address, "setUsername", phone=phone, username=f"person{number}")
        assert "userId" in chosen["result"], chosen
        self.served.append(phone)

    @property
    def messages(self) -> list[tuple[str, str]]:
        return [(asked.json["to"], asked.json["text"]) for asked in self._provider.asked]


def accept(_: Asked) -> Answer:
    return answer({})


async def test_numbers_in_a_row_cost_little_and_people_are_served() -> None:
    async with (
        open_http_peer(accept) as peer,
        local_server(**settings(peer.url)) as (_, client),
    ):
        crowd = Crowd(client, peer)
        for turn in range(PEOPLE):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(crowd.register, turn)
                for number in range(turn * NUMBERS // PEOPLE, (turn + 1) * NUMBERS // PEOPLE):
                    nursery.start_soon(crowd.attack, number)
        attacked = [to for to, _ in crowd.messages if to.startswith("+38044123")]
        assert len(crowd.served) == PEOPLE
        assert 0 < len(attacked) <= MOST
        assert crowd.refusals == [1108] * (NUMBERS - len(attacked))
