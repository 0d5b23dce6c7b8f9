"""A mail server for the tests: speaks SMTP on loopback, and misbehaves in the ways that mail servers do.

`mood` may be changed at any time and holds for what comes next. The server can go away and come back on its port.
"""

import base64
import email
import email.policy
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from typing import Literal

import msgspec
import trio

Mood = Literal[
    "well",
    "stall at greeting",
    "closing",  # 421 as its greeting
    "one message a connection",  # 421 to the next
    "refuse sender",
    "deny relaying to recipient",  # refuses us, whoever it is
    "endless reply",
    "refuse recipient",  # for good, quoting the address and the link
    "defer recipient",  # greylisting
    "refuse content",
    "stall after data",
    "slow verdict",  # says yes when the test tells it to decide
    "stall at quit",
    "drop before data",
    "drop after data",  # takes the whole message, keeps it, and hangs up without a word
]

REPLIES = {
    "refuse sender": b"553 5.7.1 sender address is not allowed here",
    "refuse recipient": b"550 5.1.1 <ada@example.org>: user ada unknown, see https://example.net/x?y=Secret123",
    "deny relaying to recipient": b"554 5.7.1 <ada@example.org>: Relay access denied",
    "defer recipient": b"451 4.7.1 greylisted, try again later",
    "refuse content": b"554 5.7.1 message looks like spam",
}


