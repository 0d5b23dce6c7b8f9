"""`regserver doctor`: checks everything that a server needs, and says what to change.

Prints one line per finding: `ok`; `hint`, it works but should be changed; `FAIL`, it does not work. Exits with 1 on any
FAIL.
"""

import argparse
import datetime
import errno
import os
import shutil
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import trio
from cryptography import x509

from regserver.adapters.server_key import KEY_BYTES, ServerKeyFault
from regserver.adapters.source.roster_file import read_roster
from regserver.cli import NO_RIPEMD160, configuration, report
from regserver.cli.running import running_server
from regserver.config import ConfigFault, Loaded, PostgresPlace, store_place
from regserver.config.check import trial_settings
from regserver.domain.finding import Finding, Level
from regserver.domain.public_key import has_ripemd160
from regserver.group import unwrapped
from regserver.ports.store import StoreFault
from regserver.serving import BindError, FrontLimits
from regserver.serving.descriptor import connections_at_most
from regserver.serving.listener import open_listeners
from regserver.store import migration
from regserver.store.sqlite.copy import inspect_database
from regserver.store_opening import open_command_store

EXPIRING_DAYS = 14


def run(chosen: argparse.Namespace) -> int:
    """Prints all findings."""
    loaded = configuration(chosen)
    return max([report(_contained(check, loaded), part) for part, check in CHECKS.items()])


def _contained(check: Callable[[Loaded], Iterator[Finding]], loaded: Loaded) -> Iterator[Finding]:
    """The findings of one check. A fault ends this check only: it must not hide the findings of the others."""
    try:
        yield from check(loaded)
    except (ConfigFault, ServerKeyFault, StoreFault, OSError, ValueError) as fault:
        yield Finding("fail", str(fault))


def _configuration(loaded: Loaded) -> Iterator[Finding]:
    yield Finding("ok", str(loaded.file or "built-in defaults"))


def _store(loaded: Loaded) -> Iterator[Finding]:
    place = store_place(loaded)
    if isinstance(place, PostgresPlace):
        yield from _server(place)
        return
    path = place.database
    folder = path.absolute().parent
    if not path.exists():
        near = next(parent for parent in (folder, *folder.parents) if parent.exists())
        if os.access(near, os.W_OK):
            yield Finding("ok", f"{path} will be created at the first start")
        else:
            yield Finding("fail", f"{path} cannot be created: {near} is not writable")
        return
    version = inspect_database(path)
    newest = len(migration.migrations())
    text = f"{path} is whole, schema version {version}"
    yield Finding("ok", text if version == newest else f"{text}; the next start updates it to {newest}")
    yield from _key(place.key)
    yield from _room(folder, loaded.settings.store.min_free)


def _server(place: PostgresPlace) -> Iterator[Finding]:
    """Opens it as every command does, so an older or newer schema and a foreign key are found."""
    with unwrapped(StoreFault, ServerKeyFault):
        trio.run(_answer, place)
    yield Finding("ok", f"{place} answers, schema version {len(migration.migrations())}")
    yield from _key(place.key)


async def _answer(place: PostgresPlace) -> None:
    async with open_command_store(place) as store:
        await store.check()


def _room(folder: Path, least: int) -> Iterator[Finding]:
    """least: below it the server writes nothing."""
    free = shutil.disk_usage(folder).free
    if free < 2 * least:
        level: Level = "fail" if free < least else "hint"
        floor = f"store.min_free is {least // 2**20} MiB"
        yield Finding(level, f"only {free // 2**20} MiB are free on the disk of {folder}; {floor}")


def _key(path: Path) -> Iterator[Finding]:
    if not path.exists():
        yield Finding(
            "fail", f"{path} is missing, and mail in the outbox cannot be read without it: restore a backup"
        )
    elif path.stat().st_size != KEY_BYTES:
        yield Finding("fail", f"{path} does not have the {KEY_BYTES} bytes of a key: restore a backup")
    elif path.stat().st_mode & 0o077:
        yield Finding("hint", f"other users can read {path}; the next start changes its mode to 600")


def _addresses(loaded: Loaded) -> Iterator[Finding]:
    for bind in loaded.binds:
        if bind.startswith("fd:"):  # only a process started by systemd has it
            continue
        try:
            trio.run(_listen, bind)
        except BindError as error:
            yield from _taken(loaded, bind, error)
        else:
            yield Finding("ok", f"{bind} is free")


def _taken(loaded: Loaded, bind: str, error: BindError) -> Iterator[Finding]:
    """A running server of ours may have the address: its own findings."""
    in_use = error.reason == os.strerror(errno.EADDRINUSE)
    found = running_server(loaded, bind) if in_use else None
    if found is None:
        yield Finding("fail", str(error))
        return
    yield Finding("ok", f"{bind} is served by a running server, which is {found.status}")
    level: Level = "fail" if found.status == "not ready" else "hint"
    yield from (Finding(level, f"{part}: {fault}") for part, fault in found.parts.items() if fault != "ok")


