"""A mail as bytes, and a mail server's replies as text that is safe to keep."""

import re
from binascii import b2a_qp
from datetime import UTC, datetime
from email.header import Header
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.policy import compat32
from email.utils import format_datetime

from regserver.domain.account import is_email
from regserver.ports.mailer import Mail

MAX_REPLY = 200
CRLF = compat32.clone(linesep="\r\n")

_PLAIN_WORD = re.compile(r"[A-Za-z][a-z'-]{0,15}[.,;:!?]?|[245]\.\d{1,3}\.\d{1,3}", re.ASCII)


def build_message(mail: Mail, sender: str) -> bytes:
    """The message with its header (RFC 5322), text and HTML as alternatives. Raises ValueError.

    Nothing that could begin another field, or end the envelope's address, gets into the header. The older classes of
    the standard library are used since the newer ones parse every field they are given, which costs ten times as much.
    """
    for value in (mail.to, mail.subject, mail.id, sender):
        if not value.isprintable():  # line breaks and other control characters are not
            raise ValueError("a control character in the header")
    if not is_email(mail.to):
        raise ValueError("not an address")
    text = _part(mail.text, "plain")
    message: MIMEBase = text if mail.html is None else MIMEMultipart("alternative", None, [text])
    if mail.html is not None:
        message.attach(_part(mail.html, "html"))
    message["From"] = sender
    message["To"] = mail.to
    charset = None if mail.subject.isascii() else "utf-8"
    subject = Header(mail.subject, charset, header_name="Subject")
    message["Subject"] = subject  # type: ignore[assignment]  # a Header is taken, and typeshed says str
    message["Date"] = format_datetime(datetime.fromtimestamp(mail.written_at // 1000, UTC))
    message["Message-ID"] = f"<{mail.id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday notices, please
    return message.as_bytes(policy=CRLF)


def _part(text: str, kind: str) -> MIMENonMultipart:
    """Quoted-printable, so that it stays readable in a raw message; short lines whatever the text has."""
    part = MIMENonMultipart("text", kind, charset="utf-8")
    part["Content-Transfer-Encoding"] = "quoted-printable"
    part.set_payload(b2a_qp(text.encode(), istext=True).decode("ascii"))
    return part


def quote_server(code: int, reply: bytes | str) -> str:
    """A reply about ourselves, in one line of printable characters."""
    return f"{code} {_one_line(reply)}"[:MAX_REPLY]


def quote_reply(code: int, reply: bytes | str, recipient: str) -> str:
    """A reply about a message, without anything that may be of the message: servers quote addresses, and links."""
    local = recipient.rpartition("@")[0].lower()
    words = [
        word if _PLAIN_WORD.fullmatch(word) and word.lower().rstrip(".,;:!?") != local else "…"
        for word in _one_line(reply).split()
    ]
    kept = [word for at, word in enumerate(words) if word != "…" or at == 0 or words[at - 1] != "…"]
    return f"{code} {' '.join(kept)}"[:MAX_REPLY]


def _one_line(reply: bytes | str) -> str:
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())
