"""The built-in captcha on the wire."""

from typing import Annotated

import msgspec

from regserver.domain.altcha import SignedPuzzle
from regserver.ports.captcha import CaptchaAnswer, CaptchaType
from regserver.web.http.answer import JsonAnswer
from regserver.web.http.field import described

CaptchaField = Annotated[
    str,
    described(
        "Of a captcha, where one is demanded: its service's token, or the solved puzzle as base64 of JSON.",
        "eyJjaGFsbGVuZ2UiOnt9fQ==",
    ),
]
CaptchaTypeField = Annotated[CaptchaType, described("The client's platform; web by default.", "web")]
PLATFORMS: dict[object, CaptchaType] = {"web": "web", "android": "android", "ios": "ios"}


class PuzzleParameters(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The puzzle: the counter is looked for whose key begins with keyPrefix. Bytes are in hex."""

    algorithm: Annotated[str, described("How a key is derived.", "PBKDF2/SHA-256")]
    cost: Annotated[int, described("Rounds.", 1000)]
    expires_at: Annotated[int, described("Until when it is accepted, in seconds since 1970.", 1600000600)]
    key_length: Annotated[int, described("Bytes of a key.", 32)]
    key_prefix: Annotated[str, described("How the key begins that is looked for.", "5d0c")]
    key_signature: Annotated[str, described("The server's, of the whole key.", "77aa")]
    nonce: Annotated[str, described("The beginning of the password; the counter in 4 bytes follows.", "00ff")]
    salt: Annotated[str, described("Of each key.", "ff00")]


class PuzzleIssued(JsonAnswer, frozen=True):
    """A puzzle with the server's signature; the solution returns both."""

    parameters: PuzzleParameters
    signature: Annotated[str, described("The server's, of the parameters.", "aa77")]


def puzzle_issued(puzzle: SignedPuzzle) -> PuzzleIssued:
    """The answer with a puzzle."""
    return PuzzleIssued(
        msgspec.convert(puzzle.parameters, PuzzleParameters, from_attributes=True), puzzle.signature
    )


def captcha_answer(text: object, platform: object, address: str) -> CaptchaAnswer:
    """A client's answer as it came; what is no text counts as none, and an unknown platform as the web."""
    known = PLATFORMS.get(platform, "web") if isinstance(platform, str) else "web"
    return CaptchaAnswer(text if isinstance(text, str) else "", known, address)
