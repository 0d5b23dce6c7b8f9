"""What the owner of a room asks for, and what it takes to find posts and people, on the wire."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from regserver.domain import room as domain
from regserver.domain.account import AccountId
from regserver.domain.outcome import BadId, BadRoomName, BadSearch, Refusal
from regserver.domain.room import PostId
from regserver.endpoint import Request
from regserver.service.room_search_service import MEMBERS_LISTED, MemberPage, PostSearch, Suggesting
from regserver.web.http.answer import JsonAnswer
from regserver.web.http.body import Unreadable, read_object
from regserver.web.http.field import PostIdField, RoomNameField, UserIdField, UsernameField, described
from regserver.web.http.pipeline import Parameters, RequestBody
from regserver.web.rooms.listen_wire import query_of
from regserver.web.rooms.wire import ListedPost, listed_post

MOST_SEARCHED = 200
"""Characters of a text to search for."""


class NewName(RequestBody, frozen=True):
    """What the room is called from now on."""

    name: RoomNameField


class Kick(RequestBody, frozen=True, rename="camel"):
    """Who is no member from now on."""

    user_id: UserIdField


class SearchWish(Parameters, frozen=True):
    """What is searched for."""

    q: Annotated[
        str,
        described("A text, found without regard to case.", "milk", min_length=1, max_length=MOST_SEARCHED),
    ]
    before: Annotated[PostIdField | None, Meta(description="Only posts older than this one.")] = None


class MemberRange(Parameters, frozen=True):
    """Which members are listed, by number."""

    after: Annotated[UserIdField | None, Meta(description="Only members with higher numbers.")] = None
    limit: Annotated[int, described("The most members to return, up to 1000.", 50, ge=1)] = MEMBERS_LISTED


class PeopleWish(Parameters, frozen=True):
    """Whose names are wanted."""

    q: Annotated[str, described("The beginning of a name.", "an", min_length=1, max_length=MOST_SEARCHED)]


class PersonBody(msgspec.Struct, frozen=True, rename="camel"):
    """Somebody, by number and name."""

    user_id: UserIdField
    username: UsernameField


class PostsFound(JsonAnswer, frozen=True):
    """Posts that contain the text, oldest first. next: `before` of the next request; absent at the room's beginning."""

    posts: tuple[ListedPost, ...]
    next: PostIdField | UnsetType = UNSET


class MemberList(JsonAnswer, frozen=True):
    """Members by number. owner: whose room it is. more: there are others behind them."""

    owner: UserIdField | None
    users: tuple[PersonBody, ...]
    more: bool


class PeopleFound(JsonAnswer, frozen=True):
    """People by name; none where the operator lets nobody be suggested."""

    people: tuple[PersonBody, ...]
    suggests: Annotated[Suggesting, described("Who is suggested at all: `rooms.suggest`.", "rooms")]


def read_new_name(request: Request) -> NewName | Unreadable | BadRoomName:
    """The body of /room/rename."""
    fields = read_object(request)
    if isinstance(fields, Refusal):
        return fields
    name = fields.get("name")
    return NewName(name) if isinstance(name, str) and name and domain.is_room_name(name) else BadRoomName()


def read_removal(request: Request) -> Kick | Unreadable | BadId:
    """The body of /room/kick."""
    fields = read_object(request)
    if isinstance(fields, Refusal):
        return fields
    member = fields.get("userId")
    return Kick(AccountId(member)) if domain.is_id(member) else BadId()


def read_search(request: Request) -> SearchWish | BadSearch | BadId:
    """The query of /room/search."""
    query = query_of(request)
    before = domain.parse_id(query["before"]) if "before" in query else None
    if "before" in query and before is None:
        return BadId()
    text = query.get("q", "").strip()
    if not 0 < len(text) <= MOST_SEARCHED:
        return BadSearch()
    return SearchWish(text, None if before is None else PostId(before))


def read_member_range(request: Request) -> MemberRange | BadId:
    """The query of /room/members."""
    query = query_of(request)
    numbers = {key: domain.parse_id(query[key]) for key in ("after", "limit") if key in query}
    if None in numbers.values():
        return BadId()
    after, limit = numbers.get("after"), numbers.get("limit")
    return MemberRange(
        None if after is None else AccountId(after), min(limit or MEMBERS_LISTED, MEMBERS_LISTED)
    )


def read_people(request: Request) -> PeopleWish | BadSearch:
    """The query of /room/people."""
    text = query_of(request).get("q", "").strip()
    return PeopleWish(text) if 0 < len(text) <= MOST_SEARCHED else BadSearch()


def found_body(found: PostSearch) -> PostsFound:
    """What a search has found."""
    return PostsFound(tuple(map(listed_post, found.posts)), found.next or UNSET)


def people_body(people: tuple[domain.Member, ...]) -> tuple[PersonBody, ...]:
    """People on the wire."""
    return tuple([PersonBody(person.account, person.username) for person in people])


def member_list(page: MemberPage) -> MemberList:
    """A page of members."""
    return MemberList(page.owner, people_body(page.members), page.more)
