"""The ledgers: the journal in the store, and optionally an Antelope chain."""

from regserver.adapters.ledger.antelope import AntelopeLedger
from regserver.adapters.ledger.antelope_format import is_name, pack_asset
from regserver.adapters.ledger.antelope_key import SigningKey, on_curve
from regserver.adapters.ledger.antelope_node import AntelopeNode
from regserver.adapters.ledger.embedded import EmbeddedLedger
from regserver.adapters.provider_client import ProviderClient, ProviderHttp
from regserver.config import ConfigFault
from regserver.config.provider import LedgerAntelope, LedgerSection
from regserver.domain.journal import JournalSeal
from regserver.ports.ledger import Ledger
from regserver.ports.store import Store

__all__ = ["AntelopeLedger", "EmbeddedLedger", "build_ledger", "check_chain", "on_curve"]


def build_ledger(settings: LedgerSection, seal: JournalSeal, http: ProviderHttp, store: Store) -> Ledger:
    """The ledger that the configuration names. seal: of its journal. Raises ConfigFault."""
    if settings.kind == "embedded":
        return EmbeddedLedger(seal)
    chain = settings.antelope
    node = AntelopeNode(ProviderClient(http, chain.timeout), chain.url)
    return AntelopeLedger(seal, store, node, check_chain(chain), chain)


def check_chain(chain: LedgerAntelope) -> SigningKey:
    """Reads the signing key, and checks the form of the other settings. Raises ConfigFault."""
    try:
        key = SigningKey(chain.private_key)
        for amount in filter(None, (chain.stake_net, chain.stake_cpu)):
            pack_asset(amount)
    except ValueError as error:
        raise ConfigFault(f"ledger.antelope: {error}") from None
    if not chain.url.startswith(("http://", "https://")):
        raise ConfigFault("ledger.antelope.url: expected the URL of a node")
    names = (("creator", chain.creator), ("permission", chain.permission), ("contract", chain.contract))
    for field, name in names:
        if not is_name(name):
            raise ConfigFault(f"ledger.antelope.{field}: expected a name of the chain")
    return key
