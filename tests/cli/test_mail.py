"""`regserver mail`: what waits, sending it again, trying the server."""

from pathlib import Path

import pytest
import trio

from regserver.adapters.clock import SystemClock, SystemRandomness
from regserver.adapters.server_key import load_server_key
from regserver.cli import run
from regserver.ports.mailer import Mail
from regserver.ports.outbox_table import OutboxId, OutboxMessage
from regserver.service.outbox import Outbox
from regserver.store.sqlite import open_sqlite
from tests.peer.smtp import open_smtp_peer
from tests.system.server import open_server

MAIL = Mail(to="ada@example.org", subject="Your code", text="It is 482913.\n")


class Shell:
    """Calls the command line, in a thread as it runs an event loop of its own."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self._folder = folder
        self._capture = capture

    async def run(self, *arguments: str, smtp: str = "log:") -> tuple[int, str]:
        """The exit code, and what was printed."""
        settings = (
            f"store.url=sqlite:{self._folder / 'test.db'}",
            f"mail.smtp={smtp}",
            "server.public_url=https://example.org",
            "mail.from=regserver@invalid.example",
        )
        options = [word for setting in settings for word in ("--set", setting)]
        self._capture.readouterr()
        try:
            code = await trio.to_thread.run_sync(run, ["mail", *arguments, *options])
        except SystemExit as leaving:  # of argparse
            code = int(leaving.code or 0)
        printed = self._capture.readouterr()
        return code, printed.out + printed.err


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(tmp_path, capsys)


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
    code, printed = await shell.run("list")
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
            code, printed = await shell.run("retry", str(row.id))
            assert (code, "1 will be sent" in printed) == (0, True)
            await peer.wait_received(1)
            await server.wait_line(lambda line: line["message"].endswith("was sent"))
            code, printed = await shell.run("retry", str(row.id))
            assert (code, "0 of 1" in printed) == (1, True)
            code, printed = await shell.run("list")
            assert (code, printed) == (0, "nothing waits\n")


async def test_test_tells_what_the_server_makes_of_it(shell: Shell) -> None:
    async with open_smtp_peer() as (peer, _):
        smtp = f"smtp://127.0.0.1:{peer.port}"
        code, printed = await shell.run("test", "ada@example.org", smtp=smtp)
        assert code == 0, printed
        assert "ok   it took the message: 250 2.0.0 accepted" in printed
        assert len(peer.accepted) == 1
        peer.mood = "refuse recipient"
        code, printed = await shell.run("test", "ada@example.org", smtp=smtp)
        assert (code, "FAIL it refuses the recipient" in printed) == (1, True)


async def test_what_mail_cannot_do(shell: Shell) -> None:
    code, printed = await shell.run("test", "ada@example.org")
    assert (code, 'mail.smtp is "log:"' in printed) == (1, True)
    code, printed = await shell.run("list")
    assert (code, "no such database" in printed) == (1, True)


@pytest.mark.parametrize(
    "arguments", [(), ("test",), ("test", "nobody"), ("retry", "one"), ("list", "1"), ("send",)]
)
async def test_wrong_usage(shell: Shell, arguments: tuple[str, ...]) -> None:
    code, printed = await shell.run(*arguments)
    assert code == 2
    assert "regserver mail" in printed or "usage" in printed
