"""SMS into the log: for trying out on a machine that has no provider. The only place where a code can be read."""

import logging

from regserver.ports.sms import Sms

log = logging.getLogger("regserver.sms")


class LogSms(Sms):
    async def send(self, phone: str, text: str) -> None:
        log.info("SMS to %s: %s", phone, text)
