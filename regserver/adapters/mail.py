"""The mailer that `mail.smtp` names: the log, for trying out, or an SMTP server."""

import logging

from regserver.adapters.smtp import SmtpMailer
from regserver.config.smtp_url import parse_smtp_url
from regserver.ports.mailer import Mail, Mailer

log = logging.getLogger("regserver.mail")


class LogMailer(Mailer):
    """For trying out only: every reader of the log can confirm any address."""

    async def send(self, mail: Mail) -> None:
        """Writes the mail to the log."""
        log.info("mail to %s: %s", mail.to, mail.subject, extra={"text": mail.text})

    async def close_idle(self) -> None:
        """Does nothing: there is no connection."""


def build_mailer(url: str, sender: str) -> Mailer:
    """The mailer for `mail.smtp`: "log:", "smtp://user:password@host:587" or "smtps://…". Raises ValueError."""
    if url == "log:":
        return LogMailer()
    return SmtpMailer(parse_smtp_url(url), sender)
