"""The service: it hears what happens in its rooms, and says hello there."""

from contextlib import suppress
from pathlib import Path

import trio

from regserver import client


async def greet(url: str, token: str, bookmark: Path) -> None:
    """Welcomes newcomers until the token ends. bookmark: where it keeps how far it has come, for after its own restart.

    Raises client.BadToken when the token ends, client.UserIsDeleted when the account does.
    """
    async with client.open_client(url, token) as here, here.events(await _read(bookmark)) as events:
        await _keep(bookmark, events.cursor)
        async for notification in events:
            match notification:
                case client.RoomInvitation(room_id=room):
                    await _say(here, room, "Hello! I welcome whoever comes.")
                case client.NewUsersInRoom(room_id=room, new_users=newcomers):
                    names = [await here.accounts.username(newcomer) for newcomer in newcomers]
                    await _say(here, room, f"Welcome, {' and '.join(names)}!")
            await _keep(bookmark, events.cursor)


async def _say(here: client.Client, room: int, text: str) -> None:
    with suppress(client.NotInRoom, client.RoomNotFound):  # it was left, or is gone
        await here.rooms.post(room, text)


async def _read(bookmark: Path) -> str | None:
    """None at the first start: what happened before is no news."""
    path = trio.Path(bookmark)
    return await path.read_text() if await path.exists() else None


async def _keep(bookmark: Path, cursor: str | None) -> None:
    if cursor is not None:
        draft = trio.Path(bookmark.with_name(f"{bookmark.name}.new"))
        await draft.write_text(cursor)
        await draft.replace(bookmark)  # whole or not at all
