"""The names of a roster's people, reserved from the start of the server, so that no other door gives them away."""

import logging
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice

from regserver.domain.account import NameKey, name_key
from regserver.ports.clock import Clock
from regserver.ports.source import Subject
from regserver.ports.store import Store
from regserver.ports.transaction import Transaction
from regserver.service.live_person import LIVE_HOLDER, live_holder

log = logging.getLogger("regserver.live")

NAMES_PER_UNIT = 1000
"""Names written in one transaction, so that other nodes do not wait long."""
Reservation = tuple[NameKey, str]


async def reserve_names(
    store: Store, clock: Clock, source: str, people: Sequence[Subject] | None
) -> tuple[Subject, ...]:
    """Reserves the names of people who have no account yet, and frees those that are reserved for nobody any more.

    people: everybody whom the source lists; None for a source that lists nobody. Returns whose name belongs to
    somebody else's account. Writes only what has changed. Raises StoreFault.
    """
    wanted = {name_key(subject): subject for subject in people or ()}
    holders = {(key, live_holder(subject)) for key, subject in wanted.items()}
    kept = set(await store.read(lambda transaction: transaction.names.kept(LIVE_HOLDER)))
    for chunk in _chunks(sorted(kept - holders)):
        await store.write(partial(_free, chunk))
    refused: list[Subject] = []
    for chunk in _chunks(sorted(holders - kept)):
        refused += await store.write(partial(_claim, chunk, clock, source, wanted))
    if refused:
        shown = ", ".join(refused[:5]) + (", …" if len(refused) > 5 else "")
        log.warning("%d people of the roster have names of other accounts: %s", len(refused), shown)
    return tuple(refused)


def _chunks(reservations: Sequence[Reservation]) -> Iterator[tuple[Reservation, ...]]:
    rest = iter(reservations)
    while chunk := tuple(islice(rest, NAMES_PER_UNIT)):
        yield chunk


async def _free(chunk: Sequence[Reservation], transaction: Transaction) -> None:
    for key, holder in chunk:
        await transaction.names.release(key, holder)


async def _claim(
    chunk: Sequence[Reservation],
    clock: Clock,
    source: str,
    wanted: dict[NameKey, Subject],
    transaction: Transaction,
) -> list[Subject]:
    """Claims each name whose person has no account; returns whose name is somebody else's."""
    now = clock.now()
    return [
        wanted[key]
        for key, holder in chunk
        if not await transaction.names.claim(key, holder, None, now)
        and await transaction.accounts.by_subject(source, wanted[key]) is None
    ]
