"""The broker: delivers events to the sockets of this node."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from regserver.domain.account import AccountId
from regserver.domain.outcome import Refusal
from regserver.domain.presence import MarkMoved, TypingNoticed
from regserver.domain.room import RoomId
from regserver.domain.room_event import EventId, RoomEvent
from regserver.domain.secret import SecretHash
from regserver.ports.subscriber import Subscriber


class Broker(Protocol):
    """A subscriber enters, is attached, and is detached at its end.

    Entered, it is ended with its token or account; attached, it also receives events. It must enter before its token is
    checked, so that it does not miss a token that is revoked in between.
    """

    def enter_nowait(self, subscriber: Subscriber) -> None:
        """From here on the subscriber is ended when its token is revoked or expires, or its account is deleted."""

    def count(self, account: AccountId) -> int:
        """How many subscribers of an account are there."""

    def accounts(self) -> Collection[AccountId]:
        """The accounts that have a subscriber; a live view."""

    def attach_nowait(self, subscriber: Subscriber, rooms: Collection[RoomId], as_of: EventId) -> bool:
        """Delivers all events after `as_of` to the subscriber. rooms: of its account at that position of the log.

        False when the broker no longer has all of these events: the caller reads them from the log and tries again.
        """

    def detach_nowait(self, subscriber: Subscriber) -> None:
        """Undoes `enter_nowait` and `attach_nowait`; the subscriber receives nothing more."""

    def publish_nowait(self, events: Sequence[RoomEvent]) -> None:
        """Delivers committed events, in the order of the log."""

    def begin_anew_nowait(self, end: EventId) -> None:
        """The log lacks events that were published: closes all sockets, and goes on behind `end`, the log's last event.

        What they heard may not have been, and the memberships that followed from it neither.
        """

    def typing_nowait(self, sign: TypingNoticed) -> None:
        """Tells a room's sockets that asked for presence that a member is typing, at all nodes."""

    def seen_nowait(self, sign: MarkMoved) -> None:
        """Tells the account's own sockets that asked how far it has read, at all nodes."""

    def tokens(self) -> Mapping[SecretHash, AccountId]:
        """The tokens of all subscribers, with their accounts."""

    def tokens_of(self, account: AccountId) -> Collection[SecretHash]:
        """The tokens of the account's subscribers."""

    def end_tokens_nowait(self, account: AccountId, tokens: Collection[SecretHash], reason: Refusal) -> None:
        """Ends the account's subscribers with one of these tokens. reason: sent to them."""

    async def end_account(self, account: AccountId) -> None:
        """Ends all subscribers of the account; returns when all are detached, or after a bounded time."""
