"""Passkeys (WebAuthn): for which page they are good, and challenges that are kept nowhere until they are answered.

A challenge carries what it is for and when it ends, under the server's key, so handing one out stores nothing. The answer that
was right is noted until the challenge ends, so that each is answered once.
"""

import hashlib
import hmac
import ipaddress
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from regserver.domain.account import AccountId
from regserver.domain.instant import MINUTE, Duration, Instant, after

ChallengePurpose = Literal["add", "sign_in"]
"""add: a passkey is added to an account. sign_in: whoever answers is signed in."""

NOBODY = AccountId(0)
"""For whom a challenge to sign in is: whoever has a passkey."""
CHALLENGE_LIFE = Duration(5 * MINUTE)
CHALLENGE_NONCE_BYTES = 16
MOST_PASSKEYS = 20
"""Of one account."""
DEFAULT_PASSKEY_NAME = "Passkey"
_TIME_BYTES = 8
_MAC_BYTES = 32


class PasskeySite(msgspec.Struct, frozen=True):
    """The page for which passkeys are made. origin: as browsers send it. rp_id: its host, of which browsers keep passkeys."""

    origin: str
    rp_id: str


def passkey_site(base: str, *, is_configured: bool) -> PasskeySite | None:
    """The page of links that begin with `base`; None where browsers make no passkeys, or the host is only what a request says.

    is_configured: whether the base is the operator's own. Browsers demand https, except on localhost, and a name, not an
    address (WebAuthn, 5.1.3 and 5.4.2).
    """
    parts = urlsplit(base)
    host = (parts.hostname or "").lower()
    is_local = host == "localhost" or host.endswith(".localhost")
    if not is_local and not (is_configured and parts.scheme == "https" and _is_name(host)):
        return None
    default = {"https": 443, "http": 80}.get(parts.scheme)
    port = "" if parts.port in {None, default} else f":{parts.port}"
    return PasskeySite(f"{parts.scheme}://{host}{port}", host)


def _is_name(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return bool(host)
    return False


class ChallengeSeal:
    """Challenges and user handles of this installation. key: 32 bytes, from a key outside the database."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def issue(self, purpose: ChallengePurpose, account: AccountId, now: Instant, nonce: bytes) -> bytes:
        """A challenge that is good for CHALLENGE_LIFE. nonce: CHALLENGE_NONCE_BYTES random bytes."""
        head = after(now, CHALLENGE_LIFE).to_bytes(_TIME_BYTES) + nonce
        return head + self._mac(purpose, account, head)

    def open(
        self, challenge: bytes, purpose: ChallengePurpose, account: AccountId, now: Instant
    ) -> Instant | None:
        """When the challenge ends; None when it is not ours, for something or somebody else, or over."""
        head, mac = challenge[:-_MAC_BYTES], challenge[-_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(purpose, account, head)):
            return None
        expires_at = Instant(int.from_bytes(head[:_TIME_BYTES]))
        return expires_at if now < expires_at <= after(now, CHALLENGE_LIFE) else None

    def handle(self, account: AccountId) -> bytes:
        """The account's user handle: 32 bytes that tell authenticators nothing about the person."""
        return self._mac("handle", account, b"")

    def _mac(self, purpose: str, account: AccountId, head: bytes) -> bytes:
        return hmac.digest(self._key, f"{purpose}\0{account}\0".encode() + head, hashlib.sha256)
