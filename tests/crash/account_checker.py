"""Kills the server while accounts are changed; each must be as before its change or as after it, as a whole.

    prepare everybody ──▶ all changes at once ── kill -9 at a random moment ──▶ read the file ──▶ start again: does it answer so?

What each change looks like from outside is learned first, from changes that nobody disturbs: so the checker knows the whole state
before and after, with sessions, links, codes and waiting mail, and takes no other one. An answered change must be done.
"""

import itertools
import random
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import httpx
import msgspec
import trio

from tests.crash.account_state import NEW, OLD, AccountFile, AccountState
from tests.crash.change import CHANGES, SITE, Ask, Desk, Subject
from tests.system.server import open_server

LONGEST = 0.12
"""Seconds from the first request to the kill: about as long as all changes of a round take."""
SETTINGS = ("mail.smtp=smtp://127.0.0.1:9", f"server.public_url={SITE}", "live.source=none")
"""Nobody takes the mail, so all of it stays where it can be read."""


class Attempt(msgspec.Struct):
    """A change of somebody. answered: the server has said that it is done."""

    change: str
    who: Subject
    ask: Ask
    answered: bool = False

    async def make(self) -> None:
        try:
            response = await self.ask()
        except httpx.TransportError:
            return
        assert response.status_code < 300, (self.change, response.status_code, response.text)
        self.answered = True


class AccountChecker:
    """One run: many servers, one after the other, on one database."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder = folder
        self._file = AccountFile(folder / "test.db")
        self._chance = random.Random(seed)  # noqa: S311  (chance, not secrecy)
        self._numbers = itertools.count()
        self._before: dict[str, AccountState] = {}
        self._after: dict[str, AccountState] = {}
        self.kills = 0
        self.outcomes: Counter[tuple[str, str]] = Counter()

    async def run(self, kills: int, progress: Callable[[int, int], None] = lambda done, all_: None) -> None:
        async with open_server(self._folder, SETTINGS) as server, server.client() as client:
            await self._learn(Desk(client, self._file))
        while self.kills < kills:
            progress(self.kills, kills)
            attempts = await self._kill_amid_changes()
            done = {id(each): self._is_done(each) for each in attempts}
            async with open_server(self._folder, SETTINGS) as server, server.client() as client:
                for each in attempts:
                    await self._probe(Desk(client, self._file), each, is_done=done[id(each)])

    async def _prepare(self, desk: Desk) -> list[Attempt]:
        attempts = []
        for change, prepare in CHANGES.items():
            who = Subject(f"person{next(self._numbers)}")
            attempts.append(Attempt(change, who, await prepare(desk, who)))
        self._chance.shuffle(attempts)
        return attempts

    def _state(self, attempt: Attempt) -> AccountState:
        return self._file.state(attempt.who.name, attempt.who.tokens)

    async def _learn(self, desk: Desk) -> None:
        for attempt in await self._prepare(desk):
            self._before[attempt.change] = self._state(attempt)
            await attempt.make()
            self._after[attempt.change] = self._state(attempt)
            assert self._before[attempt.change] != self._after[attempt.change], attempt.change

    async def _kill_amid_changes(self) -> list[Attempt]:
        async with open_server(self._folder, SETTINGS) as server, server.client() as client:
            attempts = await self._prepare(Desk(client, self._file))
            for attempt in attempts:
                assert self._state(attempt) == self._before[attempt.change], attempt.change
            async with trio.open_nursery() as nursery:
                for attempt in attempts:
                    nursery.start_soon(attempt.make)
                await trio.sleep(self._chance.uniform(0, LONGEST))
                await server.stop(signal.SIGKILL)
        self.kills += 1
        return attempts

    def _is_done(self, attempt: Attempt) -> bool:
        """Whether it is; fails for what is neither, and for what was answered and is not."""
        found, before, after = self._state(attempt), self._before[attempt.change], self._after[attempt.change]
        assert found in (before, after), (attempt.change, found, before, after)
        assert found == after or not attempt.answered, attempt.change
        outcome = "answered" if attempt.answered else "done" if found == after else "not done"
        self.outcomes[attempt.change, outcome] += 1
        return found == after

    async def _probe(self, desk: Desk, attempt: Attempt, *, is_done: bool) -> None:
        """The server says the same: which password is right, and which tokens are good."""
        state = (self._after if is_done else self._before)[attempt.change]
        for password in (OLD, NEW):
            answer = await desk.asking(
                "POST", "/login", {"username": attempt.who.name, "password": password}
            )()
            error = answer.json().get("error", "")
            if password != state.password:
                assert (answer.status_code, error) == (401, "BadCredentials"), attempt.change
            elif state.is_deleted:
                assert (answer.status_code, error) == (410, "UserIsDeleted"), attempt.change
            elif state.totp == "on":
                assert (answer.status_code, error) == (401, "SecondFactorRequired"), attempt.change
            else:
                assert answer.status_code == 200, attempt.change
        for what, token in attempt.who.tokens.items():
            kept = 410 if state.is_deleted else 200
            status = (await desk.asking("GET", "/login/info", token=token)()).status_code
            assert status == (kept if what in state.tokens else 401), (attempt.change, what, status)

    @property
    def counts(self) -> Counter[str]:
        """Changes by what became of them."""
        return Counter(outcome for _, outcome in self.outcomes.elements())

    def report(self) -> str:
        counts = self.counts
        return (
            f"{self.kills} kills amid {counts.total()} changes of {len(CHANGES)} kinds: {counts['answered']} answered, all of them done;"
            f" {counts['done']} done without an answer, {counts['not done']} not done at all, 0 in between"
        )
