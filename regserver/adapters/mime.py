"""A mail as bytes, and a mail server's replies as text that is safe to store.

`EmailMessage` builds the message, with the older header policy `compat32`: with the newer ones, CPython 3.11 and 3.12
lose a space where they fold a long subject beyond ASCII, and parse every field again, at five times the cost.
"""

import re
import unicodedata
from datetime import UTC, datetime
from email.contentmanager import raw_data_manager
from email.header import Header
from email.message import EmailMessage
from email.policy import compat32
from email.utils import format_datetime
from typing import Any

from regserver.domain.email import is_email
from regserver.ports.mailer import Mail

MAX_REPLY_LENGTH = 200
CRLF = compat32.clone(linesep="\r\n")

_PLAIN_WORD = re.compile(r"[A-Za-z][a-z'-]{0,15}[.,;:!?]?|[245]\.\d{1,3}\.\d{1,3}", re.ASCII)


def build_message(mail: Mail, sender: str) -> bytes:
    """The message with its header (RFC 5322), text and HTML as alternatives. Raises ValueError.

    A value that could begin another field, or end the envelope's address, is refused.
    """
    for value in (mail.to, mail.subject, mail.id, sender):
        if not _is_one_line(value):
            raise ValueError("a control character in the header")
    if not is_email(mail.to):
        raise ValueError("not an address")
    message = EmailMessage(policy=CRLF)
    message["From"] = sender
    message["To"] = mail.to
    charset = None if mail.subject.isascii() else "utf-8"
    message["Subject"] = Header(mail.subject, charset, header_name="Subject")
    message["Date"] = format_datetime(datetime.fromtimestamp(mail.written_at // 1000, UTC))
    message["Message-ID"] = f"<{mail.id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: prevents automatic replies
    # Quoted-printable is readable in a raw message, and bounds the length of lines.
    options: dict[str, Any] = {"cte": "quoted-printable", "content_manager": raw_data_manager}
    message.set_content(mail.text, **options)
    if mail.html is not None:
        message.add_alternative(mail.html, subtype="html", **options)
    return message.as_bytes()


def _is_one_line(value: str) -> bool:
    """Without line breaks and other control characters. Spaces that break no line, which French has before a colon, are no such."""
    return all(character.isprintable() or unicodedata.category(character) == "Zs" for character in value)


def quote_server(code: int, reply: bytes | str) -> str:
    """A reply about the connection or the sender, as one line of printable characters."""
    return f"{code} {one_line(reply)}"[:MAX_REPLY_LENGTH]


def quote_reply(code: int, reply: bytes | str, recipient: str) -> str:
    """A reply about a message, without words that may come from it: servers quote addresses and links."""
    local = recipient.rpartition("@")[0].lower()
    words = [
        word if _PLAIN_WORD.fullmatch(word) and word.lower().rstrip(".,;:!?") != local else "…"
        for word in one_line(reply).split()
    ]
    kept = [word for at, word in enumerate(words) if word != "…" or at == 0 or words[at - 1] != "…"]
    return f"{code} {' '.join(kept)}"[:MAX_REPLY_LENGTH]


def one_line(reply: bytes | str) -> str:
    """A reply as one line of printable characters."""
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())
