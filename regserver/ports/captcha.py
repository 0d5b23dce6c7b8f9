"""Telling people from programs."""

from typing import Literal, Protocol

import msgspec

CaptchaType = Literal["web", "android", "ios"]


class CaptchaAnswer(msgspec.Struct, frozen=True):
    """What a client answered. kind: its platform. address: its own, or ""."""

    text: str = ""
    kind: CaptchaType = "web"
    address: str = ""


class Captcha(Protocol):
    """A captcha service."""

    async def check(self, answer: str, kind: CaptchaType, address: str) -> bool:
        """Whether a person gave the answer; False also when the service does not tell. Bounded in time.

        kind: the client's platform. address: the client's, or "".
        """


async def is_passed(captcha: Captcha | None, answer: CaptchaAnswer) -> bool:
    """Whether a door lets the client in. captcha: of the door; None demands no answer."""
    return captcha is None or await captcha.check(answer.text, answer.kind, answer.address)
