"""The built-in captcha: a client pays with work, without a third party. The puzzles are in `domain.altcha`.

Load makes them harder: the work is `work` while this process has accepted at most EASY solutions in the last ten minutes, then
it grows with them, up to MAX_RISE times. Solutions count, not puzzles that were asked for, so raising the price for the others
costs a stranger the same work.
"""

from collections import deque

from regserver.domain.altcha import SECRET_BYTES, PuzzleSeal, SignedPuzzle, read_payload
from regserver.domain.instant import MINUTE, Duration, Instant, after
from regserver.domain.secret import hash_secret
from regserver.ports.captcha import Captcha, CaptchaType
from regserver.ports.clock import Clock
from regserver.ports.randomness import Randomness
from regserver.ports.store import Store

PUZZLE_TTL = Duration(10 * MINUTE)
EASY = 100
MAX_RISE = 8


class ProofOfWork(Captcha):
    """work: the counters of a puzzle without load; a client tries half of them on average."""

    def __init__(
        self, store: Store, clock: Clock, randomness: Randomness, seal: PuzzleSeal, work: int
    ) -> None:
        self._store = store
        self._clock = clock
        self._randomness = randomness
        self._seal = seal
        self._work = work
        # The newest ones only: more of them make no puzzle harder.
        self._solved: deque[Instant] = deque(maxlen=EASY * MAX_RISE)

    def take_work(self, work: int) -> None:
        """Makes later puzzles of other work, at a reload."""
        self._work = work

    @property
    def work(self) -> int:
        """The counters of the next puzzle."""
        now = self._clock.now()
        while self._solved and after(self._solved[0], PUZZLE_TTL) <= now:
            self._solved.popleft()
        return self._work * max(EASY, len(self._solved)) // EASY

    def puzzle(self) -> SignedPuzzle:
        """A new puzzle. Nothing of it is kept until it is solved."""
        nonce, salt = self._randomness.bytes(SECRET_BYTES), self._randomness.bytes(SECRET_BYTES)
        counter = self._randomness.below(self.work)
        return self._seal.make(nonce, salt, counter, after(self._clock.now(), PUZZLE_TTL))

    async def check(self, answer: str, kind: CaptchaType, address: str) -> bool:
        """Whether the answer solves one of our puzzles for the first time, over all processes. Raises StoreFault.

        One row is kept until the puzzle expires, and each has cost its work.
        """
        now, payload = self._clock.now(), read_payload(answer)
        if payload is None or not self._seal.is_solved(payload, now):
            return False
        used, ends_at = hash_secret(payload.challenge.signature), payload.challenge.parameters.ends_at
        if not await self._store.write(lambda transaction: transaction.solutions.spend(used, ends_at)):
            return False
        self._solved.append(now)
        return True
