"""Several providers: each gets its share of the messages; when one fails, the next is tried."""

import logging
from collections.abc import Iterator, Mapping

from regserver.ports.randomness import Randomness
from regserver.ports.sms import Sms, SmsFault

log = logging.getLogger("regserver.sms")


class SharedSms(Sms):
    """drivers: by name, each with a weight above zero."""

    def __init__(self, drivers: Mapping[str, tuple[Sms, int]], randomness: Randomness) -> None:
        self._drivers = dict(drivers)
        self._randomness = randomness

    async def send(self, phone: str, text: str) -> None:
        """Sends by one provider after the other until one accepts the message. Raises SmsFault when none does."""
        faults = []
        for name in self._order():
            try:
                return await self._drivers[name][0].send(phone, text)
            except SmsFault as fault:
                log.warning("%s did not take an SMS: %s", name, fault)
                faults.append(f"{name}: {fault}")
        raise SmsFault("; ".join(faults) or "no provider")

    def _order(self) -> Iterator[str]:
        """All providers in random order; each is drawn by weight from the rest, so the shares also hold after failures."""
        left = [(name, weight) for name, (_, weight) in self._drivers.items()]
        while left:
            drawn = self._randomness.below(sum(weight for _, weight in left))
            for at, (name, weight) in enumerate(left):
                drawn -= weight
                if drawn < 0:
                    del left[at]
                    yield name
                    break
