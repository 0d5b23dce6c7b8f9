"""Tickets of commands: good for one request, one minute and one key."""

import pytest

from regserver.domain.command_ticket import PREFIX, SignedRequest, TicketSeal, request_to_sign
from regserver.domain.instant import MINUTE, SECOND, Instant

SEAL = TicketSeal(bytes(32))
NOW = Instant(1_000_000 * SECOND)
ASKED = request_to_sign("DELETE", "/admin/rooms/1", b"")


def test_the_name_of_whoever_runs_the_command() -> None:
    ticket = SEAL.ticket("ivo", NOW, ASKED)
    assert ticket.startswith(PREFIX)
    assert SEAL.name_of(ticket, NOW, ASKED) == "ivo"
    assert SEAL.name_of(ticket, Instant(NOW + MINUTE), ASKED) == "ivo"


@pytest.mark.parametrize(
    "other",
    [
        request_to_sign("GET", "/admin/rooms/1", b""),
        request_to_sign("DELETE", "/admin/rooms/2", b""),
        request_to_sign("DELETE", "/admin/rooms/1", b"{}"),
    ],
)
def test_it_is_good_for_no_other_request(other: SignedRequest) -> None:
    assert SEAL.name_of(SEAL.ticket("ivo", NOW, ASKED), NOW, other) is None


def test_it_is_good_for_a_minute() -> None:
    ticket = SEAL.ticket("ivo", NOW, ASKED)
    for at in (NOW + MINUTE + 1, NOW - MINUTE - 1):
        assert SEAL.name_of(ticket, Instant(at), ASKED) is None


def test_nobody_without_the_key_makes_one() -> None:
    foreign = TicketSeal(bytes([1]) * 32).ticket("ivo", NOW, ASKED)
    mine = SEAL.ticket("ivo", NOW, ASKED)
    other = SEAL.ticket("eve", NOW, ASKED)
    mixed = f"{other.partition('.')[0]}.{mine.partition('.')[2]}"
    for ticket in (
        foreign,
        mixed,
        PREFIX,
        f"{PREFIX}.",
        f"{PREFIX}x.y",
        f"{PREFIX}W10.00",
        f"{mine}é",
        f"{PREFIX}é.é",
    ):
        assert SEAL.name_of(ticket, NOW, ASKED) is None, ticket
