"""Mail over SMTP (RFC 5321, with STARTTLS or implicit TLS and AUTH): smtplib in threads, bounded in number and time.

A connection is reused while there is mail, since its handshakes cost more than a message. A refusal concerns either the
server, and then all mail waits, or one message, and then only that message waits.

DATA is sent here and not by `SMTP.data`, which does not tell whether the server can have accepted the message.
"""

import contextlib
import smtplib
import socket
from functools import partial

import msgspec
import outcome
import trio

from regserver.adapters.mime import build_message, quote_reply, quote_server
from regserver.adapters.smtp_client import connect, explain, is_loopback, new_client, tls_context
from regserver.adapters.smtp_reply import OUR_FAULT, refuses_us
from regserver.adapters.smtp_sign_in import sign_in
from regserver.config.smtp_url import SmtpAddress
from regserver.ports.mailer import Mail, Mailer, MailFault

CONNECTIONS = 4
CANCEL_GRACE_SECONDS = 2.0
"""How long a cancelled sender still waits for the server's reply once the server has the whole message: what it has accepted shall
not be sent a second time, and those that look for spam take a second or two."""
CUT_SECONDS = 0.2
"""How long it then waits for the thread whose connection is cut. One that still looks for the server is left to itself."""
QUIT_SECONDS = 0.3
"""How long a server may take to say goodbye. These three together are what it can delay a stop by."""
CUT_PAUSE_SECONDS = 0.05


class SmtpTimeouts(msgspec.Struct, frozen=True):
    """Seconds. command: for one command. verdict: for the reply to a message, which filters may delay. total: for all."""

    command: float = 15
    verdict: float = 120
    total: float = 200


class SmtpSession:
    """One connection to the mail server, used by one thread at a time. `cut` may be called from another."""

    def __init__(self, address: SmtpAddress, sender: str, timeouts: SmtpTimeouts) -> None:
        self._address = address
        self._sender = sender
        self._timeouts = timeouts
        self._smtp = smtplib.SMTP()  # until `open`: not connected, so that it can be cut and closed
        self.used = False
        self._is_cut = False
        self.delivered = False
        """Whether the server has the whole message: it may accept it even if no reply arrives."""

    def open(self) -> None:
        """Connects, secures and signs in. Raises MailFault."""
        address = self._address
        try:
            self._smtp = new_client(address, self._sender, self._timeouts.command)
            code, greeting = connect(self._smtp, address)
            if self._is_cut:  # while it connected, and nobody waits any more
                self._smtp.close()
                raise smtplib.SMTPServerDisconnected("connection cut")
            if code != 220:
                raise smtplib.SMTPConnectError(code, greeting)
            self._smtp.ehlo_or_helo_if_needed()
            if address.tls == "starttls":
                self._secure()
            if address.user is not None:
                sign_in(self._smtp, address.user, address.password or "")
        except (OSError, ValueError) as error:
            raise MailFault(f"{self.place} {explain(error)}", server=True) from None

    @property
    def place(self) -> str:
        """The server, as the beginning of a sentence about it."""
        return f"the mail server {self._address.host}:{self._address.port}"

    def _secure(self) -> None:
        if self._smtp.has_extn("starttls"):
            self._smtp.starttls(context=tls_context(self._address))
            self._smtp.ehlo_or_helo_if_needed()
        elif self._address.user is not None or not is_loopback(self._smtp.sock):
            raise smtplib.SMTPNotSupportedError(
                "offers no STARTTLS; use smtps://, or ?tls=none if the way to it is safe by itself"
            )

    def send(self, mail: Mail, message: bytes) -> None:
        """Hands over one message. Raises MailFault; OSError or SMTPServerDisconnected when the connection is gone."""
        self.delivered = False
        if self.used:
            self._expect(*self._smtp.rset())  # the last message may have been refused midway
        self.used = True
        self._expect(*self._smtp.mail(self._sender))
        self._expect(*self._smtp.rcpt(mail.to), mail=mail)
        self._expect(*self._smtp.docmd("DATA"), mail=mail, wanted=354)
        sock = self._smtp.sock
        if sock is None:
            raise smtplib.SMTPServerDisconnected("connection lost")
        sock.settimeout(self._timeouts.verdict)
        body = message if message.endswith(b"\r\n") else message + b"\r\n"
        # RFC 5321, 4.5.2: a dot that begins a line is doubled.
        body = body.replace(b"\r\n.", b"\r\n..")
        self._smtp.send(body)
        # Set before the dot is sent: the server may accept the message before this thread runs again.
        self.delivered = True
        self._smtp.send(b".\r\n")
        self._expect(*self._smtp.getreply(), mail=mail)
        sock.settimeout(self._timeouts.command)

    def _expect(self, code: int, reply: bytes, mail: Mail | None = None, wanted: int = 250) -> None:
        if code == wanted or (wanted == 250 and code == 251):
            return
        if code == -1:
            raise smtplib.SMTPServerDisconnected("connection lost")
        if mail is None or code in {421, 530, 535}:  # it is closing, or wants us to sign in
            raise MailFault(f"{self.place} refuses us: {quote_server(code, reply)}", server=True)
        if refuses_us(code, reply):
            told = quote_reply(code, reply, mail.to)
            raise MailFault(f"{self.place} refuses us ({OUR_FAULT}): {told}", server=True)
        raise MailFault(f"refused: {quote_reply(code, reply, mail.to)}", permanent=code >= 500)

    def close(self) -> None:
        """Sends QUIT and closes. Errors are ignored, a cut among them: every message has its reply."""
        with contextlib.suppress(OSError, smtplib.SMTPException, ValueError):
            self._smtp.quit()
        self._smtp.close()

    def discard(self) -> None:
        """Closes without QUIT."""
        self.cut()
        self._smtp.close()

    def cut(self) -> None:
        """Ends the connection while a thread uses it, whose call then fails at once; one that connects fails when it has."""
        self._is_cut = True
        sock = self._smtp.sock
        if sock is not None:
            with contextlib.suppress(OSError):
                # Not SSLSocket.shutdown: the thread could then go on to send without TLS.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)


