"""Who is asking, by the fields of trusted proxies, and the base of links."""

import itertools

import pytest

from regserver.domain.address import ProxyFields, client_key
from regserver.endpoint import Request
from regserver.web.http.forwarded import ForwardedReader, Requester

PROXY = "10.0.0.1"
Headers = dict[str, str]


def asked(headers: Headers, peer: str) -> Request:
    return Request(method="GET", path="/", headers=headers, peer=peer)


def requester(headers: Headers, peer: str = PROXY, fields: ProxyFields = "x-forwarded") -> Requester:
    return ForwardedReader(["10.0.0.0/24", "unix"], "", fields).requester(asked(headers, peer))


def base(headers: Headers, peer: str = PROXY, fields: ProxyFields = "x-forwarded") -> str:
    return ForwardedReader(["10.0.0.0/24", "unix"], "", fields).read(asked(headers, peer)).base


def x_for(value: str) -> Headers:
    return {"x-forwarded-for": value}


@pytest.mark.parametrize(
    ("value", "address", "is_known"),
    [
        ("192.0.2.7", "192.0.2.7", True),
        ("6.6.6.6, 192.0.2.7", "192.0.2.7", True),
        ("192.0.2.7, 10.0.0.9", "192.0.2.7", True),
        ("6.6.6.6,192.0.2.7 ,\t10.0.0.9, 10.0.0.8", "192.0.2.7", True),
        ("10.0.0.8, 10.0.0.9", "10.0.0.8", True),  # a proxy asks for itself
        ("6.6.6.6, unknown", PROXY, False),
        ("6.6.6.6, _hidden", PROXY, False),
        ("6.6.6.6, unknown, 10.0.0.9", "10.0.0.9", False),
        ("6.6.6.6, nonsense", PROXY, False),
        ("6.6.6.6, 192.000.002.007", PROXY, False),
        ("6.6.6.6, 192.0.2.7:port", PROXY, False),
        ("", PROXY, False),
        (",", PROXY, False),
    ],
)
def test_only_what_trusted_proxies_have_appended_counts(value: str, address: str, is_known: bool) -> None:
    assert requester(x_for(value)) == Requester(address, address, is_known)


@pytest.mark.parametrize(
    ("value", "address", "is_known"),
    [
        ("for=192.0.2.7;proto=https, for=10.0.0.9", "192.0.2.7", True),
        ('for="[2001:db8::1]:47"', "2001:db8::1", True),
        ("for=[2001:db8::1]", "2001:db8::1", True),
        ('For="192.0.2.7:80" ; PROTO=http', "192.0.2.7", True),
        ("proto=https;for=192.0.2.7;by=_x;", "192.0.2.7", True),
        ('for="192.0.2\\.7"', "192.0.2.7", True),
        ("for=6.6.6.6, for=unknown", PROXY, False),
        ('for=6.6.6.6, for="_x:_y"', PROXY, False),
        ("for=6.6.6.6, by=10.0.0.1", PROXY, False),
        ("for=6.6.6.6, ", PROXY, False),
        # A quote that a client left open does not swallow what the proxy appended.
        ('for=6.6.6.6;x=", for="[2001:db8::1]:47"', "2001:db8::1", True),
        ('for="6.6.6.6, for=192.0.2.7', "192.0.2.7", True),
        ('for="6.6.6.6;x=\\", for=192.0.2.7;by="_p"', "192.0.2.7", True),
        ('for=6.6.6.6, for="', PROXY, False),
        ("nonsense", PROXY, False),
        (",a=" * 4000 + '"', PROXY, False),
    ],
)
def test_forwarded_is_read_from_its_end(value: str, address: str, is_known: bool) -> None:
    found = requester({"forwarded": value}, fields="forwarded")
    assert found == Requester(address, address, is_known)


@pytest.mark.parametrize("fields", ["x-real-ip", "cf-connecting-ip"])
def test_fields_with_one_address(fields: ProxyFields) -> None:
    assert requester({fields: "192.0.2.7"}, fields=fields).address == "192.0.2.7"
    assert requester({fields: "6.6.6.6, 10.0.0.9"}, fields=fields).address == "10.0.0.9"
    assert requester({fields: "unknown"}, fields=fields) == Requester(PROXY, PROXY, False)


@pytest.mark.parametrize("fields", ["x-forwarded", "forwarded", "x-real-ip", "cf-connecting-ip"])
def test_the_other_fields_are_not_believed(fields: ProxyFields) -> None:
    """A proxy that sets one of them passes the others of its client on."""
    invented = {
        "x-forwarded-for": "6.6.6.6",
        "forwarded": "for=6.6.6.6;host=evil.example;proto=https",
        "x-real-ip": "6.6.6.6",
        "cf-connecting-ip": "6.6.6.6",
    }
    own = {
        "x-forwarded": x_for("192.0.2.7"),
        "forwarded": {"forwarded": "for=192.0.2.7"},
        "x-real-ip": {"x-real-ip": "192.0.2.7"},
        "cf-connecting-ip": {"cf-connecting-ip": "192.0.2.7"},
    }[fields]
    headers = {"host": "a.example", **invented, **own}
    assert requester(headers, fields=fields).address == "192.0.2.7"
    assert base(headers, fields=fields) == "http://a.example"


def spellings() -> list[str]:
    """Two hundred ways to write addresses of one /64, and of one IPv4 address."""
    heads = ["2001:db8:1:2", "2001:DB8:1:2", "2001:0db8:0001:0002", "2001:dB8:01:0002"]
    tails = [":3:4:5:6", ":0:0:0:1", "::1", ":0000:0000:0000:0001", "::FFFF", "::192.0.2.1"]
    forms = [
        "{}",
        "[{}]",
        "[{}]:4711",
        "{}%eth0",
        "[{}%25en1]:1",
        '"[{}]:80"',
        " {} ",
        "[{}]:_port",
        "[{}%lo]",
    ]
    return [form.format(head + tail) for head, tail, form in itertools.product(heads, tails, forms)]


