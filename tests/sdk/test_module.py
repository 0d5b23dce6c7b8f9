"""The module itself: how it is served, how long it is, that it has every operation, and what its types say."""

import gzip
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from regserver.app import open_app
from regserver.app.asgi import quart_app
from regserver.config import Loaded, Secret, Settings
from regserver.config.provider import CaptchaSection
from regserver.config.setting import StoreSection
from regserver.web.site.sdk import SdkApi
from tests.peer.generated_client import OPTIONS, PEER
from tests.peer.node import install_node_peer
from tests.web.http_client import Client, open_routes

MOST_BYTES = 10 * 1024


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with open_routes(SdkApi().routes()) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "kind"), [("/sdk.js", "text/javascript"), ("/sdk.d.ts", "application/typescript")]
)
async def test_it_is_served_whole_and_compressed_and_kept(client: Client, path: str, kind: str) -> None:
    plain = await client.ask("GET", path)
    assert (plain.status, plain.content_type.partition(";")[0]) == (200, kind)
    packed = await client.ask("GET", path, headers={"accept-encoding": "br, gzip;q=0.5"})
    assert packed.fields["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    refused = await client.ask("GET", path, headers={"accept-encoding": "gzip;q=0, *"})
    assert refused.body == plain.body
    assert plain.fields["cache-control"] == "no-cache"
    assert plain.fields["vary"] == "Accept-Encoding"
    again = await client.ask("GET", path, headers={"if-none-match": plain.fields["etag"]})
    assert (again.status, again.body, again.fields["etag"]) == (304, b"", plain.fields["etag"])


async def test_it_is_small(client: Client) -> None:
    packed = await client.ask("GET", "/sdk.js", headers={"accept-encoding": "gzip"})
    assert len(packed.body) <= MOST_BYTES


# --- every operation
RECORDING = """
import { Regserver } from './sdk.mjs';
const asked = new Set();
const fetch = async (address, { method }) => {
  asked.add(`${method} ${new URL(address).pathname}`);
  return new Response('{"user": {}, "post": {}, "room": {}, "jsonrpc": "2.0", "result": {}, "parameters": {"cost": 1, "keyLength": 1, "keyPrefix": "", "nonce": "00", "salt": "00"}}');
};
const server = new Regserver('http://x/', { fetch, WebSocket: class {} });
for (const part of [server.account, server.rooms, server.steps, server.directory]) {
  for (const [name, method] of Object.entries(part)) if (typeof method === 'function') await method(1, 2);
}
await server.signIn('a', 'b');
await server.factor('a', 'b');
await server.signOut();
await server.prove();
server.rooms.listen().stop();
console.log(JSON.stringify([...asked]));
process.exit();
"""
OTHER_WAYS = {
    "/user/login",  # an alias, as the next but one
    "/room/events",  # what the socket says
    "/",
    "/register/{registration}/events",
    "/messages-en.js",
    "/messages-fr.js",
}
"""Of what the client does otherwise, or has no use for."""


async def _run(folder: Path, *command: str) -> str:
    """What the command printed; it may print no fault."""
    ran = await trio.run_process(command, cwd=folder, capture_stdout=True, capture_stderr=True, check=False)
    assert ran.stderr == b""
    return ran.stdout.decode()


async def test_it_has_every_operation_of_the_doors(tmp_path: Path) -> None:
    settings = Settings(
        store=StoreSection(url=Secret(f"sqlite:{tmp_path / 'x.db'}")), captcha=CaptchaSection(kind="altcha")
    )
    async with open_app(Loaded(settings, None)) as app:
        client = quart_app(app).test_client()
        paths = (await (await client.get("/openapi.json")).get_json())["paths"]
        (tmp_path / "sdk.mjs").write_bytes(await (await client.get("/sdk.js")).get_data(as_text=False))
    (tmp_path / "record.mjs").write_text(RECORDING)
    asked = {tuple(one.split()) for one in json.loads(await _run(tmp_path, "node", "record.mjs"))}
    doors = {
        (method.upper(), path)
        for path, operations in paths.items()
        for method, operation in operations.items()
        if operation["tags"][0] not in {"operations", "documents", "admin"} and path not in OTHER_WAYS
    }
    missing = [
        f"{method} {path}"
        for method, path in doors
        if not any(one == method and _fits(path, at) for one, at in asked)
    ]
    # The directory's requests may come by GET or POST, and a HEAD changes nothing.
    assert {one for one in missing if not one.split()[1].startswith("/{")} == set()
    assert {"GET /1/check", "POST /1/confirm", "GET /1/server"} <= {" ".join(one) for one in asked}
    unknown = [one for one in asked if not any(one[0] == m and _fits(p, one[1]) for m, p in doors)]
    assert unknown == []


def _fits(pattern: str, path: str) -> bool:
    parts, given = pattern.split("/"), path.split("/")
    return len(parts) == len(given) and all(
        part == one or part.startswith("{") for part, one in zip(parts, given, strict=True)
    )


# --- types
USE = """
import { Refused, Regserver, RoomEvent } from "./sdk";

const server = new Regserver("https://reg.example.org", { language: "fr", ended: (problem: Refused) => problem.code });
export async function story(): Promise<string[]> {
  const answer = await server.signIn("ada", "x");
  if (answer.registration) {
    for await (const event of answer.registration) if (event.eventType === "NAME") console.log(event.additionalData.lastName);
  } else {
    const token: string = answer.token;
  }
  const room: number = await server.rooms.create({ name: "Tea" });
  const contents: string[] = [];
  for await (const event of server.rooms.listen({ since: "", state: (now) => now === "lost" })) {
    if (event.type === "Resumed" && !event.recovered) break;
    if (event.type === "NewPost") contents.push(event.content, event.cursor);
    // @ts-expect-error a notification of somebody who left has no content
    if (event.type === "UserLeftRoom") contents.push(event.content);
  }
  const { currentState, nextSmsRetry } = await server.steps.firstStep({ phone: "+1" });
  // @ts-expect-error a contact is needed
  await server.steps.setUsername({ username: "ada" });
  const free: boolean = await server.directory.check("alice");
  return contents;
}
"""
METHODS = """
import { Regserver } from './sdk.mjs';
const server = new Regserver('http://x/', { WebSocket: class {} });
const methods = (part) => Object.entries(part).filter(([, one]) => typeof one === 'function').map(([name]) => name);
console.log(JSON.stringify(Object.fromEntries(['account', 'rooms', 'steps', 'directory'].map((name) => [name, methods(server[name])]))));
"""


async def test_the_types_are_those_of_the_module(client: Client, tmp_path: Path) -> None:
    built = install_node_peer(PEER)
    own = built / "client"
    own.mkdir(exist_ok=True)
    (own / "sdk.d.ts").write_bytes((await client.ask("GET", "/sdk.d.ts")).body)
    (own / "sdk.mjs").write_bytes((await client.ask("GET", "/sdk.js")).body)
    (own / "methods.mjs").write_text(METHODS)
    methods = json.loads(await _run(own, "node", "methods.mjs"))
    names = [f"type {door}_{name} = Regserver['{door}']['{name}'];"
             for door, found in methods.items() for name in found]  # fmt: skip
    (own / "use.ts").write_text("\n".join([USE, *names]))
    compiler = built / "node_modules" / ".bin" / "tsc"
    assert await _run(own, str(compiler), *OPTIONS, "use.ts") == ""
    shutil.rmtree(own)
