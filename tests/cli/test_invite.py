"""`regserver invite`, and `regserver user waiting` and `approve`: what they print, and what they refuse."""

import json
from pathlib import Path

import pytest

from regserver.adapters.server_key import load_server_key
from regserver.adapters.system import SystemClock
from regserver.domain.account import Account, AccountId, NewAccount
from regserver.domain.instant import DAY, Instant, after
from regserver.domain.link import AccountLink
from regserver.domain.secret import hash_secret
from regserver.domain.sign_up_policy import WaitReason
from regserver.ports.transaction import Transaction
from regserver.service.add_account import add_account
from regserver.store.sqlite import migrate, open_sqlite
from tests.cli.shell import Shell

URL = "server.public_url=https://example.org/app/"


@pytest.fixture
def prepared(shell: Shell) -> Shell:
    """A store and a key, as a server that has run once leaves them."""
    path = shell.folder / "test.db"
    migrate(path, 0)
    load_server_key(path.with_suffix(".key"))
    return shell


async def created(shell: Shell, *arguments: str) -> dict[str, object]:
    done = await shell.run("invite", "create", "--json", *arguments, settings=(URL,))
    assert (done.code, done.err) == (0, "")
    value: dict[str, object] = json.loads(done.out)
    return value


async def test_one_is_made_shown_once_and_listed(prepared: Shell) -> None:
    done = await prepared.run("invite", "create", settings=(URL,))
    link, code, good = done.out.splitlines()
    assert link.startswith("https://example.org/app/#invite=regi_")
    assert code == f"invitation 1: {link.partition('=')[2]}"
    assert good.startswith("good for one account, until ")
    value = await created(
        prepared, "--uses", "5", "--expires", "1h", "--note", "class 7b", "--email", "Ada@Example.org"
    )
    assert (value["number"], value["uses"], value["note"], value["email"]) == (
        2,
        5,
        "class 7b",
        "a***@e***.org",
    )
    listed = await prepared.run("invite", "list")
    second, first = listed.out.splitlines()
    assert second.split()[:4] == ["2", "0", "of", "5"]
    assert second.endswith("a***@e***.org  class 7b")
    assert first.endswith("anybody")
    assert "regi_" not in listed.out
    values = json.loads((await prepared.run("invite", "list", "--json")).out)
    assert [each["used"] for each in values] == [0, 0]
    files = b"".join(path.read_bytes() for path in prepared.folder.iterdir())
    for secret in (str(value["invitation"]).encode(), b"ada@example.org"):
        assert secret not in files


async def test_the_link_alone(prepared: Shell) -> None:
    done = await prepared.run("invite", "create", "--url", settings=(URL,))
    (line,) = done.out.splitlines()
    assert line.startswith("https://example.org/app/#invite=regi_")
    said = "regserver: --url: server.public_url is not set, and the link begins with it\n"
    assert await prepared.run("invite", "create", "--url") == (1, "", said)
    bare = await prepared.run("invite", "create")
    assert bare.out.startswith("/#invite=regi_")
    assert "server.public_url is not set" in bare.out


async def test_one_is_revoked_once(prepared: Shell) -> None:
    await created(prepared)
    assert await prepared.run("invite", "revoke", "1") == (0, "invitation 1 is revoked\n", "")
    for number in ("1", "x", "0"):
        done = await prepared.run("invite", "revoke", number)
        assert (done.code, done.err) == (1, f"regserver: there is no invitation {number}\n")
    assert await prepared.run("invite", "list") == (0, "no invitations\n", "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--uses", "0"), "--uses: from 1 to 1000000"),
        (("--expires", "1s"), "--expires: from 1m to 366d"),
        (("--expires", "soon"), "--expires: "),
        (("--email", "nobody"), "--email: expected an e-mail address"),
        (("--note", "a\nb"), "--note: one line"),
        (("--note", "x" * 201), "--note: one line"),
    ],
)
async def test_what_cannot_be_meant_fails(prepared: Shell, arguments: tuple[str, ...], said: str) -> None:
    done = await prepared.run("invite", "create", *arguments)
    assert (done.code, done.out) == (1, "")
    assert said in done.err
    assert await prepared.run("invite", "list") == (0, "no invitations\n", "")


