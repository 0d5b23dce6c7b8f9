"""Backups of a store with many accounts, while people sign in: `make try-backup` tries it with 100,000, a test with some hundreds.

quiet   sign-ins alone                     their latency
busy    the same while backups are made    their latency, the time and size of a backup
full    a disk with too little room        a line, no half file; the next one elsewhere works
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import trio

from regserver.adapters.server_key import load_server_key
from regserver.domain.account import NewAccount
from regserver.domain.contact import ContactClaim, ContactKey, contact_of_email
from regserver.ports.transaction import Transaction
from regserver.store.sqlite import open_sqlite
from tests.fake import EPOCH
from tests.peer.postgres import Cluster
from tests.peer.required import find_program, report_missing
from tests.system.server import open_server, sign_up

BATCH = 2000
SIGNED_IN_BY = 4
PASSWORD_HASH = "$argon2id$v=19$m=8,t=1,p=1$c29tZSBzYWx0IQ$" + "A" * 43
PERSON = {"username": "ann", "password": "ann's long password"}


class Figures(msgspec.Struct, frozen=True):
    """seconds, mib: of the backups. quiet, busy: latencies of a sign-in in ms, sorted. full: what was said on the full disk."""

    seconds: list[float]
    mib: float
    quiet: list[float]
    busy: list[float]
    full: str

    def lines(self) -> list[str]:
        """For people."""
        return [
            f"  a backup: {max(self.seconds):.1f} s at most of {len(self.seconds)}, {self.mib:.1f} MiB",
            *(
                f"  a sign-in, {name}: median {times[len(times) // 2]:.1f} ms, p99 {times[-len(times) // 100]:.1f} ms,"
                f" longest {times[-1]:.1f} ms, of {len(times)}"
                for name, times in (("alone", self.quiet), ("beside backups", self.busy))
            ),
            f"  full disk: {self.full}",
        ]


async def fill(folder: Path, count: int) -> None:
    """A store of SQLite with so many accounts, and its key."""
    load_server_key(folder / "test.key")

    def batch(first: int) -> Callable[[Transaction], object]:
        async def work(transaction: Transaction) -> None:
            for number in range(first, min(first + BATCH, count)):
                contact = contact_of_email(f"person{number}@example.org")
                claim = ContactClaim(contact, ContactKey(number.to_bytes(32, "big")), is_verified=True)
                new = NewAccount(
                    username=f"person{number}",
                    origin="rooms",
                    created_at=EPOCH,
                    email=contact.value,
                    password_hash=PASSWORD_HASH,
                    contact=claim,
                )
                await transaction.accounts.add(new)

        return work

    async with open_sqlite(folder / "test.db") as store:
        for first in range(0, count, BATCH):
            await store.write(batch(first))  # type: ignore[arg-type]


async def try_backup(folder: Path, accounts: int, backups: int, cluster: Cluster | None = None) -> Figures:
    """Fills a store, serves it, and backs it up as cron does. cluster: where it is moved to; None: it stays SQLite."""
    await fill(folder, accounts)
    place = [f"store.url=sqlite:{folder / 'test.db'}"]
    if cluster is not None:
        url = cluster.url(cluster.create_database())
        await _command(folder, place, "store", "copy", "--to", url)
        place = [f"store.url={url}", f"server.key={folder / 'test.key'}", f"server.data={folder}"]
    quiet, busy, seconds = list[float](), list[float](), list[float]()
    async with open_server(folder, [*place, "store.min_free=0B"]) as server, server.client() as client:
        await sign_up(client, PERSON["username"])
        times, measured = quiet, trio.Event()

        async def sign_in() -> None:
            while True:
                began = time.perf_counter()
                assert (await client.post("/login", json=PERSON)).status_code == 200
                times.append((time.perf_counter() - began) * 1000)
                if len(quiet) >= min(accounts, 1000):
                    measured.set()

        async with trio.open_nursery() as nursery:
            for _ in range(SIGNED_IN_BY):
                nursery.start_soon(sign_in)
            await measured.wait()
            times = busy
            for number in range(backups):
                began = time.perf_counter()
                await _command(folder, place, "backup", f"{number}.tar")
                seconds.append(time.perf_counter() - began)
            nursery.cancel_scope.cancel()
        full = await trio.to_thread.run_sync(_on_a_full_disk, folder, place)
        await _command(folder, place, "backup", "after.tar")
    for name in ("0.tar", "after.tar"):
        assert "whole, made" in await _command(folder, [], "backup", "--check", name)
    size = (folder / "0.tar").stat().st_size / 2**20
    return Figures(seconds, size, sorted(quiet), sorted(busy), full)


async def _command(folder: Path, place: Sequence[str], *words: str) -> str:
    options = [word for setting in place for word in ("--set", setting)]
    command = [sys.executable, "-m", "regserver", *words, *options]
    done = await trio.run_process(command, cwd=folder, capture_stdout=True, capture_stderr=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def _on_a_full_disk(folder: Path, place: Sequence[str]) -> str:
    """The line of a backup that finds no room; nothing of it is left."""
    unshare = find_program("util-linux", "unshare")
    if subprocess.run([unshare, "-m", "true"], capture_output=True, check=False).returncode:
        report_missing("a test mounts a small disk, which needs root")
    options = " ".join(f"--set '{setting}'" for setting in place)
    small = folder / "small"
    small.mkdir()
    script = f"""
        mount -t tmpfs -o size=256k none {small}
        {sys.executable} -m regserver backup {small}/b.tar {options}; echo "exit $?"
        dd if=/dev/zero of={small}/filler bs=1k count=1000 2>/dev/null
        {sys.executable} -m regserver backup - {options} >{small}/b.tar; echo "exit $?"
        rm {small}/b.tar {small}/filler; ls -A {small}
    """
    done = subprocess.run(
        [unshare, "-m", "sh", "-c", script], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["exit", "1", "exit", "1"], done.stdout + done.stderr
    first, *others = done.stderr.splitlines()
    assert all("no backup was made" in line for line in (first, *others)), done.stderr
    return first.replace(str(folder), "…")


def main() -> None:
    """Tries both stores with as many accounts as the first argument says."""
    accounts = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name, Cluster.create() as cluster:
        for store, where in (("SQLite", None), ("PostgreSQL", cluster)):
            folder = Path(name) / store
            folder.mkdir()
            figures = trio.run(try_backup, folder, accounts, 3, where)
            sys.stdout.write(f"{store}, {accounts} accounts, {SIGNED_IN_BY} people sign in all the time\n")
            sys.stdout.writelines(f"{line}\n" for line in figures.lines())
            sys.stdout.flush()


if __name__ == "__main__":
    main()
