"""Cookies of the page: their names and fields by http and https, and when they count as a token."""

import pytest

from regserver.endpoint import Request
from regserver.web.http.session_cookie import SESSION, CookieJar, with_session

FIELD = {"x-regserver-session": "cookie"}
HTTP, HTTPS = "http://127.0.0.1:8080", "https://reg.example.org"


def jar(base: str, **fields: str) -> CookieJar:
    return CookieJar.of(Request(method="POST", path="/", headers=fields), base)


def test_by_https_no_neighbour_can_put_another_in_its_place() -> None:
    assert jar(HTTPS).keep(SESSION, "x", 60) == (
        "set-cookie",
        "__Host-regserver=x; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure",
    )
    assert jar(HTTPS).drop(SESSION)[1].startswith("__Host-regserver=; Path=/; Max-Age=0;")
    assert jar(HTTPS, cookie="__Host-regserver=x").read(SESSION) == "x"
    assert jar(HTTPS, cookie="regserver-443=planted; regserver=planted").read(SESSION) == ""


def test_by_http_servers_on_other_ports_have_others() -> None:
    assert jar(HTTP).keep(SESSION, "x", None)[1] == "regserver-8080=x; Path=/; HttpOnly; SameSite=Lax"
    assert jar(HTTP, cookie="regserver-9000=a; regserver-8080=b").read(SESSION) == "b"
    assert jar("http://reg.example.org", cookie="regserver-80=b").read(SESSION) == "b"


def test_a_proxy_that_does_not_tell_of_its_tls() -> None:
    """The browser's Origin tells it."""
    assert "Secure" in jar(HTTP, origin="https://reg.example.org").keep(SESSION, "x", 60)[1]
    assert jar(HTTP, cookie="__Host-regserver=x; regserver-8080=planted").read(SESSION) == "x"


@pytest.mark.parametrize(
    "cookie", ["", "regserver-8080", "regserver-8080=a; regserver-8080=b", "x=regserver-8080=a"]
)
def test_what_is_no_cookie_of_ours(cookie: str) -> None:
    assert jar(HTTP, cookie=cookie).read(SESSION) == ""


@pytest.mark.parametrize(
    ("fields", "counts"),
    [
        (FIELD, True),
        ({**FIELD, "sec-fetch-site": "same-origin"}, True),
        ({**FIELD, "sec-fetch-site": "same-site"}, False),
        ({**FIELD, "sec-fetch-site": "none"}, False),
        ({"x-regserver-session": "yes"}, False),
    ],
)
def test_when_it_counts(fields: dict[str, str], counts: bool) -> None:
    request = Request(method="GET", path="/login/info", headers={**fields, "cookie": "regserver-8080=token"})
    assert with_session(request, HTTP).headers.get("authorization") == ("Bearer token" if counts else None)


def test_a_token_that_is_shown_goes_before() -> None:
    fields = {**FIELD, "cookie": "regserver-8080=token", "authorization": "Bearer own"}
    request = Request(method="GET", path="/login/info", headers=fields)
    assert with_session(request, HTTP).headers["authorization"] == "Bearer own"
