"""`regserver mail list|retry|test`: shows the outbox, sends its messages again, tries the mail server."""

import argparse
import re
from collections.abc import Callable, Iterator
from itertools import chain

import dns.resolver

from regserver.adapters.mail_probe import probe_domain, probe_smtp
from regserver.adapters.server_key import ServerKeyFault, read_server_key
from regserver.adapters.system import SystemClock, SystemRandomness
from regserver.cli import FAILED, FINE, CommandFault, configuration, report
from regserver.cli.operator import local_operator, operator_unit, refused
from regserver.cli.store import StoreClock, open_store
from regserver.cli.told import Told, tell
from regserver.config import StorePlace
from regserver.config.smtp_url import mail_server
from regserver.domain.email import is_email
from regserver.domain.finding import Finding
from regserver.domain.instant import iso_seconds
from regserver.domain.outcome import Refusal
from regserver.ports.mailer import Mail
from regserver.ports.outbox_table import OutboxId
from regserver.ports.store import Store, StoreFault
from regserver.service.operator.mail import MailDesk, WaitingMail
from regserver.service.outbox import Outbox

_ID = re.compile(r"\d{1,18}", re.ASCII)


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument(
        "action",
        choices=("list", "retry", "test"),
        help="list: show the messages that wait or are set aside, and why; retry: send the messages ID again, or all messages; test: send a message to ADDRESS step by step, and show the mail server's answers",
    )
    parser.add_argument("arguments", metavar="ID|ADDRESS", nargs="*")
    parser.add_argument(
        "--state", choices=("waiting", "failed"), help="list: only those that wait, or were set aside"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--selector",
        help="test: the selector of the DKIM key to look for; it is s= in the DKIM-Signature of a received message",
    )


def run(chosen: argparse.Namespace) -> int | None:
    """Shows, requeues or tries out mail."""
    act, fits, expected = ACTIONS[chosen.action]
    if not fits(chosen.arguments):
        chosen.misused(f"{chosen.action}: expected {expected}")
    return act(chosen)


def _list(chosen: argparse.Namespace) -> None:
    async def work(store: Store, place: StorePlace) -> tuple[WaitingMail, ...]:
        found = await _desk(store, place).list(local_operator(), chosen.state)
        if isinstance(found, Refusal):
            refused(found, "mail")
        return found

    found = open_store(chosen, work)
    tell(chosen, Told(tuple(_lines(found)), [_value(each) for each in found]))


def _desk(store: Store, place: StorePlace) -> MailDesk:
    outbox = Outbox(StoreClock(store), SystemRandomness(), read_server_key(place.key).derive("outbox"))
    return MailDesk(operator_unit(store), outbox)


def _value(each: WaitingMail) -> dict[str, object]:
    row = each.message
    what = {"number": row.id, "to": each.to, "subject": each.subject, "attempts": row.attempts}
    parked = None if row.parked_at is None else iso_seconds(row.parked_at)
    times = {"createdAt": iso_seconds(row.created_at), "dueAt": iso_seconds(row.due_at), "parkedAt": parked}
    return {**what, "fault": row.fault or "", **times}


def _lines(found: tuple[WaitingMail, ...]) -> Iterator[str]:
    if not found:
        yield "nothing waits"
    for each in found:
        row = each.message
        whom = "(sealed with another key)" if each.to is None else f"{each.to}  {each.subject}"
        state = "set aside" if row.parked_at is not None else "waits"
        yield f"{row.id:6}  {state:9}  since {iso_seconds(row.created_at)}  {row.attempts:2} tries  {whom}"
        if row.fault:
            yield f"        {row.fault}"


def _retry(chosen: argparse.Namespace) -> None:
    ids = [OutboxId(int(word)) for word in chosen.arguments] or None

    async def work(store: Store, place: StorePlace) -> int:
        count = await _desk(store, place).retry(local_operator(), ids)
        if isinstance(count, Refusal):
            refused(count, "mail")
        return count

    count = open_store(chosen, work)
    if ids is not None and count < len(set(ids)):
        raise CommandFault(f"{count} of {len(set(ids))} will be sent; the others are gone, or being sent now")
    tell(chosen, Told((f"{count} will be sent as soon as the server runs",), {"count": count}))


def _test(chosen: argparse.Namespace) -> int:
    loaded = configuration(chosen)
    settings = loaded.settings.mail
    if settings.smtp == "log:":
        raise CommandFault('mail.smtp is "log:": no mail server is configured')
    sent = probe_smtp(mail_server(loaded), settings.from_, _trial(chosen))
    found = chain(sent, _probe_domain(settings.from_.rpartition("@")[2], chosen.selector))
    if not chosen.json:
        return report(found)
    steps = list(found)
    tell(chosen, Told((), [{"level": each.level, "text": each.text} for each in steps]))
    return FAILED if any(each.level == "fail" for each in steps) else FINE


def _trial(chosen: argparse.Namespace) -> Mail:
    """The message. Its row stands in the audit where there is a database yet."""
    to: str = chosen.arguments[0]

    async def work(store: Store, place: StorePlace) -> Mail:
        mail = await _desk(store, place).begin_test(local_operator(), to)
        if isinstance(mail, Refusal):
            refused(mail, "mail")
        return mail

    try:
        return open_store(chosen, work)
    except (
        CommandFault,
        StoreFault,
        ServerKeyFault,
    ):  # none yet, or one that fails: mail can be tried without
        return Outbox(SystemClock(), SystemRandomness(), bytes(32)).trial(to)


def _probe_domain(domain: str, selector: str | None) -> Iterator[Finding]:
    try:
        resolver = dns.resolver.Resolver()
    except dns.resolver.NoResolverConfiguration:
        yield Finding("hint", "no name server is configured: MX, SPF, DKIM and DMARC were not looked at")
        return
    resolver.lifetime = 5.0
    yield from probe_domain(domain, resolver, selector)


ACTIONS: dict[str, tuple[Callable[[argparse.Namespace], int | None], Callable[[list[str]], object], str]] = {
    "list": (_list, lambda given: not given, "nothing more"),
    "retry": (_retry, lambda given: all(map(_ID.fullmatch, given)), "numbers of `mail list`, or nothing"),
    "test": (_test, lambda given: len(given) == 1 and is_email(given[0]), "one e-mail address"),
}
"""By name: what it does, whether it takes these arguments, and the arguments that it expects."""
