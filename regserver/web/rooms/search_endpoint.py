"""Finding posts, members and people over HTTP."""

import msgspec

from regserver.domain.account import AccountId
from regserver.domain.outcome import Refusal
from regserver.domain.secret import SecretHash
from regserver.endpoint import Request
from regserver.service.room_admission import Unadmitted
from regserver.service.room_search_service import RoomSearchService
from regserver.service.room_service import NoAccess
from regserver.web.http.bearer import bearer
from regserver.web.http.pipeline import pipeline
from regserver.web.http.route import Route
from regserver.web.rooms import owner_wire as wire


class RoomSearchApi(msgspec.Struct, frozen=True):
    """The three endpoints."""

    finding: RoomSearchService

    def routes(self) -> tuple[Route, ...]:
        """All."""
        search = pipeline(self.search, bearer, wire.read_search)
        members = pipeline(self.members, bearer, wire.read_member_range)
        people = pipeline(self.people, bearer, wire.read_people)
        return (
            Route("rooms.search", "GET", "/room/search/{room}", search, "search"),
            Route("rooms.members", "GET", "/room/members/{room}", members, "read"),
            Route("rooms.people", "GET", "/room/people", people, "search"),
        )

    async def search(
        self, request: Request, token: SecretHash, wish: wire.SearchWish
    ) -> wire.PostsFound | NoAccess:
        """Find posts in a room that contain a text."""
        found = await self.finding.search(token, request.params["room"], wish.q, wish.before)
        return found if isinstance(found, Refusal) else wire.found_body(found)

    async def members(
        self, request: Request, token: SecretHash, span: wire.MemberRange
    ) -> wire.MemberList | NoAccess:
        """List the members of a room with their names, and whose room it is."""
        after = AccountId(0) if span.after is None else span.after
        page = await self.finding.members(token, request.params["room"], after, span.limit)
        return page if isinstance(page, Refusal) else wire.member_list(page)

    async def people(
        self, _: Request, token: SecretHash, wish: wire.PeopleWish
    ) -> wire.PeopleFound | Unadmitted:
        """Suggest people by the beginning of their names, as far as `rooms.suggest` allows."""
        people = await self.finding.people(token, wish.q)
        return (
            people
            if isinstance(people, Refusal)
            else wire.PeopleFound(wire.people_body(people), self.finding.suggests)
        )
