"""Live registrations as they stand in a store that several nodes share: encrypted, since their events hold names and a token.

address → id: a hash. source and subject → person: a keyed hash. An event opens in its own place of its own registration alone.
"""

import hashlib
import hmac
from typing import TypeVar

import msgspec

from regserver.domain.account import Profile
from regserver.domain.instant import Instant
from regserver.domain.live_progress import (
    Authentication,
    EventType,
    LiveMessage,
    ProgressEvent,
    RegistrationId,
)
from regserver.ports.randomness import Randomness
from regserver.ports.source import Subject
from regserver.service.cipher import Cipher

NONCE_BYTES = 12
PURPOSE = b"regserver live 1 "
JOB_ITSELF = 0
"""In place of an event's number."""

S = TypeVar("S", bound=msgspec.Struct)


class KeptJob(msgspec.Struct, frozen=True):
    """What another node must know of a registration. typed: the name that the person signed in by; username: that is reserved."""

    id: RegistrationId
    subject: Subject
    typed: str
    username: str
    language: str


class KeptEvent(msgspec.Struct, frozen=True, kw_only=True):
    """at: when it came. left_ms: estimated then to the end. message: the source's text; own: the server's, in its place."""

    event_type: EventType
    step: int
    total_steps: int
    message: str = ""
    own: LiveMessage | None = None
    name: Profile | None = None
    authentication: Authentication | None = None
    at: Instant
    left_ms: float | None = None

    @property
    def event(self) -> ProgressEvent:
        """As observers see it."""
        return ProgressEvent(
            event_type=self.event_type,
            step=self.step,
            total_steps=self.total_steps,
            message=self.message if self.own is None else self.own,
            data=self.name or self.authentication,
        )


def kept_event(event: ProgressEvent, at: Instant, left_ms: float | None) -> KeptEvent:
    """An event as it is kept."""
    data, message = event.data, event.message
    is_own = isinstance(message, LiveMessage)
    return KeptEvent(
        event_type=event.event_type,
        step=event.step,
        total_steps=event.total_steps,
        message="" if is_own else message,
        own=message if isinstance(message, LiveMessage) else None,
        name=data if isinstance(data, Profile) else None,
        authentication=data if isinstance(data, Authentication) else None,
        at=at,
        left_ms=left_ms,
    )


class LiveSeal:
    """ChaCha20-Poly1305 (RFC 8439). key, person_key: 32 bytes each, derived from a key outside the database."""

    def __init__(self, key: bytes, person_key: bytes, randomness: Randomness) -> None:
        self._cipher = Cipher(key)
        self._person_key = person_key
        self._randomness = randomness
        self._encode = msgspec.msgpack.Encoder().encode

    def person(self, source: str, subject: Subject) -> bytes:
        """By which a person of a source is found."""
        return hmac.digest(self._person_key, self._encode((source, subject)), "sha256")

    def seal_job(self, job: bytes, kept: KeptJob) -> bytes:
        """A random nonce, then ciphertext and tag. job: the id of the row."""
        return self._seal(job, JOB_ITSELF, kept)

    def open_job(self, job: bytes, sealed: bytes) -> KeptJob | None:
        """None when it was sealed with another key or for another row, or changed."""
        return self._open(job, JOB_ITSELF, sealed, KeptJob)

    def seal_event(self, job: bytes, number: int, event: KeptEvent) -> bytes:
        """As seal_job, for the event with this number."""
        return self._seal(job, number, event)

    def open_event(self, job: bytes, number: int, sealed: bytes) -> KeptEvent | None:
        """As open_job."""
        return self._open(job, number, sealed, KeptEvent)

    def _seal(self, job: bytes, number: int, kept: msgspec.Struct) -> bytes:
        nonce = self._randomness.bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, self._encode(kept), _bound(job, number))

    def _open(self, job: bytes, number: int, sealed: bytes, kind: type[S]) -> S | None:
        try:
            plain = self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _bound(job, number))
            return msgspec.msgpack.decode(plain, type=kind)
        except (ValueError, msgspec.DecodeError):
            return None


def row_id(registration: RegistrationId) -> bytes:
    """By which a registration is found: whoever reads the store cannot watch it."""
    return hashlib.sha256(registration.encode()).digest()


def _bound(job: bytes, number: int) -> bytes:
    return PURPOSE + job + number.to_bytes(8, "big")
