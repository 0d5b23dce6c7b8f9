"""The directory's mails: the link with the challenge, or a notice that the name or the address is taken."""

from regserver.domain.directory import SignUpFault, WellFormed
from regserver.domain.instant import HOUR, Duration, Instant
from regserver.ports.mail_template import MailTemplates
from regserver.ports.mailer import Mail
from regserver.ports.transaction import Transaction
from regserver.service.outbox import Outbox


class DirectoryMail:
    """Writes the mails. pending_ttl: how long a challenge is valid, as its mail says."""

    def __init__(self, templates: MailTemplates, outbox: Outbox, pending_ttl: Duration) -> None:
        self._templates = templates
        self._outbox = outbox
        self._pending_ttl = pending_ttl

    def write(
        self, sign_up: WellFormed, taken: tuple[SignUpFault, ...], link: str, expires_at: Instant
    ) -> Mail:
        """The mail for a sign-up. taken: its taken fields; with any, the mail says so and has no link."""
        language, to = sign_up.language, sign_up.email
        if "taken_email" in taken:
            return self._templates.write("email_taken", language, to, {})
        values = {"username": sign_up.username}
        if taken:
            return self._templates.write("name_taken", language, to, values)
        values |= {"link": link, "hours": str(-(-self._pending_ttl // HOUR))}
        return self._templates.write("confirm", language, to, values, expires_at)

    async def enqueue(self, transaction: Transaction, mail: Mail) -> None:
        """Adds the mail to the outbox in the caller's transaction; it is sent after the commit."""
        await self._outbox.enqueue(transaction, mail)
