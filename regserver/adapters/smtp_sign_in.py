"""Signing in to a mail server: PLAIN (RFC 4616), LOGIN, and CRAM-MD5 (RFC 2195).

Not smtplib's `login`: it takes ASCII alone, where RFC 4616 says UTF-8; it sends the user name along with AUTH LOGIN, which
servers that prompt for it refuse; and it tries a wrong password once with each mechanism.
"""

import base64
import binascii
import hmac
import smtplib
from collections.abc import Callable

Reply = tuple[int, bytes]

NOT_THIS_WAY = frozenset({500, 501, 502, 503, 504, 538})
"""Replies that refuse the mechanism (RFC 4954, section 4), not the password."""


def sign_in(smtp: smtplib.SMTP, user: str, password: str) -> Reply:
    """Signs in by the first mechanism that the server takes; returns its reply.

    Raises SMTPAuthenticationError when it refuses user and password, SMTPNotSupportedError without a common mechanism.
    """
    offered = smtp.esmtp_features.get("auth", "").upper().split()
    refusal: Reply | None = None
    for mechanism, dialogue in MECHANISMS.items():
        if mechanism in offered and (refusal is None or refusal[0] in NOT_THIS_WAY):
            code, reply = dialogue(smtp, user, password)
            if code == 235:
                return code, reply
            refusal = code, reply
    if refusal is None:
        raise smtplib.SMTPNotSupportedError(f"offers no sign-in by {', '.join(MECHANISMS)}")
    raise smtplib.SMTPAuthenticationError(*refusal)


def _plain(smtp: smtplib.SMTP, user: str, password: str) -> Reply:
    message = _base64("\0".join(("", user, password)))
    return smtp.docmd("AUTH", f"PLAIN {message}")


def _login(smtp: smtplib.SMTP, user: str, password: str) -> Reply:
    """Answers each prompt; there is no other word on this mechanism than the habit of servers."""
    code, reply = smtp.docmd("AUTH", "LOGIN")
    for answer in (user, password):
        if code == 334:
            code, reply = smtp.docmd(_base64(answer))
    return code, reply


def _cram_md5(smtp: smtplib.SMTP, user: str, password: str) -> Reply:
    code, reply = smtp.docmd("AUTH", "CRAM-MD5")
    if code != 334:
        return code, reply
    try:
        challenge = base64.b64decode(reply, validate=True)
    except binascii.Error:
        return 501, b"its challenge is not base64"
    digest = hmac.new(password.encode(), challenge, "md5").hexdigest()
    return smtp.docmd(_base64(f"{user} {digest}"))


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


MECHANISMS: dict[str, Callable[[smtplib.SMTP, str, str], Reply]] = {
    "PLAIN": _plain,
    "LOGIN": _login,
    "CRAM-MD5": _cram_md5,
}
"""In the order in which they are tried."""
