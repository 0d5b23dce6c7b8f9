"""Telling webhooks what the rooms' event log says.

Rooms write their log anyway, in the unit of each change. So a post costs nothing more where webhooks are used, and what is
told has the order of the log. `hook_log` says up to where: a page of the log and its new place are written together.
"""

from regserver.domain.webhook import ROOM_KINDS, room_hook
from regserver.ports.store import Store
from regserver.ports.transaction import Transaction

PAGE = 200
"""Events in one transaction."""


class WebhookRelay:
    """Several nodes may do it at once: one of them is first with each page."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def catch_up(self) -> int:
        """Tells of all that the log has; returns of how many events. Raises StoreFault."""
        total = 0
        while await self._store.read(_is_behind):
            total += (count := await self._store.write(_tell_page))
            if count < PAGE:
                break
        return total


async def _is_behind(transaction: Transaction) -> bool:
    position = await transaction.hooks.position()
    return (await transaction.events.end()).id > position and await transaction.hooks.wanted(ROOM_KINDS)


async def _tell_page(transaction: Transaction) -> int:
    position = await transaction.hooks.position()
    page = await transaction.events.after(position, PAGE)
    if not page:
        return 0
    await transaction.hooks.move(position, page[-1][0].id)
    for _, event in page:
        told = None if event is None else room_hook(event)
        if told is not None:
            await transaction.hooks.tell(told)
    return len(page)
