"""Adapters that a reload replaces: each hands on to the one in force, so that services keep what they were given.

A call that has begun ends with the adapter it began with.
"""

from collections.abc import Mapping

from regserver.domain.instant import Instant
from regserver.ports.captcha import Captcha, CaptchaType
from regserver.ports.mail_template import MailTemplateName, MailTemplates
from regserver.ports.mailer import Mail, Mailer
from regserver.ports.sms import Sms


class SwitchedMailer(Mailer):
    """current: the mailer in force."""

    def __init__(self, current: Mailer) -> None:
        self.current = current
        self._former: list[Mailer] = []

    def take(self, mailer: Mailer) -> None:
        """Sends by another one from now on; idle connections of the former are closed at the next occasion."""
        self._former.append(self.current)
        self.current = mailer

    async def send(self, mail: Mail) -> None:
        """See Mailer."""
        await self.current.send(mail)

    async def close_idle(self) -> None:
        """See Mailer."""
        former, self._former = self._former, []
        for mailer in (*former, self.current):
            await mailer.close_idle()


class SwitchedSms(Sms):
    """current: the provider in force."""

    def __init__(self, current: Sms) -> None:
        self.current = current

    def take(self, sms: Sms) -> None:
        """Sends by another one from now on."""
        self.current = sms

    async def send(self, phone: str, text: str) -> None:
        """See Sms."""
        await self.current.send(phone, text)


class SwitchedCaptcha(Captcha):
    """current: the service in force."""

    def __init__(self, current: Captcha) -> None:
        self.current = current

    def take(self, captcha: Captcha) -> None:
        """Asks another one from now on."""
        self.current = captcha

    async def check(self, answer: str, kind: CaptchaType, address: str) -> bool:
        """See Captcha."""
        return await self.current.check(answer, kind, address)


class SwitchedMailTemplates(MailTemplates):
    """current: the templates in force."""

    def __init__(self, current: MailTemplates) -> None:
        self.current = current

    def take(self, templates: MailTemplates) -> None:
        """Writes by others from now on."""
        self.current = templates

    def write(
        self,
        name: MailTemplateName,
        language: str,
        to: str,
        values: Mapping[str, str],
        good_until: Instant | None = None,
    ) -> Mail:
        """See MailTemplates."""
        return self.current.write(name, language, to, values, good_until)
