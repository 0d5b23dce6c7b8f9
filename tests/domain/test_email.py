"""E-mail addresses as people type them."""

import pytest

from regserver.domain.email import is_email, read_email


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        (" amy@example.org\n", "amy@example.org"),
        ("amy@example.org\u200b", "amy@example.org"),
        ("jane@münchen.de", "jane@xn--mnchen-3ya.de"),
        ("jane@MÜNCHEN.de", "jane@xn--mnchen-3ya.de"),
        ("Amy.B+x@Example.org", "Amy.B+x@Example.org"),
    ],
)
def test_what_people_type(typed: str, address: str) -> None:
    assert read_email(typed) == address


@pytest.mark.parametrize(
    "typed",
    [
        "jäne@example.org",  # no mail server between here and there need take it (RFC 6531)
        "=?utf-8?q?x?=@example.org",  # an encoded word: a reader of mail shows another address
        "amy%example.org@relay.example",
        "host!amy@example.org",
        '"a b"@example.org',
        "amy`x`@example.org",
        "amy@exa mple.org",
        "amy@" + "ü" * 300 + ".de",
        "amy @example.org",
        "amy",
        "",
    ],
)
def test_what_is_no_address(typed: str) -> None:
    assert read_email(typed) is None


def test_a_read_address_can_be_sent_to() -> None:
    read = read_email(" jane@münchen.de ")
    assert read is not None
    assert is_email(read)
    assert read_email(read) == read
