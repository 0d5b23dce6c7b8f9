"""Cursors: positions of the event log as opaque text for clients.

A cursor contains the id and the time of its event and a MAC, so that clients cannot invent one. The time distinguishes the
event from a later one with the same id, which a database restored from a backup may write.
"""

import base64
import binascii
import hmac

from regserver.domain.instant import Instant
from regserver.domain.room_event import EventId, Position

_ID_BYTES = 7  # numbers stay below 2^53
_AT_BYTES = 6  # good for another 8900 years
_MAC_BYTES = 8  # guesses are online only, and a lucky one shows nothing that the member may not see
_TEXT_LENGTH = 28


class CursorSeal:
    """key: 32 bytes for cursors alone, the same on every node."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def write(self, position: Position) -> str:
        """The cursor of a position: 28 URL-safe characters."""
        body = position.id.to_bytes(_ID_BYTES, "big") + position.at.to_bytes(_AT_BYTES, "big")
        return base64.urlsafe_b64encode(body + self._mac(body)).decode()

    def read(self, text: str) -> Position | None:
        """The position of a cursor; None for any text that was not written with this key."""
        if len(text) != _TEXT_LENGTH or not text.isascii():
            return None
        try:
            sealed = base64.b64decode(text, altchars=b"-_", validate=True)
        except binascii.Error:
            return None
        body, mac = sealed[:-_MAC_BYTES], sealed[-_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(body)):
            return None
        number, at = body[:_ID_BYTES], body[_ID_BYTES:]
        return Position(EventId(int.from_bytes(number, "big")), Instant(int.from_bytes(at, "big")))

    def _mac(self, body: bytes) -> bytes:
        return hmac.digest(self._key, body, "sha256")[:_MAC_BYTES]
