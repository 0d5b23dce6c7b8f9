"""The outbox: mail is written in the transaction that needs it, and sent later by `regserver.service.mail_delivery`.

So a mail exists if and only if its change was committed. A waiting mail is encrypted with a key of the server
(ChaCha20-Poly1305, RFC 8439): its links and codes work like passwords, and a stolen database must not contain them.
"""

import msgspec

from regserver.ports.clock import Clock
from regserver.ports.mailer import Mail
from regserver.ports.randomness import Randomness
from regserver.ports.transaction import Transaction
from regserver.service.cipher import Cipher

NONCE_BYTES = 12
PURPOSE = b"regserver outbox 1"
"""Authenticated with every message, so that data of another purpose or format is not opened as a mail."""


class Outbox:
    """Encrypts mail and adds it to the outbox. key: 32 bytes, derived from a key outside the database."""

    def __init__(self, clock: Clock, randomness: Randomness, key: bytes) -> None:
        self._clock = clock
        self._randomness = randomness
        self._cipher = Cipher(key)
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(Mail).decode

    async def enqueue(self, transaction: Transaction, mail: Mail) -> None:
        """Adds the mail in the caller's transaction; it is sent after the commit."""
        now = self._clock.now()
        await transaction.outbox.add(self.prepare(msgspec.structs.replace(mail, written_at=now)), now)

    def trial(self, to: str) -> Mail:
        """A message by which the operator tries the settings of the mail."""
        return Mail(
            to=to,
            subject="A test of your mail settings",
            text="This message was sent by `regserver mail test`. Your server can send mail.\n",
            id=self._randomness.bytes(16).hex(),
            written_at=self._clock.now(),
        )

    def prepare(self, mail: Mail) -> bytes:
        """The encrypted form of a new mail, for OutboxTable.add. One that is added later gets the time of that."""
        return self.seal(msgspec.structs.replace(mail, id=self._randomness.bytes(16).hex()))

    def seal(self, mail: Mail) -> bytes:
        """The encrypted form of a mail: a random nonce, then ciphertext and tag."""
        nonce = self._randomness.bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, self._encode(mail), PURPOSE)

    def open(self, sealed: bytes) -> Mail | None:
        """Decrypts a mail; None when it was sealed with another key, or changed."""
        try:
            return self._decode(self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], PURPOSE))
        except (ValueError, msgspec.DecodeError):
            return None
