"""SMS to the log, for trying out without a provider. No other part writes a code to the log."""

import logging

from regserver.ports.sms import Sms

log = logging.getLogger("regserver.sms")


class LogSms(Sms):
    """Sends nothing."""

    async def send(self, phone: str, text: str) -> None:
        """Writes the number and the text to the log."""
        log.info("SMS to %s: %s", phone, text)
