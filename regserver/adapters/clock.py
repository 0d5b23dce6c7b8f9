"""The machine's clock and its random generator."""

import secrets
import time

from regserver.domain.instant import Instant


class SystemClock:
    def now(self) -> Instant:
        return Instant(time.time_ns() // 1_000_000)


class SystemRandomness:
    def bytes(self, count: int) -> bytes:
        return secrets.token_bytes(count)

    def below(self, bound: int) -> int:
        return secrets.randbelow(bound)
