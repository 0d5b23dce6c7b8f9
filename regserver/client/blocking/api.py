"""Made by tests/client/blocking_maker.py from ../api.py, which says what it is for."""

import ssl
from functools import partial
from types import TracebackType
from typing import Self

import httpx
import msgspec

from regserver.client import ask, proof
from regserver.client.blocking.account import BlockingAccounts
from regserver.client.blocking.directory import BlockingDirectory
from regserver.client.blocking.push import BlockingPushes
from regserver.client.blocking.room import BlockingRooms
from regserver.client.blocking.step import BlockingSteps
from regserver.client.blocking.transport import BlockingHttpTransport
from regserver.client.fault import BadAnswer
from regserver.client.wire import Session

DEADLINE = 30.0
PATIENCE = 30.0


class BlockingDoors:
    """accounts, rooms, push, steps, directory: what can be asked for. Entered before it is used.

    url: such as https://example.org. token: of an earlier session. patience: seconds for which a request that may be repeated is,
    while the server cannot be reached. deadline: of one exchange, in seconds. tls: for https, in place of the system's authorities.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        patience: float = PATIENCE,
        deadline: float = DEADLINE,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._transport = BlockingHttpTransport(url, token, patience=patience, deadline=deadline, tls=tls)
        self.accounts = BlockingAccounts(self._transport)
        self.rooms = BlockingRooms(self._transport)
        self.push = BlockingPushes(self._transport)
        self.steps = BlockingSteps(self._transport)
        self.directory = BlockingDirectory(self._transport)

    @property
    def token(self) -> str | None:
        """That of the session; kept, it signs in the next client."""
        return self._transport.token

    def __enter__(self) -> Self:
        self._transport.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._transport.__exit__(kind, error, trace)

    def ask_to_sign_in(self, username: str, password: str, *, invitation: str = "") -> Session | str:
        """A session, or for somebody new where their registration is watched: the address of a WebSocket.

        Raises BadCredentials, SecondFactorRequired, UserIsDeleted, SourceUnavailable, TooManyRequests…
        """
        body = {"username": username, "password": password}
        if invitation:
            body["invitation"] = invitation
        response = ask.check(self._transport.exchange(ask.post("/login", body)), (200, 202, 303))
        if response.status_code != httpx.codes.OK:
            return ask.read(response, _Location).location
        session = ask.read(response, Session)
        self._transport.token = session.token
        return session

    def prove(self) -> str:
        """The `captcha` of one request, by the server's own proof of work, which takes some tenths of a second.

        Raises Refused where the server has no such captcha, and BadAnswer for a puzzle of another kind.
        """
        response = self._transport.send(ask.get("/captcha/challenge"))
        puzzle = ask.read(response, proof.PuzzleIssued)
        for first in proof.STARTS:
            solution = self._transport.compute(partial(proof.search, puzzle, first))
            if solution is not None:
                return proof.captcha(response.content, solution)
        raise BadAnswer("a puzzle without a solution")


class _Location(msgspec.Struct):
    location: str
