"""The captcha, and the doors that demand it."""

from contextlib import AsyncExitStack

import msgspec

from regserver.adapters.provider_client import open_http_client
from regserver.adapters.server_key import ServerKey
from regserver.adapters.siteverify import build_site_verify
from regserver.config import Settings
from regserver.config.provider import CaptchaDoor
from regserver.domain.altcha import PuzzleSeal
from regserver.ports.captcha import Captcha
from regserver.ports.clock import Clock
from regserver.ports.randomness import Randomness
from regserver.ports.store import Store
from regserver.service.proof_of_work import ProofOfWork


class CaptchaGate(msgspec.Struct, frozen=True):
    """proof: where the captcha is built in, and its puzzles are to be served."""

    captcha: Captcha | None = None
    doors: tuple[CaptchaDoor, ...] = ()
    proof: ProofOfWork | None = None

    def at(self, door: CaptchaDoor) -> Captcha | None:
        """The captcha that a door demands, or None."""
        return self.captcha if door in self.doors else None


async def open_captcha(
    stack: AsyncExitStack, settings: Settings, key: ServerKey, store: Store, parts: tuple[Clock, Randomness]
) -> CaptchaGate:
    """The configured captcha."""
    section = settings.captcha
    if section.kind == "none":
        return CaptchaGate()
    if section.kind == "altcha":
        proof = ProofOfWork(store, *parts, PuzzleSeal(key.derive("captcha")), section.work)
        return CaptchaGate(proof, section.doors, proof)
    client = await stack.enter_async_context(open_http_client(settings.server.outbound_proxy))
    captcha = build_site_verify(section, client, settings.server.public_url)
    return CaptchaGate(captcha, section.doors)
