"""docs/nodes.md, run: two nodes behind nginx, restarted one after the other by the page's own commands, under clients."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

import httpx
import pytest
import trio
from trio_websocket import ConnectionClosed

from regserver.endpoint import CloseCode
from tests.peer.postgres import Cluster, free_port
from tests.peer.required import find_program
from tests.system.server import ROOT, Message, Person, listening, sign_up

NODES = {"alpha": "192.0.2.11:8080", "beta": "192.0.2.12:8080"}
DOCUMENT = (ROOT / "docs" / "nodes.md").read_text("utf-8")
CHEAP = '\n[live]\nsource = "none"\n[limits]\nenabled = false\n[password]\ntime_cost = 1\nmemory = "4MiB"\n'
SSH = """#!/bin/sh
# ssh NODE systemctl restart regserver | ssh NODE COMMAND: what the guide does on another machine, on this one.
node=$1; shift
cd "{folder}"
if [ "$1" = systemctl ]; then
    if [ -f $node.pid ]; then
        kill -TERM $(cat $node.pid)
        while [ -e /proc/$(cat $node.pid)/exe ]; do sleep 0.05; done
    fi
    setsid {python} -m regserver serve --config $node.toml 2>>$node.log </dev/null >/dev/null &
    echo $! > $node.pid
else
    exec $(echo "$@" | sed "s|http://$node:8080|http://$(cat $node.address)|")
fi
"""


def snippet(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)
    assert found is not None, language
    return found[1]


def replaced(text: str, changes: Mapping[str, str]) -> str:
    for old, new in changes.items():
        assert old in text, f"the snippet has no {old!r}"
        text = text.replace(old, new)
    return text


class Site:
    """Two nodes of the guide, and nginx in front."""

    def __init__(self, folder: Path, store: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._addresses = {name: f"127.0.0.1:{free_port()}" for name in NODES}
        for name, address in self._addresses.items():
            (folder / f"{name}.toml").write_text(self._node(name, address, store) + CHEAP)
            (folder / f"{name}.address").write_text(address)
        ssh = folder / "bin" / "ssh"
        ssh.parent.mkdir()
        ssh.write_text(SSH.format(folder=folder, python=sys.executable))
        ssh.chmod(0o755)
        self.environment = {**os.environ, "PATH": f"{ssh.parent}:{os.environ['PATH']}"}

    def _node(self, name: str, address: str, store: str) -> str:
        changes = {
            NODES["alpha"]: address,
            '"192.0.2.10"': '"127.0.0.1"',
            "postgresql://regserver@db.example.org/regserver?sslmode=verify-full": store,
            '"alpha"': f'"{name}"',
        }
        return replaced(snippet("toml"), changes)

    def nginx(self) -> list[str]:
        """The command that runs it. TLS is replaced: the proxy's own tests have it."""
        folder = self.folder
        site = replaced(
            snippet("nginx"),
            {NODES[name]: address for name, address in self._addresses.items()}
            | {"listen 443 ssl http2;": f"listen 127.0.0.1:{self.port};"}
            | dict.fromkeys(re.findall(r" *ssl_certificate.*\n", snippet("nginx")), ""),
        )
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        paths = "".join(f"{kind}_temp_path {folder}/{kind}; " for kind in kinds)
        whole = (
            f"daemon off; pid {folder}/pid; error_log stderr; worker_processes 1;\n"
            f"events {{ worker_connections 256; }}\nhttp {{ access_log off; {paths}\n{site}\n}}\n"
        )
        (folder / "nginx.conf").write_text(whole)
        return [find_program("nginx-light", "nginx"), "-p", str(folder), "-c", str(folder / "nginx.conf")]

    async def start(self, name: str) -> None:
        await self.shell(f"ssh {name} systemctl restart regserver")
        with trio.fail_after(60):
            await self.shell(
                f"until ssh {name} curl --fail --silent http://{name}:8080/health/ready; do sleep 0.2; done"
            )

    async def shell(self, script: str) -> None:
        await trio.run_process(["sh", "-e", "-c", script], env=self.environment, capture_stdout=True)

    def pid(self, name: str) -> int:
        return int((self.folder / f"{name}.pid").read_text())

    def end(self) -> None:
        """Ends the nodes."""
        for name in NODES:
            with suppress(OSError, ValueError):
                os.kill(self.pid(name), signal.SIGKILL)


