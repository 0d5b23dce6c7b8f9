"""Operator keys at the page: listed, made, revoked; and the one-time link."""

from regserver.domain.operator_key import Operation, StoredKey
from regserver.domain.outcome import Refusal
from regserver.service.operator.entry import EntryDesk
from regserver.service.operator.key import KeyDesk
from regserver.service.operator.unit import OperatorCredential
from regserver.web.operator.act import ActTable, Done, PageAct, Values
from regserver.web.operator.guarded import Asked
from regserver.web.operator.said import when
from regserver.web.operator.view import Button, ButtonsBlock, ListRow, OperatorView, RowsBlock


class KeyView:
    """A client of the use cases of keys. link_base: of links, before /operator/enter."""

    def __init__(self, keys: KeyDesk, entries: EntryDesk, link_base: str) -> None:
        self._keys = keys
        self._entries = entries
        self._link_base = link_base

    def acts(self) -> tuple[PageAct, ...]:
        """What can be done with keys."""
        change = Operation.CHANGE_KEYS
        return (
            PageAct("make_key", change, self._make, ("keyName", "role"), back=_back),
            PageAct("revoke_key", change, self._revoke, ("key",), asks=True, is_danger=True, back=_back),
            PageAct("make_link", change, self._link, asks=True, back=_back),
        )

    async def page(self, asked: Asked, acts: ActTable) -> OperatorView | Refusal:
        """All keys."""
        found = await self._keys.list(asked.visit.who)
        if isinstance(found, Refusal):
            return found
        t, may = asked.t, asked.visit.may(Operation.CHANGE_KEYS)
        rows = tuple(self._row(asked, acts, key) for key in found)
        blocks = (RowsBlock("", rows, t.word["nothing"]),)
        make = ButtonsBlock(t.word["actions"], (acts["make_key"].button(t), acts["make_link"].button(t)))
        return OperatorView(t.section["keys"], "keys", (make, *blocks) if may else blocks)

    def _row(self, asked: Asked, acts: ActTable, key: StoredKey) -> ListRow:
        t, buttons = asked.t, tuple[Button, ...]()
        if asked.visit.may(Operation.CHANGE_KEYS):
            buttons = (acts["revoke_key"].button(t, key.name, key=key.name),)
        marks = (key.role, t.state["you"]) if key.id == asked.visit.key.id else (key.role,)
        facts = (t.role[key.role], f"{t.fact['created']} {when(key.created_at, t)}")
        return ListRow(key.name, facts=facts, marks=marks, buttons=buttons)

    # --- acts
    async def _make(self, who: OperatorCredential, values: Values) -> Done | Refusal:
        made = await self._keys.create(who, values["keyName"], values["role"])
        return made if isinstance(made, Refusal) else Done("keys", made.name, made.secret)

    async def _revoke(self, who: OperatorCredential, values: Values) -> Done | Refusal:
        refusal = await self._keys.revoke(who, values["key"])
        return refusal or Done("keys", values["key"])

    async def _link(self, who: OperatorCredential, values: Values) -> Done | Refusal:
        made = await self._entries.make_link(who)
        return made if isinstance(made, Refusal) else Done("keys", "", made.address(self._link_base))


def _back(values: Values) -> str:
    return "keys"
