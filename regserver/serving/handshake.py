"""The WebSocket opening handshake over HTTP/1.1 (RFC 6455, section 4.2), without extensions or subprotocols."""

import binascii
import hashlib
import sys
from collections.abc import Mapping
from typing import Final

from regserver.endpoint import Request
from regserver.serving.head import BadHead, Head

_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def is_upgrade(head: Head) -> bool:
    """Whether the client asks for a WebSocket. Anything else in Upgrade is ignored (RFC 9110, 7.8)."""
    return head.upgrade != "" and head.method == "GET" and head.upgrade.lower() == "websocket"


_OURS: Final = frozenset(("sec-websocket-key", "sec-websocket-version", "sec-websocket-extensions"))


def session_fields(fields: Mapping[str, str]) -> dict[str, str]:
    """The fields of a handshake without the handshake's own. Their names are interned, since many sessions hold them."""
    return {sys.intern(name): value for name, value in fields.items() if name not in _OURS}


def without_fields(request: Request) -> Request:
    """The request of an accepted session, without fields and query."""
    return Request(
        method=request.method,
        path=request.path,
        peer=request.peer,
        scheme=request.scheme,
        params=request.params,
        client=request.client,
    )


def accept_head(head: Head) -> bytes:
    """The 101 response. Raises BadHead: 426 for a version that is not 13, 400 for a bad key or a body."""
    if head.fields.get("sec-websocket-version") != "13":
        raise BadHead(426, "not version 13")
    if head.length:
        raise BadHead(400, "handshake with a body")
    key = head.fields.get("sec-websocket-key", "")
    if not _is_key(key):
        raise BadHead(400, "bad Sec-WebSocket-Key")
    accept = binascii.b2a_base64(
        hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest(), newline=False
    )
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: "
        + accept
        + b"\r\n\r\n"
    )


def _is_key(key: str) -> bool:
    try:
        return len(key) == 24 and len(binascii.a2b_base64(key, strict_mode=True)) == 16
    except (binascii.Error, ValueError):
        return False
