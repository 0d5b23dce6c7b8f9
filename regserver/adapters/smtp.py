"""Mail over SMTP (RFC 5321, with STARTTLS or implicit TLS and AUTH): smtplib in threads, bounded in number and time.

A connection is kept for as long as there is more to send, since the handshakes cost more than the message. What was
refused is told apart by whose fault it is: the server's (all mail waits) or the message's (only that one does).
"""

import contextlib
import smtplib
import socket
import ssl
from functools import cache

import msgspec
import outcome
import trio

from regserver.adapters.mime import build_message, quote_reply, quote_server
from regserver.config.smtp_url import SmtpAddress
from regserver.ports.mailer import Mail, Mailer, MailFault

CONNECTIONS = 4
CANCEL_GRACE_SECONDS = 4.0
"""How long a cancelled sender still waits for the server's verdict on a message that is wholly with it."""


class Patience(msgspec.Struct, frozen=True):
    """Seconds: for each command; for the verdict after the message (a filter may look at it); for all of it."""

    command: float = 15
    verdict: float = 120
    total: float = 200


class SmtpSession:
    """One connection to the mail server, used by one thread at a time. `cut` may be called from another."""

    def __init__(self, address: SmtpAddress, sender: str, patience: Patience) -> None:
        self._address = address
        self._sender = sender
        self._patience = patience
        self._smtp: smtplib.SMTP = smtplib.SMTP(
            timeout=patience.command, local_hostname=sender.rpartition("@")[2]
        )
        self.used = False
        self.delivered = False
        """The whole message is with the server: it may be accepted whatever we hear from now on."""

    def open(self) -> None:
        """Connects, secures and signs in. Raises MailFault."""
        address = self._address
        try:
            context = tls_context(address)
            if address.tls == "implicit" and context is not None:
                self._smtp = smtplib.SMTP_SSL(
                    timeout=self._patience.command,
                    local_hostname=self._sender.rpartition("@")[2],
                    context=context,
                )
            # smtplib checks certificates against the name that its constructor would have been given.
            self._smtp._host = address.host  # type: ignore[attr-defined]
            code, greeting = self._smtp.connect(address.host, address.port)
            if code != 220:
                raise smtplib.SMTPConnectError(code, greeting)
            self._smtp.ehlo_or_helo_if_needed()
            if address.tls == "starttls":
                self._secure(context)
            if address.user is not None:
                self._smtp.login(address.user, address.password or "")
        except (OSError, ValueError) as error:
            raise MailFault(f"{self.place} {explain(error)}", server=True) from None

    @property
    def place(self) -> str:
        return f"the mail server {self._address.host}:{self._address.port}"

    def _secure(self, context: ssl.SSLContext | None) -> None:
        if self._smtp.has_extn("starttls"):
            self._smtp.starttls(context=context)
            self._smtp.ehlo_or_helo_if_needed()
        elif self._address.user is not None or not _is_loopback(self._smtp.sock):
            raise smtplib.SMTPNotSupportedError(
                "offers no STARTTLS; use smtps://, or ?tls=none if the way to it is safe by itself"
            )

    def send(self, mail: Mail, message: bytes) -> None:
        """Hands one message over. Raises MailFault; OSError or SMTPServerDisconnected when the connection is gone."""
        self.delivered = False
        if self.used:
            self._expect(*self._smtp.rset(), server=True)  # whatever became of the last message
        self.used = True
        self._expect(*self._smtp.mail(self._sender), server=True)
        self._expect(*self._smtp.rcpt(mail.to), mail=mail)
        self._expect(*self._smtp.docmd("DATA"), mail=mail, wanted=354)
        sock = self._smtp.sock
        if sock is None:
            raise smtplib.SMTPServerDisconnected("connection lost")
        sock.settimeout(self._patience.verdict)
        body = message if message.endswith(b"\r\n") else message + b"\r\n"
        # RFC 5321, 4.5.2: a dot that begins a line is doubled.
        body = body.replace(b"\r\n.", b"\r\n..")
        self._smtp.send(body)
        self.delivered = True  # said before the dot is sent: after it nobody could say it in time
        self._smtp.send(b".\r\n")
        self._expect(*self._smtp.getreply(), mail=mail)
        sock.settimeout(self._patience.command)

    def _expect(
        self, code: int, reply: bytes, *, mail: Mail | None = None, wanted: int = 250, server: bool = False
    ) -> None:
        if code == wanted or (wanted == 250 and code == 251):
            return
        if code == -1:
            raise smtplib.SMTPServerDisconnected("connection lost")
        if server or mail is None or code in {421, 530, 535}:  # closing, or it wants to know who we are
            raise MailFault(f"{self.place} refuses us: {quote_server(code, reply)}", server=True)
        raise MailFault(f"refused: {quote_reply(code, reply, mail.to)}", permanent=code >= 500)

    def close(self) -> None:
        """Says goodbye; whatever comes of it, the message is gone by now."""
        with contextlib.suppress(OSError, smtplib.SMTPException, ValueError):
            if self._smtp.sock is not None:
                self._smtp.sock.settimeout(1)
            self._smtp.quit()
        self._smtp.close()

    def discard(self) -> None:
        """Closes without a word."""
        self.cut()
        self._smtp.close()

    def cut(self) -> None:
        """Ends the connection under the thread that uses it: its call fails at once."""
        sock = self._smtp.sock
        if sock is not None:
            with contextlib.suppress(OSError):
                # Of the plain socket: the TLS one would go on without TLS.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)


