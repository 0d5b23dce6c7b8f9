"""Somebody with a second factor on a running server, for tests of what happens to its secrets."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import httpx
import pyotp

from tests.system.server import Person, sign_up

STEP = 30
"""Seconds of a code."""


def run_sql(folder: Path, statement: str, *values: object) -> None:
    """Changes a row beside the running server."""
    with closing(sqlite3.connect(folder / "test.db", timeout=20)) as connection, connection:
        connection.execute(statement, values)


class Guarded:
    """Somebody who signed up at the rooms and has an authenticator app."""

    def __init__(self, client: httpx.AsyncClient, person: Person, name: str) -> None:
        self._client = client
        self.person = person
        self.credentials = {"username": name, "password": f"{name}'s long password"}
        self.codes: list[str] = []
        self._app: pyotp.TOTP

    async def enrol(self) -> None:
        self._app = pyotp.TOTP((await self.person.post("/login/totp"))["secret"])
        # The code of the step before: that of this one is left for later.
        first = self._app.at(time.time() - STEP)
        self.codes = (await self.person.post("/login/totp/confirm", {"code": first}))["recoveryCodes"]

    def code(self, steps: int = 0) -> str:
        return self._app.at(time.time() + steps * STEP)

    async def ticket(self) -> str:
        answer = await self._client.post("/login", json=self.credentials)
        assert answer.status_code == 401, answer.text
        return str(answer.json()["ticket"])

    async def prove(self, ticket: str, code: str) -> httpx.Response:
        return await self._client.post("/login/factor", json={"ticket": ticket, "code": code})

    async def left(self) -> int:
        """Recovery codes."""
        return int((await self.person.get("/login/factors"))["recoveryCodes"])


async def guarded(client: httpx.AsyncClient, name: str) -> Guarded:
    somebody = Guarded(client, await sign_up(client, name), name)
    await somebody.enrol()
    return somebody
