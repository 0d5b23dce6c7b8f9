"""`regserver user export NAME [--output FILE]`: everything that is kept about a person, as GET /login/export gives it."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path

from regserver.adapters.derived_key import build_pepper
from regserver.adapters.server_key import read_server_key
from regserver.adapters.system import SystemRandomness
from regserver.cli import CommandFault
from regserver.cli.store import StoreClock
from regserver.config import StorePlace
from regserver.domain.account import AccountId
from regserver.ports.store import Store
from regserver.service.export_service import Exporter
from regserver.service.outbox import Outbox
from regserver.web.sign_in.export_wire import write_export

Write = Callable[[bytes], object]


async def export_account(store: Store, place: StorePlace, account: AccountId, target: Path | None) -> None:
    """Writes the document of one account. target: a new file that its owner alone may read; None for standard output.

    Raises CommandFault, ServerKeyFault, StoreFault.
    """
    key, clock = read_server_key(place.key), StoreClock(store)
    outbox = Outbox(clock, SystemRandomness(), key.derive("outbox"))
    exporter = Exporter(account, store.read, outbox, build_pepper(place.settings, key))
    with _opened(target) as write:
        async with aclosing(write_export(exporter, clock.now())) as pieces:
            async for piece in pieces:
                write(piece)


@contextmanager
def _opened(target: Path | None) -> Iterator[Write]:
    """The whole document or no file, and never over another one."""
    if target is None:
        yield sys.stdout.buffer.write
        return
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            try:
                yield file.write
                file.flush()
                os.fsync(descriptor)
            except BaseException:
                target.unlink()
                raise
    except OSError as error:
        raise CommandFault(f"{target}: {error.strerror}") from None
