"""The mail that a test server sends: it arrives here instead of at an SMTP server."""

import re
from collections.abc import Sequence
from functools import partial
from urllib.parse import urlsplit

import msgspec
import trio

from regserver.ports.clock import Clock
from regserver.ports.mailer import Mail, Mailer, MailFault
from regserver.testing.fault import Faults
from regserver.testing.home import Home

LOOK_SECONDS = 0.005
_LINK = re.compile(r"https?://[^\s<>\"]+")
_CODE = re.compile(r"(?<![\w/#.-])(\d{4,10})(?![\w-])")


class ReceivedMail(msgspec.Struct, frozen=True):
    """One mail as its reader has it."""

    to: str
    subject: str
    text: str
    html: str | None

    @property
    def links(self) -> list[str]:
        """The addresses in the text, in their order."""
        return _LINK.findall(self.text)

    @property
    def codes(self) -> list[str]:
        """What a reader would type: the numbers of 4 to 10 digits, in their order."""
        return _CODE.findall(_LINK.sub(" ", self.text))

    @property
    def token(self) -> str:
        """What stands behind the # of the link: the secret that /login/email/verify and its like take. Raises LookupError."""
        for link in self.links:
            if secret := urlsplit(link).fragment:
                return secret
        raise LookupError(f"no link with a secret in the mail {self.subject!r}")


def too_slow(what: str, came: Sequence[str], seconds: float, **wanted: object) -> trio.TooSlowError:
    """What a test is told that has waited in vain. came: all that has come so far, whether or not it was waited for."""
    wish = ", ".join(f"{name}={value!r}" for name, value in wanted.items() if value is not None)
    there = "; ".join(came) if came else "nothing"
    return trio.TooSlowError(
        f"no new {what}{f' with {wish}' if wish else ''} in {seconds:g} s; so far: {there}"
    )


class Mailbox(Mailer):
    """All mail of one server. It is kept in the outbox first, as ever, and looked for at once while somebody waits here."""

    def __init__(self, home: Home, clock: Clock, faults: Faults) -> None:
        self._home = home
        self._clock = clock
        self._faults = faults
        self._pause: trio.CancelScope | None = None
        self._taken: set[int] = set()
        self.mails: list[ReceivedMail] = []

    # --- for tests
    async def wait(
        self, to: str | None = None, *, subject: str | None = None, seconds: float = 10.0
    ) -> ReceivedMail:
        """The next mail that nobody has waited for yet. to: its address. subject: a part of it. Raises TooSlowError."""
        return await self._home.run(partial(self._wait, to, subject or "", seconds))

    async def _wait(self, to: str | None, subject: str, seconds: float) -> ReceivedMail:
        with trio.move_on_after(seconds):
            while True:
                for number, mail in enumerate(self.mails):
                    if number not in self._taken and to in {None, mail.to} and subject in mail.subject:
                        self._taken.add(number)
                        return mail
                if self._pause is not None:
                    self._pause.cancel()
                await trio.sleep(LOOK_SECONDS)
        came = [f"{mail.subject!r} to {mail.to}" for mail in self.mails]
        raise too_slow("mail", came, seconds, to=to, subject=subject or None)

    # --- for the server
    async def sleep(self, seconds: float) -> None:
        """The pause between two looks at the outbox."""
        with self._clock.move_on_after(seconds) as self._pause:
            await trio.sleep_forever()

    async def send(self, mail: Mail) -> None:
        """Takes the mail, unless "smtp" is to fail."""
        match await self._faults.meet("smtp"):
            case "refuse":
                raise MailFault("451 refused, as the test wants")
            case "drop":
                raise MailFault("the connection was lost, as the test wants", server=True)
            case None:
                self.mails.append(ReceivedMail(mail.to, mail.subject, mail.text, mail.html))

    async def close_idle(self) -> None:
        """Does nothing: there is no connection."""
