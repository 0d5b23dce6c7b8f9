"""`regserver steps`: its output about a contact, and wrong usage. Unlocking: tests/system."""

import json

import pytest

from regserver.adapters.server_key import load_server_key
from regserver.domain.contact import Pepper, parse_phone
from regserver.domain.steps_machine import Registration
from regserver.store.sqlite import open_sqlite
from tests.cli.shell import Shell
from tests.fake import EPOCH

PHONE = "+380000000000"


@pytest.mark.parametrize(
    ("contact", "state"),
    [
        ((PHONE,), "firstStep"),
        (("ann@example.org",), "firstStepEmail"),
        (("oauth-42", "--identity", "--provider", "x"), "createIdentity"),
    ],
)
@pytest.mark.parametrize("action", ["show", "unlock"])
async def test_a_contact_that_nobody_has_used(
    shell: Shell, action: str, contact: tuple[str, ...], state: str
) -> None:
    load_server_key(shell.folder / "test.key")
    async with open_sqlite(shell.folder / "test.db"):
        pass
    done = await shell.run("steps", action, *contact)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[1] == f"state        {state}"
    assert lines[-1] == "today        0 of 10 codes, 0 of 10 tries"
    assert contact[0] not in done.out


async def test_all_registrations_without_their_contacts(shell: Shell) -> None:
    key = load_server_key(shell.folder / "test.key")
    contact = parse_phone(PHONE)
    assert contact is not None
    begun = Registration(
        contact=Pepper(key.derive("pepper")).contact_key(contact),
        lookup=Pepper(key.derive("pepper")).lookup_key(contact),
        kind="phone",
        mask=contact.mask,
        state="setUsername",
        updated_at=EPOCH,
    )
    async with open_sqlite(shell.folder / "test.db") as store:
        await store.write(lambda transaction: transaction.registrations.save(begun))
    (listed,) = json.loads((await shell.run("steps", "list", "--json")).out)
    assert (listed["contact"], listed["state"]) == (contact.mask, "setUsername")
    line = (await shell.run("steps", "list")).out
    assert line.startswith(listed["id"])
    assert PHONE not in line
    shown = json.loads((await shell.run("steps", "show", listed["id"], "--json")).out)
    assert (shown["registration"]["id"], shown["codes"]) == (listed["id"], 0)
    unlocked = json.loads((await shell.run("steps", "unlock", listed["id"], "--json")).out)
    assert unlocked["registration"]["state"] == "firstStep"
    assert (await shell.run("steps", "list")).out == "no registrations\n"
    gone = await shell.run("steps", "unlock", listed["id"])
    assert gone == (1, "", "regserver: registration: no registration by steps has the id\n")
    (row,) = json.loads((await shell.run("audit", "list", "--json")).out)
    assert row["action"] == "steps_unlocked"


@pytest.mark.parametrize("contact", ["no contact", "", "+", "@", "380-no"])
async def test_what_is_no_contact_is_wrong_usage(shell: Shell, contact: str) -> None:
    done = await shell.run("steps", "show", contact)
    said = "regserver: expected a phone number such as +380000000000, or an e-mail address\n"
    assert done == (2, "", said)


@pytest.mark.parametrize("arguments", [("show",), ("forget", PHONE), ("list", PHONE)])
async def test_wrong_usage(shell: Shell, arguments: tuple[str, ...]) -> None:
    assert (await shell.run("steps", *arguments)).code == 2


async def test_a_missing_key_is_named_and_not_made(shell: Shell) -> None:
    """A new key would find no contact, and the next start of the server would go on with it."""
    async with open_sqlite(shell.folder / "test.db"):
        pass
    key = shell.folder / "test.key"
    for command in (("steps", "show", PHONE), ("mail", "list")):
        assert await shell.run(*command) == (1, "", f"regserver: {key}: No such file or directory\n")
        assert not key.exists()