async def _listen(bind: str) -> None:
    """Listens as `serve` would, and stops again."""
    for listener in await open_listeners([bind], FrontLimits(), tls=False):
        listener.close()


def _proxy(loaded: Loaded) -> Iterator[Finding]:
    server = loaded.settings.server
    if not server.trusted_proxies:
        return
    everybody = [text for text in server.trusted_proxies if text.endswith("/0")]
    if everybody:
        text = f"server.trusted_proxies has {everybody[0]}: every client can claim any address"
        yield Finding("fail", text)
    if not server.public_url:
        passed = "links begin with what the proxy passes on as Host and X-Forwarded-Host, which clients choose unless it sets both"
        yield Finding("hint", f"server.public_url is empty: {passed}")


def _tls(loaded: Loaded) -> Iterator[Finding]:
    server = loaded.settings.server
    if not server.tls_cert:
        if not server.public_url.startswith("https:") and not _only_loopback(server.bind):
            yield Finding(
                "hint", "passwords travel unencrypted: set server.tls_cert, or put a TLS proxy in front"
            )
        return
    end = x509.load_pem_x509_certificate(loaded.resolve(server.tls_cert).read_bytes()).not_valid_after_utc
    loaded.resolve(server.tls_key).read_bytes()
    days = (end - datetime.datetime.now(datetime.UTC)).days
    level: Level = "fail" if days < 0 else "hint" if days < EXPIRING_DAYS else "ok"
    yield Finding(level, f"{server.tls_cert} is valid until {end:%Y-%m-%d}")


def _only_loopback(binds: tuple[str, ...]) -> bool:
    return all(bind.startswith(("127.", "localhost:", "[::1]:", "unix:")) for bind in binds)


def _source(loaded: Loaded) -> Iterator[Finding]:
    live = loaded.settings.live
    if live.source == "file":
        path = loaded.resolve(live.file.path)
        if not path.exists():
            yield Finding("hint", f"there is no {path}, so nobody can sign in by live registration")
            return
        people = read_roster(path)
        yield Finding("ok", f"{path} has {len(people)} people")
        if any(person.password is not None for person in people):
            yield Finding("hint", f"{path} has plain passwords: replace them with password_hash")
    elif live.source == "command":
        yield _executable(loaded)
    elif live.source == "http":
        yield Finding("ok", f"{live.http.url}; try it with: regserver source try USERNAME")


def _executable(loaded: Loaded) -> Finding:
    argv = loaded.settings.live.command.argv
    if not argv:
        return Finding("fail", "live.command.argv is empty")
    # The executable runs in the configuration's folder, so a relative path starts there.
    program = str(loaded.resolve(argv[0])) if "/" in argv[0] else argv[0]
    if shutil.which(program) is None:
        return Finding("fail", f"{argv[0]} is not an executable (live.command.argv)")
    return Finding("ok", f"{argv[0]} is executable; try it with: regserver source try USERNAME")


def _providers(loaded: Loaded) -> Iterator[Finding]:
    settings = loaded.settings
    yield from (Finding("hint", text) for text in trial_settings(settings))
    if settings.mail.smtp != "log:":
        yield Finding("ok", "mail.smtp is set; try it with: regserver mail test ADDRESS")
    if not settings.steps.require_token and settings.ledger.kind == "embedded":
        yield Finding(
            "hint",
            "steps.require_token is false: others in a person's network can finish that person's registration",
        )
    if not settings.limits.enabled:
        yield Finding("hint", "limits.enabled is false: one client may send any number of requests")


def _files(loaded: Loaded) -> Iterator[Finding]:
    possible, wanted = connections_at_most(), loaded.settings.server.max_connections
    if possible < wanted:
        yield Finding(
            "hint",
            f"only {possible} connections are possible, fewer than server.max_connections, {wanted}: "
            "raise the limit on open files (ulimit -n, LimitNOFILE=)",
        )
    else:
        yield Finding("ok", f"{wanted} connections are possible")


def _library(loaded: Loaded) -> Iterator[Finding]:
    """loaded: unused; all checks have this parameter."""
    if has_ripemd160():
        yield Finding("ok", f"{ssl.OPENSSL_VERSION} has RIPEMD-160")
    else:
        yield Finding("fail", f"{ssl.OPENSSL_VERSION}: {NO_RIPEMD160}")


CHECKS: dict[str, Callable[[Loaded], Iterator[Finding]]] = {
    "configuration": _configuration,
    "store": _store,
    "address": _addresses,
    "proxy": _proxy,
    "tls": _tls,
    "source": _source,
    "provider": _providers,
    "open files": _files,
    "library": _library,
}