def test_every_spelling_of_a_network_is_one_key() -> None:
    assert len(set(spellings())) >= 200
    keys = {client_key(requester(x_for(text)).client) for text in spellings()}
    assert keys == {"2001:db8:1:2::/64"}
    mapped = ["192.0.2.1", "192.0.2.1:80", "::ffff:192.0.2.1", "::FFFF:c000:0201", "[::ffff:192.0.2.1]:5"]
    assert {requester(x_for(text)).client for text in mapped} == {"192.0.2.1"}


def test_a_stranger_is_not_believed() -> None:
    headers = {
        **x_for("6.6.6.6"),
        "forwarded": "for=6.6.6.6;proto=https;host=evil",
        "x-forwarded-proto": "https",
        "x-forwarded-host": "evil",
        "host": "a.example",
    }
    assert requester(headers, "192.0.2.1") == Requester("192.0.2.1", "192.0.2.1", False)
    assert base(headers, "192.0.2.1") == "http://a.example"


def test_the_unix_socket_can_be_a_proxy() -> None:
    assert requester(x_for("192.0.2.7"), "").address == "192.0.2.7"


# --- a proxy whose setting is missing
@pytest.mark.parametrize("peer", ["127.0.0.1", "127.0.0.9", "::1"])
@pytest.mark.parametrize(
    "headers",
    [
        x_for("6.6.6.6, 192.0.2.7"),
        x_for("192.0.2.7, 127.0.0.1"),
        {"forwarded": "for=192.0.2.7"},
        {"x-real-ip": "192.0.2.7"},
        {"cf-connecting-ip": "192.0.2.7", "x-forwarded-proto": "https"},
    ],
)
def test_clients_of_a_loopback_peer_are_counted_one_by_one(peer: str, headers: Headers) -> None:
    assert requester(headers, peer) == Requester(peer, "192.0.2.7", False)


def test_it_names_them_without_being_believed() -> None:
    headers = {**x_for("192.0.2.7"), "x-forwarded-proto": "https", "host": "a.example"}
    assert requester(headers, "127.0.0.1").address == "127.0.0.1"
    assert base(headers, "127.0.0.1") == "http://a.example"
    assert requester({"x-forwarded-proto": "https"}, "127.0.0.1") == Requester(
        "127.0.0.1", "127.0.0.1", False
    )


async def test_it_is_told_for_an_hour_with_the_setting(caplog: pytest.LogCaptureFixture) -> None:
    reader = ForwardedReader(["10.0.0.1"], "")
    assert await reader.notice.check() is None
    for _ in range(3):
        reader.requester(asked(x_for("192.0.2.7"), "127.0.0.1"))
    shown = await reader.notice.check()
    assert shown is not None
    assert '"127.0.0.1" to server.trusted_proxies' in shown
    assert [record.getMessage() for record in caplog.records] == [shown]


async def test_strangers_do_not_change_readiness(caplog: pytest.LogCaptureFixture) -> None:
    reader = ForwardedReader([], "")
    reader.requester(asked(x_for("192.0.2.7"), "8.8.8.8"))
    assert await reader.notice.check() is None
    assert "8.8.8.8 sends x-forwarded-for, which" in caplog.text


async def test_a_trusted_proxy_without_the_believed_field_is_told() -> None:
    reader = ForwardedReader([PROXY], "")
    reader.requester(asked(x_for("192.0.2.7"), PROXY))
    assert await reader.notice.check() is None
    reader.requester(asked({"forwarded": "for=192.0.2.7"}, PROXY))
    assert "server.proxy_fields" in (await reader.notice.check() or "")


# --- links
@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"host": "a.example:8080"}, "http://a.example:8080"),
        ({"host": "[::1]:8080"}, "http://[::1]:8080"),
        ({"host": "a.example", "x-forwarded-proto": "https"}, "https://a.example"),
        ({"host": "x", "x-forwarded-proto": "https", "x-forwarded-host": "b.example"}, "https://b.example"),
        ({"host": "x", "x-forwarded-host": "evil.example, b.example"}, "http://b.example"),
        ({"host": "x", "forwarded": "proto=https;host=evil.example"}, "http://x"),
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
def test_links_start_with_what_the_client_called(headers: Headers, expected: str) -> None:
    assert base(headers) == expected


def test_forwarded_has_scheme_and_host_of_the_farthest_believed_entry() -> None:
    chain = "for=6.6.6.6;host=evil.example, for=192.0.2.7;proto=https;host=b.example, for=10.0.0.9;proto=http"
    assert base({"host": "x", "forwarded": chain}, fields="forwarded") == "https://b.example"


def test_the_public_url_wins() -> None:
    headers = {"host": "evil", "x-forwarded-host": "evil", "x-forwarded-proto": "http"}
    origin = ForwardedReader([PROXY], "https://a.example/base/").read(asked(headers, PROXY))
    assert origin.base == "https://a.example/base"
    assert origin.socket_base == "wss://a.example/base"


def test_links_begin_with_where_the_app_is_mounted() -> None:
    request = Request(method="GET", path="/", headers={"host": "a.example"}, root_path="/reg")
    assert ForwardedReader([], "").read(request).base == "http://a.example/reg"
    assert ForwardedReader([], "https://b.example/x").read(request).base == "https://b.example/x"
