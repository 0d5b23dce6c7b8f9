"""Messages as bytes, and the stored form of a mail server's replies."""

import email
import email.policy

import pytest

from regserver.adapters.mime import build_message, quote_reply, quote_server
from regserver.ports.mailer import Mail


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (b"5.1.1 <ada@example.org>: user ada unknown", "550 5.1.1 … user … unknown"),
        (b"blocked https://example.org/confirm#abcDEF123, sorry", "550 blocked … sorry"),
        (b"token abcDEF123ghiJKL is listed", "550 token … is listed"),
        (b"code 482913 rejected", "550 code … rejected"),
        (b"line one\nline two\r\n", "550 line one line two"),
        (b"\xff\x00\x1b[31m", "550 …"),
        (b"", "550 "),
        (b"word " * 200, "550 " + ("word " * 200)[:196]),
    ],
)
def test_replies_about_a_message_keep_nothing_of_it(reply: bytes, expected: str) -> None:
    assert quote_reply(550, reply, "Ada@example.org") == expected


def test_replies_about_us_are_kept_as_one_line() -> None:
    assert quote_server(535, b"5.7.8 no\r\n\x1b[2Jsuch user") == "535 5.7.8 no [2Jsuch user"
    assert len(quote_server(535, b"x" * 1000)) <= 200


@pytest.mark.parametrize(
    "subject", ["Подтвердите регистрацию на example.org, пожалуйста, " * 4, "plain words " * 30, "été"]
)
def test_long_subjects_are_folded_and_come_out_whole(subject: str) -> None:
    mail = Mail(to="ada@example.org", subject=subject.strip(), text="é\n" * 3 + "x" * 2000, html="<p>é</p>")
    data = build_message(mail, "regserver@example.com")
    assert b"\n" not in data.replace(b"\r\n", b"")
    assert all(len(line) <= 78 for line in data.split(b"\r\n"))
    parsed = email.message_from_bytes(data, policy=email.policy.default)
    assert parsed["Subject"] == mail.subject
    body = parsed.get_body(("plain",))
    assert body is not None
    assert body.get_content().replace("\r\n", "\n").rstrip("\n") == mail.text
