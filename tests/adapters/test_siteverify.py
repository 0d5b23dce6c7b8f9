"""The captcha driver against a siteverify peer on loopback: its requests, and that every doubtful answer is a refusal."""

from typing import Literal

import pytest

from regserver.adapters.provider_client import open_http_client
from regserver.adapters.siteverify import PRESETS, build_captcha
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
    async with open_http_client() as client:
        return await build_captcha(settings, client).check(text, kind, "192.0.2.7")


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


async def test_none_lets_everybody_through() -> None:
    assert await check(CaptchaSection(kind="none"), text="")
