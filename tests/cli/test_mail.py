"""`regserver mail`: the list of waiting mail, sending it again, testing the server."""

from pathlib import Path

import pytest

from regserver.adapters.server_key import load_server_key
from regserver.adapters.system import SystemClock, SystemRandomness
from regserver.ports.mailer import Mail
from regserver.ports.outbox_table import OutboxId, OutboxMessage
from regserver.service.outbox import Outbox
from regserver.store.sqlite import open_sqlite
from tests.cli.shell import Shell
from tests.peer.smtp import open_smtp_peer
from tests.system.server import open_server

MAIL = Mail(to="ada@example.org", subject="Your code", text="It is 482913.\n")


async def mail(shell: Shell, *arguments: str, smtp: str = "log:") -> tuple[int, str]:
    """The exit code, and what was printed."""
    done = await shell.run(
        "mail",
        *arguments,
        settings=(
            f"mail.smtp={smtp}",
            "server.public_url=https://example.org",
            "mail.from=regserver@invalid.example",
        ),
    )
    return done.code, done.out + done.err


async def waiting(folder: Path, *, parked: str | None = None) -> OutboxMessage:
    """A message in the outbox, set aside for this reason."""
    path = folder / "test.db"
    key = load_server_key(path.with_suffix(".key")).derive("outbox")
    outbox, now = Outbox(SystemClock(), SystemRandomness(), key), SystemClock().now()
    async with open_sqlite(path) as store:
        await store.write(lambda transaction: outbox.enqueue(transaction, MAIL))
        if parked is not None:
            await store.write(lambda transaction: transaction.outbox.park(OutboxId(1), now, parked))
        (row,) = await store.read(lambda transaction: transaction.outbox.list(10))
    return row


async def test_list_shows_whom_and_why_and_never_the_text(tmp_path: Path, shell: Shell) -> None:
    await waiting(tmp_path, parked="refused: 550 5.1.1 user unknown")
    code, printed = await mail(shell, "list")
    assert code == 0
    for words in ("1  set aside", "ada@example.org  Your code", "refused: 550 5.1.1 user unknown"):
        assert words in printed
    assert "482913" not in printed


async def test_retry_sends_what_was_set_aside_on_the_running_server(tmp_path: Path, shell: Shell) -> None:
    row = await waiting(tmp_path, parked="refused")
    async with open_smtp_peer() as (peer, _):
        settings = [f"mail.smtp=smtp://127.0.0.1:{peer.port}", "server.public_url=https://example.org"]
        async with open_server(tmp_path, settings) as server:
            assert peer.received == []
            code, printed = await mail(shell, "retry", str(row.id))
            assert (code, "1 will be sent" in printed) == (0, True)
            await peer.wait_received(1)
            await server.wait_line(lambda line: line["message"].endswith("was sent"))
            code, printed = await mail(shell, "retry", str(row.id))
            assert (code, "0 of 1" in printed) == (1, True)
            code, printed = await mail(shell, "list")
            assert (code, printed) == (0, "nothing waits\n")


async def test_test_tells_what_the_server_makes_of_it(shell: Shell) -> None:
    async with open_smtp_peer() as (peer, _):
        smtp = f"smtp://127.0.0.1:{peer.port}"
        code, printed = await mail(shell, "test", "ada@example.org", smtp=smtp)
        assert code == 0, printed
        assert "ok   it took the message: 250 2.0.0 accepted" in printed
        assert len(peer.accepted) == 1
        peer.mood = "refuse recipient"
        code, printed = await mail(shell, "test", "ada@example.org", smtp=smtp)
        assert (code, "FAIL it refuses the recipient" in printed) == (1, True)


async def test_what_mail_cannot_do(shell: Shell) -> None:
    code, printed = await mail(shell, "test", "ada@example.org")
    assert (code, 'mail.smtp is "log:"' in printed) == (1, True)
    code, printed = await mail(shell, "list")
    assert (code, "no such database" in printed) == (1, True)


@pytest.mark.parametrize(
    "arguments",
    [(), ("test",), ("test", "nobody"), ("retry", "one"), ("retry", "9" * 19), ("list", "1"), ("send",)],
)
async def test_wrong_usage(shell: Shell, arguments: tuple[str, ...]) -> None:
    code, printed = await mail(shell, *arguments)
    assert code == 2
    assert "regserver mail" in printed or "usage" in printed
