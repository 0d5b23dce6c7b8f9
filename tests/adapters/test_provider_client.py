"""Requests to providers: bounded in time and size, with faults that contain nothing of the request."""

import gzip

import pytest

from regserver.adapters.provider_client import (
    MAX_ANSWER_BYTES,
    NoAnswer,
    ProviderClient,
    ProviderHttp,
    ProviderRequest,
)
from regserver.domain.instant import SECOND, Duration
from regserver.domain.trace import RequestTrace, current_trace
from tests.peer.http import DROP, HANG, Answer, open_http_peer, refused_url

SECRET = "s3cret"


async def ask(url: str, limit: int = 5 * SECOND) -> bytes:
    async with ProviderHttp() as client:
        provider = ProviderClient(client, Duration(limit))
        return (
            await provider.ask(ProviderRequest("POST", url, headers={"x-key": SECRET}, form={"key": SECRET}))
        ).body


async def test_an_answer_comes_as_it_is() -> None:
    async with open_http_peer(lambda asked: Answer(302, b"elsewhere")) as peer:
        assert await ask(peer.url) == b"elsewhere"
    (asked,) = peer.asked
    assert asked.headers["accept-encoding"] == "identity"
    assert asked.form == {"key": SECRET}


async def test_a_request_says_which_trace_it_belongs_to() -> None:
    token = current_trace.set(RequestTrace("a" * 32, "b" * 16, "01"))
    try:
        async with open_http_peer(lambda asked: Answer()) as peer:
            await ask(peer.url)
    finally:
        current_trace.reset(token)
    assert peer.asked[0].headers["traceparent"] == f"00-{'a' * 32}-{'b' * 16}-01"


async def test_what_is_packed_stays_packed() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    packed = Answer(200, bomb, headers=(("content-encoding", "gzip"),))
    async with open_http_peer(lambda asked: packed) as peer:
        assert await ask(peer.url) == bomb


async def test_a_proxy_is_asked_for_the_whole_address() -> None:
    async with open_http_peer(lambda asked: Answer(200, b"by the proxy")) as proxy:
        async with ProviderHttp(proxy.url.replace("://", "://ann:s3cret@")) as client:
            provider = ProviderClient(client, Duration(5 * SECOND))
            answer = await provider.ask(ProviderRequest("GET", "http://provider.example/sms"))
        assert answer.body == b"by the proxy"
    (asked,) = proxy.asked
    assert asked.target == "http://provider.example/sms"
    assert asked.headers["proxy-authorization"] == "Basic YW5uOnMzY3JldA=="


async def test_the_environment_names_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    async with open_http_peer(lambda asked: Answer(200, b"directly")) as peer:
        assert await ask(peer.url) == b"directly"


@pytest.mark.parametrize("reply", [DROP, HANG, Answer(200, bytes(MAX_ANSWER_BYTES + 1))])
async def test_no_answer_tells_no_secret(reply: Answer) -> None:
    async with open_http_peer(lambda asked: reply) as peer:
        with pytest.raises(NoAnswer) as caught:
            await ask(peer.url + f"/{SECRET}", 300)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["", SECRET, f"ftp://{SECRET}", f"http://[{SECRET}", f"http://127.0.0.1:99999/{SECRET}"]
)
async def test_what_is_no_url(url: str) -> None:
    with pytest.raises(NoAnswer) as caught:
        await ask(url)
    assert SECRET not in str(caught.value)


async def test_nobody_there() -> None:
    with pytest.raises(NoAnswer, match="cannot be reached: ConnectError"):
        await ask(await refused_url())
