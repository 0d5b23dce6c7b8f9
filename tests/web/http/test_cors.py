"""Which pages may open a WebSocket."""

import pytest

from regserver.endpoint import Request
from regserver.web.http.cors import CorsPolicy

LISTED = ("https://app.example.org",)


def admits(allowed: tuple[str, ...], origin: str | None, host: str = "reg.example:8080") -> bool:
    headers = {"host": host} | ({} if origin is None else {"origin": origin})
    request = Request(method="GET", path="/", headers=headers)
    return CorsPolicy(allowed).admits_socket(request, "https://Public.example/base/path")


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
