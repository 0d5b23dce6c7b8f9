"""How people get into rooms: rooms are created, people are brought or asked in, and answer.

    rooms.consent = "off"   create, invite → members at once             RoomCreated, RoomInvitation
                    "ask"   create, invite → an offer → accept           RoomInvitation → NewUsersInRoom
                                                      → decline          nobody hears

Nobody is brought in by somebody whom they have blocked, and strangers together can bring a person into STRANGER_ROOMS
rooms a day. A stranger is somebody who shares no room with the person; see RoomTable.fellows.
"""

from __future__ import annotations  # otherwise each call evaluates the annotations of inner functions

from collections.abc import Sequence

import msgspec

from regserver.domain.account import Account, AccountId
from regserver.domain.idempotency import Idempotency
from regserver.domain.instant import DAY, Duration, Instant
from regserver.domain.outcome import (
    AccountNotFound,
    BadId,
    IdempotencyConflict,
    InvitationRefused,
    QuotaExceeded,
    RoomNotFound,
    TooManyUsers,
    UserIsDeleted,
)
from regserver.domain.room import RoomId, parse_id
from regserver.domain.room_event import Created, Invited, OfferAccepted, Offered, RoomEvent
from regserver.domain.secret import SecretHash
from regserver.ports.offer_table import Offer
from regserver.ports.transaction import Lock, Transaction
from regserver.service.quota import Quota, invitation_cost, room_cost
from regserver.service.room_admission import RoomAdmission, Unadmitted
from regserver.service.room_service import NoAccess, RoomActor, in_room

STRANGER_ROOMS = 50
"""Rooms that strangers can bring a person into, in any day."""
OFFER_TTL = Duration(30 * DAY)
OFFERS_LISTED = 200

NotBrought = AccountNotFound | TooManyUsers | InvitationRefused | QuotaExceeded


class MembershipPolicy(msgspec.Struct, frozen=True):
    """max_members: of one room. asks: whether people are asked before they become members."""

    max_members: int
    asks: bool = False


