"""Links as they are mailed: the secret, its address, and its row. The secret stands behind the #, so that no server sees it."""

from typing import Literal

from regserver.domain.account import AccountId
from regserver.domain.instant import Duration, after
from regserver.domain.link import AccountLink
from regserver.domain.secret import TOKEN_BYTES, hash_secret, new_token
from regserver.ports.clock import Clock
from regserver.ports.randomness import Randomness
from regserver.ports.transaction import Transaction

LinkPlace = Literal["verify", "recover", "undo"]
"""The path of the page behind a link."""


def new_link_secret(randomness: Randomness) -> str:
    """The secret of a link."""
    return new_token("regl_", randomness.bytes(TOKEN_BYTES))


def link_address(link_base: str, place: LinkPlace, secret: str, language: str) -> str:
    """The link. link_base: scheme, host and path before the page. language: of the page; "" for the browser's."""
    query = f"?lang={language}" if language else ""
    return f"{link_base}/{place}{query}#{secret}"


async def add_recovery_link(
    transaction: Transaction, account: AccountId, secret: str, clock: Clock, life: Duration
) -> None:
    """Stores a link that sets a new password. life: how long it works."""
    link = AccountLink(account=account, purpose="recover", email=None, expires_at=after(clock.now(), life))
    await transaction.links.add(hash_secret(secret), link)
