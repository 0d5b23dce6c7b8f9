"""Every SMS driver against a peer on loopback that gets, and checks, what the provider's documentation prescribes."""

import base64
import json
import logging
from collections import Counter

import pytest

from regserver.adapters.provider_client import ProviderHttp
from regserver.adapters.sms import build_sms
from regserver.config import Secret
from regserver.config.provider import SmsHttp, SmsSection, SmsTwilio, SmsVonage
from regserver.domain.instant import SECOND, Duration
from regserver.ports.sms import Sms, SmsFault
from tests.fake import SeededRandomness
from tests.peer.http import DROP, HANG, Answer, Asked, answer, open_http_peer, refused_url

PHONE = "+380000000000"
TEXT = 'Ваш код: 123456 "{phone}" & more'
PATIENT = Duration(5 * SECOND)
QUICK = Duration(300)

VONAGE_SENT = answer({"message-count": "1", "messages": [{"to": "380000000000", "status": "0"}]})
TWILIO_SENT = answer({"sid": "SM1", "status": "queued", "error_code": None}, 201)


async def send(settings: SmsSection, text: str = TEXT) -> None:
    async with ProviderHttp() as client:
        await build_sms(settings, client, SeededRandomness()).send(PHONE, text)


def twilio(url: str, limit: Duration = PATIENT, **more: str) -> SmsSection:
    fields = {"account_sid": "AC123", "from_": "+15005550006", **more}
    return SmsSection(
        kind="twilio", timeout=limit, twilio=SmsTwilio(auth_token=Secret("t0ken"), url=url, **fields)
    )


def vonage(url: str, limit: Duration = PATIENT) -> SmsSection:
    fields = SmsVonage(api_key=Secret("k3y"), api_secret=Secret("s3cret"), from_="regserver", url=url)
    return SmsSection(kind="vonage", timeout=limit, vonage=fields)


async def test_twilio_is_asked_as_documented() -> None:
    async with open_http_peer(lambda asked: TWILIO_SENT) as peer:
        await send(twilio(peer.url))
    (asked,) = peer.asked
    assert (asked.method, asked.target) == ("POST", "/2010-04-01/Accounts/AC123/Messages.json")
    assert asked.headers["authorization"] == "Basic " + base64.b64encode(b"AC123:t0ken").decode()
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    assert asked.form == {"To": PHONE, "From": "+15005550006", "Body": TEXT}


async def test_twilio_with_a_messaging_service() -> None:
    async with open_http_peer(lambda asked: TWILIO_SENT) as peer:
        await send(twilio(peer.url, messaging_service_sid="MG1"))
    assert peer.asked[0].form == {"To": PHONE, "MessagingServiceSid": "MG1", "Body": TEXT}


async def test_vonage_is_asked_as_documented() -> None:
    async with open_http_peer(lambda asked: VONAGE_SENT) as peer:
        await send(vonage(peer.url))
        await send(vonage(peer.url), "plain")
    unicode, plain = peer.asked
    assert (unicode.method, unicode.target) == ("POST", "/sms/json")
    assert unicode.form == {
        "api_key": "k3y",
        "api_secret": "s3cret",
        "from": "regserver",
        "to": "380000000000",
        "text": TEXT,
        "type": "unicode",
    }
    assert "type" not in plain.form


REFUSALS: list[tuple[str, Answer]] = [
    ("twilio", answer({"code": 21211, "message": f"The 'To' number {PHONE} is not valid"}, 400)),
    ("twilio", answer({"code": 20003, "message": "Authenticate"}, 401)),
    ("twilio", answer({"status": "failed", "error_code": 30008}, 201)),
    ("twilio", Answer(500, b"<html>")),
    ("twilio", Answer(302, b"")),
    ("vonage", answer({"messages": [{"status": "4", "error-text": f"Bad credentials {PHONE}"}]})),
    ("vonage", answer({"messages": [{"status": "0"}, {"status": "1"}]})),
    ("vonage", answer({"messages": []})),
    ("vonage", answer({})),
    ("vonage", Answer(200, b"\xff")),
    ("vonage", answer({"messages": [{"status": "0"}]}, 503)),
    ("http", Answer(404)),
    ("http", Answer(301)),
]


def settings_of(kind: str, url: str, limit: Duration = PATIENT) -> SmsSection:
    if kind == "twilio":
        return twilio(url, limit)
    return (
        vonage(url, limit)
        if kind == "vonage"
        else SmsSection(kind="http", timeout=limit, http=SmsHttp(url=Secret(url)))
    )


