"""The data source of live registrations. A service is asked for a person that nobody is; an executable is only looked for."""

import secrets
import shutil
from collections.abc import Iterator

import trio

from regserver.adapters.argon2_hasher import Argon2Hasher
from regserver.adapters.source import open_source
from regserver.adapters.source.roster_file import read_roster
from regserver.config import ConfigFault, Loaded
from regserver.domain.finding import Finding
from regserver.group import unwrapped
from regserver.ports.source import Accepted, Unavailable, Verdict

TIMEOUT_SECONDS = 10.0


def check_source(loaded: Loaded) -> Iterator[Finding]:
    """The configured source."""
    match loaded.settings.live.source:
        case "file":
            yield from _roster(loaded)
        case "command":
            yield _executable(loaded)
        case _:
            return


def check_service(loaded: Loaded) -> Iterator[Finding]:
    """The operator's service, where the people are there."""
    if loaded.settings.live.source == "http":
        yield _service(loaded)


def _roster(loaded: Loaded) -> Iterator[Finding]:
    path = loaded.resolve(loaded.settings.live.file.path)
    if not path.exists():
        yield Finding("hint", f"there is no {path}, so nobody can sign in by live registration")
        return
    people = read_roster(path)
    yield Finding("ok", f"{path} has {len(people)} people")
    if any(person.password is not None for person in people):
        yield Finding(
            "hint", f"{path} has plain passwords: replace them with password_hash (`regserver password hash`)"
        )


def _executable(loaded: Loaded) -> Finding:
    argv = loaded.settings.live.command.argv
    if not argv:
        return Finding("fail", "live.command.argv is empty")
    # The executable runs in the configuration's folder, so a relative path starts there.
    program = str(loaded.resolve(argv[0])) if "/" in argv[0] else argv[0]
    if shutil.which(program) is None:
        return Finding("fail", f"{argv[0]} is not an executable (live.command.argv)")
    return Finding("ok", f"{argv[0]} is executable; try it with: regserver source try USERNAME")


def _service(loaded: Loaded) -> Finding:
    url = loaded.settings.live.http.url
    if not url:
        return Finding("fail", "live.http.url is empty")
    with unwrapped(ConfigFault):
        verdict = trio.run(_ask, loaded)
    match verdict:
        case None:
            return Finding("fail", f"{url} does not answer in {TIMEOUT_SECONDS:g} s")
        case Unavailable(detail=detail):
            return Finding("fail", f"{url}: {detail}")
        case Accepted():
            return Finding("fail", f"{url} accepts a user name and a password that were made up")
        case _:
            return Finding("ok", f"{url} answers; try it with: regserver source try USERNAME")


async def _ask(loaded: Loaded) -> Verdict | None:
    """Its word on a made-up person; None if it takes too long."""
    hasher = Argon2Hasher(time_cost=1, memory=1 << 20, parallelism=1, max_memory=1 << 20)
    with trio.move_on_after(TIMEOUT_SECONDS):
        async with open_source(loaded, hasher) as source:
            if source is not None:
                return await source.verify(f"regserver-doctor-{secrets.token_hex(4)}", secrets.token_hex(16))
    return None
