"""Limits at the page: those in force, who has reached one, and letting somebody go on."""

from collections.abc import Callable, Mapping

from regserver.domain.operator_key import Operation
from regserver.domain.outcome import Refusal
from regserver.service.operator.limit import LimitDesk
from regserver.service.operator.unit import OperatorCredential
from regserver.service.rate_limiter import Rate
from regserver.text import OperatorText
from regserver.web.operator.act import ActTable, Done, PageAct, Values
from regserver.web.operator.guarded import Asked
from regserver.web.operator.said import user_address
from regserver.web.operator.view import ButtonsBlock, FactsBlock, ListRow, OperatorView, RowsBlock


class LimitView:
    """A client of the use cases of limits. rates: those in force; none where they are switched off."""

    def __init__(self, limits: LimitDesk, rates: Callable[[], Mapping[str, Rate]]) -> None:
        self._limits = limits
        self._rates = rates

    def acts(self) -> tuple[PageAct, ...]:
        """Letting a client or an account go on."""
        change = Operation.CHANGE_LIMITS
        return (
            PageAct("lift_limits", change, self._lift, ("network",), back=lambda values: "limits"),
            PageAct(
                "forget_guesses",
                change,
                self._forget,
                ("user",),
                back=lambda values: user_address(values["user"]),
            ),
        )

    async def page(self, asked: Asked, acts: ActTable) -> OperatorView | Refusal:
        """Those who have reached a limit, and all rates."""
        t, found = asked.t, await self._limits.held(asked.visit.who)
        if isinstance(found, Refusal):
            return found
        may = asked.visit.may(Operation.CHANGE_LIMITS)
        rows = tuple(ListRow(each.client, facts=(each.limit, f"{each.seconds:.0f} s")) for each in found)
        held = RowsBlock(t.word["held"], rows, t.word["nothing"])
        rates = tuple((name, _rate(rate, t)) for name, rate in self._rates().items())
        facts = FactsBlock(t.word["limits"], rates or ((t.word["limits"], t.word["off"]),))
        lift = ButtonsBlock("", (acts["lift_limits"].button(t),))
        return OperatorView(t.section["limits"], "limits", (lift, held, facts) if may else (held, facts))

    async def _lift(self, who: OperatorCredential, values: Values) -> Done | Refusal:
        found = await self._limits.lift(who, values["network"])
        return found if isinstance(found, Refusal) else Done("limits", values["network"])

    async def _forget(self, who: OperatorCredential, values: Values) -> Done | Refusal:
        found = await self._limits.forget_guesses(who, values["user"])
        return found if isinstance(found, Refusal) else Done(user_address(values["user"]), values["user"])


def _rate(rate: Rate, t: OperatorText) -> str:
    return t.word["perSeconds"].replace("{count}", str(rate.count)).replace("{seconds}", f"{rate.seconds:g}")
