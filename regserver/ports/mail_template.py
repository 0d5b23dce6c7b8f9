"""Mails written from templates."""

from collections.abc import Mapping
from typing import Literal, Protocol

from regserver.domain.instant import Instant
from regserver.ports.mailer import Mail

MailTemplateName = Literal["confirm", "email_taken", "name_taken", "code"]
"""What a mail is for: to confirm a sign-up; where sign-up must not tell strangers who is here, to tell the owner of the
mailbox why it failed; to bring a one-time code."""


class MailTemplates(Protocol):
    """Writes mails from templates."""

    def write(
        self,
        name: MailTemplateName,
        language: str,
        to: str,
        values: Mapping[str, str],
        good_until: Instant | None = None,
    ) -> Mail:
        """A mail in the reader's language. Reads no files, so it may be called inside a transaction.

        values: what the template puts into its text; confirm has username, link and hours, name_taken has username, code
        has code and minutes. good_until: see Mail.
        """
