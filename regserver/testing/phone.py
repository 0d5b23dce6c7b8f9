"""The SMS that a test server sends: they arrive here."""

import re
from functools import partial

import msgspec
import trio

from regserver.ports.sms import Sms, SmsFault
from regserver.testing.fault import Faults
from regserver.testing.home import Home
from regserver.testing.mailbox import LOOK_SECONDS, too_slow


class ReceivedSms(msgspec.Struct, frozen=True):
    """One message. phone: in E.164, with its plus."""

    phone: str
    text: str

    @property
    def code(self) -> str:
        """The first number of 4 to 10 digits. Raises LookupError."""
        found = re.search(r"\b\d{4,10}\b", self.text)
        if found is None:
            raise LookupError(f"no code in {self.text!r}")
        return found[0]


class Phones(Sms):
    """All SMS of one server."""

    def __init__(self, home: Home, faults: Faults) -> None:
        self._home = home
        self._faults = faults
        self._taken: set[int] = set()
        self.messages: list[ReceivedSms] = []

    async def wait(self, phone: str | None = None, *, seconds: float = 10.0) -> ReceivedSms:
        """The next message that nobody has waited for yet. phone: to whom. Raises TooSlowError."""
        return await self._home.run(partial(self._wait, phone, seconds))

    async def _wait(self, phone: str | None, seconds: float) -> ReceivedSms:
        with trio.move_on_after(seconds):
            while True:
                for number, message in enumerate(self.messages):
                    if number not in self._taken and phone in {None, message.phone}:
                        self._taken.add(number)
                        return message
                await trio.sleep(LOOK_SECONDS)
        raise too_slow("SMS", [f"to {message.phone}" for message in self.messages], seconds, phone=phone)

    async def send(self, phone: str, text: str) -> None:
        """Takes the message, unless "sms" is to fail."""
        if await self._faults.meet("sms") is not None:
            raise SmsFault("refused, as the test wants")
        self.messages.append(ReceivedSms(phone, text))
