"""Listening sockets (TCP, unix, inherited), TLS, and the accept loop.

All addresses are bound before any is served. A failing bind names the address and the reason.
"""

import contextlib
import errno
import logging
import os
import socket
import ssl
import stat
from collections.abc import Callable
from typing import Any, Final

import msgspec
import trio

from regserver.serving.limit import FrontLimits

_log = logging.getLogger(__name__)

_ACCEPTS_PER_TURN: Final = 64
_EXHAUSTED: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_EVERY_ADDRESS: Final = "[::]:"
_IPV6_ALONE: Final = "?only=ipv6"
_EXHAUSTED_SECONDS: Final = 0.1
_KEEPALIVE_SECONDS: Final = 60
# The kernel drops a peer that acknowledges nothing for so long; a non-blocking send would not notice it.
_UNACKED_MILLISECONDS: Final = 45_000


class BindError(Exception):
    """An address cannot be bound. address: as configured. reason: one line for the operator."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(f"cannot listen on {address}: {reason}")
        self.address = address
        self.reason = reason


class Listener(msgspec.Struct, frozen=True):
    """A listening socket. url: for clients. path: of the unix socket to remove at the end, or ""."""

    sock: socket.socket
    url: str
    path: str = ""

    def close(self) -> None:
        """Stops listening, which ends `accept`. May be called twice."""
        if self.sock.fileno() < 0:
            return
        trio.lowlevel.notify_closing(self.sock)
        self.sock.close()
        if self.path:
            with contextlib.suppress(OSError):
                os.unlink(self.path)


async def open_listeners(binds: list[str], limits: FrontLimits, *, tls: bool) -> list[Listener]:
    """Binds all of "host:port", "[v6]:port", "unix:/path?mode=0660" and "fd://3". Raises BindError, and then none is bound.

    "[::]:port" takes IPv4 as well, unless another address has that port, or it ends with "?only=ipv6".
    """
    listeners: list[Listener] = []
    try:
        for bind in binds:
            listeners += await _open(bind, "https" if tls else "http", both=_takes_both(bind, binds))
        for listener in listeners:
            try:
                _prepare(listener.sock, limits)
            except OSError as error:  # two addresses of which one includes the other are told apart here only
                raise BindError(listener.url, error.strerror or str(error)) from error
    except BaseException:
        for listener in listeners:
            listener.close()
        raise
    return listeners


def _takes_both(bind: str, binds: list[str]) -> bool:
    """Whether an IPv6 socket should take IPv4 clients too."""
    port = bind.removeprefix(_EVERY_ADDRESS)
    others = (other for other in binds if not other.startswith("["))
    return (
        bind.startswith(_EVERY_ADDRESS)
        and port.isdecimal()
        and not any(other.endswith(f":{port}") for other in others)
    )


async def _open(bind: str, scheme: str, *, both: bool) -> list[Listener]:
    try:
        if bind.startswith("unix:"):
            return [_open_unix(bind)]
        if bind.startswith("fd://"):
            return [_open_inherited(bind, scheme)]
        return await _open_tcp(bind.removesuffix(_IPV6_ALONE), scheme, both=both)
    except OSError as error:
        raise BindError(bind, error.strerror or str(error)) from error


def _open_unix(bind: str) -> Listener:
    """Without a mode, the process's umask decides who may connect. With one, the socket gets the group of its folder."""
    path, _, option = bind.removeprefix("unix:").partition("?mode=")
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with contextlib.suppress(FileNotFoundError):
            if stat.S_ISSOCK(os.stat(path).st_mode) and sock.connect_ex(path) == errno.ECONNREFUSED:
                os.unlink(path)  # of a server that was killed
        sock.close()
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        if option:
            _bind_with_mode(sock, path, int(option, 8))
        else:
            sock.bind(path)
    except BaseException:
        sock.close()
        raise
    return Listener(sock, f"unix:{path}", path)


def _bind_with_mode(sock: socket.socket, path: str, mode: int) -> None:
    before = os.umask(0o177)  # nobody else connects before the mode is right
    try:
        sock.bind(path)
    finally:
        os.umask(before)
    with contextlib.suppress(OSError):  # of a folder whose group this user is not in
        os.chown(path, -1, os.stat(os.path.dirname(path) or ".").st_gid)
    os.chmod(path, mode)


def _open_inherited(bind: str, scheme: str) -> Listener:
    number = bind.removeprefix("fd://")
    if not number.isdecimal():
        raise BindError(bind, "not a descriptor number")
    sock = socket.socket(fileno=int(number))
    if sock.type != socket.SOCK_STREAM:
        sock.detach()
        raise BindError(bind, "not a stream socket")
    os.set_inheritable(sock.fileno(), False)
    return Listener(sock, _url(sock, scheme))


