"""How many sign-ins the audit keeps: all, up to a number that people do not reach, so that nobody can fill the disk with them.

Each node counts in memory, by the time of day: units of work ask it, which no clock of the event loop is for. What goes beyond is counted by the metrics as any other request.
"""

from regserver.domain.account import AccountId
from regserver.domain.address import coarse_network
from regserver.ports.clock import Clock
from regserver.service.rate_limiter import Limiter, Rate

DAY_SECONDS = 86_400
OF_ACCOUNT = Rate(1000, DAY_SECONDS)
OF_NETWORK = Rate(1000, DAY_SECONDS)
OF_ALL_REFUSED = Rate(20_000, DAY_SECONDS)


class SignInAudit:
    """The rates of rows: of one account, and of refused ones from one network and of all."""

    def __init__(self, clock: Clock) -> None:
        def seconds() -> float:
            return clock.now() / 1000

        self._accounts = Limiter(OF_ACCOUNT, seconds)
        self._networks = Limiter(OF_NETWORK, seconds)
        self._all = Limiter(OF_ALL_REFUSED, seconds)

    def takes(self, account: AccountId) -> bool:
        """Whether one more row of a right secret is kept."""
        return self._accounts.take(str(account)) is None

    def takes_refused(self, address: str) -> bool:
        """Whether one more row of a wrong secret is kept. address: the client's."""
        return self._networks.take(coarse_network(address)) is None and self._all.take("") is None
