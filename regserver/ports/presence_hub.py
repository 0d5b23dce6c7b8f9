"""Who is present on other nodes, as the sockets of this node hear of it."""

from collections.abc import Collection
from typing import Protocol

from regserver.domain.account import AccountId
from regserver.domain.room import RoomId
from regserver.domain.room_event import EventId
from regserver.ports.presence_link import PresenceLink


class PresenceHub(Protocol):
    """The presence of one node. No method blocks or raises."""

    def link_nowait(self, link: PresenceLink) -> None:
        """From now on the link is told who comes and goes here; at once, who is here."""

    def is_asked(self) -> bool:
        """Whether somebody here hears of presence."""

    def come_elsewhere_nowait(self, account: AccountId, rooms: Collection[RoomId], as_of: EventId) -> bool:
        """Somebody is present on another node. rooms: theirs at that position of the log.

        False when the events after it are no longer known: the caller reads the rooms again.
        """

    def go_elsewhere_nowait(self, account: AccountId) -> None:
        """They are on no other node any more."""
