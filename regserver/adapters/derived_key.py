"""What the server and the commands make of the server's key, or of the settings in its place."""

from regserver.adapters.server_key import ServerKey
from regserver.config import ConfigFault, Settings
from regserver.domain.command_ticket import TicketSeal
from regserver.domain.contact import Pepper
from regserver.domain.journal import JournalSeal


def build_pepper(settings: Settings, key: ServerKey) -> Pepper:
    """The key of contacts: steps.pepper, or the server's own. Raises ConfigFault."""
    try:
        return Pepper(settings.steps.pepper.encode() or key.derive("pepper"))
    except ValueError as error:
        raise ConfigFault(f"steps.pepper: {error}") from None


def journal_seal(key: ServerKey) -> JournalSeal:
    """The seal of the ledger's journal."""
    return JournalSeal(key.derive("ledger journal"))


def ticket_seal(key: ServerKey) -> TicketSeal:
    """The seal of what commands ask a running server."""
    return TicketSeal(key.derive("command ticket"))
