"""Bringing people along from other software: an account for each line of a file.

Each line is a unit of work of its own: an interruption leaves whole accounts, and the next run goes on behind them. The
unit notes the person by `ImportedPerson.key`, so a line that was read before makes no second account, whatever has become
of the first one since. No gate is asked: the operator lets these people in.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress

import msgspec
import trio

from regserver.domain.account import NewAccount, Profile, name_key
from regserver.domain.contact import ContactClaim, ContactKey, Pepper, contact_of_email
from regserver.domain.email import read_email
from regserver.domain.imported_person import (
    AdoptedHash,
    ImportedPerson,
    ImportRefusal,
    ImportRow,
    PersonAdded,
    PersonKnown,
    UnusableHash,
    name_fault,
)
from regserver.domain.outcome import EmailTaken, UsernameTaken
from regserver.ports.clock import Clock
from regserver.ports.store import Store
from regserver.ports.transaction import Lock, Transaction
from regserver.service.add_account import add_account
from regserver.service.sign_up_gate import Refused

AT_ONCE = 32
"""Lines whose units of work the store may commit together."""
MOST_REFUSALS = 10_000
"""Refused lines that a report names; the others are counted."""


class ImportParts(msgspec.Struct, frozen=True, kw_only=True):
    """adopt: takes a foreign password hash in, if it can be compared. dry: nothing is kept."""

    store: Store
    clock: Clock
    pepper: Pepper
    adopt: Callable[[str], AdoptedHash | UnusableHash]
    dry: bool = False


class ImportReport(msgspec.Struct, frozen=True):
    """added, known: numbers of lines. refused: all of them. refusals: the first MOST_REFUSALS, by line."""

    added: int
    known: int
    refused: int
    refusals: tuple[ImportRefusal, ...]


class _Undone(Exception):
    """Rolls the unit of a dry run back."""


class UserImport:
    """One run over one file."""

    def __init__(self, parts: ImportParts) -> None:
        self._parts = parts
        self._seen: dict[str | ContactKey, int] = {}
        self._added = self._known = self._refused = 0
        self._refusals: list[ImportRefusal] = []

    async def run(self, rows: Iterator[ImportRow]) -> ImportReport:
        """Takes all lines, AT_ONCE at a time. Raises StoreFault, and what `rows` raises."""
        async with trio.open_nursery() as nursery:
            for _ in range(AT_ONCE):
                nursery.start_soon(self._take_from, rows)
        refusals = tuple(sorted(self._refusals, key=lambda refusal: refusal.line))
        return ImportReport(self._added, self._known, self._refused, refusals)

    async def _take_from(self, rows: Iterator[ImportRow]) -> None:
        for row in rows:
            match await self._take(row):
                case PersonAdded():
                    self._added += 1
                case PersonKnown():
                    self._known += 1
                case str(reason):
                    self._refused += 1
                    if len(self._refusals) < MOST_REFUSALS:
                        self._refusals.append(ImportRefusal(row.line, reason))

    async def _take(self, row: ImportRow) -> PersonAdded | PersonKnown | str:
        person = row.person
        if isinstance(person, str):
            return person
        if (fault := name_fault(person) or self._twice(row.line, person)) is not None:
            return fault
        claim = self._claim(row.line, person)
        if isinstance(claim, str):
            return claim
        adopted = self._parts.adopt(person.password_hash) if person.password_hash else None
        if isinstance(adopted, UnusableHash):
            return f"passwordHash: {adopted.reason}"
        new = NewAccount(
            username=person.username,
            email=None if claim is None else read_email(person.email),
            origin="operator",
            password_hash=None if adopted is None else adopted.encoded,
            created_at=self._parts.clock.now(),
            contact=claim,
        )
        return await self._write(person, new)

    def _twice(self, line: int, person: ImportedPerson) -> str | None:
        """A file with somebody twice is wrong somewhere: the second line is refused."""
        for what, key in (("username", f"name:{name_key(person.username)}"), ("id", person.key)):
            first = self._seen.setdefault(key, line)
            if first != line:
                return f"{what}: the same as in line {first}"
        return None

    def _claim(self, line: int, person: ImportedPerson) -> ContactClaim | str | None:
        if not person.email:
            return None
        email = read_email(person.email)
        if email is None:
            return "email: expected an e-mail address"
        claim = self._parts.pepper.claim(contact_of_email(email), is_verified=person.email_verified)
        if claim.is_verified and (first := self._seen.setdefault(claim.key, line)) != line:
            return f"email: line {first} has verified it"
        return claim

    async def _write(self, person: ImportedPerson, new: NewAccount) -> PersonAdded | PersonKnown | str:
        outcome: PersonAdded | PersonKnown | str = PersonKnown()

        async def work(transaction: Transaction) -> None:
            nonlocal outcome
            outcome = await self._write_in(transaction, person, new)
            if self._parts.dry:
                raise _Undone

        with suppress(_Undone):
            await self._parts.store.write(work)
        return outcome

    async def _write_in(
        self, transaction: Transaction, person: ImportedPerson, new: NewAccount
    ) -> PersonAdded | PersonKnown | str:
        if await transaction.imports.account(person.key) is not None:
            return PersonKnown()
        if new.contact is not None:
            await transaction.lock(Lock.EMAIL, new.contact.key)
        added = await add_account(transaction, new)
        if isinstance(added, UsernameTaken | EmailTaken) and await transaction.imports.account(person.key):
            return PersonKnown()  # another run was first while this one waited for the name
        if isinstance(added, EmailTaken):
            return "email: another account has verified it"
        if isinstance(added, UsernameTaken):
            return "username: it is taken"
        if isinstance(added, Refused):
            raise AssertionError("there is no gate")
        await transaction.imports.add(person.key, added)
        if person.first_name or person.last_name:
            profile = Profile(
                first_name=person.first_name,
                middle_name=person.middle_name or None,
                last_name=person.last_name,
            )
            await transaction.accounts.add_profile(added, profile)
        return PersonAdded(added)
