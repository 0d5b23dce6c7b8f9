"""Captcha: whether the client is a person.

reCAPTCHA, hCaptcha and Turnstile share one protocol, `siteverify`: a form with the secret and the client's answer is sent,
and JSON with `success` returned. Only the address differs. An answer that cannot be checked in time counts as wrong.
"""

import logging
from collections.abc import Mapping

import httpx
import msgspec

from regserver.adapters.provider_client import NoAnswer, ProviderClient, ProviderRequest
from regserver.config.provider import CaptchaSection
from regserver.ports.captcha import Captcha, CaptchaType

log = logging.getLogger("regserver.captcha")

PRESETS: Mapping[str, str] = {
    "recaptcha": "https://www.google.com/recaptcha/api/siteverify",
    "hcaptcha": "https://api.hcaptcha.com/siteverify",
    "turnstile": "https://challenges.cloudflare.com/turnstile/v0/siteverify",
}
MAX_ANSWER_LENGTH = 16 * 1024


class NoCaptcha(Captcha):
    """Every client passes: for trying out, and behind a proxy that checks clients."""

    async def check(self, answer: str, kind: CaptchaType, address: str) -> bool:
        """True."""
        return True


class _SiteVerifyReply(msgspec.Struct, rename={"error_codes": "error-codes"}):
    success: bool
    error_codes: tuple[str, ...] = ()


class SiteVerifyCaptcha(Captcha):
    """secrets: by the client's platform. Answers from a platform without a secret are refused."""

    def __init__(self, client: ProviderClient, url: str, secrets: Mapping[CaptchaType, str]) -> None:
        self._client = client
        self._url = url
        self._secrets = secrets

    async def check(self, answer: str, kind: CaptchaType, address: str) -> bool:
        """Whether the service accepts the client's answer. address: the client's, or "" to keep it from the service."""
        secret = self._secrets.get(kind, "")
        if not secret:
            log.error("no captcha secret is configured for %s", kind)
            return False
        if not 0 < len(answer) <= MAX_ANSWER_LENGTH:
            return False
        form = {"secret": secret, "response": answer}
        if address:
            form["remoteip"] = address
        reply = await self._ask(form)
        if reply is not None and reply.success is False and reply.error_codes:
            log.info("captcha refused: %s", ", ".join(code[:50] for code in reply.error_codes[:5]))
        return reply is not None and reply.success

    async def _ask(self, form: dict[str, str]) -> _SiteVerifyReply | None:
        """The service's answer; None when there is no usable one. Its text is never logged whole."""
        try:
            answer = await self._client.ask(ProviderRequest("POST", self._url, form=form))
        except NoAnswer as fault:
            log.error("the captcha service: %s", fault)
            return None
        if answer.status != 200:
            log.error("the captcha service answered with status %d", answer.status)
            return None
        if (reply := answer.read(_SiteVerifyReply)) is None:
            log.error("the captcha service did not answer with JSON of the expected form")
        return reply


def build_captcha(settings: CaptchaSection, http: httpx.AsyncClient) -> Captcha:
    """The configured service, at its own address unless `url` names another."""
    if settings.kind == "none":
        return NoCaptcha()
    secrets: dict[CaptchaType, str] = {
        "web": settings.secret_web,
        "android": settings.secret_android,
        "ios": settings.secret_ios,
    }
    url = settings.url or PRESETS[settings.kind]
    return SiteVerifyCaptcha(ProviderClient(http, settings.timeout), url, secrets)
