"""What an event ends of an account's links, purpose by purpose; the running server has the rest of the table."""

from pathlib import Path
from typing import get_args

import pytest

from regserver.domain.ending import WHAT_ENDS_WHAT, AccountEvent, Fate
from regserver.domain.instant import HOUR, after
from regserver.domain.link import AccountLink, LinkPurpose
from regserver.domain.secret import hash_secret
from regserver.ports.transaction import Transaction
from regserver.service.account_ending import LINKS, end_outstanding
from tests.rooms import open_rooms

PURPOSES: tuple[LinkPurpose, ...] = get_args(LinkPurpose)


@pytest.mark.parametrize("event", AccountEvent)
async def test_the_links_of_each_purpose(tmp_path: Path, event: AccountEvent) -> None:
    async with open_rooms(tmp_path) as rooms:
        ann, ben = await rooms.people("ann", "ben")
        now = rooms.clock.now()

        async def work(transaction: Transaction) -> dict[LinkPurpose, list[bool]]:
            for of in (ann.id, ben.id):
                for purpose in PURPOSES:
                    link = AccountLink(account=of, purpose=purpose, email=None, expires_at=after(now, HOUR))
                    await transaction.links.add(hash_secret(f"{of} {purpose}"), link)
            await end_outstanding(transaction, event, ann.id, ann.token)
            return {
                purpose: [
                    await transaction.links.find(hash_secret(f"{of} {purpose}"), purpose, now) is not None
                    for of in (ann.id, ben.id)
                ]
                for purpose in PURPOSES
            }

        left = await rooms.store.write(work)
        for thing, purposes in LINKS.items():
            stays = WHAT_ENDS_WHAT[event][thing] is not Fate.ENDED
            assert [left[purpose] for purpose in purposes] == [[stays, True]] * len(purposes), thing
