"""Telling people from programs."""

from typing import Literal, Protocol

CaptchaType = Literal["web", "android", "ios"]


class Captcha(Protocol):
    """A captcha service."""

    async def check(self, answer: str, kind: CaptchaType, address: str) -> bool:
        """Whether a person gave the answer; False also when the service does not tell. Bounded in time.

        kind: the client's platform. address: the client's, or "".
        """