class Received(msgspec.Struct, frozen=True):
    """A message that the server has wholly got. accepted: it also said so."""

    sender: str
    recipient: str
    data: bytes
    secure: bool
    user: str | None
    accepted: bool

    @property
    def message(self) -> EmailMessage:
        parsed = email.message_from_bytes(self.data, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed

    def part(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        assert part is not None
        content = part.get_content()
        assert isinstance(content, str)
        return content


class _HungUpError(Exception):
    """One side is gone."""


class SmtpPeer:
    """accounts: user → password; when there are any, nobody sends without. starttls: offered when there is a context."""

    def __init__(
        self,
        *,
        context: ssl.SSLContext | None = None,
        implicit: bool = False,
        accounts: dict[str, str] | None = None,
        mechanism: Literal["PLAIN", "LOGIN"] = "PLAIN",
    ) -> None:
        self._mechanism = mechanism.encode()
        self.mood: Mood = "well"
        self.received: list[Received] = []
        self.connections = 0
        self.port = 0
        self._context = context
        self._implicit = implicit
        self._accounts = accounts or {}
        self.decided = trio.Event()
        self._changed = trio.Event()
        self._scope = trio.CancelScope()

    @property
    def accepted(self) -> list[Received]:
        return [received for received in self.received if received.accepted]

    async def wait_received(self, count: int) -> None:
        with trio.fail_after(60):
            while len(self.received) < count:
                await self._changed.wait()

    async def wait_connections(self, count: int) -> None:
        with trio.fail_after(60):
            while self.connections < count:
                await self._changed.wait()

    def _change(self) -> None:
        self._changed.set()
        self._changed = trio.Event()

    async def start(self, nursery: trio.Nursery) -> None:
        """Listens: on a free port the first time, on the same one later."""
        self._scope = trio.CancelScope()
        listeners = await trio.open_tcp_listeners(self.port, host="127.0.0.1")
        self.port = listeners[0].socket.getsockname()[1]
        nursery.start_soon(self._serve, listeners)

    def decide(self) -> None:
        """The verdict of the mood "slow verdict": yes."""
        self.decided.set()

    def stop(self) -> None:
        """Goes away, with all its connections."""
        self._scope.cancel()

    async def _serve(self, listeners: list[trio.SocketListener]) -> None:
        with self._scope:
            try:
                await trio.serve_listeners(self._connection, listeners)
            finally:
                for listener in listeners:
                    listener.socket.close()

    async def _connection(self, stream: trio.SocketStream) -> None:
        self.connections += 1
        self._change()
        secured: trio.abc.Stream = stream
        if self._implicit:
            assert self._context is not None
            secured = trio.SSLStream(stream, self._context, server_side=True)
        try:
            await _Dialogue(self, secured, secure=self._implicit).run()
        except (_HungUpError, trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        finally:
            await trio.aclose_forcefully(stream)

    def keep(self, received: Received) -> None:
        self.received.append(received)
        self._change()


class _Dialogue:
    """One connection."""

    def __init__(self, peer: SmtpPeer, stream: trio.abc.Stream, *, secure: bool) -> None:
        self._peer = peer
        self._stream = stream
        self._secure = secure
        self._rest = b""
        self._user: str | None = None
        self._sender = self._recipient = ""

    async def run(self) -> None:
        if self._peer.mood == "stall at greeting":
            await trio.sleep_forever()
        if self._peer.mood == "closing":
            await self._say(b"421 4.3.2 closing for maintenance")
            return
        await self._say(b"220 peer.example ESMTP")
        while True:
            line = await self._line()
            verb, _, argument = line.partition(b" ")
            if not await self._command(verb.upper(), argument):
                return

    async def _command(self, verb: bytes, argument: bytes) -> bool:
        match verb:
            case b"EHLO" | b"HELO":
                await self._ehlo()
            case b"STARTTLS":
                await self._starttls()
            case b"AUTH":
                await self._auth(argument)
            case b"MAIL":
                await self._mail(argument)
            case b"RCPT":
                await self._rcpt(argument)
            case b"DATA":
                await self._data()
            case b"RSET" if self._peer.mood == "one message a connection":
                await self._say(b"421 4.7.0 enough of this connection")
                return False
            case b"RSET" | b"NOOP":
                await self._say(b"250 2.0.0 done")
            case b"QUIT" if self._peer.mood == "stall at quit":
                await trio.sleep_forever()
            case b"QUIT":
                await self._say(b"221 2.0.0 bye")
                return False
            case _:
                await self._say(b"500 5.5.1 unknown command")
        return True

    async def _ehlo(self) -> None:
        offers = [b"peer.example", b"SIZE 1000000"]
        if self._peer._context is not None and not self._secure:
            offers.append(b"STARTTLS")
        if self._peer._accounts and (self._secure or self._peer._context is None):
            offers.append(b"AUTH " + self._peer._mechanism)
        for offer in offers[:-1]:
            await self._say(b"250-" + offer)
        await self._say(b"250 " + offers[-1])

    async def _starttls(self) -> None:
        assert self._peer._context is not None
        await self._say(b"220 2.0.0 go ahead")
        self._stream = trio.SSLStream(self._stream, self._peer._context, server_side=True)
        self._secure = True

    async def _auth(self, argument: bytes) -> None:
        kind, _, initial = argument.partition(b" ")
        assert kind == self._peer._mechanism
        if kind == b"PLAIN":
            _, user, password = base64.b64decode(initial).decode().split("\0")
        elif initial:
            return await self._say(b"501 5.5.2 no initial response, please")
        else:
            user, password = await self._prompt(b"Username:"), await self._prompt(b"Password:")
        if self._peer._accounts.get(user) == password:
            self._user = user
            await self._say(b"235 2.7.0 welcome")
        else:
            await self._say(b"535 5.7.8 user name or password is wrong")

    async def _prompt(self, words: bytes) -> str:
        await self._say(b"334 " + base64.b64encode(words))
        return base64.b64decode(await self._line()).decode()

    async def _mail(self, argument: bytes) -> None:
        if self._peer.mood == "refuse sender":
            await self._say(REPLIES["refuse sender"])
        elif self._peer._accounts and self._user is None:
            await self._say(b"530 5.7.0 authentication required")
        else:
            self._sender = argument.partition(b"<")[2].partition(b">")[0].decode()
            await self._say(b"250 2.1.0 fine")

    async def _rcpt(self, argument: bytes) -> None:
        while self._peer.mood == "endless reply":
            await self._say(b"250-" + b"x" * 500)
        if reply := REPLIES.get(self._peer.mood if "recipient" in self._peer.mood else ""):
            await self._say(reply)
        else:
            self._recipient = argument.partition(b"<")[2].partition(b">")[0].decode()
            await self._say(b"250 2.1.5 fine")

    async def _data(self) -> None:
        if self._peer.mood == "drop before data":
            raise _HungUpError
        await self._say(b"354 go on")
        lines = []
        while (line := await self._line()) != b".":
            lines.append(line.removeprefix(b".") if line.startswith(b".") else line)
        mood = self._peer.mood
        if mood == "refuse content":
            return await self._say(REPLIES[mood])
        accepted = mood not in {"drop after data", "stall after data"}
        received = Received(
            self._sender, self._recipient, b"\r\n".join(lines), self._secure, self._user, accepted
        )
        self._peer.keep(received)
        if mood == "drop after data":
            raise _HungUpError
        if mood == "stall after data":
            await trio.sleep_forever()
        if mood == "slow verdict":
            await self._peer.decided.wait()
        return await self._say(b"250 2.0.0 accepted")

    async def _say(self, line: bytes) -> None:
        await self._stream.send_all(line + b"\r\n")

    async def _line(self) -> bytes:
        while b"\r\n" not in self._rest:
            chunk = await self._stream.receive_some(65536)
            if not chunk:
                raise _HungUpError
            self._rest += chunk
        line, _, self._rest = self._rest.partition(b"\r\n")
        return line


@asynccontextmanager
async def open_smtp_peer(
    *,
    context: ssl.SSLContext | None = None,
    implicit: bool = False,
    accounts: dict[str, str] | None = None,
    mechanism: Literal["PLAIN", "LOGIN"] = "PLAIN",
) -> AsyncIterator[tuple[SmtpPeer, trio.Nursery]]:
    """A running mail server, and the nursery to start it again in."""
    peer = SmtpPeer(context=context, implicit=implicit, accounts=accounts, mechanism=mechanism)
    async with trio.open_nursery() as nursery:
        await peer.start(nursery)
        yield peer, nursery
        nursery.cancel_scope.cancel()
