"""A push service on loopback and the receivers that subscribe there: messages are decrypted and checked by other libraries."""

import base64
import itertools
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import http_ece  # type: ignore[import-untyped]
import trio
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.jwk import ECKey

from tests.peer.http import Answer, Asked, HttpPeer, open_http_peer

PATIENCE = 20


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Device:
    """What subscribes: a browser, or an app by UnifiedPush. answer: of the service to messages for it."""

    def __init__(self, endpoint: str, server_key: str) -> None:
        self.endpoint = endpoint
        self.answer = Answer(201)
        self._server_key = server_key
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._auth = bytes(range(16))
        self.tries = 0
        self.requests: list[Asked] = []
        self.received: list[dict[str, Any]] = []
        self.grown = trio.Event()

    @property
    def subscription(self) -> dict[str, Any]:
        """As PushSubscription.toJSON() gives it."""
        point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        keys = {"p256dh": encode(point), "auth": encode(self._auth)}
        return {"endpoint": self.endpoint, "expirationTime": None, "keys": keys}

    def take(self, asked: Asked, origin: str) -> Answer:
        self.tries += 1
        self._check(asked, origin)
        if 200 <= self.answer.status < 300:
            self.requests.append(asked)
            text = http_ece.decrypt(
                asked.body, private_key=self._key, auth_secret=self._auth, version="aes128gcm"
            )
            self.received.append(json.loads(text))
        self.grown.set()
        self.grown = trio.Event()
        return self.answer

    def _check(self, asked: Asked, origin: str) -> None:
        """What a push service checks (RFC 8030, 8292)."""
        assert asked.method == "POST"
        assert asked.headers["content-encoding"] == "aes128gcm"
        assert int(asked.headers["ttl"]) > 0
        assert len(asked.headers["topic"]) <= 32
        assert len(asked.body) <= 4096
        scheme, _, rest = asked.headers["authorization"].partition(" ")
        fields = dict(field.strip().split("=", 1) for field in rest.split(","))
        assert (scheme, fields["k"]) == ("vapid", self._server_key)
        point = decode(fields["k"])
        key = ECKey.import_key(
            {"kty": "EC", "crv": "P-256", "x": encode(point[1:33]), "y": encode(point[33:])}
        )
        claims = jwt.decode(fields["t"], key, algorithms=["ES256"]).claims
        assert claims["aud"] == origin
        assert time.time() < claims["exp"] <= time.time() + 86_400
        assert claims["sub"].startswith(("mailto:", "https:"))

    async def next(self) -> dict[str, Any]:
        """Waits for a message, and takes it."""
        with trio.fail_after(PATIENCE):
            while not self.received:
                await self.grown.wait()
        return self.received.pop(0)

    async def tried(self, count: int) -> None:
        """Waits until so many messages were tried."""
        with trio.fail_after(PATIENCE):
            while self.tries < count:
                await self.grown.wait()


class PushPeer:
    """The service."""

    def __init__(self) -> None:
        self.http: HttpPeer
        self.strangers: list[Asked] = []
        self._devices: dict[str, Device] = {}
        self._number = itertools.count(1)

    def device(self, server_key: str) -> Device:
        path = f"/send/{next(self._number)}"
        self._devices[path] = device = Device(self.http.url + path, server_key)
        return device

    def reply(self, asked: Asked) -> Answer:
        device = self._devices.get(asked.target)
        if device is None:
            self.strangers.append(asked)
            return Answer(404)
        return device.take(asked, self.http.url)


@asynccontextmanager
async def open_push_peer() -> AsyncIterator[PushPeer]:
    peer = PushPeer()
    async with open_http_peer(peer.reply) as peer.http:
        yield peer
