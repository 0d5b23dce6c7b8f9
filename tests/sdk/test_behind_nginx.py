"""The client in Node over TLS, behind nginx that nobody told the server of, with a server that is killed and comes back."""

import json
import signal
from pathlib import Path

import pytest

from tests.browser.test_proxy import UPGRADE, running_nginx
from tests.peer.proxy import free_port
from tests.sdk.client import sdk_script
from tests.serving.conftest import certificate
from tests.system.server import Person, open_server, sign_up

__all__ = ["certificate"]

SCRIPT = """
const server = new Regserver(%s, { WebSocket, token: %s });
let taken = 0;
for await (const event of server.rooms.listen({ state: (now) => say(now) })) say(`event-${++taken}`, event);
"""
REGISTRATION = """
const server = new Regserver(%s, { WebSocket });
const { registration } = await server.signIn('ada', 'correct horse battery');
const types = [];
for await (const { eventType } of registration) types.push(eventType);
say('types', types);
say('me', (await server.account.info()).username);
"""


async def test_nothing_is_missed_and_a_registration_is_watched(
    tmp_path: Path, certificate: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NODE_EXTRA_CA_CERTS", certificate[0])
    bind = (f"server.bind=127.0.0.1:{free_port()}",)
    async with open_server(tmp_path, bind) as server, server.client() as http:
        with running_nginx(tmp_path, certificate, server.url, UPGRADE) as url:
            async with sdk_script(server.url, REGISTRATION % json.dumps(url)) as script:
                assert (await script.said("types"))[-2:] == ["NAME", "AUTHENTICATION"]
                assert await script.said("me") == "ada"
            ann, bob = [await sign_up(http, name) for name in ("ann", "bob")]
            room = (await ann.post("/room/create", {"otherUsers": [bob.id]}))["roomId"]
            async with sdk_script(server.url, SCRIPT % (json.dumps(url), json.dumps(bob.token))) as script:
                assert (await script.said("event-1"))["type"] == "Resumed"
                await ann.post(f"/room/post/{room}", {"content": "1"})
                assert (await script.said("event-2"))["content"] == "1"
                await server.stop(signal.SIGKILL)
                await script.said("lost")
                async with open_server(tmp_path, bind) as second, second.client() as again:
                    await Person(again, ann.id, ann.token).post(f"/room/post/{room}", {"content": "2"})
                    resumed = await script.said("event-3")
                    assert (resumed["type"], resumed["recovered"]) == ("Resumed", True)
                    assert (await script.said("event-4"))["content"] == "2"
