"""A server for trying out: what goes to the log also goes to its mailbox, and its page names people of the example roster."""

from collections.abc import Callable
from typing import Final

import msgspec
import trio

from regserver.adapters.provider_client import ProviderHttp
from regserver.adapters.source.roster import read_people
from regserver.app.outside import Outside
from regserver.config import ConfigFault, Loaded, Settings
from regserver.config.provider import SmsSection
from regserver.ports.mailer import Mail, Mailer
from regserver.ports.randomness import Randomness
from regserver.ports.sms import Sms
from regserver.service.letter_box import LetterBox

EXAMPLES: Final = {"ada": "correct horse battery", "alan": "enigma bombe"}
"""Those of config/roster.example.toml whom the texts of the page name, with their passwords."""


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


async def has_examples(loaded: Loaded) -> bool:
    """Whether those whom the page of a server for trying out names can sign in: their rows are in the roster."""
    if not loaded.settings.server.mailbox or loaded.settings.live.source != "file":
        return False
    try:
        people = await trio.to_thread.run_sync(read_people, loaded)
    except ConfigFault:
        return False  # the door to which the roster belongs says so, where it is open
    known = {(person.username, person.password) for person in people or ()}
    return known.issuperset(EXAMPLES.items())