@pytest.mark.parametrize(("kind", "reply"), REFUSALS)
async def test_what_is_not_taken_is_a_fault_that_tells_nothing(kind: str, reply: Answer) -> None:
    async with open_http_peer(lambda asked: reply) as peer:
        with pytest.raises(SmsFault) as caught:
            await send(settings_of(kind, peer.url))
    for secret in (PHONE, "380000000000", "123456", "t0ken", "s3cret"):
        assert secret not in str(caught.value)


@pytest.mark.parametrize("kind", ["http", "twilio", "vonage"])
@pytest.mark.parametrize("reply", [DROP, HANG], ids=["dropped", "silent"])
async def test_a_provider_that_is_out_of_order(kind: str, reply: Answer) -> None:
    async with open_http_peer(lambda asked: reply) as peer:
        with pytest.raises(SmsFault):
            await send(settings_of(kind, peer.url, QUICK))
    with pytest.raises(SmsFault, match="cannot be reached"):
        await send(settings_of(kind, await refused_url()))


# --- templates
async def test_a_template_escapes_for_json_by_default() -> None:
    async with open_http_peer(lambda asked: answer({}, 202)) as peer:
        http = SmsHttp(url=Secret(peer.url + "/send?to={phone}"), headers={"X-Key": Secret("k3y")})
        await send(SmsSection(kind="http", http=http))
    (asked,) = peer.asked
    assert asked.target == "/send?to=%2B380000000000"
    assert asked.headers["x-key"] == "k3y"
    assert asked.headers["content-type"] == "application/json"
    assert json.loads(asked.body) == {"to": PHONE, "text": TEXT}


async def test_a_template_escapes_for_forms_and_leaves_other_text() -> None:
    async with open_http_peer(lambda asked: Answer(200)) as peer:
        await send(
            SmsSection(
                kind="http", http=SmsHttp(url=Secret(peer.url), body=Secret("to={phone}&text={message}"))
            )
        )
        plain = SmsHttp(
            url=Secret(peer.url),
            method="put",
            headers={"Content-Type": Secret("text/plain")},
            body=Secret("{message}"),
        )
        await send(SmsSection(kind="http", http=plain))
    form, text = peer.asked
    assert form.form == {"to": PHONE, "text": TEXT}
    assert (text.method, text.body.decode()) == ("PUT", TEXT)


@pytest.mark.parametrize("url", ["", "no url", "ftp://127.0.0.1/", "http://[/"])
async def test_a_url_that_is_none(url: str) -> None:
    with pytest.raises(SmsFault):
        await send(SmsSection(kind="http", http=SmsHttp(url=Secret(url))))


# --- several providers
async def test_the_next_provider_is_tried_when_one_fails() -> None:
    def reply(asked: Asked) -> Answer:
        return answer({"code": 20429}, 429) if "Accounts" in asked.target else VONAGE_SENT

    async with open_http_peer(reply) as peer, ProviderHttp() as client:
        settings = SmsSection(
            weights={"twilio": 1_000_000, "vonage": 1, "http": 0},
            twilio=twilio(peer.url).twilio,
            vonage=vonage(peer.url).vonage,
        )
        sms = build_sms(settings, client, SeededRandomness())
        await sms.send(PHONE, TEXT)
    assert [asked.path for asked in peer.asked] == ["/2010-04-01/Accounts/AC123/Messages.json", "/sms/json"]


async def test_when_all_fail_the_fault_names_all() -> None:
    async with open_http_peer(lambda asked: Answer(500)) as peer:
        settings = SmsSection(
            weights={"twilio": 1, "vonage": 1}, twilio=twilio(peer.url).twilio, vonage=vonage(peer.url).vonage
        )
        with pytest.raises(SmsFault, match=r"twilio.*vonage|vonage.*twilio"):
            await send(settings)
    assert len(peer.asked) == 2


async def test_each_provider_gets_its_share() -> None:
    def reply(asked: Asked) -> Answer:
        return TWILIO_SENT if "Accounts" in asked.target else VONAGE_SENT

    async with open_http_peer(reply) as peer, ProviderHttp() as client:
        settings = SmsSection(
            weights={"twilio": 3, "vonage": 1}, twilio=twilio(peer.url).twilio, vonage=vonage(peer.url).vonage
        )
        sms: Sms = build_sms(settings, client, SeededRandomness())
        for _ in range(200):
            await sms.send(PHONE, "x")
    shares = Counter(asked.path for asked in peer.asked)
    assert shares["/sms/json"] + shares["/2010-04-01/Accounts/AC123/Messages.json"] == 200
    assert 30 <= shares["/sms/json"] <= 70


async def test_the_log_driver_writes_number_and_text(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "regserver.sms")
    await send(SmsSection(kind="log"), "123456 is your code")
    assert caplog.messages == [f"SMS to {PHONE}: 123456 is your code"]
