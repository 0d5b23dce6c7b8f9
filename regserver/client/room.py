"""Rooms: who is in them, and what is said there. What happens in them is heard by `Client.events`."""

from collections.abc import Sequence

import msgspec

from regserver.client import ask, wire
from regserver.client.transport import HttpTransport


class Rooms:
    """The rooms of whoever is signed in. What changes something has a key of its own, so that it is repeated safely."""

    def __init__(self, transport: HttpTransport) -> None:
        self._transport = transport

    async def create(self, others: Sequence[int] = (), name: str | None = None) -> int:
        """Creates a room with these people in it; returns its id. Raises AccountNotFound, BadRoomName, InvitationRefused…"""
        body = ask.present(name=name, otherUsers=list(others))
        response = await self._transport.send(ask.once("/room/create", body))
        return ask.read(response, _RoomId).room_id

    async def list(self, *, before: int | None = None, limit: int | None = None) -> wire.RoomPage:
        """A page of one's rooms. before: rooms joined before this one."""
        response = await self._transport.send(ask.get("/room/list", before=before, limit=limit))
        return ask.read(response, wire.RoomPage)

    async def info(self, room_id: int, *, last_post: bool = False) -> wire.Room:
        """Raises RoomNotFound, NotInRoom."""
        query = "true" if last_post else None
        response = await self._transport.send(ask.get(f"/room/info/{room_id}", getLastPost=query))
        return ask.read(response, _RoomShown).room

    async def invite(self, room_id: int, others: Sequence[int]) -> None:
        """Brings people in. Raises BadOtherUsers, AccountNotFound, RoomNotFound, NotInRoom…"""
        body = {"otherUsers": list(others)}
        await self._transport.send(ask.once(f"/room/invite/{room_id}", body))

    async def leave(self, room_id: int) -> None:
        """Raises RoomNotFound, NotInRoom."""
        await self._transport.send(ask.once(f"/room/leave/{room_id}"))

    async def rename(self, room_id: int, name: str | None) -> None:
        """Gives a room of one's own another name. Raises BadRoomName, NotRoomOwner, RoomNotFound, NotInRoom."""
        await self._transport.send(ask.once(f"/room/rename/{room_id}", {"name": name}))

    async def kick(self, room_id: int, user_id: int) -> None:
        """Removes somebody from a room of one's own. Raises AccountNotFound, NotRoomOwner, RoomNotFound, NotInRoom."""
        await self._transport.send(ask.once(f"/room/kick/{room_id}", {"userId": user_id}))

    async def members(
        self, room_id: int, *, after: int | None = None, limit: int | None = None
    ) -> wire.MemberPage:
        """A page of the members with their names. after: ids behind this one. Raises RoomNotFound, NotInRoom."""
        response = await self._transport.send(ask.get(f"/room/members/{room_id}", after=after, limit=limit))
        return ask.read(response, wire.MemberPage)

    async def people(self, text: str) -> tuple[wire.PersonNamed, ...]:
        """People whose names begin so, as far as the operator suggests anybody. Raises BadSearch."""
        response = await self._transport.send(ask.get("/room/people", q=text))
        return ask.read(response, _PeopleFound).people

    # --- posts
    async def search(self, room_id: int, text: str, *, before: int | None = None) -> wire.PostsMatched:
        """Posts that contain the text, oldest first. before: `next` of the page before. Raises BadSearch, RoomNotFound, NotInRoom."""
        response = await self._transport.send(ask.get(f"/room/search/{room_id}", q=text, before=before))
        return ask.read(response, wire.PostsMatched)

    async def post(self, room_id: int, content: str) -> int:
        """Posts; returns the post's id. Raises BadPostContent, RoomNotFound, NotInRoom, QuotaExceeded."""
        response = await self._transport.send(ask.once(f"/room/post/{room_id}", {"content": content}))
        return ask.read(response, _PostId).post_id

    async def edit(self, post_id: int, content: str) -> None:
        """Gives one's own post another content. Raises BadPostContent, PostNotFound, NotYourPost, NotInRoom, QuotaExceeded."""
        await self._transport.send(ask.once(f"/room/edit/{post_id}", {"content": content}))

    async def delete_post(self, post_id: int) -> None:
        """Deletes one's own post. Raises PostNotFound, NotYourPost, NotInRoom."""
        await self._transport.send(ask.once(f"/room/delete/{post_id}"))

    async def read(self, post_id: int) -> wire.Post:
        """Raises PostNotFound, NotInRoom."""
        response = await self._transport.send(ask.get(f"/room/read/{post_id}"))
        return ask.read(response, _PostShown).post

    async def read_all(
        self,
        room_id: int,
        *,
        before: int | None = None,
        after: int | None = None,
        limit: int | None = None,
    ) -> wire.PostPage:
        """A page of posts: the newest, or those before or after a post. Raises RoomNotFound, NotInRoom, BadId."""
        response = await self._transport.send(
            ask.get(f"/room/readAll/{room_id}", before=before, after=after, limit=limit)
        )
        return ask.read(response, wire.PostPage)

    async def seen(self, room_id: int, post_id: int) -> None:
        """Moves the unread mark. Raises RoomNotFound, NotInRoom, BadId."""
        await self._transport.send(ask.once(f"/room/seen/{room_id}", {"postId": post_id}))

    async def typing(self, room_id: int) -> None:
        """Tells those who want to know that one is typing. Raises RoomNotFound, NotInRoom."""
        await self._transport.send(ask.post(f"/room/typing/{room_id}"))

    # --- consent
    async def offers(self) -> tuple[wire.Offer, ...]:
        """Rooms that wait for an answer."""
        return ask.read(await self._transport.send(ask.get("/room/offers")), _Offers).offers

    async def accept(self, room_id: int) -> None:
        """Raises RoomNotFound."""
        await self._transport.send(ask.once(f"/room/accept/{room_id}"))

    async def decline(self, room_id: int) -> None:
        """Raises RoomNotFound."""
        await self._transport.send(ask.once(f"/room/decline/{room_id}"))

    async def block(self, user_id: int) -> None:
        """Keeps somebody from bringing one into rooms. Raises AccountNotFound, TooManyBlocks."""
        await self._transport.send(ask.post(f"/login/block/{user_id}"))

    async def unblock(self, user_id: int) -> None:
        """Lets somebody again."""
        await self._transport.send(ask.delete(f"/login/block/{user_id}"))

    async def blocks(self) -> tuple[wire.Block, ...]:
        """Whom one keeps out."""
        return ask.read(await self._transport.send(ask.get("/login/blocks")), _Blocks).blocks


class _RoomId(msgspec.Struct, rename="camel"):
    room_id: int


class _RoomShown(msgspec.Struct):
    room: wire.Room


class _PostId(msgspec.Struct, rename="camel"):
    post_id: int


class _PostShown(msgspec.Struct):
    post: wire.Post


class _PeopleFound(msgspec.Struct):
    people: tuple[wire.PersonNamed, ...]


class _Offers(msgspec.Struct):
    offers: tuple[wire.Offer, ...]


class _Blocks(msgspec.Struct):
    blocks: tuple[wire.Block, ...]
