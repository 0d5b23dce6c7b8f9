"""Registrations by steps at the page: listed, one of them, unlocked. Contacts are masked; the code is never shown."""

from regserver.domain.contact import ContactKey
from regserver.domain.operator_key import Operation
from regserver.domain.operator_outcome import StepsNotFound
from regserver.domain.outcome import Refusal
from regserver.domain.steps_machine import Registration
from regserver.service.operator.steps import StepsDesk
from regserver.service.operator.unit import OperatorCredential
from regserver.web.operator.act import ActTable, Done, PageAct, Values
from regserver.web.operator.guarded import Asked
from regserver.web.operator.said import PAGE_ROWS, more_link, when
from regserver.web.operator.view import Button, FactsBlock, ListRow, OperatorView, PageLink, RowsBlock


class StepsView:
    """A client of the use cases of registrations by steps, which are named by the hash of their contact."""

    def __init__(self, steps: StepsDesk) -> None:
        self._steps = steps

    def acts(self) -> tuple[PageAct, ...]:
        """Letting a contact start again."""
        return (
            PageAct(
                "unlock_steps", Operation.CHANGE_STEPS, self._unlock, ("mask", "id"), asks=True, back=_address
            ),
        )

    async def page(self, asked: Asked, acts: ActTable) -> OperatorView | Refusal:
        """All registrations, in the order of their hashes."""
        t, after = asked.t, _key(asked.query("after")) or ContactKey(b"")
        found = await self._steps.list(asked.visit.who, after, PAGE_ROWS + 1)
        if isinstance(found, Refusal):
            return found
        shown = found[:PAGE_ROWS]
        more = more_link("steps", t, after=shown[-1].contact.hex()) if len(found) > PAGE_ROWS else None
        rows = RowsBlock("", tuple(_row(each, asked) for each in shown), t.word["nothing"], more)
        return OperatorView(t.section["steps"], "steps", (rows,))

    async def one(self, asked: Asked, acts: ActTable) -> OperatorView | Refusal:
        """One registration with its budgets."""
        t, key = asked.t, _key(asked.query("id"))
        found = StepsNotFound() if key is None else await self._steps.show_one(asked.visit.who, key)
        if isinstance(found, Refusal):
            return found
        registration, policy, buttons = found.registration, found.policy, tuple[Button, ...]()
        if asked.visit.may(Operation.CHANGE_STEPS):
            values = {"mask": registration.mask, "id": registration.contact.hex()}
            buttons = (acts["unlock_steps"].button(t, registration.mask, **values),)
        facts = (
            (t.fact["state"], registration.state),
            (t.fact["name"], registration.username or "–"),
            (t.fact["ledger"], registration.user_id or "–"),
            (t.fact["codesToday"], f"{found.codes_spent}/{policy.daily_codes_per_contact}"),
            (t.fact["triesToday"], f"{found.tries_spent}/{policy.daily_tries_per_contact}"),
            (t.fact["otherTries"], f"{found.other_tries_spent}/{policy.daily_tries_per_contact}"),
            (t.fact["anew"], when(registration.lapses_at, t)),
        )
        back = PageLink("steps", t.section["steps"])
        return OperatorView(registration.mask, "steps", (FactsBlock("", facts, buttons),), back=back)

    async def _unlock(self, who: OperatorCredential, values: Values) -> Done | Refusal:
        key = _key(values["id"])
        found = StepsNotFound() if key is None else await self._steps.unlock_one(who, key)
        return found if isinstance(found, Refusal) else Done("steps", found.registration.mask)


def _row(found: Registration, asked: Asked) -> ListRow:
    facts = (
        found.kind,
        found.username or "",
        f"{asked.t.fact['changed']} {when(found.updated_at, asked.t)}",
    )
    return ListRow(
        found.mask, _address({"id": found.contact.hex()}), tuple(filter(None, facts)), (found.state,)
    )


def _address(values: Values) -> str:
    return f"registration?id={values['id']}" if _key(values["id"]) else "steps"


def _key(text: str) -> ContactKey | None:
    try:
        return ContactKey(bytes.fromhex(text)) if len(text) == 64 else None
    except ValueError:
        return None
