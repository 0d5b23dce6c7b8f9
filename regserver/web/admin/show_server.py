"""What operators are shown of mail, limits and the server."""

from typing import Annotated

import msgspec
from msgspec import Meta

from regserver.domain.finding import Finding, Level
from regserver.domain.instant import iso_seconds
from regserver.ports.limit_book import HeldClient
from regserver.service.health import HealthStatus
from regserver.service.operator.limit import GuessesCounted
from regserver.service.operator.mail import WaitingMail
from regserver.service.operator.server import ReloadOutcome, RunningJob
from regserver.web.admin.show import CountNumber, PlainText, RowNumber, WordText, time_or_none
from regserver.web.http.answer import JsonAnswer
from regserver.web.http.field import TimeField, described


class MailBody(msgspec.Struct, frozen=True, rename="camel"):
    """A message that waits, or is set aside. to, subject: null where it was sealed with another key."""

    number: RowNumber
    to: PlainText | None
    subject: PlainText | None
    attempts: CountNumber
    fault: PlainText
    created_at: TimeField
    due_at: TimeField
    parked_at: TimeField | None


class MailList(JsonAnswer, frozen=True):
    """The outbox, at most 1000 messages, those that are set aside first."""

    mails: tuple[MailBody, ...]


def mail_list(found: tuple[WaitingMail, ...]) -> MailList:
    """Messages without their texts."""
    return MailList(
        tuple(
            MailBody(
                each.message.id,
                each.to,
                each.subject,
                each.message.attempts,
                each.message.fault or "",
                iso_seconds(each.message.created_at),
                iso_seconds(each.message.due_at),
                time_or_none(each.message.parked_at),
            )
            for each in found
        )
    )


class MailRequeued(JsonAnswer, frozen=True):
    """How many messages are sent again."""

    count: CountNumber


class FindingBody(msgspec.Struct, frozen=True):
    """A step of a trial."""

    level: Annotated[Level, Meta(description="fail: it does not work; hint: it should be changed.")]
    text: PlainText


class MailTried(JsonAnswer, frozen=True):
    """What the mail server answered to each step. sent: whether it took the message."""

    sent: bool
    findings: tuple[FindingBody, ...]


def mail_tried(found: tuple[Finding, ...]) -> MailTried:
    """The steps of a trial."""
    steps = tuple(FindingBody(each.level, each.text) for each in found)
    return MailTried(all(each.level != "fail" for each in found), steps)


# --- limits
class LimitBody(msgspec.Struct, frozen=True):
    """A rate limit in force, for one client."""

    name: WordText
    requests: CountNumber
    seconds: Annotated[float, described("In how many seconds.", 60.0, ge=0)]


class HeldBody(msgspec.Struct, frozen=True):
    """A client that has reached a limit: an IPv4 address or an IPv6 /64. seconds: until its next request passes."""

    limit: WordText
    client: Annotated[str, described("A client.", "192.0.2.7")]
    seconds: Annotated[float, described("To wait.", 3.5, ge=0)]


class LimitList(JsonAnswer, frozen=True):
    """The rate limits of this node, and the clients that have reached one, at most 1000."""

    limits: tuple[LimitBody, ...]
    held: tuple[HeldBody, ...]


def held_body(each: HeldClient) -> HeldBody:
    """A client as operators see it."""
    return HeldBody(each.limit, each.client, round(each.seconds, 1))


class LimitLifted(JsonAnswer, frozen=True):
    """In how many limits something of the client, or how many counters of the account, were reset."""

    count: CountNumber


class GuessBody(msgspec.Struct, frozen=True, rename="camel"):
    """Wrong secrets in a row. seconds: that the next one waits."""

    failures: CountNumber
    last_at: TimeField
    seconds: CountNumber


class GuessList(JsonAnswer, frozen=True):
    """The counters of wrong secrets of an account: from strangers, and from each network that it is known from."""

    guesses: tuple[GuessBody, ...]


def guess_body(each: GuessesCounted) -> GuessBody:
    """A counter as operators see it."""
    return GuessBody(each.count, iso_seconds(each.last_at), -(-each.wait // 1000))


# --- the server
class ServerState(JsonAnswer, frozen=True):
    """The server: whether it is well, what runs, and what bounds it. parts: "ok", or what is wrong. failing: which are not well."""

    version: PlainText
    status: Annotated[HealthStatus, Meta(description="As /health/ready has it.")]
    parts: Annotated[dict[str, str], described('"ok", or what is wrong.', {"store": "ok"})]
    failing: tuple[WordText, ...]
    registrations: Annotated[int, described("Live registrations that run now.", 2, ge=0)]
    limits: tuple[LimitBody, ...]


class JobBody(msgspec.Struct, frozen=True):
    """A live registration that runs. total: how many steps it has, -1 where that is unknown. seconds: since its start."""

    username: PlainText
    step: CountNumber
    total: Annotated[int, described("How many steps.", 4, ge=-1)]
    seconds: CountNumber


class JobList(JsonAnswer, frozen=True):
    """The live registrations that run on this node."""

    registrations: tuple[JobBody, ...]


def job_body(job: RunningJob) -> JobBody:
    """A registration as operators see it."""
    return JobBody(job.username, job.step, job.total, job.seconds)


class SettingsReloaded(JsonAnswer, frozen=True, rename="camel"):
    """What came of a reload. changed: what is in force now. needsRestart: what waits for one. faults: why nothing was taken."""

    changed: tuple[WordText, ...]
    needs_restart: tuple[WordText, ...]
    faults: tuple[PlainText, ...]


def settings_reloaded(found: ReloadOutcome) -> SettingsReloaded:
    """Names of settings, and no values."""
    return SettingsReloaded(found.taken, found.waiting, found.faults)
