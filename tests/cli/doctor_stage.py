"""What the faults of the doctor's test are arranged with: a healthy installation, certificates, a proxy, a running server."""

import datetime
import shutil
import socket
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import trio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from regserver.adapters.server_key import load_server_key
from regserver.app import Control, run_app
from regserver.config import load
from regserver.store.sqlite import open_sqlite
from tests.cli.shell import Shell
from tests.peer.http import HttpPeer, open_http_peer
from tests.peer.proxy import free_port

ROSTER = '[[user]]\nusername = "ada"\nfirst_name = "Ada"\nlast_name = "L"\npassword_hash = "{}"\n'
HASH = "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA"


async def make_healthy(folder: Path) -> None:
    """A database that a server has used, its key, and a roster."""
    (folder / "roster.toml").write_text(ROSTER.format(HASH))
    key = load_server_key(folder / "test.key")
    async with open_sqlite(folder / "test.db") as store:
        await store.write(lambda transaction: transaction.server_keys.settle(key.fingerprint))


class Stage:
    """One installation, to be broken. settings: as section.key=value, for the server and the doctor."""

    def __init__(self, shell: Shell, stack: AsyncExitStack, nursery: trio.Nursery) -> None:
        self.shell = shell
        self.folder = shell.folder
        self.database = shell.folder / "test.db"
        self.key = shell.folder / "test.key"
        self.roster = shell.folder / "roster.toml"
        self.port = free_port()
        self.outside = 0
        self.stack = stack
        self.nursery = nursery
        self.settings = [
            f"server.data={self.folder}",
            f"server.bind=127.0.0.1:{self.port}",
            f"live.file.path={self.roster}",
            "limits.enabled=true",
            "store.min_free=0B",
        ]

    def given(self, *settings: str) -> None:
        self.settings += settings

    async def http(self, reply: Callable[..., Any]) -> HttpPeer:
        return await self.stack.enter_async_context(open_http_peer(reply))

    async def serve(self, *settings: str) -> None:
        """Runs the server of this installation, with further settings that the doctor is not told."""
        store = f"store.url=sqlite:{self.database}"
        loaded = load(None, [store, *self.settings, "password.memory=4MiB", *settings], {})
        control = Control()
        await self.nursery.start(partial(run_app, loaded, lambda: loaded, loaded.binds, control))

    async def proxy(self, edit: Callable[[list[bytes]], list[bytes]]) -> None:
        """A proxy in front of the server, at `outside`. edit: the lines of the head that it passes on."""
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        self.outside = listener.socket.getsockname()[1]
        self.nursery.start_soon(trio.serve_listeners, partial(_forward, self.port, edit), [listener])

    async def doctor(self, *arguments: str) -> set[str]:
        """The findings that are not well, one a line."""
        done = await self.shell.run("doctor", *arguments, settings=tuple(self.settings))
        assert done.err == ""
        return {line for line in done.out.splitlines() if not line.startswith("ok ")}


async def _forward(port: int, edit: Callable[[list[bytes]], list[bytes]], client: trio.SocketStream) -> None:
    async with client:
        head = b""
        while b"\r\n\r\n" not in head:
            chunk = await client.receive_some()
            if not chunk:
                return
            head += bytes(chunk)
        lines = head.partition(b"\r\n\r\n")[0].split(b"\r\n")
        lines = [line for line in lines if not line.lower().startswith(b"connection: keep-alive")]
        try:
            async with await trio.open_tcp_stream("127.0.0.1", port) as server:
                close = [] if any(b"pgrade" in line for line in lines) else [b"Connection: close"]
                await server.send_all(b"\r\n".join([*edit(lines), *close, b"", b""]))
                async for answered in server:
                    await client.send_all(answered)
        except (trio.BrokenResourceError, OSError):
            return


class Paper(msgspec.Struct, frozen=True):
    """A certificate with its key, as files."""

    certificate: Path
    key: Path


def certify(
    folder: Path,
    *,
    days: int = 100,
    names: tuple[str, ...] = ("localhost",),
    starts: int = -400,
    issuer: str = "",
) -> Paper:
    """A new certificate, by itself or by an issuer that is not there. days: until its end."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    by = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]) if issuer else name
    builder = x509.CertificateBuilder(by, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now + datetime.timedelta(days=starts))
    builder = builder.not_valid_after(now + datetime.timedelta(days=days, hours=1))
    if names:
        alternative = x509.SubjectAlternativeName([x509.DNSName(each) for each in names])
        builder = builder.add_extension(alternative, critical=False)
    paper = Paper(folder / f"cert-{time.time_ns()}.pem", folder / f"key-{time.time_ns()}.pem")
    paper.certificate.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    paper.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, *form))
    paper.key.chmod(0o600)
    return paper


@asynccontextmanager
async def opened_stage(shell: Shell, healthy: Path) -> Any:
    """A copy of a healthy installation."""
    for name in ("test.db", "test.key", "roster.toml"):
        shutil.copy2(healthy / name, shell.folder / name)
    async with trio.open_nursery() as nursery:
        async with AsyncExitStack() as stack:
            yield Stage(shell, stack, nursery)
        nursery.cancel_scope.cancel()


def occupy(stack: AsyncExitStack, port: int) -> None:
    """Another program that listens, and never answers."""
    stack.enter_context(socket.create_server(("127.0.0.1", port)))
