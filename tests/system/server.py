"""The started server: a real process on a real port, with its log at hand."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import trio
from trio_websocket import ConnectionClosed, WebSocketConnection, wrap_client_stream
from wsproto.utilities import LocalProtocolError

from regserver import cli, testing

ROOT = Path(__file__).parents[2]
ROSTER = ROOT / "config" / "roster.example.toml"

# Cheap hashes and no limits: what is tested here is neither.
BASIC = (
    "server.bind=127.0.0.1:0",
    "log.format=json",
    "limits.enabled=false",
    "password.time_cost=1",
    "password.memory=4MiB",
)

LogLine = dict[str, Any]


class Server:
    """One server process. `lines` is everything it has logged so far."""

    def __init__(self, process: trio.Process) -> None:
        self.process = process
        self.url = ""
        self.lines: list[LogLine] = []
        self.printed = ""
        self.ended = False
        self._grown = trio.Event()

    @property
    def socket_url(self) -> str:
        return "ws" + self.url.removeprefix("http")

    async def wait_line(self, wanted: Callable[[LogLine], bool]) -> LogLine:
        """The first logged line that is wanted, also one of the past."""
        return (await self.wait_lines(wanted, 1))[0]

    async def wait_lines(self, wanted: Callable[[LogLine], bool], count: int) -> list[LogLine]:
        """All logged lines that are wanted, once there are so many: an answer may come before the line is read."""
        seen = 0
        found: list[LogLine] = []
        while True:
            found += filter(wanted, self.lines[seen:])
            if len(found) >= count:
                return found
            seen = len(self.lines)
            await self._grown.wait()

    async def wait_serving(self) -> str:
        """The address, once it listens; fails at once when the process ends instead."""
        while not self.ended:
            for line in self.lines:
                if "is serving" in line["message"]:
                    return str(line["message"].split()[-1])
            await self._grown.wait()
        raise AssertionError(f"the server did not start:\n{self.printed}")

    async def read_log(self) -> None:
        assert self.process.stderr is not None
        rest = b""
        async for chunk in self.process.stderr:
            rest += chunk
            *complete, rest = rest.split(b"\n")
            for text in complete:
                self._take(text)
            self._grow()
        self.ended = True
        self._grow()

    def _grow(self) -> None:
        self._grown.set()
        self._grown = trio.Event()

    def _take(self, text: bytes) -> None:
        self.printed += text.decode() + "\n"
        try:
            self.lines.append(json.loads(text))
        except ValueError:
            self.lines.append({"message": text.decode()})

    def client(self) -> httpx.AsyncClient:
        return client_of(self)

    async def stop(self, number: int = signal.SIGTERM) -> int:
        """Sends the signal and waits; the exit code."""
        self.process.send_signal(number)
        return await self.process.wait()


@contextlib.asynccontextmanager
async def open_server(
    folder: Path, settings: Sequence[str] = (), *, environment: dict[str, str] | None = None
) -> AsyncIterator[Server]:
    """Starts `regserver serve` with `settings` as section.key=value, its database in `folder`; ends it at the end."""
    given = (*BASIC, f"store.url=sqlite:{folder / 'test.db'}", f"live.file.path={ROSTER}", *settings)
    command = [sys.executable, "-m", "regserver", "serve"]
    for setting in given:
        command += ["--set", setting]
    variables = {**os.environ, **(environment or {})}
    process = await trio.lowlevel.open_process(command, stderr=subprocess.PIPE, cwd=folder, env=variables)
    server = Server(process)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(server.read_log)
            with trio.fail_after(60):
                server.url = await server.wait_serving()
            yield server
            if process.returncode is None:
                process.terminate()
            with trio.fail_after(60):
                await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
        # It is dead: nothing of it may be left behind, also when we are cancelled.
        with trio.CancelScope(shield=True):
            await process.wait()
            assert process.stderr is not None
            await process.stderr.aclose()


AnyServer = Server | testing.TestedServer
"""One in a process of its own, or in the test's."""


def kept_store(folder: Path) -> dict[str, str]:
    """The section `store` of servers in the test's process that follow each other on one database."""
    return {"url": f"sqlite:{folder / 'test.db'}"}


