"""`regserver webhook add|list|deliveries|test|disable|enable|remove|replay`: services of the operator's that are told what happens here.

All of it works beside a running server, which alone sends; `test` sends one message of its own.
"""

import argparse
from collections.abc import Awaitable, Callable, Mapping

from regserver.adapters.server_key import read_server_key
from regserver.adapters.system import SystemRandomness
from regserver.app.assemble_webhook import webhook_client, webhook_seal
from regserver.cli import CommandFault
from regserver.cli.operator import local_operator, operator_unit, refused
from regserver.cli.store import StoreClock, open_store
from regserver.cli.told import Told, read_life, tell
from regserver.config import Settings, StorePlace
from regserver.domain.instant import DAY, MINUTE, Duration, iso_seconds
from regserver.domain.operator_outcome import BadWebhook
from regserver.domain.outcome import Refusal
from regserver.domain.room import parse_id
from regserver.domain.webhook import HOOK_KINDS, HookPosition, OutstandingHook, WebhookId
from regserver.ports.store import Store
from regserver.service.operator.webhook import MOST_DELIVERIES, ShownWebhook, WebhookDesk, WebhookParts

LONGEST_REPLAY = Duration(7 * DAY)
WebhookAction = Callable[[WebhookDesk, Settings, argparse.Namespace], Awaitable[Told]]


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument(
        "action",
        choices=tuple(ACTIONS),
        help="add: tell URL what happens from now on, and print the key of the signatures, which is shown this once; list: show all,"
        " and what waits; deliveries: what one is still to be told; test: send it a message that tells of nothing; disable: switch one"
        " off; enable: switch it on again; remove: end one; replay: deliver again what it was told",
    )
    parser.add_argument(
        "target", metavar="URL|NUMBER", nargs="?", help="add: where to; otherwise a number of `list`"
    )
    parser.add_argument(
        "--events", metavar="NAMES", help=f"add: of {', '.join(HOOK_KINDS)}, between commas; all without it"
    )
    parser.add_argument("--note", metavar="TEXT", help="add: for your own list")
    parser.add_argument("--from", dest="start", metavar="POSITION", help="replay: from this event on")
    parser.add_argument("--last", metavar="TIME", help="replay: what happened in this time, from 1m to 7d")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(chosen: argparse.Namespace) -> None:
    """Does what the action says, and prints what came of it."""
    for name, action in (("events", "add"), ("note", "add"), ("start", "replay"), ("last", "replay")):
        if getattr(chosen, name) is not None and chosen.action != action:
            chosen.misused(f"--{name.replace('start', 'from')}: only with {action}")
    if (chosen.target is None) is not (chosen.action == "list"):
        chosen.misused(
            "list: no URL or NUMBER" if chosen.target else f"{chosen.action}: expected URL or NUMBER"
        )
    if chosen.action == "replay" and (chosen.start is None) is (chosen.last is None):
        chosen.misused("replay: expected --from POSITION or --last TIME")

    async def work(store: Store, place: StorePlace) -> Told:
        parts = WebhookParts(
            unit=operator_unit(store),
            clock=StoreClock(store),
            randomness=SystemRandomness(),
            seal=webhook_seal(read_server_key(place.key), SystemRandomness()),
            allow_private=place.settings.webhook.allow_private,
        )
        return await ACTIONS[chosen.action](WebhookDesk(parts), place.settings, chosen)

    tell(chosen, open_store(chosen, work))


async def _add(webhooks: WebhookDesk, settings: Settings, chosen: argparse.Namespace) -> Told:
    added = await webhooks.add(local_operator(), chosen.target, chosen.events or "", chosen.note or "")
    if isinstance(added, BadWebhook):
        named = {"url": "URL: ", "events": "--events: ", "note": "--note: "}.get(added.field, "")
        raise CommandFault(f"{named}{added.hint}")
    if isinstance(added, Refusal):
        refused(added, "webhook")
    lines = (added.secret, f"webhook {added.id} is told what happens from now on; the key is shown this once")
    return Told(lines, {"number": added.id, "secret": added.secret, "url": chosen.target})


async def _list(webhooks: WebhookDesk, settings: Settings, chosen: argparse.Namespace) -> Told:
    found = await webhooks.list(local_operator())
    if isinstance(found, Refusal):
        refused(found, "webhooks")
    lines = tuple(line for each in found for line in _lines(each)) or ("no webhooks",)
    return Told(lines, [_fields(each) for each in found])


