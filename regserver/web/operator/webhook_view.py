"""Webhooks at the page: listed, one with what it is still to be told, made, tried, switched off and on, removed."""

from collections.abc import Awaitable, Callable

from regserver.domain.instant import DAY
from regserver.domain.operator_key import Operation
from regserver.domain.operator_outcome import WebhookNotFound
from regserver.domain.outcome import Refusal
from regserver.domain.room import parse_id
from regserver.domain.webhook import ALL_KINDS, OutstandingHook, WebhookId
from regserver.ports.webhook_sender import WebhookSender
from regserver.service.operator.unit import OperatorCredential
from regserver.service.operator.webhook import ShownWebhook, WebhookDesk
from regserver.text import OperatorText
from regserver.web.operator.act import ActTable, Done, PageAct, Values
from regserver.web.operator.guarded import Asked
from regserver.web.operator.said import PAGE_ROWS, when
from regserver.web.operator.view import (
    ButtonsBlock,
    FactsBlock,
    ListRow,
    OperatorView,
    PageLink,
    RowsBlock,
)

HookCall = Callable[[OperatorCredential, WebhookId], Awaitable[Refusal | None]]


class WebhookView:
    """A client of the use cases of webhooks. sender: tries them."""

    def __init__(self, webhooks: WebhookDesk, sender: WebhookSender) -> None:
        self._webhooks = webhooks
        self._sender = sender

    def acts(self) -> tuple[PageAct, ...]:
        """What can be done with them."""
        change, hooks = Operation.CHANGE_WEBHOOKS, self._webhooks
        new, one = ("url", "events", "note"), ("webhook",)
        return (
            PageAct("add_webhook", change, self._add, new, back=lambda values: "webhooks"),
            PageAct("test_webhook", change, self._test, one, back=_back),
            _switch("enable_webhook", hooks.enable),
            _switch("disable_webhook", hooks.disable, asks=True),
            _switch("remove_webhook", hooks.remove, asks=True, to="webhooks"),
            PageAct("replay_webhook", change, self._replay, one, asks=True, back=_back),
        )

    async def page(self, asked: Asked, acts: ActTable) -> OperatorView | Refusal:
        """All of them."""
        t, found = asked.t, await self._webhooks.list(asked.visit.who)
        if isinstance(found, Refusal):
            return found
        rows = RowsBlock("", tuple(_row(each, t) for each in found), t.word["nothing"])
        add = ButtonsBlock("", (acts["add_webhook"].button(t),))
        may = asked.visit.may(Operation.CHANGE_WEBHOOKS)
        return OperatorView(t.section["webhooks"], "webhooks", (add, rows) if may else (rows,))

    async def one(self, asked: Asked, acts: ActTable) -> OperatorView | Refusal:
        """One, with the deliveries that are outstanding."""
        t, who = asked.t, asked.visit.who
        number = WebhookId(parse_id(asked.request.params["webhook"]) or 0)
        found, waiting = (
            await self._webhooks.list(who),
            await self._webhooks.deliveries(who, number, PAGE_ROWS),
        )
        if isinstance(found, Refusal):
            return found
        if isinstance(waiting, Refusal):
            return waiting
        shown = next((each for each in found if each.webhook.id == number), None)
        if shown is None:
            return WebhookNotFound()
        name = shown.url or t.word["foreign"]
        switch = "disable_webhook" if shown.webhook.disabled_at is None else "enable_webhook"
        names = ("test_webhook", switch, "replay_webhook", "remove_webhook")
        may = asked.visit.may(Operation.CHANGE_WEBHOOKS)
        buttons = tuple(acts[each].button(t, name, webhook=str(number)) for each in names) if may else ()
        rows = RowsBlock(
            t.word["deliveries"], tuple(_delivery(each, t) for each in waiting), t.word["nothing"]
        )
        blocks = (FactsBlock("", _facts(shown, t), buttons), rows)
        return OperatorView(name, "webhooks", blocks, back=PageLink("webhooks", t.section["webhooks"]))

    # --- acts
    async def _add(self, who: OperatorCredential, values: Values) -> Done | Refusal:
        events = "" if values["events"] == ALL_KINDS else values["events"]
        added = await self._webhooks.add(who, values["url"], events, values["note"])
        return added if isinstance(added, Refusal) else Done(f"webhooks/{added.id}", "", added.secret)

    async def _test(self, who: OperatorCredential, values: Values) -> Done | Refusal:
        trial = await self._webhooks.test(who, _number(values), self._sender)
        if isinstance(trial, Refusal):
            return trial
        return Done(_back(values), f"✕ {trial.fault}" if trial.fault else f"✓ {trial.status}")

    async def _replay(self, who: OperatorCredential, values: Values) -> Done | Refusal:
        count = await self._webhooks.replay(who, _number(values), None, DAY)
        return count if isinstance(count, Refusal) else Done(_back(values), str(count))


def _switch(name: str, call: HookCall, *, asks: bool = False, to: str = "") -> PageAct:
    async def run(who: OperatorCredential, values: Values) -> Done | Refusal:
        return await call(who, _number(values)) or Done(to or _back(values), values["webhook"])

    return PageAct(name, Operation.CHANGE_WEBHOOKS, run, ("webhook",), asks=asks, is_danger=asks, back=_back)


def _number(values: Values) -> WebhookId:
    return WebhookId(parse_id(values["webhook"]) or 0)


def _back(values: Values) -> str:
    return f"webhooks/{_number(values)}"


def _row(shown: ShownWebhook, t: OperatorText) -> ListRow:
    webhook = shown.webhook
    facts = (webhook.note, f"{t.state['waits']} {shown.backlog.waiting}", shown.fault or "")
    marks = () if webhook.disabled_at is None else (t.state["disabled"],)
    return ListRow(
        shown.url or t.word["foreign"], f"webhooks/{webhook.id}", tuple(filter(None, facts)), marks
    )


def _facts(shown: ShownWebhook, t: OperatorText) -> tuple[tuple[str, str], ...]:
    webhook = shown.webhook
    is_off = webhook.disabled_at is not None
    facts = {
        "number": str(webhook.id),
        "state": t.state["disabled"] if is_off else f"{t.state['waits']} {shown.backlog.waiting}",
        "events": t.word["all"] if webhook.kinds == ALL_KINDS else ", ".join(webhook.kind_list),
        "created": when(webhook.created_at, t),
        "delivered": when(webhook.delivered_at, t),
        "givenUp": str(webhook.given_up),
        "fault": shown.fault or "",
    }
    return tuple((t.fact[name], value) for name, value in facts.items() if value)


def _delivery(found: OutstandingHook, t: OperatorText) -> ListRow:
    facts = (
        when(found.at, t),
        t.word["tries"].replace("{count}", str(found.attempts)),
        f"{t.fact['due']} {when(found.due_at, t)}",
        found.fault or "",
    )
    return ListRow(f"{found.position} {found.kind}", facts=tuple(filter(None, facts)))
