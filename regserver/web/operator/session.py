"""Who is signed in at the page, and whether a form is the page's own.

    cookie    __Host-regserver-operator=rego_…; Secure; HttpOnly; SameSite=Strict        on loopback by http: without __Host- and Secure
    form      its field `proof` is made of the session, so that no other page knows it; and browsers say where it comes from

The session itself is in the store, as a hash. Whoever comes by http from elsewhere is not let in: the key would be readable on its way.
"""

import hashlib
import hmac
import re
from typing import Final

import msgspec

from regserver.domain.address import LOOPBACK_NETWORKS, Networks, host_name
from regserver.domain.instant import SECOND
from regserver.domain.operator_key import ENTRY_LIFE, Operation, StoredKey
from regserver.domain.secret import hash_secret
from regserver.endpoint import Request
from regserver.service.operator.unit import OperatorUnit, PageVisitor
from regserver.web.http.answer import HeaderFields
from regserver.web.http.cors import is_own_origin
from regserver.web.http.forwarded import ForwardedReader

NAME = "regserver-operator"
FLASH = "regserver-operator-done"
FLASH_SECONDS = 60
LOOPBACK: Final = Networks(LOOPBACK_NETWORKS)
_SPLIT = re.compile(r"\s*;\s*")


class OperatorVisit(msgspec.Struct, frozen=True):
    """A request of somebody who is signed in. proof: of their forms. flash: what is to be told once, sealed."""

    who: PageVisitor
    key: StoredKey
    proof: str
    flash: str

    def may(self, operation: Operation) -> bool:
        """Whether their role goes so far."""
        return self.key.may(operation)


class EntryWay(msgspec.Struct, frozen=True):
    """How the page is reached. is_secure: by https. is_safe: by https, or from this machine."""

    base: str
    is_secure: bool
    is_safe: bool

    def cookie(self, name: str, value: str, seconds: int) -> tuple[str, str]:
        """A field that sets a cookie, or ends it with 0 seconds."""
        prefix, secure = ("__Host-", "; Secure") if self.is_secure else ("", "")
        return (
            "set-cookie",
            f"{prefix}{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}",
        )

    def read(self, request: Request, name: str) -> str:
        """The value of a cookie; "" for none, or for several of the name."""
        wanted = f"__Host-{name}=" if self.is_secure else f"{name}="
        found = [
            part.removeprefix(wanted)
            for part in _SPLIT.split(request.headers.get("cookie", ""))
            if part.startswith(wanted)
        ]
        return found[0] if len(found) == 1 else ""


class VisitReader:
    """Finds the session of a request."""

    def __init__(self, forwarded: ForwardedReader, unit: OperatorUnit) -> None:
        self._forwarded = forwarded
        self._unit = unit

    def door(self, request: Request) -> EntryWay:
        """How this request has come."""
        base = self._forwarded.read(request).base
        host = host_name(base.partition("://")[2].partition("/")[0])
        is_secure = base.startswith("https:")
        return EntryWay(base, is_secure, is_secure or host == "localhost" or host in LOOPBACK)

    async def visit(self, request: Request) -> OperatorVisit | None:
        """Who is signed in; None for nobody, or when the session or its key has ended. Raises StoreFault."""
        door = self.door(request)
        secret = door.read(request, NAME)
        if not secret.startswith("rego_"):
            return None
        who = PageVisitor(hash_secret(secret))
        key = await self._unit.key_of(who)
        return None if key is None else OperatorVisit(who, key, proof_of(secret), door.read(request, FLASH))

    def is_own(self, request: Request) -> bool:
        """Whether a form was sent by one of our own pages, as far as the browser says where it comes from."""
        site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
        if site is not None and site.lower() != "same-origin":
            return False
        host = request.headers.get("host", "")
        return origin is None or is_own_origin(origin, host, self._forwarded.read(request).base)


def proof_of(secret: str) -> str:
    """What the forms of a session carry."""
    return hmac.digest(secret.encode(), b"operator form", hashlib.sha256).hex()


def is_proof(visit: OperatorVisit, given: str) -> bool:
    """Whether a form is of this session; in constant time."""
    return hmac.compare_digest(visit.proof.encode(), given.encode("utf-8", "surrogatepass"))


def session_fields(door: EntryWay, secret: str) -> HeaderFields:
    """The field that begins a session."""
    return (door.cookie(NAME, secret, ENTRY_LIFE // SECOND),)


def no_session(door: EntryWay) -> HeaderFields:
    """The fields that end a session in the browser."""
    return (door.cookie(NAME, "", 0), door.cookie(FLASH, "", 0))