class MembershipService:
    """Creates rooms, and brings people into them."""

    def __init__(self, admission: RoomAdmission, quota: Quota, policy: MembershipPolicy) -> None:
        self._admission = admission
        self._quota = quota
        self._policy = policy

    async def create(
        self,
        token: SecretHash,
        name: str | None,
        others: Sequence[AccountId],
        idempotency: Idempotency | None = None,
    ) -> RoomId | Unadmitted | NotBrought | IdempotencyConflict:
        """Creates a room with the account, and with `others` as members or guests. name: None displays its members' names."""

        async def act(
            transaction: Transaction, creator: Account, now: Instant
        ) -> RoomId | UserIsDeleted | NotBrought:
            guests = _distinct(others, {creator.id})
            await transaction.lock(Lock.ACCOUNT, creator.id, *guests)
            if refusal := await _missing(transaction, (creator.id, *guests)):
                return UserIsDeleted() if creator.id in refusal.missing else refusal
            if 1 + len(guests) > self._policy.max_members:
                return TooManyUsers()
            strangers = await _strangers(transaction, creator.id, guests, now)
            if isinstance(strangers, InvitationRefused):
                return strangers
            if exceeded := await self._quota.spend(transaction, creator.id, room_cost(1 + len(guests)), now):
                return exceeded
            room = await transaction.rooms.add(name, now)
            await transaction.rooms.give(room, creator.id)
            brought = () if self._policy.asks else guests
            event = await transaction.events.append(room, creator.id, Created(brought), now)
            await transaction.rooms.join(event, (creator.id, *brought), strangers)
            if self._policy.asks and guests:
                asked = await transaction.events.append(room, creator.id, Offered(guests), now)
                await _offer(transaction, asked, guests, strangers)
            return room

        return await self._admission.write_once(token, idempotency, act)

    async def invite(
        self,
        token: SecretHash,
        room_text: str,
        others: Sequence[AccountId],
        idempotency: Idempotency | None = None,
    ) -> NoAccess | NotBrought | IdempotencyConflict | None:
        """Brings or asks `others` in. Present members and guests are skipped; without a new one nothing happens."""

        async def act(transaction: Transaction, actor: RoomActor) -> NotBrought | None:
            if missing := await _missing(transaction, others):
                return missing
            room = actor.room.id
            here = await transaction.rooms.present(room, others)
            if self._policy.asks:
                here |= await transaction.offers.pending(room, others)
            newcomers = _distinct(others, here)
            if not newcomers:
                return None
            if actor.room.member_count + len(newcomers) > self._policy.max_members:
                return TooManyUsers()
            strangers = await _strangers(transaction, actor.account, newcomers, actor.now)
            if isinstance(strangers, InvitationRefused):
                return strangers
            cost = invitation_cost(len(newcomers))
            if exceeded := await self._quota.spend(transaction, actor.account, cost, actor.now):
                return exceeded
            change = Offered(newcomers) if self._policy.asks else Invited(newcomers)
            event = await transaction.events.append(room, actor.account, change, actor.now)
            if self._policy.asks:
                await _offer(transaction, event, newcomers, strangers)
            else:
                await transaction.rooms.join(event, newcomers, strangers)
                await transaction.rooms.touch(room, actor.now)
            return None

        return await self._admission.write_once(
            token, idempotency, in_room(room_text, act, locked=True, others=others)
        )

    # --- offers
    async def offers(self, token: SecretHash) -> tuple[Offer, ...] | Unadmitted:
        """The rooms that the account was asked into, the newest first."""

        async def act(transaction: Transaction, account: Account, now: Instant) -> tuple[Offer, ...]:
            since = Instant(now - OFFER_TTL)
            return await transaction.offers.of_account(account.id, since, OFFERS_LISTED)

        return await self._admission.read(token, act)

    async def accept(
        self, token: SecretHash, room_text: str, idempotency: Idempotency | None = None
    ) -> Unadmitted | BadId | RoomNotFound | TooManyUsers | IdempotencyConflict | None:
        """Makes the account a member of a room that was offered to it. RoomNotFound: there is no such offer."""

        async def act(
            transaction: Transaction, account: Account, now: Instant
        ) -> BadId | RoomNotFound | TooManyUsers | None:
            number = parse_id(room_text)
            if number is None:
                return BadId()
            await transaction.lock(Lock.ACCOUNT, account.id)
            await transaction.lock(Lock.ROOM, number)
            found = await transaction.rooms.access(RoomId(number), account.id)
            if found is None:
                return RoomNotFound()
            if found.room.member_count >= self._policy.max_members:
                return TooManyUsers()
            host = await transaction.offers.take(found.room.id, account.id, Instant(now - OFFER_TTL))
            if host is None or found.is_member:
                return RoomNotFound()
            change = OfferAccepted(host, account.id)
            event = await transaction.events.append(found.room.id, account.id, change, now)
            await transaction.rooms.join(event, (account.id,))
            await transaction.rooms.touch(found.room.id, now)
            return None

        return await self._admission.write_once(token, idempotency, act)

    async def decline(
        self, token: SecretHash, room_text: str, idempotency: Idempotency | None = None
    ) -> Unadmitted | BadId | RoomNotFound | IdempotencyConflict | None:
        """Ends the offer of a room. RoomNotFound: there is no such offer."""

        async def act(
            transaction: Transaction, account: Account, now: Instant
        ) -> BadId | RoomNotFound | None:
            number = parse_id(room_text)
            if number is None:
                return BadId()
            since = Instant(now - OFFER_TTL)
            host = await transaction.offers.take(RoomId(number), account.id, since)
            return RoomNotFound() if host is None else None

        return await self._admission.write_once(token, idempotency, act)


async def _offer(
    transaction: Transaction,
    event: RoomEvent,
    guests: tuple[AccountId, ...],
    strangers: frozenset[AccountId],
) -> None:
    await transaction.rooms.ask_in(event, guests, strangers)
    await transaction.offers.add(event, guests)


async def _strangers(
    transaction: Transaction, actor: AccountId, guests: tuple[AccountId, ...], now: Instant
) -> frozenset[AccountId] | InvitationRefused:
    """Those of `guests` who share no room with the actor; the refusal if one of them may not be brought in by the actor."""
    blockers = await transaction.blocks.blockers(actor, guests)
    strangers = frozenset(guests) - await transaction.rooms.fellows(actor, guests)
    crowded = await transaction.rooms.crowded(tuple(strangers), Instant(now - DAY), STRANGER_ROOMS)
    refused = blockers | crowded
    if refused:
        return InvitationRefused(tuple(guest for guest in guests if guest in refused))
    return strangers


async def _missing(transaction: Transaction, others: Sequence[AccountId]) -> AccountNotFound | None:
    """The refusal if some of `others` are unknown or deleted."""
    wanted = _distinct(others, set())
    living = await transaction.accounts.living(wanted)
    missing = tuple(account for account in wanted if account not in living)
    return AccountNotFound(missing) if missing else None


def _distinct(accounts: Sequence[AccountId], but: set[AccountId]) -> tuple[AccountId, ...]:
    """`accounts` without repetitions and without those in `but`, in the given order."""
    return tuple(account for account in dict.fromkeys(accounts) if account not in but)
