"""Whom a mail server's refusal is about: the recipient, or us.

A server that refuses us (relaying, its policy, a quota, a block list, our domain's records) refuses every message in the same
way until the operator or time changes something. The enhanced status code says which (RFC 3463; RFC 7372 for 5.7.20 to
5.7.26); without one, the words do.
"""

import re

OUR_FAULT = "relaying, policy or quota, not the recipient"
"""The kinds of refusals that `refuses_us` tells apart, for the operator."""

_ENHANCED = re.compile(r"\s*5\.(\d{1,3})\.(\d{1,3})\b", re.ASCII)
_ABOUT_US = frozenset({(1, 7), (1, 8), (3, 2), (4, 5), (5, 1)})
"""Subject and detail: bad sender's mailbox or system, closed for maintenance, a limit (as some providers use 5.4.5), commands
in an order that they do not take."""
_POLICY = 7
"""The subject of security and policy. Its details 0 and 1 are also given for a single message that is taken for spam."""
_WORDS = re.compile(
    r"relay|policy|black ?list|block ?list|spamhaus|\brbl\b|\bspf\b|\bdkim\b|\bdmarc\b|authenticat|"
    r"(?:sending|daily|hourly|rate) (?:limit|quota)|too many (?:messages|connections)|client host",
    re.ASCII | re.IGNORECASE,
)


def refuses_us(code: int, reply: bytes | str) -> bool:
    """Whether a refusal for good (5yz) is about the sending server. reply: without the code."""
    if code < 500:
        return False
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    enhanced = _ENHANCED.match(text)
    if enhanced is None:
        return _WORDS.search(text) is not None
    subject, detail = int(enhanced[1]), int(enhanced[2])
    if subject == _POLICY and detail < 2:
        return _WORDS.search(text) is not None
    return subject == _POLICY or (subject, detail) in _ABOUT_US
