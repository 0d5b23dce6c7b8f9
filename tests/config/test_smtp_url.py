"""The mail server as a URL."""

import pytest

from regserver.config.smtp_url import SmtpAddress, parse_smtp_url


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
    with pytest.raises(ValueError, match=r"smtps://|tls=none|Port"):
        parse_smtp_url(url)
