"""A client of the steps door on the started server."""

import json
import re
from typing import Any
from urllib.parse import urlsplit

import httpx
import trio

from regserver import testing
from tests.system.server import AnyServer, Server

KEY = "GLS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV"
CODE = re.compile(r"\b\d{6}\b")


class StepsClient:
    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._calls = 0

    async def reply(self, method: str, **params: object) -> Any:
        self._calls += 1
        call = {"jsonrpc": "2.0", "id": self._calls, "method": method, "params": params}
        response = await self._client.post("/rpc", json=call)
        assert response.status_code == 200, response.text
        return response.json()

    async def call(self, method: str, **params: object) -> Any:
        reply = await self.reply(method, **params)
        assert "error" not in reply, reply
        return reply["result"]

    async def to_named(self, phone: str, username: str, code: str) -> str:
        """From the code that was sent to toBlockChain; the userId."""
        await self.call("verify", phone=phone, code=code)
        return str((await self.call("setUsername", phone=phone, username=username))["userId"])

    async def register(self, username: str, user_id: str, **contact: str) -> Any:
        keys = {"publicOwnerKey": KEY, "publicActiveKey": KEY}
        return await self.reply("toBlockChain", username=username, userId=user_id, **keys, **contact)


async def register_or_lose(url: str, username: str, user_id: str, phone: str) -> bool:
    """toBlockChain on a connection of its own to a server that may be killed: whether it said `registered`."""
    keys = {"publicOwnerKey": KEY, "publicActiveKey": KEY}
    params = {"username": username, "userId": user_id, "phone": phone, **keys}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "toBlockChain", "params": params}).encode()
    address = urlsplit(url)
    head = f"POST /rpc HTTP/1.1\r\nHost: {address.netloc}\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    answer = b""
    try:
        async with await trio.open_tcp_stream(str(address.hostname), address.port or 80) as stream:
            await stream.send_all(head.encode() + body)
            async for chunk in stream:
                answer += chunk
    except (OSError, trio.BrokenResourceError):
        return False
    return b'"currentState":"registered"' in answer


async def sent_code(server: AnyServer, phone: str) -> str:
    """The next code by SMS: of a server in this process from its SMS, of another one from its log."""
    if isinstance(server, testing.TestedServer):
        return (await server.sms.wait(phone)).code
    return await logged_code(server, phone)


async def logged_code(server: Server, receiver: str, words: str = "") -> str:
    """The code in the first message to `receiver` that the server wrote to its log. words: that stand in the message."""

    def wanted(line: dict[str, Any]) -> bool:
        text = f"{line['message']}\n{line.get('text', '')}"
        return receiver in str(line) and words in text and CODE.search(text) is not None

    line = await server.wait_line(wanted)
    found = CODE.findall(line["message"].rpartition(receiver)[2] + f"\n{line.get('text', '')}")
    return str(found[0])
