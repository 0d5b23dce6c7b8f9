"""Sending messages to push services by HTTP (RFC 8030).

An endpoint is an address that a stranger has named, so nothing of its answer is used but the status and how long to wait; redirects
are not followed, and connections go to the Internet alone (guarded_network).
"""

import logging
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Final

import httpcore
import trio
from cryptography.hazmat.primitives.asymmetric import ec

from regserver.adapters.guarded_network import PrivateAddress, guarded_pool, seconds_to_wait
from regserver.adapters.push.message_encryption import SALT_BYTES, encrypt_message
from regserver.adapters.push.vapid import Vapid
from regserver.domain.instant import DAY, SECOND, Duration
from regserver.domain.push import PushOrder, PushTarget
from regserver.ports.push_sender import PushOutcome, PushSender
from regserver.ports.randomness import Randomness

log = logging.getLogger("regserver.push")

TIMEOUT_SECONDS: Final = 10.0
CONNECTIONS: Final = 32
GONE: Final = {404, 410}
LATER: Final = {408, 425, 429}
FAULTS: Final = (
    PrivateAddress,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.TimeoutException,
    httpcore.UnsupportedProtocol,
    OSError,
    ValueError,
)


class WebPush(PushSender, AbstractAsyncContextManager["WebPush"]):
    """allow_private: see CheckedBackend."""

    def __init__(self, vapid: Vapid, randomness: Randomness, *, allow_private: bool) -> None:
        self._pool = guarded_pool(CONNECTIONS, allow_private=allow_private)
        self._vapid = vapid
        self._randomness = randomness

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with trio.CancelScope(shield=True):
            await self._pool.aclose()

    async def send(self, target: PushTarget, payload: bytes, order: PushOrder) -> PushOutcome:
        """Takes TIMEOUT_SECONDS at most."""
        sender, salt = ec.generate_private_key(ec.SECP256R1()), self._randomness.bytes(SALT_BYTES)
        body = encrypt_message(payload, (target.p256dh, target.auth), sender, salt)
        fields = (
            ("authorization", self._vapid.authorization(target.endpoint)),
            ("content-encoding", "aes128gcm"),
            ("content-type", "application/octet-stream"),
            ("content-length", str(len(body))),
            ("ttl", str(order.ttl.whole_seconds)),
            ("topic", order.topic),
            ("urgency", "normal"),
        )
        try:
            with trio.fail_after(TIMEOUT_SECONDS):
                async with self._pool.stream(
                    "POST", target.endpoint, headers=list(fields), content=body
                ) as response:
                    return _outcome(response, target.host)
        except trio.TooSlowError:
            log.info("the push service %s did not answer in time", target.host)
        except FAULTS as error:
            log.info("the push service %s cannot be reached: %s", target.host, type(error).__name__)
        return None


def _outcome(response: httpcore.Response, host: str) -> PushOutcome:
    status = response.status
    if 200 <= status < 300:
        return "accepted"
    if status in GONE:
        return "gone"
    log.info("the push service %s answered with status %d", host, status)
    if status in LATER or status >= 500:
        return Duration(seconds_to_wait(response, DAY // SECOND) * SECOND)
    return "refused"
