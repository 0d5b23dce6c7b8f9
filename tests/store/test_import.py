"""People brought along from other software, on every store: once, in whole, with what becomes of them at a sign-in."""

from collections.abc import Iterable

import pytest
import trio

from regserver.adapters.foreign_hash import adopt_hash
from regserver.domain.account import Account, AccountId, NewAccount, name_key
from regserver.domain.contact import contact_of_email
from regserver.domain.imported_person import ImportedPerson, ImportRefusal, ImportRow
from regserver.domain.instant import DAY, Instant
from regserver.ports.store import Store
from regserver.ports.transaction import Transaction
from regserver.service.user_import import MOST_REFUSALS, ImportParts, ImportReport, UserImport
from tests.deletion import close_account
from tests.fake import NAME_HASH, PEPPER, ManualClock

MD5 = "$1$saltsalt$NuzA7WTAelpl95xgBGWN60"
ADA = ImportedPerson(
    username="Ada",
    email="ada@example.org",
    email_verified=True,
    password_hash=MD5,
    first_name="Ada",
    last_name="Lovelace",
)
BOB = ImportedPerson(username="bob", id="7", email="bob@example.org")
NOBODY = ImportedPerson(username="")


async def imported(
    store: Store, people: Iterable[ImportedPerson | str], *, dry: bool = False
) -> ImportReport:
    parts = ImportParts(
        store=store,
        clock=ManualClock(),
        pepper=PEPPER,
        adopt=lambda encoded: adopt_hash(encoded, 1 << 26),
        dry=dry,
    )
    return await UserImport(parts).run(ImportRow(line, person) for line, person in enumerate(people, 1))


async def found(store: Store, name: str) -> Account | None:
    return await store.read(lambda transaction: transaction.accounts.by_name(name_key(name)))


async def test_accounts_are_made_in_whole_and_once(any_store: Store) -> None:
    assert await imported(any_store, [ADA, BOB]) == ImportReport(2, 0, 0, ())
    ada = await found(any_store, "ada")
    assert ada is not None
    assert (ada.username, ada.origin, ada.password_hash) == ("Ada", "operator", MD5)
    assert ada.verified_email == "ada@example.org"
    key = PEPPER.contact_key(contact_of_email("ada@example.org"))

    async def read(transaction: Transaction) -> tuple[Account | None, object]:
        return await transaction.contacts.owner(key), await transaction.accounts.profile(ada.id)

    owner, profile = await any_store.read(read)
    assert owner == ada
    assert getattr(profile, "last_name", None) == "Lovelace"
    bob = await found(any_store, "bob")
    assert bob is not None
    assert (bob.email, bob.verified_email, bob.password_hash) == ("bob@example.org", None, None)
    assert await imported(any_store, [ADA, BOB, NOBODY]) == ImportReport(
        0, 2, 1, (ImportRefusal(3, "username is missing"),)
    )


async def test_who_was_renamed_there_or_deleted_here_does_not_come_again(any_store: Store) -> None:
    await imported(any_store, [ADA, BOB])

    async def delete(transaction: Transaction) -> None:
        ada = await transaction.accounts.by_name(name_key("ada"))
        assert ada is not None
        await close_account(transaction, ada, Instant(1_600_000_100_000))

    await any_store.write(delete)
    renamed = ImportedPerson(username="robert", id="7")
    assert await imported(any_store, [ADA, renamed]) == ImportReport(0, 2, 0, ())
    assert await found(any_store, "robert") is None

    async def erase(transaction: Transaction) -> AccountId | None:
        ada = await transaction.accounts.by_name(name_key("ada"))
        assert ada is not None
        await transaction.erasures.erase(ada.id, NAME_HASH(name_key("ada")), Instant(1_600_000_000_000 + DAY))
        return await transaction.imports.account(ADA.key)

    assert await any_store.write(erase) is None


async def test_a_dry_run_says_the_same_and_keeps_nothing(any_store: Store) -> None:
    wrong = ImportedPerson(username="eve", password_hash="5f4dcc3b5aa765d61d8327deb882cf99")
    twice = ImportedPerson(username="ADA")
    people: list[ImportedPerson | str] = [
        ADA,
        twice,
        BOB,
        ImportedPerson(username="b", id="7"),
        wrong,
        "not JSON",
    ]
    people += [
        ImportedPerson(username="f", email="ada@example.org", email_verified=True),
        ImportedPerson(username="g", email="x"),
    ]
    expected = ImportReport(
        2,
        0,
        6,
        (
            ImportRefusal(2, "username: the same as in line 1"),
            ImportRefusal(4, "id: the same as in line 3"),
            ImportRefusal(5, "passwordHash: this kind of hash is not known, or it is damaged"),
            ImportRefusal(6, "not JSON"),
            ImportRefusal(7, "email: line 1 has verified it"),
            ImportRefusal(8, "email: expected an e-mail address"),
        ),
    )
    assert await imported(any_store, people, dry=True) == expected
    assert await found(any_store, "ada") is None
    assert await imported(any_store, people) == expected
    assert await found(any_store, "ada") is not None


async def test_what_others_have_is_refused(any_store: Store) -> None:
    claim = PEPPER.claim(contact_of_email("bob@example.org"), is_verified=True)

    async def take(transaction: Transaction) -> None:
        new = NewAccount(username="ADA", origin="rooms", created_at=ManualClock().now(), contact=claim)
        account = await transaction.accounts.add(new)
        await transaction.names.claim(name_key("ada"), f"account:{account}", None, new.created_at)
        await transaction.contacts.claim(claim.key, "email", account, new.created_at)

    await any_store.write(take)
    refused = (
        ImportRefusal(1, "username: it is taken"),
        ImportRefusal(2, "email: another account has verified it"),
    )
    assert await imported(any_store, [ADA, BOB]) == ImportReport(0, 0, 2, refused)


async def test_a_run_that_stops_is_gone_on_with(any_store: Store) -> None:
    class Torn(Exception):
        pass

    def rows() -> Iterable[ImportRow]:
        for line in range(1, 120):
            yield ImportRow(line, ImportedPerson(username=f"person{line}"))
        raise Torn

    parts = ImportParts(
        store=any_store, clock=ManualClock(), pepper=PEPPER, adopt=lambda encoded: adopt_hash(encoded, 0)
    )
    with pytest.RaisesGroup(Torn):
        await UserImport(parts).run(iter(rows()))
    whole = [ImportedPerson(username=f"person{line}") for line in range(1, 201)]
    report = await imported(any_store, whole)
    assert (report.added + report.known, report.refused) == (200, 0)
    assert report.known >= 80


async def test_two_runs_at_once_make_one_account_of_each(any_store: Store) -> None:
    people = [ImportedPerson(username=f"person{line}", id=str(line)) for line in range(60)]
    reports: list[ImportReport] = []

    async def run() -> None:
        reports.append(await imported(any_store, people))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run)
        nursery.start_soon(run)
    assert sum(report.added for report in reports) == sum(report.known for report in reports) == 60


async def test_the_report_is_bounded(any_store: Store) -> None:
    report = await imported(any_store, ["not JSON"] * (MOST_REFUSALS + 5))
    assert report.refused == MOST_REFUSALS + 5
    assert len(report.refusals) == MOST_REFUSALS
