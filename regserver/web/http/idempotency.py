"""The Idempotency-Key field of a request."""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from regserver.domain.idempotency import Idempotency, is_idempotency_key
from regserver.domain.outcome import BadIdempotencyKey
from regserver.endpoint import Request

_encode = msgspec.json.Encoder(order="sorted").encode


def idempotency_of(
    request: Request, body: Mapping[str, Any] | msgspec.Struct
) -> Idempotency | BadIdempotencyKey | None:
    """The retry that the request asks for, None when it has no key.

    body: what the request means; what is not in it (the password of a sign-up) leaves no trace in the store. Compared
    as an object, since a client that builds its body anew may order or space it differently. Its keys are part of what
    is compared: after an update that gives them other names, repetitions of earlier requests would conflict.
    """
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    # The draft has a quoted string, most clients a bare one.
    key = key.strip().removeprefix('"').removesuffix('"')
    if not is_idempotency_key(key):
        return BadIdempotencyKey()
    path = request.path.removesuffix("/").encode("utf-8", "surrogatepass")
    return Idempotency(key, hashlib.sha256(path + b"\n" + _encode(body)).digest())