class SmtpMailer(Mailer):
    """sender: the address in From and on the envelope."""

    def __init__(self, address: SmtpAddress, sender: str, patience: Patience | None = None) -> None:
        self._address = address
        self._sender = sender
        self._patience = patience or Patience()
        self._limiter = trio.CapacityLimiter(CONNECTIONS)
        self._idle: list[SmtpSession] = []

    async def send(self, mail: Mail) -> None:
        session = self._idle.pop() if self._idle else self._new()
        reused = session.used
        try:
            await self._run(session, mail)
        except OSError as error:  # SMTPException is one too
            session.discard()
            if session.delivered:
                raise MailFault("the connection was lost before the server's verdict") from None
            if not reused:
                raise MailFault(f"{session.place} {explain(error)}", server=True) from None
            await self.send(mail)  # the server had closed a connection that lay idle: nothing was sent
        except MailFault as fault:
            if not fault.server:
                self._idle.append(session)
                raise
            session.discard()
            if not reused:
                raise
            await self.send(mail)  # it may only have had enough of this connection

    async def close_idle(self) -> None:
        with trio.CancelScope(shield=True):  # saying goodbye takes a second at most
            while self._idle:
                await trio.to_thread.run_sync(self._idle.pop().close, limiter=self._limiter)

    def _new(self) -> SmtpSession:
        return SmtpSession(self._address, self._sender, self._patience)

    async def _run(self, session: SmtpSession, mail: Mail) -> None:
        """One message through one session in a thread.

        The thread cannot be cancelled, only its connection cut. That is done when the time is up, and when we are
        cancelled while the server cannot have accepted anything yet; otherwise its verdict is waited for a moment.
        """
        done = trio.Event()
        result: list[outcome.Outcome[None]] = []

        def work() -> None:
            message = _build(mail, self._sender)
            if not session.used:
                session.open()
            session.send(mail, message)

        async def run() -> None:
            with trio.CancelScope(shield=True):
                result.append(await trio.to_thread.run_sync(outcome.capture, work, limiter=self._limiter))
            done.set()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(run)
            try:
                with trio.move_on_after(self._patience.total):
                    await done.wait()
            except trio.Cancelled:
                if session.delivered:
                    with trio.CancelScope(shield=True), trio.move_on_after(CANCEL_GRACE_SECONDS):
                        await done.wait()
                await _end(session, done)
                if isinstance(result[0], outcome.Error):
                    session.discard()
                    raise
            else:
                await _end(session, done)
        result[0].unwrap()
        self._idle.append(session)


def _build(mail: Mail, sender: str) -> bytes:
    try:
        return build_message(mail, sender)
    except ValueError as error:
        raise MailFault(f"not a message that can be sent: {error}", permanent=True) from None


async def _end(session: SmtpSession, done: trio.Event) -> None:
    """Waits for the thread, whose connection is cut if it is still at work."""
    with trio.CancelScope(shield=True):
        while not done.is_set():
            session.cut()
            with trio.move_on_after(0.2):  # it may just be connecting: there is nothing to cut before that
                await done.wait()


@cache
def tls_context(address: SmtpAddress) -> ssl.SSLContext | None:
    """How to check the server's certificate; None where TLS is not wanted. Raises OSError.

    Made once: reading the system's certificates takes 40 ms, more than the password hash of the sign-up.
    """
    return None if address.tls == "none" else ssl.create_default_context(cafile=address.ca)


def _is_loopback(sock: socket.socket | None) -> bool:
    return sock is not None and sock.getpeername()[0] in {"127.0.0.1", "::1"}


def _explain_smtp(error: smtplib.SMTPException) -> str:
    match error:
        case smtplib.SMTPAuthenticationError():
            reply = quote_server(error.smtp_code, error.smtp_error)
            return f"refuses the user name or password of mail.smtp: {reply}"
        case smtplib.SMTPResponseException():
            return f"refuses us: {quote_server(error.smtp_code, error.smtp_error)}"
        case smtplib.SMTPServerDisconnected():  # smtplib's word for whatever happened while it read
            timed_out = isinstance(error.__context__, TimeoutError)
            return "does not answer in time" if timed_out else "closed the connection"
        case _:
            return str(error)


def explain(error: Exception) -> str:
    """What went wrong with the server, and where to look, in words for its operator."""
    match error:
        case smtplib.SMTPException():
            return _explain_smtp(error)
        case ssl.SSLCertVerificationError():
            return f"shows a certificate that is not trusted: {error.verify_message} (mail.smtp, ?ca=FILE)"
        case ssl.SSLError():
            return f"cannot agree on TLS: {error.reason or error} (smtp:// is STARTTLS, smtps:// is implicit TLS)"
        case socket.gaierror():
            return "has an unknown name (mail.smtp)"
        case TimeoutError():
            return "does not answer in time"
        case ConnectionRefusedError():
            return "refuses connections: is it running, and is the port right?"
        case OSError():
            return f"cannot be used: {error.strerror or error}"
        case _:
            return str(error)
