"""Made by tests/client/blocking_maker.py from ../directory.py, which says what it is for."""

import msgspec

from regserver.client import ask
from regserver.client.blocking.transport import BlockingHttpTransport


class BlockingDirectory:
    """The door of names. A refusal is a DirectoryRefused: InvalidUserName, InvalidData, AlreadyConfirmed…"""

    def __init__(self, transport: BlockingHttpTransport) -> None:
        self._transport = transport

    def exists(self, name: str) -> bool:
        """Whether somebody has this name. Raises InvalidUserName."""
        response = self._transport.send(ask.get(f"/{ask.segment(name)}/check"))
        return ask.read(response, _Existence).exists

    def begin(
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
        self._transport.send(ask.post("/init", body))

    def confirm(self, challenge: str) -> str:
        """Confirms a sign-up; returns the host that the user lives on. Raises NoPendingCreation, AlreadyConfirmed."""
        response = self._transport.send(ask.post(f"/{ask.segment(challenge)}/confirm"))
        return ask.read(response, _Residence).server

    def server(self, name: str) -> str:
        """The host that a user lives on. Raises UnknownUserName, InvalidUserName."""
        response = self._transport.send(ask.get(f"/{ask.segment(name)}/server"))
        return ask.read(response, _Residence).server


class _Existence(msgspec.Struct):
    exists: bool


class _Residence(msgspec.Struct):
    server: str
