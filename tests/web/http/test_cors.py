"""Which pages may call the server and open a WebSocket."""

import pytest

from regserver.endpoint import Request
from regserver.web.http.cors import CorsPolicy

LISTED = ("https://app.example.org",)


def admits(allowed: tuple[str, ...], origin: str | None, host: str = "reg.example:8080") -> bool:
    headers = {"host": host} | ({} if origin is None else {"origin": origin})
    request = Request(method="GET", path="/", headers=headers)
    return CorsPolicy(allowed).admits_socket(request, lambda _: "https://Public.example/base/path")


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "https://app.example.org",
        "HTTPS://APP.example.org",
        "https://reg.example:8080",
        "http://Reg.example:8080",
        "https://public.example",
    ],
)
def test_listed_pages_our_own_and_programs_come_in(origin: str | None) -> None:
    assert admits(LISTED, origin)


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "",
        "http://",
        "http://[",
        "reg.example:8080",
        "http://reg.example:8080.evil.example",
        "http://public.example",
        "https://public.example/base/path",
    ],
)
def test_strangers_and_nonsense_do_not(origin: str) -> None:
    assert not admits(LISTED, origin)


@pytest.mark.parametrize("allowed", [(), ("*",)])
def test_without_a_list_tokens_are_the_protection(allowed: tuple[str, ...]) -> None:
    assert admits(allowed, "https://evil.example")
    assert admits(allowed, "http://[")


# --- requests that change something
def may_change(
    headers: dict[str, str], allowed: tuple[str, ...] = (), base: str = "http://10.0.0.5:8080"
) -> bool:
    request = Request(method="POST", path="/", headers={"host": "reg.example", **headers})
    return CorsPolicy(allowed).admits(request, lambda _: base)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec-fetch-site": "same-origin", "origin": "https://reg.example"},
        {"sec-fetch-site": "none"},
        {"sec-fetch-site": "same-origin", "origin": "https://behind.a.proxy.example"},
        {"origin": "https://reg.example"},
        {"origin": "http://REG.example:80"},
        {"origin": "https://reg.example:443"},
        {"origin": "http://10.0.0.5:8080"},
    ],
)
def test_programs_and_our_own_pages_may_change_things(headers: dict[str, str]) -> None:
    assert may_change(headers)


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "Cross-Site", "origin": "https://evil.example"},
        {"sec-fetch-site": "cross-site", "origin": "null"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "https://reg.example:8443"},
        {"origin": "https://reg.example.evil.example"},
    ],
)
def test_other_pages_may_where_they_are_listed(headers: dict[str, str]) -> None:
    assert not may_change(headers)
    assert not may_change(headers, LISTED)
    if "origin" in headers:
        assert may_change(headers, ("*",))


def test_a_listed_page_may_change_things() -> None:
    assert may_change({"sec-fetch-site": "cross-site", "origin": LISTED[0]}, LISTED)
    assert may_change({"origin": LISTED[0]}, LISTED)


def test_public_url_with_a_default_port_is_our_own() -> None:
    assert may_change({"origin": "https://a.example"}, base="https://a.example:443/accounts")


def test_the_answer_to_a_preflight_allows_what_libraries_add() -> None:
    answer = dict(CorsPolicy(LISTED, ("X-Api-Version",)).preflight(["POST"]).headers)
    allowed = answer["access-control-allow-headers"].lower().split(", ")
    wanted = {
        "baggage",
        "sentry-trace",
        "traceparent",
        "x-requested-with",
        "idempotency-key",
        "x-api-version",
    }
    assert wanted <= set(allowed)
