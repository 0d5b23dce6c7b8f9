"""The mailer that `mail.smtp` names: the log, for trying out, or an SMTP server."""

import logging

from regserver.adapters.smtp import SmtpMailer
from regserver.config import Loaded
from regserver.config.smtp_url import mail_server
from regserver.ports.mailer import Mail, Mailer

log = logging.getLogger("regserver.mail")


class LogMailer(Mailer):
    """For trying out only: every reader of the log can confirm any address."""

    async def send(self, mail: Mail) -> None:
        """Writes the mail to the log."""
        log.info("mail to %s: %s", mail.to, mail.subject, extra={"text": mail.text})

    async def close_idle(self) -> None:
        """Does nothing: there is no connection."""


def build_mailer(loaded: Loaded) -> Mailer:
    """The mailer for `mail.smtp`: "log:", "smtp://user:password@host:587" or "smtps://…". Raises ValueError."""
    mail = loaded.settings.mail
    return LogMailer() if mail.smtp == "log:" else SmtpMailer(mail_server(loaded), mail.from_)
