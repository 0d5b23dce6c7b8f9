"""Answers of providers that are nested as deeply as they fit: an answer that cannot be read, and no bug."""

import pytest

from regserver.adapters.ledger.antelope_node import AntelopeNode
from regserver.adapters.provider_client import MAX_ANSWER_BYTES, ProviderClient, ProviderHttp
from regserver.adapters.siteverify import build_site_verify
from regserver.adapters.sms import build_sms
from regserver.adapters.source.line_parser import MAX_LINE_BYTES, parse_line
from regserver.adapters.source.message import MAX_ANSWER_BYTES as MAX_VERIFY_BYTES
from regserver.adapters.source.message import read_answer
from regserver.config import Secret
from regserver.config.provider import CaptchaSection, SmsKind, SmsSection, SmsTwilio, SmsVonage
from regserver.domain.instant import SECOND, Duration
from regserver.domain.source_line import MalformedLine
from regserver.ports.ledger import LedgerFault
from regserver.ports.sms import SmsFault
from regserver.ports.source import Unavailable
from tests.fake import SeededRandomness
from tests.peer.http import Answer, open_http_peer


def nested(field: str, most: int) -> list[bytes]:
    """Lists in lists and objects in objects, alone, in the field that is read, and in one that is not."""
    count = most // 8
    lists, objects = b"[" * count + b"]" * count, b'{"a":' * count + b"1" + b"}" * count
    name = field.encode()
    return [
        inner
        for deep in (lists, objects)
        for inner in (deep, b'{"%s":%s}' % (name, deep), b'{"x":%s}' % deep)
    ]


@pytest.mark.parametrize("body", nested("success", MAX_ANSWER_BYTES))
async def test_of_a_captcha_service(body: bytes) -> None:
    async with open_http_peer(lambda asked: Answer(200, body)) as peer, ProviderHttp() as client:
        settings = CaptchaSection(kind="hcaptcha", url=peer.url, secret_web=Secret("s3cret"))
        assert not await build_site_verify(settings, client, "https://example.org").check("answer", "web", "")


@pytest.mark.parametrize("kind", ["twilio", "vonage"])
@pytest.mark.parametrize("body", nested("messages", MAX_ANSWER_BYTES))
async def test_of_an_sms_provider(kind: SmsKind, body: bytes) -> None:
    async with open_http_peer(lambda asked: Answer(200, body)) as peer, ProviderHttp() as client:
        twilio = SmsTwilio(account_sid="x", auth_token=Secret("x"), from_="x", url=peer.url)
        vonage = SmsVonage(api_key=Secret("x"), api_secret=Secret("x"), from_="x", url=peer.url)
        settings = SmsSection(kind=kind, twilio=twilio, vonage=vonage)
        with pytest.raises(SmsFault):
            await build_sms(settings, client, SeededRandomness()).send("+380000000000", "hello")


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize("body", nested("error", MAX_ANSWER_BYTES))
async def test_of_a_node(status: int, body: bytes) -> None:
    async with open_http_peer(lambda asked: Answer(status, body)) as peer, ProviderHttp() as client:
        node = AntelopeNode(ProviderClient(client, Duration(10 * SECOND)), peer.url)
        with pytest.raises(LedgerFault):
            await node.info()
        with pytest.raises(LedgerFault):
            await node.account("somebody")
        refused = await node.push(b"{}")
        assert (refused is None) == (status == 200)


@pytest.mark.parametrize("body", nested("subject", MAX_VERIFY_BYTES))
def test_of_a_source(body: bytes) -> None:
    assert isinstance(read_answer(body), Unavailable)


@pytest.mark.parametrize("body", nested("name", MAX_LINE_BYTES))
def test_of_a_line(body: bytes) -> None:
    assert isinstance(parse_line(body), MalformedLine)
