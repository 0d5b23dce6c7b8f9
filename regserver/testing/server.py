"""A whole server on a real port, in the loop of the test that opens it.

Everything is as in `regserver serve`, but for what is outside: the clock can be set on, mail and SMS arrive in the test, people
of a source are made up, and each of these and the store can be told to fail. The store is a database of its own in a temporary
folder, copied from one that was migrated once.
"""

import ssl
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, nullcontext
from functools import cache, partial
from pathlib import Path
from typing import Any

import httpx
import msgspec

from regserver.adapters.server_key import load_server_key
from regserver.adapters.system import SystemClock
from regserver.app import open_app
from regserver.app.outside import SYSTEM, Outside
from regserver.config import Loaded, Settings
from regserver.config.load import settings_of
from regserver.store.sqlite import migrate
from regserver.testing.clock import SteppedClock
from regserver.testing.event import EventLog
from regserver.testing.fault import Faults
from regserver.testing.home import Home
from regserver.testing.ledger import FaultyLedger
from regserver.testing.mailbox import Mailbox
from regserver.testing.phone import Phones
from regserver.testing.running import Backstage, TestedServer
from regserver.testing.source import ScriptedSource
from regserver.testing.store import FaultyStore

DATABASE, KEY = "regserver.db", "regserver.key"
MEMORY = Path("/dev/shm")  # noqa: S108  (each folder in it has a name of its own)
"""A file system in memory, where there is one: there a commit waits for no disk."""
CHEAP: Mapping[str, Mapping[str, object]] = {
    "server": {"bind": ["127.0.0.1:0"], "grace": "1s"},
    "store": {"url": f"sqlite:{DATABASE}", "min_free": 0},
    "password": {"time_cost": 1, "memory": "512KiB"},
    "limits": {"enabled": False},
}
"""The settings of a test server; all others have their defaults."""


@asynccontextmanager
async def server(**settings: Mapping[str, Any]) -> AsyncIterator[TestedServer]:
    """Runs a server while the body runs. settings: by section, such as login={"token_ttl": "1h"}, as in regserver.toml.

    Chosen sources and providers (live.source, sms.kind, mail.smtp) are used; otherwise the test has them. Raises ConfigFault.
    """
    backstage = _build_backstage()
    with _folder() as folder:
        loaded = Loaded(_read(settings, folder), None)
        outside = _outside(backstage, settings)
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(_client())
            app = await stack.enter_async_context(open_app(loaded, None, outside))
            (url, *_) = await stack.enter_async_context(app.front.open(loaded.binds))
            yield TestedServer(url, backstage, client)
            await client.aclose()
            for stop in app.whole.stop:
                await stop()


def _read(given: Mapping[str, Mapping[str, Any]], folder: Path) -> Settings:
    tree = {name: {**CHEAP.get(name, {}), **given.get(name, {})} for name in CHEAP.keys() | given.keys()}
    tree["server"] = {"data": str(folder), **tree["server"]}
    return settings_of(tree, "testing.server")


def _build_backstage() -> Backstage:
    home = Home()
    clock, events = SteppedClock(home), EventLog(home)
    faults = Faults(clock)
    return Backstage(
        home=home,
        clock=clock,
        faults=faults,
        events=events,
        mailbox=Mailbox(home, clock, faults),
        phones=Phones(home, faults),
        source=ScriptedSource(clock, faults),
    )


def _outside(test: Backstage, given: Mapping[str, Mapping[str, Any]]) -> Outside:
    """What the test does not choose by a setting is its own."""
    outside = Outside(
        clock=test.clock,
        store=partial(FaultyStore, faults=test.faults, events=test.events),
        ledger=lambda *parts: FaultyLedger(SYSTEM.ledger(*parts), test.faults),
        mail_sleep=test.mailbox.sleep,
        mailer=lambda loaded: test.mailbox,
        sms=lambda *parts: test.phones,
        source=lambda *parts: nullcontext(test.source),
    )
    chosen: dict[str, Any] = {}
    if "smtp" in given.get("mail", {}):
        chosen["mailer"] = SYSTEM.mailer
    if {"kind", "weights"} & given.get("sms", {}).keys():
        chosen["sms"] = SYSTEM.sms
    if "source" in given.get("live", {}):
        chosen["source"] = SYSTEM.source
    return msgspec.structs.replace(outside, **chosen)


@cache
def _mould() -> Mapping[str, bytes]:
    """A migrated, empty database and the key of its server."""
    with _temporary() as place:
        folder = Path(place)
        migrate(folder / DATABASE, SystemClock().now())
        load_server_key(folder / KEY)
        return {name: (folder / name).read_bytes() for name in (DATABASE, KEY)}


def _temporary() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="regserver-", dir=MEMORY if MEMORY.is_dir() else None)


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder with a copy of the mould."""
    with _temporary() as place:
        for name, content in _mould().items():
            path = Path(place) / name
            path.write_bytes(content)
            path.chmod(0o600)
        yield Path(place)


def _client() -> httpx.AsyncClient:
    # Without the authorities, whose reading takes longer than the start of the server.
    return httpx.AsyncClient(trust_env=False, verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
