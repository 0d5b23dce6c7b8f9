"""The captcha, and the doors that demand it."""

from contextlib import AsyncExitStack
from functools import partial

import msgspec

from regserver.adapters.provider_client import ProviderHttp
from regserver.adapters.server_key import ServerKey
from regserver.adapters.siteverify import build_site_verify
from regserver.app.part_reload import Prepare, Prepared, keep
from regserver.app.switch import SwitchedCaptcha
from regserver.config import Loaded, Settings
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
    prepare: Prepare = keep

    def at(self, door: CaptchaDoor) -> Captcha | None:
        """The captcha that a door demands, or None."""
        return self.captcha if door in self.doors else None

    @property
    def proves(self) -> tuple[CaptchaDoor, ...]:
        """The doors that demand a proof of work, which the page does."""
        return self.doors if self.proof is not None else ()

    @property
    def elsewhere(self) -> tuple[CaptchaDoor, ...]:
        """The doors that demand the captcha of a service, whose script the page does not load."""
        return self.doors if self.proof is None else ()


async def open_captcha(
    stack: AsyncExitStack, settings: Settings, key: ServerKey, store: Store, parts: tuple[Clock, Randomness]
) -> CaptchaGate:
    """The configured captcha."""
    section = settings.captcha
    if section.kind == "none":
        return CaptchaGate()
    if section.kind == "altcha":
        proof = ProofOfWork(store, *parts, PuzzleSeal(key.derive("captcha")), section.work)

        async def prepare_work(loaded: Loaded) -> Prepared:
            return Prepared(partial(proof.take_work, loaded.settings.captcha.work))

        return CaptchaGate(proof, section.doors, proof, prepare_work)
    client = await stack.enter_async_context(ProviderHttp(settings.server.outbound_proxy))
    switch = SwitchedCaptcha(build_site_verify(section, client, settings.server.public_url))

    async def prepare(loaded: Loaded) -> Prepared:
        captcha = build_site_verify(loaded.settings.captcha, client, loaded.settings.server.public_url)
        return Prepared(partial(switch.take, captcha))

    return CaptchaGate(switch, section.doors, prepare=prepare)
