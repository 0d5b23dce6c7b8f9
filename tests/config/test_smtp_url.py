"""The mail server as a URL."""

import pytest

from regserver.config.provider import MailSection
from regserver.config.section import Secret
from regserver.config.smtp_url import SmtpAddress, parse_smtp_url, smtp_address


def test_addresses() -> None:
    assert parse_smtp_url("smtp://mail.example.org") == SmtpAddress(
        host="mail.example.org", port=587, tls="starttls"
    )
    assert parse_smtp_url("smtps://a:b%2F@mail.example.org?ca=/etc/ca.pem") == SmtpAddress(
        host="mail.example.org", port=465, tls="implicit", user="a", password="b/", ca="/etc/ca.pem"
    )
    assert parse_smtp_url("smtp://[::1]:25?tls=none") == SmtpAddress(host="::1", port=25, tls="none")
    assert "b/" not in repr(parse_smtp_url("smtps://a:b%2F@mail.example.org"))


@pytest.mark.parametrize(
    "url",
    ["smtp://", "http://x.org", "smtp://x.org?tls=maybe", "smtp://x.org?verify=no", "smtp://x.org:99999"],
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(ValueError, match=r"smtps://|tls=none|port"):
        parse_smtp_url(url)


@pytest.mark.parametrize("password", ["Sup3rSecret#1", "Sup3r@Secret", "Sup3r/Secret", "Sup3r?Secret"])
def test_a_password_is_in_no_error(password: str) -> None:
    """The message says how to write it, since "#", "/", "?" and "@" end a part of a URL."""
    with pytest.raises(ValueError, match="%23") as caught:
        parse_smtp_url(f"smtp://me:{password}@mail.example.org:587")
    assert "Sup3r" not in str(caught.value)
    assert "Secret" not in str(caught.value)


def test_user_and_password_beside_the_url() -> None:
    section = MailSection(smtp=Secret("smtp://mail.example.org"), user="me@x", password=Secret("a#/ö"))
    address = smtp_address(section)
    assert (address.user, address.password) == ("me@x", "a#/ö")
    with pytest.raises(ValueError, match=r"mail\.user"):
        smtp_address(MailSection(smtp=Secret("smtp://a:b@mail.example.org"), user="me"))
