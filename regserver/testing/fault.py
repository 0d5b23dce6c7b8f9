"""Faults to order: the peers of a test server answer late, refuse, or break off."""

from typing import Literal

import msgspec

from regserver.ports.clock import Clock

Failing = Literal["smtp", "sms", "store", "source", "ledger"]
"""What can fail. smtp: the mail server. source: where live registrations get their data."""
FaultKind = Literal["slow", "refuse", "drop"]
"""slow: answers after `seconds`. refuse: says no. drop: the link breaks in the middle, after the work may have been done."""


class _Plan(msgspec.Struct):
    kind: FaultKind
    left: int | None
    seconds: float


class Faults:
    """The faults of one server."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._plans: dict[Failing, _Plan] = {}

    def plan(
        self, what: Failing, how: FaultKind = "refuse", *, times: int | None = None, seconds: float = 1.0
    ) -> None:
        """Makes it fail from now on. times: so often; None until `heal`. seconds: by how much "slow" is late."""
        self._plans[what] = _Plan(how, times, seconds)

    def heal(self, *what: Failing) -> None:
        """Ends these faults; without an argument all of them."""
        for name in what or tuple(self._plans):
            self._plans.pop(name, None)

    def is_planned(self, what: Failing) -> bool:
        """Whether it fails at the next use."""
        return what in self._plans

    def is_refusing(self, what: Failing) -> bool:
        """Whether it fails at the next use, and not only by being slow."""
        plan = self._plans.get(what)
        return plan is not None and plan.kind != "slow"

    async def meet(self, what: Failing) -> Literal["refuse", "drop"] | None:
        """Counts one use of it. Waits where it is slow; returns how it fails, None where it works."""
        plan = self._plans.get(what)
        if plan is None:
            return None
        if plan.left is not None:
            plan.left -= 1
            if plan.left <= 0:
                del self._plans[what]
        if plan.kind == "slow":
            await self._clock.sleep(plan.seconds)
            return None
        return plan.kind
