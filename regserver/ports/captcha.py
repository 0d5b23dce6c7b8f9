"""Telling people from programs."""

from typing import Literal, Protocol

CaptchaType = Literal["web", "android", "ios"]


class Captcha(Protocol):
    async def check(self, answer: str, kind: CaptchaType, address: str) -> bool:
        """Whether a person answered. False too when it cannot be found out; bounded in time."""
