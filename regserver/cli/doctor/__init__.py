"""`regserver doctor`: checks everything that a server needs, and says what to change.

Each check is a function that yields findings, in the module of its part; CHECKS has them all. A running server is asked at its
own addresses. Exits with 0 when nothing fails, with 1 when something does, or with --strict is to be changed, and with 2 when
there is no configuration to check.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence

import msgspec

from regserver.adapters.server_key import ServerKeyFault
from regserver.cli import FAILED, FINE, configuration, report
from regserver.cli.doctor.address import check_addresses
from regserver.cli.doctor.certificate import check_tls
from regserver.cli.doctor.machine import check_clock, check_files, check_library
from regserver.cli.doctor.outside import check_outside, check_proxy
from regserver.cli.doctor.people import check_service, check_source
from regserver.cli.doctor.provider import check_captcha, check_mail, check_providers, check_sms
from regserver.cli.doctor.state import check_backup, check_configuration, check_store
from regserver.config import ConfigFault, Loaded
from regserver.domain.finding import Finding, Level
from regserver.ports.backup import BackupFault
from regserver.ports.store import StoreFault

DoctorCheck = Callable[[Loaded], Iterator[Finding]]

CHECKS: tuple[tuple[str, DoctorCheck], ...] = (
    ("configuration", check_configuration),
    ("store", check_store),
    ("backup", check_backup),
    ("address", check_addresses),
    ("proxy", check_proxy),
    ("tls", check_tls),
    ("source", check_source),
    ("provider", check_providers),
    ("clock", check_clock),
    ("open files", check_files),
    ("library", check_library),
)
"""By the name of the part."""
ASKING: tuple[tuple[str, DoctorCheck], ...] = (
    ("public_url", check_outside),
    ("source", check_service),
    ("mail", check_mail),
    ("sms", check_sms),
    ("captcha", check_captcha),
)
"""The checks that ask other machines; --offline leaves them out."""


class PartFinding(msgspec.Struct, frozen=True):
    """A finding for --json."""

    part: str
    level: Level
    text: str


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    parser.add_argument("--strict", action="store_true", help="exit with 1 for hints, too")
    parser.add_argument(
        "--offline", action="store_true", help="ask no other machine: no mail server, provider or name"
    )


def run(chosen: argparse.Namespace) -> int:
    """Prints all findings."""
    loaded = configuration(chosen)
    checks = CHECKS if chosen.offline else CHECKS + ASKING
    if chosen.json:
        return _run_json(loaded, checks, strict=chosen.strict)
    hinted, code = [False], FINE
    for part, check in checks:
        code = max(code, report(_noted(contained(check, loaded), hinted), part))
    return FAILED if chosen.strict and hinted[0] else code


def _noted(findings: Iterator[Finding], hinted: list[bool]) -> Iterator[Finding]:
    for finding in findings:
        hinted[0] = hinted[0] or finding.level == "hint"
        yield finding


def _run_json(loaded: Loaded, checks: tuple[tuple[str, DoctorCheck], ...], *, strict: bool) -> int:
    found = [
        PartFinding(part, finding.level, finding.text)
        for part, check in checks
        for finding in contained(check, loaded)
    ]
    status = _worst([finding.level for finding in found])
    print(msgspec.json.encode({"status": status, "findings": found}).decode())
    return FAILED if status == "fail" or (strict and status == "hint") else FINE


def _worst(levels: Sequence[Level]) -> Level:
    return "fail" if "fail" in levels else "hint" if "hint" in levels else "ok"


def contained(check: DoctorCheck, loaded: Loaded) -> Iterator[Finding]:
    """The findings of one check. A fault ends this check only: it must not hide the findings of the others."""
    try:
        yield from check(loaded)
    except (BackupFault, ConfigFault, ServerKeyFault, StoreFault, OSError, ValueError) as fault:
        yield Finding("fail", str(fault))
