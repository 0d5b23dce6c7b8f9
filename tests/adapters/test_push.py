"""Push messages as other libraries read them, the example of RFC 8291, and the guard of connections to strangers' addresses."""

import socket

import http_ece  # type: ignore[import-untyped]
import httpcore
import msgspec
import pytest
import trio
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey

from regserver.adapters.guarded_network import CheckedBackend, PrivateAddress
from regserver.adapters.push.message_encryption import (
    MAX_PAYLOAD_BYTES,
    RECORD_BYTES,
    encrypt_message,
    is_public_key,
    raw_point,
)
from regserver.adapters.push.vapid import Vapid
from regserver.adapters.push.web_push import WebPush
from regserver.adapters.server_key import ServerKey
from regserver.domain.instant import HOUR, Duration
from regserver.domain.push import PushOrder, PushTarget
from tests.fake import ManualClock, SeededRandomness
from tests.peer.http import HANG, Answer, open_http_peer, refused_url
from tests.peer.push import Device, decode, encode

AUTH = bytes(range(16))


def private_key(text: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(decode(text), "big"), ec.SECP256R1())


def test_the_example_of_the_standard() -> None:
    """RFC 8291, appendix A."""
    receiver = private_key("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94")
    body = encrypt_message(
        b"When I grow up, I want to be a watermelon",
        (raw_point(receiver.public_key()), decode("BTBZMqHH6r4Tts7J_aSIgg")),
        private_key("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"),
        decode("DGv6ra1nlYgDCS1FRnbzlw"),
        padded_to=1,
    )
    assert encode(body) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_"
        "yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


@given(st.binary(max_size=MAX_PAYLOAD_BYTES) | st.binary(min_size=3900, max_size=MAX_PAYLOAD_BYTES))
def test_every_message_is_decrypted_by_another_library(payload: bytes) -> None:
    receiver, sender = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    body = encrypt_message(payload, (raw_point(receiver.public_key()), AUTH), sender, bytes(16))
    assert len(body) <= RECORD_BYTES
    found = http_ece.decrypt(body, private_key=receiver, auth_secret=AUTH, version="aes128gcm")
    assert found == payload


def test_the_length_of_a_message_tells_little() -> None:
    receiver, sender = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    point = raw_point(receiver.public_key())
    sizes = {len(encrypt_message(b"x" * size, (point, AUTH), sender, bytes(16))) for size in range(200)}
    assert len(sizes) == 1


def test_what_is_no_public_key() -> None:
    point = raw_point(ec.generate_private_key(ec.SECP256R1()).public_key())
    assert is_public_key(point)
    assert not any(map(is_public_key, (b"", point[:64], point[:-1] + bytes([point[-1] ^ 1]), bytes(65))))


def vapid(key: bytes = bytes(32)) -> tuple[Vapid, ManualClock]:
    clock = ManualClock()
    return Vapid(ServerKey(key), clock, "mailto:me@example.org"), clock


def claims_of(field: str, vapid: Vapid) -> dict[str, object]:
    fields = dict(part.strip().split("=", 1) for part in field.removeprefix("vapid ").split(","))
    point = decode(vapid.public_key)
    key = ECKey.import_key({"kty": "EC", "crv": "P-256", "x": encode(point[1:33]), "y": encode(point[33:])})
    assert fields["k"] == vapid.public_key
    return dict(jwt.decode(fields["t"], key, algorithms=["ES256"]).claims)


def test_the_servers_name_is_signed_by_its_own_key() -> None:
    first, clock = vapid()
    field = first.authorization("https://push.example.net:444/send/1")
    expected = {
        "aud": "https://push.example.net:444",
        "exp": (clock.now() + 12 * HOUR) // 1000,
        "sub": "mailto:me@example.org",
    }
    assert claims_of(field, first) == expected
    assert first.authorization("https://push.example.net:444/send/2") == field  # signed once
    clock.advance(7 * HOUR)
    assert first.authorization("https://push.example.net:444/send/1") != field
    assert vapid()[0].public_key == first.public_key != vapid(b"x" * 32)[0].public_key


