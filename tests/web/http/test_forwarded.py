"""The client's address, and the base of links."""

import pytest

from regserver.endpoint import Request
from regserver.web.http.forwarded import ForwardedReader

PROXY = "10.0.0.1"


def read(headers: dict[str, str], peer: str = PROXY, *, public_url: str = "") -> tuple[str, str]:
    origin = ForwardedReader(["10.0.0.0/24", "unix"], public_url).read(
        Request(method="GET", path="/", headers=headers, peer=peer)
    )
    return origin.address, origin.base


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        ({}, PROXY),
        ({"x-forwarded-for": "192.0.2.7"}, "192.0.2.7"),
        ({"x-forwarded-for": "6.6.6.6, 192.0.2.7"}, "192.0.2.7"),
        ({"x-forwarded-for": "192.0.2.7, 10.0.0.9"}, "192.0.2.7"),
        ({"x-forwarded-for": "10.0.0.8, 10.0.0.9"}, PROXY),
        ({"x-forwarded-for": "nonsense"}, PROXY),
        ({"x-forwarded-for": "192.0.2.7:4711"}, "192.0.2.7"),
        ({"forwarded": 'for="[2001:db8::1]:47"'}, "2001:db8::1"),
        ({"forwarded": "for=192.0.2.7;proto=https, for=10.0.0.9"}, "192.0.2.7"),
        ({"forwarded": "for=unknown"}, PROXY),
        ({"forwarded": "for=192.0.2.7", "x-forwarded-for": "6.6.6.6"}, "192.0.2.7"),
    ],
)
def test_a_listed_proxy_is_believed(headers: dict[str, str], address: str) -> None:
    assert read(headers)[0] == address


def test_a_stranger_is_not() -> None:
    headers = {"x-forwarded-for": "6.6.6.6", "x-forwarded-proto": "https", "x-forwarded-host": "evil"}
    assert read({**headers, "host": "a.example"}, "192.0.2.1") == ("192.0.2.1", "http://a.example")


def test_the_unix_socket_can_be_a_proxy() -> None:
    assert read({"x-forwarded-for": "192.0.2.7"}, "")[0] == "192.0.2.7"


@pytest.mark.parametrize(
    ("headers", "base"),
    [
        ({"host": "a.example:8080"}, "http://a.example:8080"),
        ({"host": "[::1]:8080"}, "http://[::1]:8080"),
        ({"host": "a.example", "x-forwarded-proto": "https"}, "https://a.example"),
        ({"host": "x", "x-forwarded-proto": "https", "x-forwarded-host": "b.example"}, "https://b.example"),
        ({"host": "x", "forwarded": "proto=https;host=b.example"}, "https://b.example"),
        ({"host": "x", "x-forwarded-proto": "gopher"}, "http://x"),
        ({"host": "a/b"}, "http://localhost"),
        ({"host": "a b"}, "http://localhost"),
        ({"host": "user@a"}, "http://localhost"),
        ({"host": "[::::]"}, "http://localhost"),
        ({"host": "[1.2.3.4]:80"}, "http://localhost"),
        ({"host": "x", "x-forwarded-host": "[:::"}, "http://localhost"),
        ({}, "http://localhost"),
    ],
)
def test_links_start_with_what_the_client_called(headers: dict[str, str], base: str) -> None:
    assert read(headers)[1] == base


def test_the_public_url_wins() -> None:
    origin = ForwardedReader([], "https://a.example/base/").read(
        Request(method="GET", path="/", headers={"host": "evil"}, peer="192.0.2.1")
    )
    assert origin.base == "https://a.example/base"
    assert origin.socket_base == "wss://a.example/base"


def test_links_begin_with_where_the_app_is_mounted() -> None:
    request = Request(method="GET", path="/", headers={"host": "a.example"}, root_path="/reg")
    assert ForwardedReader([], "").read(request).base == "http://a.example/reg"
    assert ForwardedReader([], "https://b.example/x").read(request).base == "https://b.example/x"
