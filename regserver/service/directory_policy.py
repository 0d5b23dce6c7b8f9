"""The policy and the parts of the directory."""

import msgspec

from regserver.domain.contact import Pepper
from regserver.domain.instant import Duration
from regserver.ports.captcha import Captcha
from regserver.ports.clock import Clock
from regserver.ports.mail_template import MailTemplates
from regserver.ports.password_hasher import PasswordHasher
from regserver.ports.randomness import Randomness
from regserver.ports.store import Store
from regserver.service.outbox import Outbox
from regserver.service.sign_up_gate import OPEN_GATE, SignUpGate


class DirectoryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """servers: the hosts of users; empty: this host. reserved: names that are refused.

    pending_ttl: how long a sign-up may be confirmed. reveal_existing: False hides which names and addresses are taken:
    every sign-up gets the same answer, and a mail tells the owner of the address.
    """

    servers: tuple[str, ...]
    reserved: tuple[str, ...]
    pending_ttl: Duration
    reveal_existing: bool = True


class DirectoryParts(msgspec.Struct, frozen=True, kw_only=True):
    """The world around the directory. captcha: of sign-ups that are confirmed by mail; None demands none. gate: of new users."""

    store: Store
    clock: Clock
    randomness: Randomness
    hasher: PasswordHasher
    outbox: Outbox
    mail_templates: MailTemplates
    pepper: Pepper
    captcha: Captcha | None = None
    gate: SignUpGate = OPEN_GATE
