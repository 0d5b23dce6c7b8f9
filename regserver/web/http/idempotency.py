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
    """The key with a hash of what the request means; None when there is no key.

    body: what is compared with a repetition, as an object: a client may order or space its JSON differently. Its hash is
    stored, so a password must not be in it. Its member names are hashed too: an update that renames one makes
    repetitions of earlier requests conflict.
    """
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    # draft-ietf-httpapi-idempotency-key-header has a quoted string, most clients send a bare one.
    key = key.strip().removeprefix('"').removesuffix('"')
    if not is_idempotency_key(key):
        return BadIdempotencyKey()
    path = request.path.removesuffix("/").encode("utf-8", "surrogatepass")
    return Idempotency(key, hashlib.sha256(path + b"\n" + _encode(body)).digest())