# --- the network
async def test_a_name_that_leads_inside_is_not_connected_to() -> None:
    async with open_http_peer(lambda _: Answer()) as peer:
        port = int(peer.url.rpartition(":")[2])
        for host in ("127.0.0.1", "localhost", "::1", "169.254.169.254", "::ffff:127.0.0.1"):
            with pytest.raises((PrivateAddress, httpcore.ConnectError)):
                await CheckedBackend(allow_private=False).connect_tcp(host, port, 1)
        stream = await CheckedBackend(allow_private=True).connect_tcp("localhost", port, 5)
        await stream.aclose()


async def test_what_was_checked_is_what_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a name with a public and a private address, and of one that changes in between, nothing is connected to."""
    answers = iter([["93.184.216.34", "10.0.0.1"], ["93.184.216.34"], ["127.0.0.1"]])
    connected: list[str] = []

    async def getaddrinfo(host: str, port: int, **_: object) -> list[object]:
        return [(socket.AF_INET, 1, 6, "", (address, port)) for address in next(answers)]

    async def connect(_self: object, host: str, *_: object) -> None:
        connected.append(host)

    monkeypatch.setattr(trio.socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(httpcore.TrioBackend, "connect_tcp", connect)
    guarded = CheckedBackend(allow_private=False)
    with pytest.raises(PrivateAddress):
        await guarded.connect_tcp("mixed.example", 443)
    await guarded.connect_tcp("turns.example", 443)
    assert connected == ["93.184.216.34"]
    with pytest.raises(PrivateAddress):
        await guarded.connect_tcp("turns.example", 443)


OUTCOMES = (
    (Answer(201), "accepted"),
    (Answer(404), "gone"),
    (Answer(410), "gone"),
    (Answer(400), "refused"),
    (Answer(413), "refused"),
    (Answer(301, headers=(("location", "http://127.0.0.1:1/"),)), "refused"),
    (Answer(503), Duration(0)),
    (Answer(429, headers=(("retry-after", "120"),)), Duration(120_000)),
    (Answer(503, headers=(("retry-after", "99999999"),)), Duration(86_400_000)),
    (Answer(503, headers=(("retry-after", "Fri, 31 Dec 1999 23:59:59 GMT"),)), Duration(0)),
    (Answer(0), None),
)


async def test_what_a_push_service_may_answer() -> None:
    name, _ = vapid()
    order = PushOrder(Duration(HOUR), "topic")
    async with (
        open_http_peer(lambda _: Answer()) as peer,
        WebPush(name, SeededRandomness(), allow_private=True) as push,
    ):
        device = Device(f"{peer.url}/send", name.public_key)
        keys = device.subscription["keys"]
        target = PushTarget(device.endpoint, decode(keys["p256dh"]), decode(keys["auth"]))
        for answer, outcome in OUTCOMES:
            peer.reply = lambda _, answer=answer: answer  # type: ignore[misc]
            assert await push.send(target, b"x", order) == outcome, answer
        assert {asked.target for asked in peer.asked} == {"/send"}  # no redirect was followed
        nobody = msgspec.structs.replace(target, endpoint=f"{await refused_url()}/send")
        assert await push.send(nobody, b"x", order) is None


async def test_a_push_service_that_never_answers_costs_a_bounded_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("regserver.adapters.push.web_push.TIMEOUT_SECONDS", 0.2)
    name, _ = vapid()
    async with (
        open_http_peer(lambda _: HANG) as peer,
        WebPush(name, SeededRandomness(), allow_private=True) as push,
    ):
        keys = Device("", "").subscription["keys"]
        target = PushTarget(peer.url, decode(keys["p256dh"]), decode(keys["auth"]))
        assert await push.send(target, b"x", PushOrder(Duration(HOUR), "topic")) is None
        assert len(peer.asked) == 1
