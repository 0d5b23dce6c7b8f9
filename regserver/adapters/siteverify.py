"""Captcha: whether the client is a person.

reCAPTCHA, hCaptcha and Turnstile share one protocol, `siteverify`: a form with the secret and the client's answer is sent,
and JSON with `success` returned. Only the address differs. An answer that cannot be checked in time counts as wrong, and so
does one that was given on another host, for another action, or with too low a score: whoever runs a page with the same site
key, or collects answers elsewhere, could otherwise use them here.
"""

import logging
from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec

from regserver.adapters.provider_client import NoAnswer, ProviderClient, ProviderHttp, ProviderRequest
from regserver.config.provider import CaptchaSection
from regserver.ports.captcha import Captcha, CaptchaType

log = logging.getLogger("regserver.captcha")

PRESETS: Mapping[str, str] = {
    "recaptcha": "https://www.google.com/recaptcha/api/siteverify",
    "hcaptcha": "https://api.hcaptcha.com/siteverify",
    "turnstile": "https://challenges.cloudflare.com/turnstile/v0/siteverify",
}
MAX_ANSWER_LENGTH = 16 * 1024


class SiteVerifyReply(msgspec.Struct, rename={"error_codes": "error-codes"}):
    """A service's answer. Turnstile and reCAPTCHA v3 give an action, reCAPTCHA v3 and hCaptcha Enterprise a score."""

    success: bool
    error_codes: tuple[str, ...] = ()
    hostname: str | None = None
    action: str | None = None
    score: float | None = None


class SiteVerifyPolicy(msgspec.Struct, frozen=True):
    """What an answer must say, where it says it. hostnames: in lower case; empty: any. action: "": any.

    scores_risk: whether a high score is that of a robot, as with hCaptcha, and not that of a person.
    """

    hostnames: frozenset[str] = frozenset()
    action: str = ""
    min_score: float = 0.5
    scores_risk: bool = False

    def fault(self, reply: SiteVerifyReply) -> str | None:
        """Why a successful answer does not count, for the log; None when it does."""
        # hCaptcha says "not-provided" of applications.
        host = None if reply.hostname == "not-provided" else reply.hostname
        if self.hostnames and host is not None and host.lower() not in self.hostnames:
            return "it was given on another host, see captcha.hostnames"
        if self.action and reply.action is not None and reply.action != self.action:
            return "it was given for another action, see captcha.action"
        score = reply.score if reply.score is None or not self.scores_risk else 1 - reply.score
        # Written so that NaN is too low as well.
        if score is not None and not score >= self.min_score:
            return "its score is too low, see captcha.min_score"
        return None


class SiteVerifyCaptcha(Captcha):
    """secrets: by the client's platform. Answers from a platform without a secret are refused."""

    def __init__(
        self,
        client: ProviderClient,
        url: str,
        secrets: Mapping[CaptchaType, str],
        policy: SiteVerifyPolicy,
    ) -> None:
        self._client = client
        self._url = url
        self._secrets = secrets
        self._policy = policy

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
        return reply is not None and self._accepts(reply)

    def _accepts(self, reply: SiteVerifyReply) -> bool:
        if not reply.success:
            if reply.error_codes:
                log.info("captcha refused: %s", ", ".join(code[:50] for code in reply.error_codes[:5]))
            return False
        if (fault := self._policy.fault(reply)) is not None:
            log.info("captcha refused: %s", fault)
        return fault is None

    async def _ask(self, form: dict[str, str]) -> SiteVerifyReply | None:
        """The service's answer; None when there is no usable one. Its text is never logged whole."""
        try:
            answer = await self._client.ask(ProviderRequest("POST", self._url, form=form))
        except NoAnswer as fault:
            log.error("the captcha service: %s", fault)
            return None
        if answer.status != 200:
            log.error("the captcha service answered with status %d", answer.status)
            return None
        if (reply := answer.read(SiteVerifyReply)) is None:
            log.error("the captcha service did not answer with JSON of the expected form")
        return reply


def build_site_verify(settings: CaptchaSection, http: ProviderHttp, public_url: str) -> Captcha:
    """The configured service, at its own address unless `url` names another. public_url: of the server, or ""."""
    secrets: dict[CaptchaType, str] = {
        "web": settings.secret_web,
        "android": settings.secret_android,
        "ios": settings.secret_ios,
    }
    hosts = settings.hostnames or (urlsplit(public_url).hostname or "",)
    policy = SiteVerifyPolicy(
        hostnames=frozenset(host.lower() for host in hosts if host),
        action=settings.action,
        min_score=settings.min_score,
        scores_risk=settings.kind == "hcaptcha",
    )
    url = settings.url or PRESETS[settings.kind]
    return SiteVerifyCaptcha(ProviderClient(http, settings.timeout), url, secrets, policy)
