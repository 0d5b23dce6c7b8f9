"""Where registered accounts are written: our own journal, and optionally an Antelope chain."""

from regserver.adapters.ledger.curve import on_curve
from regserver.adapters.ledger.embedded import EmbeddedLedger

__all__ = ["EmbeddedLedger", "on_curve"]
