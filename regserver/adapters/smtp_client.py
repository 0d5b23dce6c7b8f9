"""Opening a connection to the mail server with smtplib: TLS, and what its errors mean. Sending is in `smtp`.

smtplib and no other library: nothing speaks SMTP on Trio, and aiosmtplib needs asyncio.

One private attribute of smtplib is set here and nowhere else: `SMTP._host`, the name that certificates are checked for.
Only the constructor sets it, and only when it also connects, where `SmtpSession.cut` could not end it (CPython 3.11 to
3.13). If a later smtplib uses another attribute, TLS fails: it would expect a certificate for the empty name.
"""

import smtplib
import socket
import ssl
from functools import cache
from typing import BinaryIO

from regserver.adapters.mime import quote_server
from regserver.config.smtp_url import SmtpAddress

TLS_SECONDS = 2.0
"""How long a server that did not greet has to answer a TLS handshake."""
MAX_REPLY_BYTES = 64 * 1024
"""Of one reply with all its lines; smtplib bounds a line only, so a server could fill the memory with one reply."""


class _BoundedReplies(smtplib.SMTP):
    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock is not None:
            self.file = _BoundedFile(self.sock.makefile("rb"))
        if isinstance(self.file, _BoundedFile):
            self.file.left = MAX_REPLY_BYTES
        return super().getreply()


class _SmtpsClient(_BoundedReplies, smtplib.SMTP_SSL):
    pass


class _BoundedFile:
    """The lines of one reply. left: bytes that may still come."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.left = MAX_REPLY_BYTES

    def readline(self, size: int = -1) -> bytes:
        line = self._file.readline(size)
        self.left -= len(line)
        if self.left < 0:
            raise OSError("the server's reply does not end")
        return line

    def close(self) -> None:
        self._file.close()


def new_client(address: SmtpAddress, sender: str, timeout_seconds: float) -> smtplib.SMTP:
    """A client that is not connected yet. sender: its domain is sent with EHLO. Raises OSError, see tls_context."""
    ours, context = sender.rpartition("@")[2], tls_context(address)
    if address.tls == "implicit" and context is not None:
        client: smtplib.SMTP = _SmtpsClient(timeout=timeout_seconds, local_hostname=ours, context=context)
    else:
        client = _BoundedReplies(timeout=timeout_seconds, local_hostname=ours)
    if not hasattr(client, "_host"):
        raise RuntimeError("smtplib.SMTP has no _host any more: see regserver.adapters.smtp_client")
    client._host = address.host
    return client


def connect(client: smtplib.SMTP, address: SmtpAddress) -> tuple[int, bytes]:
    """Connects; the code and the text of the greeting. Raises OSError, and names a port where the server waits for TLS."""
    try:
        code, greeting = client.connect(address.host, address.port)
    except smtplib.SMTPServerDisconnected:
        _refuse_implicit(address)
        raise
    if code == -1:  # not SMTP
        _refuse_implicit(address)
    return code, greeting


def _refuse_implicit(address: SmtpAddress) -> None:
    """Raises SMTPNotSupportedError if the server wants TLS where this client waits for its greeting."""
    if address.tls != "implicit" and _begins_with_tls(address):
        host = f"[{address.host}]" if ":" in address.host else address.host
        raise smtplib.SMTPNotSupportedError(
            f"expects TLS from the first byte at this port: write smtps://…{host}:{address.port} in mail.smtp"
            " (smtp:// begins in plain text and then asks for STARTTLS, usually at port 587)"
        )


def _begins_with_tls(address: SmtpAddress) -> bool:
    """Asks on a connection of its own, on which nothing is sent but the handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection((address.host, address.port), TLS_SECONDS) as sock,
            context.wrap_socket(sock, server_hostname=address.host),
        ):
            return True
    except (OSError, ValueError):
        return False


@cache
def tls_context(address: SmtpAddress) -> ssl.SSLContext | None:
    """The context that checks the server's certificate; None without TLS. Raises OSError for a bad `ca` file.

    Made once: reading the system's certificates takes 40 ms, more than the password hash of the sign-up.
    """
    return None if address.tls == "none" else ssl.create_default_context(cafile=address.ca)


def is_loopback(sock: socket.socket | None) -> bool:
    """Whether the connection stays on this machine, where STARTTLS protects from nobody."""
    return sock is not None and sock.getpeername()[0] in {"127.0.0.1", "::1"}


def explain(error: Exception) -> str:
    """The error, and where to look, as the end of a sentence that begins with the server."""
    match error:
        case smtplib.SMTPAuthenticationError():
            reply = quote_server(error.smtp_code, error.smtp_error)
            return f"refuses the user name or password of mail.smtp: {reply}"
        case smtplib.SMTPResponseException():
            return f"refuses us: {quote_server(error.smtp_code, error.smtp_error)}"
        case smtplib.SMTPServerDisconnected():  # raised for every error while smtplib reads
            timed_out = isinstance(error.__context__, TimeoutError)
            if timed_out:
                return "does not answer in time"
            endless = isinstance(error.__context__, OSError) and "does not end" in str(error.__context__)
            return "sends a reply that does not end" if endless else "closed the connection"
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
        case OSError() if not isinstance(error, smtplib.SMTPException):  # which is an OSError too
            return f"cannot be used: {error.strerror or error}"
        case _:
            return str(error)
