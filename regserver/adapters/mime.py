"""A mail as bytes, and a mail server's replies as text that is safe to keep."""

import re
from datetime import UTC, datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

from regserver.ports.adapter import Mail

MAX_REPLY = 200

_PLAIN_WORD = re.compile(r"[A-Za-z][a-z'-]{0,15}[.,;:!?]?|[245]\.\d{1,3}\.\d{1,3}", re.ASCII)


def build_message(mail: Mail, sender: str) -> bytes:
    """The message with its header (RFC 5322), text and HTML as alternatives. Raises ValueError, MessageError.

    The header classes of the standard library refuse line breaks in a value, so no field can smuggle in another.
    """
    message = EmailMessage(policy=policy.SMTP)
    message["From"] = Address(addr_spec=sender)
    message["To"] = Address(addr_spec=mail.to)
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(datetime.fromtimestamp(mail.written_at // 1000, UTC))
    message["Message-ID"] = f"<{mail.id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday notices, please
    message.set_content(mail.text, cte="quoted-printable")
    if mail.html is not None:
        message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
    return message.as_bytes()


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
