"""What is told once, after a redirect: in a cookie, encrypted, since it may be a secret that is shown this once.

So it works whichever node answers the next request, and a reload shows it no more. A form that comes twice, by a double click or a
reload, gets its first answer again and does nothing (`FormAnswers`), at the node that has answered it.
"""

import base64
import binascii
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import trio

from regserver.domain.secret import SecretHash
from regserver.endpoint import Response
from regserver.ports.randomness import Randomness
from regserver.service.cipher import Cipher

NONCE_BYTES = 12
PURPOSE = b"regserver operator flash 1 "
MOST_ANSWERS = 500
MOST_TEXT = 1000
"""Characters of a value that is told: a cookie has room for 4,096 bytes."""


class Announced(msgspec.Struct, frozen=True):
    """act: of the table of acts, whose text is told. thing: with what it was done. secret: shown this once."""

    act: str
    thing: str = ""
    secret: str = ""

    def __repr__(self) -> str:
        return f"Announced({self.act!r}, …)"


class FlashSeal:
    """ChaCha20-Poly1305 (RFC 8439), bound to the session. key: 32 bytes, derived from a key outside the database."""

    def __init__(self, key: bytes, randomness: Randomness) -> None:
        self._cipher = Cipher(key)
        self._randomness = randomness
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(Announced).decode

    def seal(self, session: SecretHash, told: Announced) -> str:
        """The value of the cookie."""
        nonce = self._randomness.bytes(NONCE_BYTES)
        short = msgspec.structs.replace(told, thing=told.thing[:MOST_TEXT], secret=told.secret[:MOST_TEXT])
        sealed = nonce + self._cipher.encrypt(nonce, self._encode(short), PURPOSE + session)
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def open(self, session: SecretHash, value: str) -> Announced | None:
        """None for what is not ours, or of another session."""
        try:
            sealed = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
            plain = self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], PURPOSE + session)
            return self._decode(plain)
        except (ValueError, binascii.Error, msgspec.DecodeError):
            return None


FormKey = tuple[SecretHash, str]
"""A session, and the number of one of its forms."""


class FormAnswers:
    """The answers of forms: a further copy of a form waits for the first one's answer, and gets it."""

    def __init__(self) -> None:
        self._answers: OrderedDict[FormKey, Response] = OrderedDict()
        self._turns: dict[FormKey, trio.Lock] = {}

    @asynccontextmanager
    async def turn(self, form: FormKey) -> AsyncIterator[Response | None]:
        """Waits until no other copy is being answered; gives the answer that one of them got."""
        lock = self._turns.setdefault(form, trio.Lock())
        try:
            async with lock:
                yield self._answers.get(form)
        finally:
            if not lock.statistics().tasks_waiting:
                self._turns.pop(form, None)

    def keep(self, form: FormKey, answer: Response) -> None:
        """Remembers an answer; the oldest is forgotten."""
        self._answers[form] = answer
        while len(self._answers) > MOST_ANSWERS:
            self._answers.popitem(last=False)
