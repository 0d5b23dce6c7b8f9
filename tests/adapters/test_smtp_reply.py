"""Whom a mail server's refusal is about."""

import pytest

from regserver.adapters.smtp_reply import refuses_us


@pytest.mark.parametrize(
    "reply",
    [
        "5.7.1 <ada@example.org>: Relay access denied",
        "5.7.1 Message rejected under our policy",
        "5.7.26 This mail is unauthenticated, SPF and DKIM did not pass",
        "5.4.5 Daily user sending quota exceeded",
        "5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
        "relaying denied",
    ],
)
def test_refusals_of_ourselves(reply: str) -> None:
    assert refuses_us(550, reply)
    assert refuses_us(554, reply.encode())
    assert not refuses_us(450, reply)  # it comes to an end by itself


@pytest.mark.parametrize(
    "reply",
    ["5.1.1 user unknown", "5.2.1 mailbox disabled", "5.7.1 message looks like spam", "no such user here"],
)
def test_refusals_of_a_recipient_or_a_message(reply: str) -> None:
    assert not refuses_us(550, reply)