FROM_ROSTER = {"source": "file", "file": {"path": str(ROSTER)}}
"""The section `live` of a server in the test's process that knows the people of the roster."""


def client_of(server: AnyServer) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=server.url, timeout=60)


@contextlib.asynccontextmanager
async def local_server(
    **settings: Mapping[str, Any],
) -> AsyncIterator[tuple[testing.TestedServer, httpx.AsyncClient]]:
    """A server in this process and a client of it, for what needs no process, log or file of its own. settings: by section."""
    async with testing.server(**settings) as server, client_of(server) as client:
        yield server, client


async def run_command(
    *arguments: str, folder: Path, given: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """Runs `regserver` with these arguments to its end. given: its standard input."""
    return await trio.run_process(
        [sys.executable, "-m", "regserver", *arguments],
        stdin=given,
        cwd=folder,
        capture_stdout=True,
        capture_stderr=True,
        check=False,
    )


async def run_here(*arguments: str, folder: Path) -> str:
    """What a command prints that succeeds, run in this process: a new one takes a second to start."""
    printed = io.StringIO()

    def run() -> int:
        with contextlib.redirect_stdout(printed):
            return cli.run([*arguments, "--set", f"server.data={folder}"])

    assert await trio.to_thread.run_sync(run) == 0, arguments
    return printed.getvalue()


# --- what many tests do
Message = dict[str, Any]


class Listener:
    """A WebSocket client that keeps what it hears. `code` is the close code once it is over."""

    def __init__(self, connection: WebSocketConnection) -> None:
        self._connection = connection
        self.texts: list[str] = []

    async def text(self) -> str:
        with trio.fail_after(30):
            message = await self._connection.get_message()
        assert isinstance(message, str)
        self.texts.append(message)
        return message

    async def message(self) -> Message:
        decoded = json.loads(await self.text())
        assert isinstance(decoded, dict)
        return decoded

    async def say(self, message: str | bytes) -> None:
        await self._connection.send_message(message)

    async def close_code(self) -> int:
        """Waits for the end; fails when another message comes first."""
        with pytest.raises(ConnectionClosed) as caught:
            raise AssertionError(f"a message instead of the close: {await self.text()}")
        assert caught.value.reason is not None
        return int(caught.value.reason.code)


@contextlib.asynccontextmanager
async def listening(url: str, headers: Sequence[tuple[bytes, bytes]] = ()) -> AsyncIterator[Listener]:
    """A client on `url`. The stream is ours to close: the library leaves it open when the server closes first."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    stream = await trio.open_tcp_stream(parts.hostname, parts.port)
    try:
        async with trio.open_nursery() as nursery:
            connection = await wrap_client_stream(
                nursery, stream, parts.netloc, target, extra_headers=list(headers)
            )
            yield Listener(connection)
            with trio.move_on_after(5):
                await connection.aclose()
            nursery.cancel_scope.cancel()
    except* LocalProtocolError:
        pass  # the library answers a ping though it is closing
    finally:
        await trio.aclose_forcefully(stream)


class Person:
    """Somebody who signed up at the room door."""

    def __init__(self, client: httpx.AsyncClient, user_id: int, token: str) -> None:
        self._client = client
        self.id = user_id
        self.token = token

    async def call(self, method: str, path: str, body: object = None) -> httpx.Response:
        return await self._client.request(
            method, path, json=body, headers={"authorization": f"Bearer {self.token}"}
        )

    async def get(self, path: str) -> Any:
        return (await self.call("GET", path)).json()

    async def post(self, path: str, body: object = None) -> Any:
        response = await self.call("POST", path, body)
        assert response.status_code in {200, 204}, response.text
        return response.json() if response.content else None


async def sign_up(client: httpx.AsyncClient, username: str) -> Person:
    response = await client.post(
        "/login/register",
        json={
            "username": username,
            "email": f"{username}@example.org",
            "password": f"{username}'s long password",
        },
    )
    assert response.status_code == 201, response.text
    body = response.json()
    return Person(client, body["userId"], body["token"])
