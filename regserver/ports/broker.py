"""The broker: which socket hears which event, on this node."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from regserver.domain.account import AccountId
from regserver.domain.outcome import Refusal
from regserver.domain.room import RoomId
from regserver.domain.room_event import EventId, RoomEvent
from regserver.domain.secret import SecretHash
from regserver.ports.subscriber import Subscriber


class Broker(Protocol):
    """A subscriber enters, so that it is ended with its token or account; is attached, so that it hears; and is detached.

    Whoever enters first and looks at the token's validity afterwards misses no end of it.
    """

    def enter_nowait(self, subscriber: Subscriber) -> None:
        """From here on the subscriber is ended when its token is, expires, or its account ends; it hears nothing yet."""

    def attach_nowait(self, subscriber: Subscriber, rooms: Iterable[RoomId], as_of: EventId) -> bool:
        """Lets the socket hear everything after `as_of`, given the rooms its account was in at that point of the log.

        False when so much has happened since then that it had better be read from the log: read on and try again.
        """

    def detach_nowait(self, subscriber: Subscriber) -> None:
        """Ends what `enter_nowait` and `attach_nowait` began; the socket hears nothing more."""

    def publish_nowait(self, events: Sequence[RoomEvent]) -> None:
        """Takes committed events, in the order of the log."""

    def end_token_nowait(self, token: SecretHash, reason: Refusal) -> None:
        """Ends the sockets that live on this token."""

    def end_account_nowait(
        self, account: AccountId, reason: Refusal | None, *, but: SecretHash | None = None
    ) -> None:
        """Ends all sockets of the account, but for those on one token."""

    async def end_account(self, account: AccountId) -> None:
        """The same, and returns when they are detached; bounded in time."""