async def _deliveries(webhooks: WebhookDesk, settings: Settings, chosen: argparse.Namespace) -> Told:
    found = await webhooks.deliveries(local_operator(), _number(chosen), MOST_DELIVERIES)
    if isinstance(found, Refusal):
        raise _nobody(chosen)
    lines = tuple(map(_delivery_line, found)) or ("nothing waits",)
    return Told(lines, [_delivery_fields(each) for each in found])


async def _remove(webhooks: WebhookDesk, settings: Settings, chosen: argparse.Namespace) -> Told:
    number = _number(chosen)
    if await webhooks.remove(local_operator(), number):
        raise _nobody(chosen)
    return Told((f"webhook {number} is removed",), {"removed": number})


async def _disable(webhooks: WebhookDesk, settings: Settings, chosen: argparse.Namespace) -> Told:
    number = _number(chosen)
    if await webhooks.disable(local_operator(), number):
        raise _nobody(chosen)
    return Told((f"webhook {number} is switched off",), {"disabled": number})


async def _enable(webhooks: WebhookDesk, settings: Settings, chosen: argparse.Namespace) -> Told:
    number = _number(chosen)
    if await webhooks.enable(local_operator(), number):
        raise _nobody(chosen)
    return Told((f"webhook {number} is told what happens from now on",), {"enabled": number})


async def _test(webhooks: WebhookDesk, settings: Settings, chosen: argparse.Namespace) -> Told:
    number = _number(chosen)
    async with webhook_client(settings) as client:
        trial = await webhooks.test(local_operator(), number, client)
    if isinstance(trial, Refusal):
        raise _nobody(chosen)
    if trial.fault:
        raise CommandFault(f"webhook {number}: {trial.fault}")
    return Told((f"webhook {number}: answered {trial.status}",), {"number": number, "status": trial.status})


async def _replay(webhooks: WebhookDesk, settings: Settings, chosen: argparse.Namespace) -> Told:
    number, start, last = _number(chosen), None, Duration(0)
    if chosen.last is not None:
        last = read_life(chosen.last, Duration(MINUTE), LONGEST_REPLAY, "--last")
    else:
        position = parse_id(chosen.start)
        if position is None:
            raise CommandFault("--from: expected a position, as messages have it")
        start = HookPosition(position)
    count = await webhooks.replay(local_operator(), number, start, last)
    if isinstance(count, Refusal):
        raise _nobody(chosen)
    events = "event" if count == 1 else "events"
    return Told(
        (f"webhook {number}: {count} {events} to be delivered again",), {"number": number, "events": count}
    )


ACTIONS: Mapping[str, WebhookAction] = {
    "add": _add,
    "list": _list,
    "deliveries": _deliveries,
    "test": _test,
    "disable": _disable,
    "enable": _enable,
    "remove": _remove,
    "replay": _replay,
}


def _number(chosen: argparse.Namespace) -> WebhookId:
    return WebhookId(parse_id(chosen.target) or 0)


def _nobody(chosen: argparse.Namespace) -> CommandFault:
    return CommandFault(f"there is no webhook {chosen.target}")


# --- how it is printed
def _lines(each: ShownWebhook) -> tuple[str, ...]:
    webhook = each.webhook
    kinds = "all events" if webhook.kinds == "*" else ", ".join(webhook.kind_list)
    state = "off" if webhook.disabled_at is not None else f"{each.backlog.waiting} waiting"
    head = f"{webhook.id:4}  {state:12}  {each.url or '(sealed with another key)'}  {kinds}  {webhook.note}".rstrip()
    return (head,) if each.fault is None else (head, f"      {each.fault}; {webhook.given_up} given up")


def _fields(each: ShownWebhook) -> dict[str, object]:
    webhook = each.webhook
    times = {
        "createdAt": webhook.created_at,
        "disabledAt": webhook.disabled_at,
        "deliveredAt": webhook.delivered_at,
        "waitingSince": each.backlog.oldest,
    }
    return {
        "number": webhook.id,
        "url": each.url,
        "events": list(webhook.kind_list),
        "note": webhook.note,
        "waiting": each.backlog.waiting,
        "givenUp": webhook.given_up,
        "fault": each.fault,
        **{name: None if at is None else iso_seconds(at) for name, at in times.items()},
    }


def _delivery_line(each: OutstandingHook) -> str:
    head = f"{each.position:8}  {iso_seconds(each.at)}  {each.kind:20}  {each.attempts:2} tries, next {iso_seconds(each.due_at)}"
    return f"{head}  {each.fault or ''}".rstrip()


def _delivery_fields(each: OutstandingHook) -> dict[str, object]:
    times = {"at": iso_seconds(each.at), "dueAt": iso_seconds(each.due_at)}
    what = {"position": each.position, "event": each.kind, "account": each.account}
    return {**what, "attempts": each.attempts, "fault": each.fault, **times}
