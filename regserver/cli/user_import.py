"""`regserver user import FILE [--dry-run]`: an account for each line of a file, also while the server runs."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO

from regserver.adapters.derived_key import build_pepper
from regserver.adapters.foreign_hash import adopt_hash, foreign_memory
from regserver.adapters.people_file import PeopleFileFault, read_json_lines, reader_of
from regserver.adapters.server_key import read_server_key
from regserver.cli import FAILED, FINE, CommandFault
from regserver.cli.store import StoreClock
from regserver.cli.told import Told, tell
from regserver.config import StorePlace
from regserver.group import unwrapped
from regserver.ports.store import Store, StoreFault
from regserver.service.user_import import ImportParts, ImportReport, UserImport

STANDARD_INPUT = "-"


async def import_people(store: Store, place: StorePlace, chosen: argparse.Namespace) -> int:
    """Reads the file to its end, prints the report; returns FAILED where a line was refused.

    Raises CommandFault where the file cannot be read on, ServerKeyFault, StoreFault.
    """
    most = foreign_memory(place.settings.password.max_memory)
    parts = ImportParts(
        store=store,
        clock=StoreClock(store),
        pepper=build_pepper(place.settings, read_server_key(place.key)),
        adopt=lambda encoded: adopt_hash(encoded, most),
        dry=chosen.dry_run,
    )
    with _opened(chosen.name) as file:
        read = read_json_lines if chosen.name == STANDARD_INPUT else reader_of(Path(chosen.name))
        try:
            with closing(read(file)) as rows, unwrapped(PeopleFileFault, StoreFault, OSError):
                report = await UserImport(parts).run(rows)
        except PeopleFileFault as fault:
            raise CommandFault(f"{chosen.name}: {fault}; lines before it were taken") from None
    tell(chosen, _told(report, dry=chosen.dry_run))
    return FAILED if report.refused else FINE


@contextmanager
def _opened(name: str) -> Iterator[IO[bytes]]:
    if name == STANDARD_INPUT:
        yield sys.stdin.buffer
        return
    try:
        with Path(name).open("rb") as file:
            yield file
    except OSError as error:
        raise CommandFault(f"{name}: {error.strerror}") from None


def _told(report: ImportReport, *, dry: bool) -> Told:
    lines = [f"line {refusal.line}: {refusal.reason}" for refusal in report.refusals]
    if (more := report.refused - len(report.refusals)) > 0:
        lines.append(f"and {more} more")
    done = "would be imported" if dry else "imported"
    lines.append(
        f"{report.added} {done}, {report.known} imported by an earlier run, {report.refused} refused"
    )
    return Told(
        tuple(lines),
        {
            "dryRun": dry,
            "imported": report.added,
            "known": report.known,
            "refused": report.refused,
            "refusals": [{"line": each.line, "reason": each.reason} for each in report.refusals],
        },
    )
