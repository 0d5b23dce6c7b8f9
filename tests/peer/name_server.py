"""A name server for the tests: answers over UDP on loopback what it is given."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.resolver
import dns.rrset
import trio

Zone = Mapping[tuple[str, str], Sequence[str]]
"""(name, type) → records as they stand in a zone file."""


@asynccontextmanager
async def open_name_server(zone: Zone) -> AsyncIterator[dns.resolver.Resolver]:
    """A resolver that asks a server of this zone."""
    with trio.socket.socket(trio.socket.AF_INET, trio.socket.SOCK_DGRAM) as sock:
        await sock.bind(("127.0.0.1", 0))
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers = ["127.0.0.1"]
        resolver.port = sock.getsockname()[1]
        resolver.lifetime = 10.0
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_serve, sock, zone)
            yield resolver
            nursery.cancel_scope.cancel()


async def _serve(sock: trio.socket.SocketType, zone: Zone) -> None:
    while True:
        data, client = await sock.recvfrom(4096)
        await sock.sendto(_answer(dns.message.from_wire(data), zone).to_wire(), client)


def _answer(query: dns.message.Message, zone: Zone) -> dns.message.Message:
    response = dns.message.make_response(query)
    question = query.question[0]
    name = question.name.to_text(omit_final_dot=True)
    kind = dns.rdatatype.to_text(question.rdtype)
    if records := zone.get((name, kind)):
        response.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *records))
    elif not any(known == name for known, _ in zone):
        response.set_rcode(dns.rcode.NXDOMAIN)
    return response
