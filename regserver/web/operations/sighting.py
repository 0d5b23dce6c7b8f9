"""How the server sees a request from outside: `regserver doctor` asks by the public address, and then here what came in.

    doctor ── GET public_url/health/alive?probe=NONCE ──▶ proxies ──▶ the server remembers who asked for what
           ── GET 127.0.0.1/health/ready?probe=NONCE ───────────────▶ the operator is told

Strangers are told nothing, and what is remembered has a bound.
"""

import re
from collections import OrderedDict
from typing import Annotated
from urllib.parse import parse_qsl

import msgspec
from msgspec import Meta

from regserver.endpoint import Request
from regserver.web.http.field import described
from regserver.web.http.forwarded import ForwardedReader
from regserver.web.http.pipeline import Parameters

MOST = 16
_PROBE = re.compile("[0-9a-f]{32}", re.ASCII)


class ProbeWish(Parameters, frozen=True):
    """What the health routes are asked with. Anything but 32 digits is no probe."""

    probe: Annotated[
        str | None,
        described("A number of one's own, 32 digits of 0-9a-f: how did a request with it come in?", "0" * 32),
    ] = None


class Sighting(msgspec.Struct, frozen=True):
    """A request as the server sees it. address: the client's. base: scheme and host, without server.public_url."""

    address: Annotated[str, Meta(examples=["192.0.2.7"])]
    base: Annotated[str, Meta(examples=["https://reg.example.org"])]


class Sightings:
    """The last MOST of them."""

    def __init__(self, forwarded: ForwardedReader) -> None:
        self._forwarded = forwarded
        self._kept: OrderedDict[str, Sighting] = OrderedDict()

    def note(self, request: Request, wish: ProbeWish) -> None:
        """Remembers a request that is a probe."""
        if wish.probe is None:
            return
        address = self._forwarded.requester(request).address
        self._kept[wish.probe] = Sighting(address, self._forwarded.base_of(request)[:300])
        if len(self._kept) > MOST:
            self._kept.popitem(last=False)

    def find(self, wish: ProbeWish) -> Sighting | None:
        """The request with this number; None if none came in, or others came after it."""
        return None if wish.probe is None else self._kept.get(wish.probe)


def read_probe(request: Request) -> ProbeWish:
    """The query of the health routes."""
    given = dict(parse_qsl(request.query)).get("probe", "")
    return ProbeWish(given if _PROBE.fullmatch(given) else None)
