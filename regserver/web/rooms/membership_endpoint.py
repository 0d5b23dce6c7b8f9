"""How people get into rooms, over HTTP: rooms are created, people are brought or asked in, and answer."""

import math

from msgspec import UNSET

from regserver.domain.outcome import (
    BadId,
    IdempotencyConflict,
    Refusal,
    RoomNotFound,
    TooManyRequests,
    TooManyUsers,
)
from regserver.domain.room import RoomId
from regserver.domain.secret import SecretHash
from regserver.endpoint import Request
from regserver.service.membership_service import MembershipService, NotBrought
from regserver.service.publish_service import Publisher, PublishService, Unnamed
from regserver.service.room_admission import Unadmitted
from regserver.service.room_service import NoAccess
from regserver.web.http.bearer import bearer
from regserver.web.http.pipeline import Keyed, KeyedStep, pipeline
from regserver.web.http.rate_limit import RateLimits
from regserver.web.http.route import Route
from regserver.web.rooms import membership_wire as wire


class MembershipApi:
    """limits: where requests that name many people count for as many."""

    def __init__(self, memberships: MembershipService, limits: RateLimits, publish: PublishService) -> None:
        self._publish = publish
        self._memberships = memberships
        self._limits = limits

    def routes(self) -> tuple[Route, ...]:
        """The routes by which people get into rooms."""
        create = pipeline(self.create, KeyedStep(wire.read_new_room), bearer)
        invite = pipeline(self.invite, KeyedStep(wire.read_invitation), bearer)
        accept = pipeline(self.accept, KeyedStep(wire.read_answer), bearer)
        decline = pipeline(self.decline, KeyedStep(wire.read_answer), bearer)
        return (
            Route("rooms.create", "POST", "/room/create", create, "write"),
            Route("rooms.invite", "POST", "/room/invite/{room}", invite, "write"),
            Route("rooms.offers", "GET", "/room/offers", pipeline(self.offers, bearer), "read"),
            Route("rooms.accept", "POST", "/room/accept/{room}", accept, "write"),
            Route("rooms.decline", "POST", "/room/decline/{room}", decline, "write"),
        )

    async def create(
        self, request: Request, asked: Keyed[wire.NewRoom], token: SecretHash
    ) -> wire.RoomMade | Unadmitted | NotBrought | TooManyRequests | IdempotencyConflict | Unnamed:
        """Create a room; with an operator's publish key and `as`, in a service's name."""
        others = asked.body.other_users
        if limited := self._weigh(request, len(others)):
            return limited
        name, service = asked.body.name, asked.body.as_
        room: RoomId | Unadmitted | NotBrought | IdempotencyConflict | Unnamed
        if service is UNSET:
            room = await self._memberships.create(token, name, others, asked.idempotency)
        else:
            room = await self._publish.create(Publisher(token, service), name, others, asked.idempotency)
        return room if isinstance(room, Refusal) else wire.RoomMade(room)

    async def invite(
        self, request: Request, asked: Keyed[wire.Invitation], token: SecretHash
    ) -> NoAccess | NotBrought | TooManyRequests | IdempotencyConflict | Unnamed | None:
        """Bring others in, or ask them where `rooms.consent` is "ask". Those who are in already are left out of it."""
        others = asked.body.other_users
        if limited := self._weigh(request, len(others)):
            return limited
        room, service = request.params["room"], asked.body.as_
        if service is UNSET:
            return await self._memberships.invite(token, room, others, asked.idempotency)
        return await self._publish.invite(Publisher(token, service), room, others, asked.idempotency)

    def _weigh(self, request: Request, people: int) -> TooManyRequests | None:
        """Counts the people beside the request itself, which was counted before: each costs the writer about as much."""
        wait = self._limits.take("write", request.client, people) if people else None
        return None if wait is None else TooManyRequests(math.ceil(wait))

    async def offers(self, _: Request, token: SecretHash) -> wire.OfferList | Unadmitted:
        """List the rooms that wait for the asker's answer."""
        offers = await self._memberships.offers(token)
        return offers if isinstance(offers, Refusal) else wire.OfferList(tuple(map(wire.offer_body, offers)))

    async def accept(
        self, request: Request, asked: Keyed[wire.Answering], token: SecretHash
    ) -> Unadmitted | BadId | RoomNotFound | TooManyUsers | IdempotencyConflict | None:
        """Become a member of a room that was offered."""
        return await self._memberships.accept(token, request.params["room"], asked.idempotency)

    async def decline(
        self, request: Request, asked: Keyed[wire.Answering], token: SecretHash
    ) -> Unadmitted | BadId | RoomNotFound | IdempotencyConflict | None:
        """Turn the offer of a room down; nobody hears of it."""
        return await self._memberships.decline(token, request.params["room"], asked.idempotency)
