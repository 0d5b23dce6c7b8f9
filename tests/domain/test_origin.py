"""Origins of pages: one spelling, and patterns."""

import pytest

from regserver.domain.origin import OriginList, plain_origin


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("https://a.example", "https://a.example"),
        ("HTTPS://A.Example:443", "https://a.example"),
        ("http://a.example:0080", "http://a.example"),
        ("http://a.example:443", "http://a.example:443"),
        ("http://[2001:DB8::1]:8080", "http://[2001:db8::1]:8080"),
        ("capacitor://localhost", "capacitor://localhost"),
        ("null", None),
        ("", None),
        ("https://", None),
        ("https://a/b", None),
        ("https://a.example:", None),
        ("https://*.example", None),
        ("a.example", None),
    ],
)
def test_an_origin_has_one_spelling(text: str, plain: str | None) -> None:
    assert plain_origin(text) == plain


def test_a_pattern_holds_every_subdomain_and_nothing_else() -> None:
    listed = OriginList(["https://*.example.org", "http://*.lan:8080", "https://one.example:443/"])
    for inside in (
        "https://a.example.org",
        "https://a.b.example.org:443",
        "http://x.lan:8080",
        "https://one.example",
    ):
        assert inside in listed
    for outside in (
        "https://example.org",
        "http://a.example.org",
        "https://a.example.org:8443",
        "https://a.example.org.evil.example",
        "https://evilexample.org",
        "https://a/.example.org",
        "null",
    ):
        assert outside not in listed


@pytest.mark.parametrize(
    "text",
    ["app.example.org", "https://a.example/path", "https://a.*.example", "null", "https://münchen.example"],
)
def test_what_is_no_origin_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is none of"):
        OriginList([text])


def test_an_empty_list_is_none() -> None:
    assert not OriginList([])
    assert OriginList(["*"])
    assert "https://any.example" in OriginList(["*"])
