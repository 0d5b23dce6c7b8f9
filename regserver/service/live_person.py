"""The person of a live registration in the words of other parts: a newcomer, a holder of a name, an account, a failure."""

from regserver.domain.account import NewAccount, name_key
from regserver.domain.instant import Instant
from regserver.domain.webhook import NewHookEvent
from regserver.ports.source import Subject
from regserver.service.live_job import Applicant, LiveJob
from regserver.service.sign_up_gate import Newcomer

LIVE_HOLDER = "live:"
"""The beginning of the holders of all reservations of this door."""


def new_account(job: LiveJob, now: Instant) -> NewAccount:
    """The account that a job makes."""
    return NewAccount(
        username=job.username,
        origin="live",
        subject=job.subject,
        password_hash=job.applicant.password_hash,
        created_at=now,
    )


def failed_hook(name: str, now: Instant) -> NewHookEvent:
    """What webhooks are told of a job that failed. name: as it was typed, since there is no account."""
    return NewHookEvent(
        kind="registration.failed",
        subject=f"name:{name_key(name)}",
        account=None,
        at=now,
        data={"username": name, "door": "live"},
    )


def newcomer(applicant: Applicant) -> Newcomer:
    """The person before the door's gate. The source tells no address of theirs."""
    return Newcomer(
        claim=None,
        invitation=applicant.invitation,
        address=applicant.asker.address,
        username=applicant.username,
    )


def live_holder(subject: Subject) -> str:
    """The holder of a reservation, the same for every attempt of a person: after a crash the next one may take it over."""
    return f"{LIVE_HOLDER}{subject}"