@pytest.mark.parametrize(
    "arguments",
    [
        ("invite", "revoke"),
        ("invite", "list", "1"),
        ("invite", "list", "--uses", "2"),
        ("invite", "create", "--uses", "many"),
        ("invite", "create", "--url", "--json"),
        ("user", "waiting", "ann"),
        ("user", "approve"),
        ("user", "show", "ann", "--reject"),
    ],
)
async def test_wrong_usage(shell: Shell, arguments: tuple[str, ...]) -> None:
    done = await shell.run(*arguments)
    assert (done.code, done.out) == (2, "")
    assert "usage: regserver" in done.err


# --- who waits
async def waiting(folder: Path, name: str, reason: WaitReason | None) -> int:
    new = NewAccount(
        username=name,
        email=f"{name}@example.org",
        origin="rooms",
        created_at=Instant(1_600_000_000_000),
        waits_for=reason,
    )

    async def work(transaction: Transaction) -> AccountId:
        added = await add_account(transaction, new)
        assert isinstance(added, int)
        if reason == "approval":
            expires_at = after(SystemClock().now(), DAY)
            link = AccountLink(account=added, purpose="approve", email=None, expires_at=expires_at)
            await transaction.links.add(hash_secret(f"link of {name}"), link)
            await transaction.waiting.keep_mail(added, b"sealed for " + name.encode())
        return added

    async with open_sqlite(folder / "test.db") as store:
        return await store.write(work)


async def look(folder: Path, number: int) -> tuple[Account | None, list[bytes], bool]:
    """The account, what is in the outbox, and whether its link is good."""

    async def work(transaction: Transaction) -> tuple[Account | None, list[bytes], bool]:
        found = await transaction.accounts.by_id(AccountId(number))
        sealed = [row.sealed for row in await transaction.outbox.list(10)]
        link = await transaction.links.find(hash_secret("link of ann"), "approve", SystemClock().now())
        return found, sealed, link is not None

    async with open_sqlite(folder / "test.db") as store:
        return await store.read(work)


async def test_those_who_wait_are_listed_and_let_in(prepared: Shell) -> None:
    assert await prepared.run("user", "waiting") == (0, "nobody waits\n", "")
    ann = await waiting(prepared.folder, "ann", "approval")
    bob = await waiting(prepared.folder, "bob", "verification")
    cid = await waiting(prepared.folder, "cid", None)
    lines = (await prepared.run("user", "waiting")).out.splitlines()
    assert [line.split()[0] for line in lines] == [str(ann), str(bob)]
    assert [line.split()[3] for line in lines] == ["approval", "verification"]
    values = json.loads((await prepared.run("user", "waiting", "--json")).out)
    assert [value["waitsFor"] for value in values] == ["approval", "verification"]
    assert "waits for approval" in (await prepared.run("user", "show", "ann")).out
    done = await prepared.run("user", "approve", "ann")
    assert (done.code, "waits for" in done.out) == (0, False)
    account, sealed, link = await look(prepared.folder, ann)
    assert account is not None
    assert account.waits_for is None
    assert (sealed, link) == ([b"sealed for ann"], False)
    for name, number in (("ann", ann), ("cid", cid)):
        for arguments in (("approve", name), ("approve", name, "--reject")):
            said = f"regserver: account {number} does not wait\n"
            assert await prepared.run("user", *arguments) == (1, "", said)
    assert (await prepared.run("user", "approve", "bob")).code == 0


async def test_who_is_rejected_is_deleted_and_hears_nothing(prepared: Shell) -> None:
    ann = await waiting(prepared.folder, "ann", "approval")
    done = await prepared.run("user", "approve", "ann", "--reject")
    assert (done.code, "\ndeleted " in done.out) == (0, True)
    account, sealed, link = await look(prepared.folder, ann)
    assert account is not None
    assert account.deleted_at is not None
    assert (sealed, link) == ([], False)
    assert (await prepared.run("user", "approve", "ann")).code == 1
