"""`regserver steps`: its output about a contact, and wrong usage. Unlocking: tests/system."""

import pytest

from regserver.adapters.server_key import load_server_key
from regserver.store.sqlite import open_sqlite
from tests.cli.shell import Shell

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


@pytest.mark.parametrize("contact", ["no contact", "", "+", "@", "380-no"])
async def test_what_is_no_contact_is_wrong_usage(shell: Shell, contact: str) -> None:
    done = await shell.run("steps", "show", contact)
    said = "regserver: expected a phone number such as +380000000000, or an e-mail address\n"
    assert done == (2, "", said)


@pytest.mark.parametrize("arguments", [("show",), ("forget", PHONE)])
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
