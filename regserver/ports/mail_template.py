"""Mails written from templates."""

from collections.abc import Mapping
from typing import Literal, Protocol

from regserver.domain.instant import Instant
from regserver.ports.mailer import Mail

MailTemplateName = Literal["confirm", "email_taken", "name_taken"]
"""What mail is written for: to confirm a sign-up; and, where sign-up must not tell strangers who is here, to tell the
owner of the mailbox why theirs came to nothing."""


class MailTemplates(Protocol):
    """Writes mails from templates."""

    def write(
        self,
        letter: MailTemplateName,
        language: str,
        to: str,
        values: Mapping[str, str],
        good_until: Instant | None = None,
    ) -> Mail:
        """values: what the template puts into its text, such as the person's name and link."""
