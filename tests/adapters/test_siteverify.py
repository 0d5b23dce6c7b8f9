"""The captcha driver against a siteverify peer on loopback: its requests, and that every doubtful answer is a refusal."""

from typing import Any, Literal

import msgspec
import pytest

from regserver.adapters.provider_client import ProviderHttp
from regserver.adapters.siteverify import PRESETS, build_site_verify
from regserver.config import Secret
from regserver.config.provider import CaptchaSection
from regserver.domain.instant import SECOND, Duration
from regserver.ports.captcha import CaptchaType
from tests.peer.http import DROP, HANG, Answer, answer, open_http_peer, refused_url

Kind = Literal["recaptcha", "hcaptcha", "turnstile"]
PATIENT = Duration(5 * SECOND)
KINDS: tuple[Kind, ...] = ("recaptcha", "hcaptcha", "turnstile")


def section(url: str, kind: Kind = "recaptcha", limit: Duration = PATIENT) -> CaptchaSection:
    return CaptchaSection(
        kind=kind, url=url, timeout=limit, secret_web=Secret("w3b"), secret_android=Secret("4ndroid")
    )


async def check(settings: CaptchaSection, text: str = "answer", kind: CaptchaType = "web") -> bool:
    async with ProviderHttp() as client:
        return await build_site_verify(settings, client, "https://example.org").check(text, kind, "192.0.2.7")


@pytest.mark.parametrize("preset", KINDS)
async def test_siteverify_is_asked_as_documented(preset: Kind) -> None:
    async with open_http_peer(lambda asked: answer({"success": True, "hostname": "example.org"})) as peer:
        assert await check(section(peer.url + "/siteverify", preset))
        assert await check(section(peer.url, preset), kind="android")
    web, android = peer.asked
    assert (web.method, web.target) == ("POST", "/siteverify")
    assert web.form == {"secret": "w3b", "response": "answer", "remoteip": "192.0.2.7"}
    assert android.form["secret"] == "4ndroid"


def test_every_preset_has_an_address() -> None:
    assert set(KINDS) == PRESETS.keys()
    assert all(url.startswith("https://") and url.endswith("/siteverify") for url in PRESETS.values())


@pytest.mark.parametrize(
    "reply",
    [
        answer({"success": False, "error-codes": ["invalid-input-response", "timeout-or-duplicate"]}),
        answer({"success": "true"}),
        answer({"success": 1}),
        answer({"success": None}),
        answer({}),
        answer([True]),
        answer({"success": True}, 500),
        answer({"success": True}, 302),
        Answer(200, b"true"),
        Answer(200, b"<html>"),
        Answer(200, b"\xff\xfe"),
        Answer(200, b'{"success": true}' + b" " * 300_000),
        DROP,
    ],
)
async def test_every_doubt_is_a_no(reply: Answer) -> None:
    async with open_http_peer(lambda asked: reply) as peer:
        assert not await check(section(peer.url))
        assert len(peer.asked) == 1


async def test_who_says_nothing_says_no() -> None:
    async with open_http_peer(lambda asked: HANG) as peer:
        assert not await check(section(peer.url, limit=Duration(300)))


async def test_without_service_secret_or_answer_nobody_passes() -> None:
    assert not await check(section(await refused_url()))
    assert not await check(section("no url"))
    async with open_http_peer(lambda asked: answer({"success": True})) as peer:
        assert not await check(section(peer.url), kind="ios")
        assert not await check(section(peer.url), text="")
        assert not await check(section(peer.url), text="x" * 20_000)
        assert peer.asked == []


async def verdict(reply: dict[str, object], kind: Kind = "recaptcha", **figures: Any) -> bool:
    """Whether a successful answer with these members lets the client in."""
    async with open_http_peer(lambda asked: answer({"success": True, **reply})) as peer:
        return await check(msgspec.structs.replace(section(peer.url, kind), **figures))


@pytest.mark.parametrize(
    ("hostname", "hostnames", "accepted"),
    [
        ("example.org", (), True),
        ("EXAMPLE.org", (), True),
        ("other.example", (), False),
        ("", (), False),
        ("other.example", ("Other.Example", "third.example"), True),
        ("example.org", ("other.example",), False),
        ("not-provided", (), True),
        (5, (), False),
    ],
)
async def test_an_answer_of_another_host_does_not_count(
    hostname: object, hostnames: tuple[str, ...], accepted: bool
) -> None:
    assert await verdict({"hostname": hostname}, hostnames=hostnames) is accepted


async def test_without_an_address_of_its_own_the_server_takes_any_host() -> None:
    reply = answer({"success": True, "hostname": "any.example"})
    async with open_http_peer(lambda _: reply) as peer, ProviderHttp() as client:
        captcha = build_site_verify(section(peer.url), client, "")
        assert await captcha.check("answer", "web", "")


async def test_an_answer_of_another_action_does_not_count() -> None:
    assert await verdict({"action": "login"})
    assert await verdict({"action": "sign_up"}, action="sign_up")
    assert not await verdict({"action": "login"}, action="sign_up")
    assert await verdict({}, action="sign_up")


@pytest.mark.parametrize(
    ("score", "least", "accepted"),
    [
        (0.5, 0.5, True),
        (0.49, 0.5, False),
        (0, 0.0, True),
        (1, 1.0, True),
        (0.9, 0.95, False),
        ("1", 0.5, False),
    ],
)
async def test_a_low_score_does_not_count(score: object, least: float, accepted: bool) -> None:
    assert await verdict({"score": score}, min_score=least) is accepted


async def test_hcaptcha_scores_the_risk() -> None:
    assert await verdict({"score": 0.1}, "hcaptcha", min_score=0.8)
    assert not await verdict({"score": 0.9}, "hcaptcha", min_score=0.8)