class SmtpMailer(Mailer):
    """sender: the address in From and on the envelope."""

    def __init__(self, address: SmtpAddress, sender: str, timeouts: SmtpTimeouts | None = None) -> None:
        self._address = address
        self._sender = sender
        self._timeouts = timeouts or SmtpTimeouts()
        self._limiter = trio.CapacityLimiter(CONNECTIONS)
        self._idle: list[SmtpSession] = []

    async def send(self, mail: Mail) -> None:
        """Sends the mail on an idle connection, or a new one. Raises MailFault."""
        session = self._idle.pop() if self._idle else SmtpSession(self._address, self._sender, self._timeouts)
        reused = session.used
        try:
            await self._run(session, mail)
        except OSError as error:  # SMTPException is one too
            session.discard()
            if session.delivered:
                raise MailFault("the connection was lost before the server's verdict") from None
            if not reused:
                raise MailFault(f"{session.place} {explain(error)}", server=True) from None
            await self.send(mail)  # the server had closed the idle connection, so nothing was sent
        except MailFault as fault:
            if not fault.server:
                self._idle.append(session)
                raise
            session.discard()
            if not reused:
                raise
            await self.send(mail)  # the server may refuse only this connection, after many messages

    async def close_idle(self) -> None:
        """Closes the idle connections, within QUIT_SECONDS."""
        idle, self._idle = self._idle, []
        with trio.CancelScope(shield=True):
            async with trio.open_nursery() as nursery:
                for session in idle:
                    nursery.start_soon(self._close, session)

    async def _close(self, session: SmtpSession) -> None:
        done = trio.Event()

        async def close() -> None:
            await trio.to_thread.run_sync(session.close, limiter=self._limiter)
            done.set()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(close)
            with trio.move_on_after(QUIT_SECONDS):
                await done.wait()
            await _end(session, done)

    async def _run(self, session: SmtpSession, mail: Mail) -> None:
        """Sends one message through one session in a thread.

        The thread cannot be cancelled, but its connection can be cut: after the total time, and when this task is
        cancelled before the server has the whole message. A task cancelled later waits CANCEL_GRACE_SECONDS for the
        reply, so that an accepted message is not sent twice. While it connects, there is nothing to cut yet: a cancelled
        task leaves it, and it sends nothing any more.
        """
        done = trio.Event()
        result: list[outcome.Outcome[None]] = []
        kept = trio.CancelScope(shield=True)

        def work() -> None:
            message = _build(mail, self._sender)
            if not session.used:
                session.open()
            session.send(mail, message)

        async def run() -> None:
            with kept:
                working = partial(trio.to_thread.run_sync, abandon_on_cancel=True, limiter=self._limiter)
                result.append(await working(outcome.capture, work))
            done.set()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(run)
            try:
                with trio.move_on_after(self._timeouts.total):
                    await done.wait()
            except trio.Cancelled:
                await _hurry(session, done)
                kept.cancel()
                if not result or isinstance(result[0], outcome.Error):
                    session.discard()
                    raise
            else:
                with trio.CancelScope(shield=True):
                    await _end(session, done)
        result[0].unwrap()
        self._idle.append(session)


def _build(mail: Mail, sender: str) -> bytes:
    try:
        return build_message(mail, sender)
    except ValueError as error:
        raise MailFault(f"not a message that can be sent: {error}", permanent=True) from None


async def _hurry(session: SmtpSession, done: trio.Event) -> None:
    """Waits for the thread of a cancelled task, for a while."""
    with trio.CancelScope(shield=True):
        if session.delivered:
            with trio.move_on_after(CANCEL_GRACE_SECONDS):
                await done.wait()
        with trio.move_on_after(CUT_SECONDS):
            await _end(session, done)


async def _end(session: SmtpSession, done: trio.Event) -> None:
    """Waits for the thread, and cuts its connection while it runs."""
    while not done.is_set():
        session.cut()
        with trio.move_on_after(CUT_PAUSE_SECONDS):  # while it connects, there is nothing to cut yet
            await done.wait()