@pytest.fixture
async def site(tmp_path: Path, cluster: Cluster, new_database: Callable[[], str]) -> AsyncIterator[Site]:
    site = Site(tmp_path, cluster.url(new_database().rpartition("dbname=")[2]))
    log = (tmp_path / "nginx.log").open("wb")
    nginx = await trio.lowlevel.open_process(site.nginx(), stdout=log, stderr=subprocess.STDOUT, cwd=tmp_path)
    try:
        for name in NODES:
            await site.start(name)
        yield site
    finally:
        log.close()
        site.end()
        nginx.kill()
        with trio.CancelScope(shield=True):
            await nginx.wait()


class Ear:
    """Somebody who listens through nginx and goes on with the cursor. ends: close codes; a handshake that fails is raised."""

    def __init__(self, site: Site, person: Person) -> None:
        self._url = f"ws{site.url.removeprefix('http')}/room/websocket?token={person.token}&since="
        self._cursor = ""
        self.contents: list[str] = []
        self.ends: list[int] = []
        self.begun = trio.Event()

    async def listen(self) -> None:
        """Until it has heard the last post."""
        while "last" not in self.contents:
            async with listening(self._url + self._cursor) as listener:
                try:
                    while "last" not in self.contents:
                        self._take(await listener.message())
                except ConnectionClosed as closed:
                    self.ends.append(closed.reason.code if closed.reason else CloseCode.ABNORMAL)

    def _take(self, frame: Message) -> None:
        self._cursor = frame["cursor"]
        self.begun.set()
        if frame["type"] == "Resumed":
            assert frame["recovered"] is True
        else:
            self.contents.append(frame["content"])


async def test_no_client_is_refused(site: Site) -> None:
    """Each post is answered with 200, by a kept connection or a new one, without being repeated; sockets miss nothing."""
    before = [site.pid(name) for name in NODES]
    async with httpx.AsyncClient(base_url=site.url, timeout=20) as client:
        ann, bob, eve = [await sign_up(client, name) for name in ("ann", "bob", "eve")]
        room = (await ann.post("/room/create", {"otherUsers": [bob.id, eve.id]}))["roomId"]
        ears, asked, over = [Ear(site, eve) for _ in range(3)], list[str](), trio.Event()

        async def write(person: Person, *, anew: bool) -> None:
            number = 0
            while not over.is_set():
                number += 1
                content = f"{person.id}-{number}"
                own = {"connection": "close"} if anew else {}
                headers = {"authorization": f"Bearer {person.token}", **own}
                answer = await client.post(f"/room/post/{room}", json={"content": content}, headers=headers)
                assert answer.status_code == 200, (answer.status_code, answer.text)
                asked.append(content)
                await trio.sleep(0.01)

        async with trio.open_nursery() as nursery:
            for ear in ears:
                nursery.start_soon(ear.listen)
                await ear.begun.wait()
            async with trio.open_nursery() as writing:
                writing.start_soon(partial(write, ann, anew=False))
                writing.start_soon(partial(write, bob, anew=True))
                with trio.fail_after(120):
                    await site.shell(snippet("sh"))
                over.set()
            await ann.post(f"/room/post/{room}", {"content": "last"})
        assert not set(before) & {site.pid(name) for name in NODES}
    for ear in ears:
        assert sorted(ear.contents) == sorted([*asked, "last"])
        assert set(ear.ends) == {CloseCode.GOING_AWAY}
    assert ears[0].contents == ears[1].contents == ears[2].contents
