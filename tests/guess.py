"""A guessing bound on a real store, for tests of the services that ask it."""

from regserver.adapters.jinja_mail import load_mail_templates
from regserver.domain.guess import GuessHash
from regserver.ports.clock import Clock
from regserver.ports.store import Store
from regserver.service.asker import Asker
from regserver.service.guess_guard import GuessGuard, GuessParts
from regserver.service.outbox import Outbox
from tests.fake import SeededRandomness

HOME = Asker("192.0.2.7", "en")
MAIL_TEMPLATES = load_mail_templates(None, "example.org")


def open_guard(store: Store, clock: Clock) -> GuessGuard:
    """A guard; its mail goes into the store's outbox, sealed with a key of zeros."""
    return GuessGuard(
        GuessParts(
            store=store,
            clock=clock,
            hashes=GuessHash(bytes(32)),
            outbox=Outbox(clock, SeededRandomness(2), bytes(32)),
            mail_templates=MAIL_TEMPLATES,
        )
    )
