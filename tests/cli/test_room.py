"""`regserver room`: what it prints, and what it refuses."""

import json
from pathlib import Path

from regserver.adapters.server_key import load_server_key
from regserver.domain.account import AccountId, NewAccount
from regserver.domain.room_event import Created
from regserver.ports.transaction import Transaction
from regserver.store.sqlite import held, open_sqlite
from tests.cli.shell import Shell
from tests.fake import EPOCH


async def filled(folder: Path) -> None:
    """A room of two, in which one has written."""

    async def work(transaction: Transaction) -> None:
        people = []
        for name in ("ann", "bob"):
            new = NewAccount(username=name, origin="rooms", created_at=EPOCH)
            people.append(await transaction.accounts.add(new))
        room = await transaction.rooms.add("Tea", EPOCH)
        event = await transaction.events.append(room, AccountId(people[0]), Created(()), EPOCH)
        await transaction.rooms.join(event, people)
        await transaction.posts.add(room, people[0], "something nasty", EPOCH)

    async with open_sqlite(folder / "test.db") as store:
        await store.write(work)


async def test_rooms_are_shown_and_a_post_is_removed(shell: Shell) -> None:
    await filled(shell.folder)
    listed = json.loads((await shell.run("room", "list", "--json")).out)
    assert [(room["number"], room["name"], room["memberCount"]) for room in listed] == [(1, "Tea", 2)]
    shown = (await shell.run("room", "members", "1")).out.splitlines()
    assert [line.split()[-1] for line in shown] == ["Tea", "ann", "bob"]
    assert "nasty" not in "".join(shown)
    done = await shell.run("room", "remove-post", "1")
    assert done == (0, "the content of post 1 is gone\n", "")
    async with open_sqlite(shell.folder / "test.db") as store:
        post = await store.read(lambda transaction: transaction.posts.page(1, None, 5))  # type: ignore[arg-type]
    assert [each.content for each in post] == ["[removed]"]
    assert (await shell.run("room", "remove-post", "9")) == (1, "", "regserver: there is no post 9\n")
    assert (await shell.run("room", "show", "x")) == (1, "", "regserver: there is no room x\n")


async def test_without_a_server_the_command_puts_a_member_out_and_closes_the_room(shell: Shell) -> None:
    await filled(shell.folder)
    load_server_key(shell.folder / "test.key")
    away = ("server.bind=127.0.0.1:9",)
    gone = "account 2 is no longer in room 1\n"
    assert await shell.run("room", "remove-member", "1", "2", settings=away) == (0, gone, "")
    again = await shell.run("room", "remove-member", "1", "2", settings=away)
    assert again == (1, "", "regserver: room 1: the account is not in the room\n")
    done = await shell.run("room", "close", "1", "--json", settings=away)
    assert (done.code, json.loads(done.out), done.err) == (0, {"closed": 1}, "")
    assert (await shell.run("room", "close", "1", settings=away)).code == 1
    rows = json.loads((await shell.run("audit", "list", "--json")).out)
    assert [(row["action"], row["subject"]) for row in rows] == [
        ("room_closed", "room 1"),
        ("member_removed", "room 1"),
    ]
    assert all(row["actor"].startswith("command ") for row in rows)


async def test_a_server_that_does_not_answer_is_named(shell: Shell) -> None:
    """Its sockets would not hear of it."""
    await filled(shell.folder)
    with held(shell.folder / "test.db"):
        done = await shell.run("room", "close", "1", settings=("server.bind=127.0.0.1:9",))
    assert (done.code, done.out) == (1, "")
    assert "in use by process" in done.err


async def test_wrong_usage(shell: Shell) -> None:
    assert (await shell.run("room", "show")).code == 2
    assert (await shell.run("room", "list", "1")).code == 2
    assert (await shell.run("room", "remove-member", "1")).code == 2
    assert (await shell.run("room", "close", "1", "2")).code == 2
