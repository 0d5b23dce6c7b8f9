"""The guesses of this process: which of them wait in line at one counter, and which have ended. `guess_guard` uses both."""

from collections import OrderedDict
from dataclasses import dataclass, field

import trio

from regserver.domain.guess import CounterKey

REMEMBERED_ENDS = 1000


@dataclass(slots=True, eq=False)
class GuessLine:
    """The guesses at one counter. present: all of them. running: those being compared. changes: how many have ended."""

    present: int = 0
    running: int = 0
    changes: int = 0
    ended: trio.Event = field(default_factory=trio.Event)
    turn: trio.Lock = field(default_factory=trio.Lock)

    def end_one(self) -> None:
        """One that was being compared has ended; the others look again."""
        self.running -= 1
        self.changes += 1
        self.ended.set()
        self.ended = trio.Event()


class EndedGuesses:
    """The guesses that have ended, and at which counters the last of them: what was read before may be old there.

    Spares nearly every guess a second reading.
    """

    def __init__(self) -> None:
        self.count = 0
        self._forgotten = 0
        self._last: OrderedDict[CounterKey, int] = OrderedDict()

    def note(self, counter: CounterKey) -> None:
        """A guess at the counter has ended."""
        self.count += 1
        self._last[counter] = self.count
        self._last.move_to_end(counter)
        if len(self._last) > REMEMBERED_ENDS:
            _, self._forgotten = self._last.popitem(last=False)

    def changed(self, counter: CounterKey, since: int) -> bool:
        """Whether a guess at the counter may have ended after the first `since` guesses."""
        return since < self._forgotten or self._last.get(counter, 0) > since
