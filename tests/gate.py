"""Gates of doors on a real store, invitations, and what the operator is asked."""

from collections.abc import Callable

from regserver.adapters.jinja_mail import load_mail_templates
from regserver.domain.contact import contact_of_email
from regserver.domain.instant import DAY, Duration, after
from regserver.domain.invitation import InvitationId, NewInvitation
from regserver.domain.secret import hash_secret
from regserver.domain.sign_up_policy import DoorPolicy
from regserver.ports.clock import Clock
from regserver.ports.mailer import Mail
from regserver.ports.store import Store
from regserver.service.approval import ApprovalDesk, ApprovalParts, ApprovalPolicy
from regserver.service.outbox import Outbox
from regserver.service.sign_up_gate import GateParts, SignUpGate
from tests.fake import PEPPER, SeededRandomness

OPEN = DoorPolicy()
CLOSED = DoorPolicy("closed")
INVITE = DoorPolicy("invite", frozenset({"school.example"}))
APPROVE = DoorPolicy("approve", frozenset({"school.example"}))
OPERATOR = "operator@example.net"
SITE = "https://example.org"
MAIL_TEMPLATES = load_mail_templates(None, "example.org")


def open_desk(store: Store, clock: Clock, outbox: Outbox, operator: str = OPERATOR) -> ApprovalDesk:
    """outbox: that of the world, so that its mails can be read."""
    parts = ApprovalParts(
        store=store,
        clock=clock,
        randomness=SeededRandomness(11),
        outbox=outbox,
        mail_templates=MAIL_TEMPLATES,
        pepper=PEPPER,
    )
    return ApprovalDesk(parts, ApprovalPolicy(operator=operator, link_base=SITE, ttl=Duration(30 * DAY)))


def open_gate(
    store: Store,
    clock: Clock,
    outbox: Outbox,
    policy: DoorPolicy,
    *,
    take: Callable[[str], float | None] = lambda client: None,
    daily: int = 1000,
    each: int | None = None,
) -> SignUpGate:
    """daily, each: accounts that may begin to wait, of all and of one network."""
    return SignUpGate(
        policy,
        GateParts(
            store=store,
            clock=clock,
            pepper=PEPPER,
            desk=open_desk(store, clock, outbox),
            take=take,
            daily_waiting=daily,
            daily_waiting_per_address=each,
        ),
    )


async def invite(
    store: Store, clock: Clock, secret: str, *, uses: int = 1, email: str = "", life: Duration = DAY
) -> InvitationId:
    """Writes an invitation with this secret. email: that it is bound to."""
    contact = contact_of_email(email) if email else None
    new = NewInvitation(
        uses=uses,
        note="",
        contact=None if contact is None else PEPPER.contact_key(contact),
        mask=None if contact is None else contact.mask,
        created_at=clock.now(),
        expires_at=after(clock.now(), life),
    )
    return await store.write(lambda transaction: transaction.invitations.add(hash_secret(secret), new))


async def used(store: Store, clock: Clock, number: InvitationId) -> int:
    """How many uses of the invitation are spent."""
    listed = await store.read(lambda transaction: transaction.invitations.list(clock.now(), 100))
    return next(invitation.used for invitation in listed if invitation.id == number)


async def mails(store: Store, outbox: Outbox) -> list[Mail]:
    """What waits in the outbox, in order."""
    rows = await store.read(lambda transaction: transaction.outbox.list(1000))
    opened = [outbox.open(row.sealed) for row in sorted(rows, key=lambda row: row.id)]
    return [mail for mail in opened if mail is not None]
