"""`regserver webhook add|list|remove|test|replay`: services of the operator's that are told what happens here.

All of it works beside a running server, which alone sends; `test` sends one message of its own.
"""

import argparse
from collections.abc import Awaitable, Callable, Mapping

from regserver.adapters.server_key import read_server_key
from regserver.adapters.system import SystemClock, SystemRandomness
from regserver.app.assemble_webhook import webhook_client, webhook_seal
from regserver.cli import CommandFault
from regserver.cli.store import open_store
from regserver.cli.told import Told, read_life, tell
from regserver.config import Settings, StorePlace
from regserver.domain.instant import DAY, MINUTE, Duration, Instant, iso_seconds
from regserver.domain.room import parse_id
from regserver.domain.webhook import HOOK_KINDS, HookPosition, WebhookId
from regserver.ports.store import Store
from regserver.ports.webhook_sender import WebhookFault
from regserver.service.webhook_service import (
    NoWebhook,
    ShownWebhook,
    WebhookParts,
    WebhookService,
    WrongWebhook,
)

LONGEST_REPLAY = Duration(7 * DAY)
WebhookAction = Callable[[WebhookService, Settings, argparse.Namespace], Awaitable[Told]]


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument(
        "action",
        choices=tuple(ACTIONS),
        help="add: tell URL what happens from now on, and print the key of the signatures, which is shown this once; list: show all,"
        " and what waits; remove: end one; test: send it a message that tells of nothing; replay: deliver again what it was told",
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
            store=store,
            clock=SystemClock(),
            randomness=SystemRandomness(),
            seal=webhook_seal(read_server_key(place.key), SystemRandomness()),
            allow_private=place.settings.webhook.allow_private,
        )
        return await ACTIONS[chosen.action](WebhookService(parts), place.settings, chosen)

    tell(chosen, open_store(chosen, work))


async def _add(webhooks: WebhookService, settings: Settings, chosen: argparse.Namespace) -> Told:
    added = await webhooks.add(chosen.target, chosen.events or "", chosen.note or "")
    if isinstance(added, WrongWebhook):
        named = {"url": "URL: ", "events": "--events: ", "note": "--note: "}.get(added.field, "")
        raise CommandFault(f"{named}{added.reason}")
    lines = (added.secret, f"webhook {added.id} is told what happens from now on; the key is shown this once")
    return Told(lines, {"number": added.id, "secret": added.secret, "url": chosen.target})


async def _list(webhooks: WebhookService, settings: Settings, chosen: argparse.Namespace) -> Told:
    found = await webhooks.list()
    lines = tuple(line for each in found for line in _lines(each)) or ("no webhooks",)
    return Told(lines, [_fields(each) for each in found])


async def _remove(webhooks: WebhookService, settings: Settings, chosen: argparse.Namespace) -> Told:
    number = _number(chosen)
    if not await webhooks.remove(number):
        raise _nobody(chosen)
    return Told((f"webhook {number} is removed",), {"removed": number})


async def _test(webhooks: WebhookService, settings: Settings, chosen: argparse.Namespace) -> Told:
    number = _number(chosen)
    try:
        async with webhook_client(settings) as client:
            answer = await webhooks.test(number, client)
    except WebhookFault as fault:
        raise CommandFault(f"webhook {number}: {fault}") from None
    if isinstance(answer, NoWebhook):
        raise _nobody(chosen)
    if not 200 <= answer.status < 300:
        moved = "; redirects are not followed" if 300 <= answer.status < 400 else ""
        raise CommandFault(f"webhook {number}: answered {answer.status}{moved}")
    return Told((f"webhook {number}: answered {answer.status}",), {"number": number, "status": answer.status})


async def _replay(webhooks: WebhookService, settings: Settings, chosen: argparse.Namespace) -> Told:
    number, start, since = _number(chosen), None, Instant(0)
    if chosen.last is not None:
        life = read_life(chosen.last, Duration(MINUTE), LONGEST_REPLAY, "--last")
        since = Instant(SystemClock().now() - life)
    else:
        position = parse_id(chosen.start)
        if position is None:
            raise CommandFault("--from: expected a position, as messages have it")
        start = HookPosition(position)
    count = await webhooks.replay(number, start, since)
    if isinstance(count, NoWebhook):
        raise _nobody(chosen)
    events = "event" if count == 1 else "events"
    return Told(
        (f"webhook {number}: {count} {events} to be delivered again",), {"number": number, "events": count}
    )


ACTIONS: Mapping[str, WebhookAction] = {
    "add": _add,
    "list": _list,
    "remove": _remove,
    "test": _test,
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