async def _open_tcp(bind: str, scheme: str, *, both: bool) -> list[Listener]:
    host, colon, port = bind.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise BindError(bind, "expected host:port, [host]:port, unix:/path or fd://number")
    listeners = []
    found = await trio.socket.getaddrinfo(
        host.strip("[]") or None, int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    try:
        for family, kind, protocol, _, address in found:
            sock = socket.socket(family, kind, protocol)
            listeners.append(Listener(sock, ""))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                # Alone, since 0.0.0.0 could not be bound on the same port.
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not both)
            sock.bind(address)
    except BaseException:
        for listener in listeners:
            listener.sock.close()
        raise
    return [Listener(listener.sock, _url(listener.sock, scheme)) for listener in listeners]


def _url(sock: socket.socket, scheme: str) -> str:
    name = sock.getsockname()
    if sock.family == socket.AF_INET6:
        return f"{scheme}://[{name[0]}]:{name[1]}"
    if sock.family == socket.AF_INET:
        return f"{scheme}://{name[0]}:{name[1]}"
    return f"unix:{name}"


def _prepare(sock: socket.socket, limits: FrontLimits) -> None:
    """Sets options that accepted TCP sockets inherit (on Linux all of these), and starts to listen."""
    sock.setblocking(False)
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, limits.send_buffer_bytes)
    if sock.family in (socket.AF_INET, socket.AF_INET6):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _KEEPALIVE_SECONDS)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNACKED_MILLISECONDS)
    sock.listen(limits.backlog)


def load_tls(certificate: str, key: str, *, http2: bool = True) -> ssl.SSLContext:
    """A server context: TLS 1.2 or newer, HTTP/2 and HTTP/1.1 by ALPN. Raises BindError for unusable files."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION  # RFC 9113, 9.2.1
    context.set_ciphers("ECDHE+AESGCM:ECDHE+CHACHA20")  # RFC 9113, 9.2.2
    context.set_alpn_protocols(["h2", "http/1.1"] if http2 else ["http/1.1"])
    for path, mark in ((certificate, "CERTIFICATE-----"), (key or certificate, "PRIVATE KEY-----")):
        _look_at_pem(path, mark)
    try:
        # Without a password given, OpenSSL would ask for it at the terminal.
        context.load_cert_chain(certificate, key or None, password="")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise BindError(key, f"is not the private key of {certificate}") from error
        raise BindError(certificate, f"certificate or key cannot be used: {error}") from error
    return context


def _look_at_pem(path: str, mark: str) -> None:
    """Raises BindError unless the file can be read and has such an entry; OpenSSL says not which of two files it means."""
    try:
        with open(path, encoding="latin-1") as file:
            text = file.read()
    except OSError as error:
        raise BindError(path, error.strerror or str(error)) from error
    if mark not in text:
        raise BindError(path, f"expected PEM with a line -----BEGIN {mark}")
    if "ENCRYPTED" in text and "PRIVATE" in mark:
        raise BindError(
            path, "the key has a passphrase, which a server that starts by itself cannot be asked for"
        )


async def accept(
    listener: Listener, limits: FrontLimits, handle: Callable[[socket.socket, Any], None]
) -> None:
    """Accepts until the listener is closed. `handle` gets a non-blocking socket and its address."""
    sock = listener.sock
    while (number := sock.fileno()) >= 0:
        try:
            await trio.lowlevel.wait_readable(number)
        except (OSError, trio.ClosedResourceError):
            return
        try:
            for _ in range(_ACCEPTS_PER_TURN):
                _take(sock, limits, handle)
        except BlockingIOError:
            continue
        except OSError as error:  # an error outside _EXHAUSTED: the client was gone before it was accepted
            if error.errno in _EXHAUSTED:
                _log.error("cannot accept on %s: %s", listener.url, error.strerror)
                await trio.sleep(_EXHAUSTED_SECONDS)
        except Exception:
            _log.exception("accepting failed")


def take_waiting(
    listener: Listener, limits: FrontLimits, handle: Callable[[socket.socket, Any], None]
) -> None:
    """Accepts those who have connected already, since closing the listener would reset them."""
    with contextlib.suppress(OSError):  # BlockingIOError: there are no more
        for _ in range(limits.backlog):
            _take(listener.sock, limits, handle)


def _take(sock: socket.socket, limits: FrontLimits, handle: Callable[[socket.socket, Any], None]) -> None:
    """Accepts one connection. Raises OSError, BlockingIOError where there is none."""
    client, address = sock.accept()
    client.setblocking(False)
    if not isinstance(address, tuple):  # a unix socket inherits nothing
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, limits.send_buffer_bytes)
    handle(client, address)
