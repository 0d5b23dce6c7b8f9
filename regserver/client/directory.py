"""The directory: names, sign-ups by mail, and where a user lives."""

import msgspec

from regserver.client import ask
from regserver.client.transport import HttpTransport


class Directory:
    """The door of names. A refusal is a DirectoryRefused: InvalidUserName, InvalidData, AlreadyConfirmed…"""

    def __init__(self, transport: HttpTransport) -> None:
        self._transport = transport

    async def exists(self, name: str) -> bool:
        """Whether somebody has this name. Raises InvalidUserName."""
        response = await self._transport.send(ask.get(f"/{ask.segment(name)}/check"))
        return ask.read(response, _Existence).exists

    async def begin(
        self,
        name: str,
        password: str,
        email: str,
        *,
        language: str = "en",
        invitation: str | None = None,
        captcha: str | None = None,
    ) -> None:
        """Begins a sign-up; a mail with the challenge is sent. Raises InvalidData, whose `faults` are exceptions, too."""
        body = ask.present(
            userName=name,
            password=password,
            email=email,
            languageCode=language,
            invitation=invitation,
            captcha=captcha,
        )
        await self._transport.send(ask.post("/init", body))

    async def confirm(self, challenge: str) -> str:
        """Confirms a sign-up; returns the host that the user lives on. Raises NoPendingCreation, AlreadyConfirmed."""
        response = await self._transport.send(ask.post(f"/{ask.segment(challenge)}/confirm"))
        return ask.read(response, _Residence).server

    async def server(self, name: str) -> str:
        """The host that a user lives on. Raises UnknownUserName, InvalidUserName."""
        response = await self._transport.send(ask.get(f"/{ask.segment(name)}/server"))
        return ask.read(response, _Residence).server


class _Existence(msgspec.Struct):
    exists: bool


class _Residence(msgspec.Struct):
    server: str
