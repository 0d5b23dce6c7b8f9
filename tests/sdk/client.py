"""The JavaScript client in Node, as the started server serves it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.peer.node import install_node_peer
from tests.peer.script import Script, running_script
from tests.system.server import ROOT

PEER = ROOT / "tests" / "peer" / "room_client"

PRELUDE = """
import WebSocket from 'ws';
import { Refused, Regserver } from './sdk.mjs';
Math.random = () => -1.4; // pauses are a twentieth, for nobody waits here
const url = %s;
const make = (options) => new Regserver(url, { WebSocket, ...options });
const say = (name, value = null) => console.log(`${name} ${JSON.stringify(value)};`);
const refusal = async (asking) => asking.then(() => null, ({ code, status, answer }) => ({ code, status, answer }));
"""


class SdkScript:
    """A script that says things by `say(name, value)`."""

    def __init__(self, script: Script) -> None:
        self._script = script

    @property
    def printed(self) -> str:
        """All of it so far."""
        return self._script.printed

    async def said(self, name: str) -> Any:
        """Waits until it has said this; the value."""
        line = await self._script.wait_for(rf"(?m)^{name} .*;$")
        return json.loads(line[len(name) + 1 : -1])

    async def fails_with(self, code: str) -> None:
        """Waits until it ends by a refusal of this name."""
        await self._script.wait_for(rf"Refused: {code}\b")


@asynccontextmanager
async def sdk_script(url: str, text: str) -> AsyncIterator[SdkScript]:
    """Runs a script with the client, `make()` and `say()` at hand. url: of the server, from which the client comes."""
    folder = install_node_peer(PEER)
    async with httpx.AsyncClient() as http:
        await _keep(folder / "sdk.mjs", (await http.get(f"{url}/sdk.js")).text)
    async with running_script(folder, PRELUDE % json.dumps(url) + text) as script:
        yield SdkScript(script)


async def _keep(path: Path, text: str) -> None:
    path.write_text(text)
