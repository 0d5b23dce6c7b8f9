"""Web Push whose libraries, cryptography and httpcore (8 MiB), are loaded when somebody asks for its key or is told something."""

from contextlib import AbstractAsyncContextManager
from types import TracebackType

import msgspec

from regserver.adapters.late import Late
from regserver.adapters.server_key import ServerKey
from regserver.domain.push import PushOrder, PushTarget
from regserver.ports.clock import Clock
from regserver.ports.push_sender import PushOutcome, PushSender
from regserver.ports.randomness import Randomness


class PushParts(msgspec.Struct, frozen=True):
    """subject: see Vapid. allow_private: see CheckedBackend."""

    key: ServerKey
    clock: Clock
    subject: str
    randomness: Randomness
    allow_private: bool


class LatePush(PushSender, AbstractAsyncContextManager["LatePush"]):
    """Opens the sender for the first message, in a thread."""

    def __init__(self, parts: PushParts) -> None:
        self._parts = parts
        self._sender = Late(self._load)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._sender.aclose()

    async def send(self, target: PushTarget, payload: bytes, order: PushOrder) -> PushOutcome:
        """See WebPush."""
        sender = await self._sender.get()
        return await sender.send(target, payload, order)

    def _load(self) -> AbstractAsyncContextManager[PushSender]:
        from regserver.adapters.push.vapid import Vapid  # 7 MiB
        from regserver.adapters.push.web_push import WebPush  # as above

        parts = self._parts
        vapid = Vapid(parts.key, parts.clock, parts.subject)
        return WebPush(vapid, parts.randomness, allow_private=parts.allow_private)


def push_public_key(parts: PushParts) -> str:
    """The server's key, which browsers bind subscriptions to."""
    from regserver.adapters.push.vapid import Vapid  # 7 MiB

    return Vapid(parts.key, parts.clock, parts.subject).public_key


def is_receiver_key(point: bytes) -> bool:
    """Whether a message can be encrypted for these bytes: see is_public_key."""
    from regserver.adapters.push.message_encryption import is_public_key  # 7 MiB

    return is_public_key(point)
