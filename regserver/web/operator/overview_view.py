"""The first page: what runs, how it is, what waits."""

from collections.abc import Callable

import msgspec

from regserver.domain.operator_key import Operation
from regserver.domain.outcome import Refusal
from regserver.service.operator.unit import OperatorUnit
from regserver.web.operator.guarded import Asked
from regserver.web.operator.view import FactsBlock, OperatorView


class OverviewParts(msgspec.Struct, frozen=True):
    """What it works with. node: the name of this process. running: how many live registrations run."""

    unit: OperatorUnit
    version: str
    node: str
    running: Callable[[], int]


class OverviewView:
    """The overview."""

    def __init__(self, parts: OverviewParts) -> None:
        self._parts = parts

    async def page(self, asked: Asked) -> OperatorView | Refusal:
        """What every role but publish may see."""
        if refusal := await self._parts.unit.check(asked.visit.who, Operation.READ_SERVER):
            return refusal
        t = asked.t
        facts = (
            (t.fact["version"], self._parts.version),
            (t.fact["node"], self._parts.node),
            (t.fact["running"], str(self._parts.running())),
        )
        return OperatorView(t.section["overview"], "overview", (FactsBlock(t.word["numbers"], facts),))
