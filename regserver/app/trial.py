"""The mailbox of a server for trying out: what goes to the log also goes there."""

from collections.abc import Callable

import msgspec

from regserver.adapters.provider_client import ProviderHttp
from regserver.app.outside import Outside
from regserver.config import Loaded, Settings
from regserver.config.provider import SmsSection
from regserver.ports.mailer import Mail, Mailer
from regserver.ports.randomness import Randomness
from regserver.ports.sms import Sms
from regserver.service.letter_box import LetterBox


class MailboxMailer(Mailer):
    """keep: puts (to, subject, text) into the mailbox."""

    def __init__(self, mailer: Mailer, keep: Callable[[str, str, str], None]) -> None:
        self._mailer = mailer
        self._keep = keep

    async def send(self, mail: Mail) -> None:
        """Sends the mail, and keeps it."""
        await self._mailer.send(mail)
        self._keep(mail.to, mail.subject, mail.text)

    async def close_idle(self) -> None:
        """Closes idle connections."""
        await self._mailer.close_idle()


class MailboxSms(Sms):
    """keep: puts (to, text) into the mailbox."""

    def __init__(self, sms: Sms, keep: Callable[[str, str], None]) -> None:
        self._sms = sms
        self._keep = keep

    async def send(self, phone: str, text: str) -> None:
        """Sends the SMS, and keeps it."""
        await self._sms.send(phone, text)
        self._keep(phone, text)


def with_mailbox(outside: Outside, settings: Settings) -> Outside:
    """The same with a mailbox, where server.mailbox says so. What is really sent does not come into it."""
    if not settings.server.mailbox:
        return outside
    box = LetterBox(outside.clock)
    made = msgspec.structs.replace(outside, mailbox=box)
    if settings.mail.smtp == "log:":

        def mailer(loaded: Loaded) -> Mailer:
            return MailboxMailer(outside.mailer(loaded), box.keep_mail)

        made = msgspec.structs.replace(made, mailer=mailer)
    if settings.sms.used_kinds == {"log"}:

        def sms(section: SmsSection, client: ProviderHttp, randomness: Randomness) -> Sms:
            return MailboxSms(outside.sms(section, client, randomness), box.keep_sms)

        made = msgspec.structs.replace(made, sms=sms)
    return made
