"""Webhooks on a real store, told to real receivers: none is lost, each subject has its order, and a bad receiver harms nobody else."""

import json
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import trio
from standardwebhooks.webhooks import Webhook as Verifier

from regserver.adapters.webhook_client import WebhookClient
from regserver.domain.account import AccountId
from regserver.domain.instant import DAY, HOUR, MINUTE, SECOND, Duration, Instant
from regserver.domain.operator_outcome import BadWebhook, WebhookNotFound
from regserver.domain.webhook import HookKind, HookPosition, OutstandingHook, WebhookId, account_hook
from regserver.service.operator.unit import LocalOperator, OperatorUnit
from regserver.service.operator.webhook import (
    AddedWebhook,
    ShownWebhook,
    WebhookDesk,
    WebhookParts,
    WebhookTrial,
)
from regserver.service.webhook_delivery import (
    LATE,
    LEASE,
    LONGEST_PAUSE,
    TRIED_FOR,
    UNREADABLE,
    HookObserver,
    HookOutcome,
    HookSending,
    WebhookDelivery,
)
from regserver.service.webhook_seal import WebhookSeal
from regserver.store.sqlite import SqliteStore, open_sqlite
from tests.fake import ManualClock, SeededRandomness
from tests.peer.http import DROP, HANG, Answer, Asked, HttpPeer, open_http_peer, refused_url

IVO = LocalOperator("command ivo")


class Observer(HookObserver):
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.counted: Counter[str] = Counter()

    def count(self, outcome: HookOutcome) -> None:
        self.counted[outcome] += 1


class World:
    """A store, what sends, and the operator's use cases."""

    def __init__(self, store: SqliteStore, client: WebhookClient) -> None:
        self.store = store
        self.client = client
        self.clock = ManualClock()
        self.observer = Observer()
        self.seal = WebhookSeal(bytes(32), SeededRandomness())
        self.service = WebhookDesk(
            WebhookParts(
                unit=OperatorUnit(store, self.clock),
                clock=self.clock,
                randomness=SeededRandomness(2),
                seal=self.seal,
                allow_private=True,
            )
        )
        self.delivery = self.sender()

    def sender(self, node: str = "local", seal: WebhookSeal | None = None) -> WebhookDelivery:
        return WebhookDelivery(
            HookSending(
                store=self.store,
                clock=self.clock,
                seal=seal or self.seal,
                sender=self.client,
                observer=self.observer,
                message_key=bytes(32),
                node=node,
            )
        )

    async def add(self, url: str, kinds: str = "") -> AddedWebhook:
        added = await self.service.add(IVO, url, kinds, "")
        assert isinstance(added, AddedWebhook), added
        return added

    async def tell(self, *accounts: int, kind: HookKind = "user.created") -> None:
        for account in accounts:
            event = account_hook(kind, AccountId(account), self.clock.now())
            await self.store.write(lambda transaction: transaction.hooks.tell(event))  # noqa: B023

    async def waiting(self, webhook: WebhookId) -> int:
        return (await self.store.read(lambda transaction: transaction.hooks.backlog(webhook))).waiting

    async def listed(self) -> tuple[ShownWebhook, ...]:
        found = await self.service.list(IVO)
        assert isinstance(found, tuple)
        return found

    async def outstanding(self, webhook: WebhookId) -> tuple[OutstandingHook, ...]:
        found = await self.service.deliveries(IVO, webhook, 10)
        assert isinstance(found, tuple)
        return found

    async def fault(self, webhook: WebhookId) -> str | None:
        (found,) = [each for each in await self.listed() if each.webhook.id == webhook]
        return found.fault


@asynccontextmanager
async def world(folder: Path, limit: int = 5 * SECOND) -> AsyncIterator[World]:
    async with (
        open_sqlite(folder / "x.db") as store,
        WebhookClient(allow_private=True, timeout=Duration(limit)) as client,
    ):
        yield World(store, client)


def position(asked: Asked) -> int:
    return int(json.loads(asked.body)["position"])


def by_subject(peer: HttpPeer) -> dict[int, list[int]]:
    """The positions that came, in their order, for each account."""
    found: defaultdict[int, list[int]] = defaultdict(list)
    for asked in peer.asked:
        found[json.loads(asked.body)["data"]["userId"]].append(position(asked))
    return dict(found)


async def test_everything_is_told_once_signed_and_in_order(tmp_path: Path) -> None:
    async with world(tmp_path) as here, open_http_peer(lambda asked: Answer(204)) as peer:
        added = await here.add(f"{peer.url}/hooks")
        await here.tell(*[number % 10 for number in range(100)])
        await here.delivery.deliver_due()
        assert {each: len(numbers) for each, numbers in by_subject(peer).items()} == dict.fromkeys(
            range(10), 10
        )
        assert all(numbers == sorted(numbers) for numbers in by_subject(peer).values())
        assert len({asked.headers["webhook-id"] for asked in peer.asked}) == 100
        assert here.observer.counted == {"delivered": 100}
        assert await here.waiting(added.id) == 0
        assert await here.delivery.check() is None
        asked = peer.asked[0]
        sent_at = datetime.fromtimestamp(here.clock.now() // 1000, UTC)
        expected = Verifier(added.secret).sign(asked.headers["webhook-id"], sent_at, asked.body.decode())
        assert asked.headers["webhook-signature"] == expected
        assert asked.headers["webhook-timestamp"] == str(here.clock.now() // 1000)


async def test_a_refusal_holds_its_subject_back_and_no_other(tmp_path: Path) -> None:
    refused = {1}

    def reply(asked: Asked) -> Answer:
        return Answer(400 if position(asked) in refused else 200)

    async with world(tmp_path) as here, open_http_peer(reply) as peer:
        added = await here.add(peer.url)
        await here.tell(1, 1, 2, 1)
        await here.delivery.deliver_due()
        assert sorted(map(position, peer.asked)) == [1, 3]
        assert await here.waiting(added.id) == 3
        assert await here.fault(added.id) == "answered 400"
        for wait in (5 * SECOND, 10 * SECOND, 20 * SECOND):
            await here.delivery.deliver_due()
            here.clock.advance(wait - 1)
            await here.delivery.deliver_due()
            before = len(peer.asked)
            here.clock.advance(1)
            await here.delivery.deliver_due()
            assert len(peer.asked) == before + 1
        refused.clear()
        here.clock.advance(HOUR)
        await here.delivery.deliver_due()
        assert by_subject(peer)[1] == [1, 1, 1, 1, 1, 2, 4]
        assert len({asked.headers["webhook-id"] for asked in peer.asked if position(asked) == 1}) == 1


async def test_a_receiver_that_fails_is_left_in_peace_and_told_all_of_it_later(tmp_path: Path) -> None:
    mood = [DROP]
    async with world(tmp_path) as here, open_http_peer(lambda asked: mood[0]) as peer:
        added = await here.add(peer.url)
        await here.tell(*range(5))
        for _ in range(20):
            await here.delivery.deliver_due()
            here.clock.advance(LONGEST_PAUSE)
        first = len(peer.asked)
        assert first <= 20 * 5
        assert await here.waiting(added.id) == 5
        assert (await here.fault(added.id) or "").startswith("the connection broke")
        late = await here.delivery.check()
        assert late is not None
        assert late.startswith(
            f"webhook {added.id} is late since 2020-09-13T12:26:40Z: 5 waiting; the connection"
        )
        mood[0] = Answer(200)
        await here.delivery.deliver_due()
        assert await here.waiting(added.id) == 0
        assert await here.delivery.check() is None
        assert await here.fault(added.id) is None


async def test_a_receiver_may_say_how_long_it_wants_to_be_left(tmp_path: Path) -> None:
    reply = Answer(503, headers=(("retry-after", "1800"),))
    async with world(tmp_path) as here, open_http_peer(lambda asked: reply) as peer:
        await here.add(peer.url)
        await here.tell(1)
        for _ in range(3):
            await here.delivery.deliver_due()
        assert len(peer.asked) == 1
        here.clock.advance(30 * MINUTE)
        await here.delivery.deliver_due()
        assert len(peer.asked) == 2


async def test_a_slow_receiver_delays_no_other(tmp_path: Path) -> None:
    async with (
        world(tmp_path, limit=SECOND // 2) as here,
        open_http_peer(lambda asked: HANG) as slow,
        open_http_peer(lambda asked: Answer(200)) as quick,
    ):
        first, second = await here.add(slow.url), await here.add(quick.url)
        await here.tell(1, 2)
        async with trio.open_nursery() as nursery:
            await here.delivery.step(nursery)
            with trio.fail_after(5):
                while len(quick.asked) < 2:  # noqa: ASYNC110  (another task's list)
                    await trio.sleep(0.005)
            assert await here.waiting(first.id) == 2
        assert await here.waiting(second.id) == 0
        assert await here.fault(first.id) == "no answer in 0.5 s"


async def test_nobody_listens_redirects_and_410(tmp_path: Path) -> None:
    async with (
        world(tmp_path) as here,
        open_http_peer(lambda asked: Answer(302, headers=(("location", "http://127.0.0.1/"),))) as moved,
        open_http_peer(lambda asked: Answer(410)) as gone,
    ):
        away = await here.add(await refused_url())
        other, ended = await here.add(moved.url), await here.add(gone.url)
        await here.tell(1, 2)
        await here.delivery.deliver_due()
        assert (await here.fault(away.id) or "").startswith("cannot be reached")
        assert await here.fault(other.id) == "answered 302"
        assert await here.waiting(ended.id) == 0
        await here.tell(3)
        assert await here.waiting(ended.id) == 0
        late = await here.delivery.check()
        assert late is None or "answered 410" in late or "late" in late
        shown = {each.webhook.id: each for each in await here.listed()}
        assert shown[ended.id].webhook.disabled_at == here.clock.now()
        assert shown[other.id].url == moved.url
        assert shown[other.id].backlog.waiting == 3


async def test_after_three_days_it_is_given_up_and_can_be_told_again(tmp_path: Path) -> None:
    mood = [Answer(500)]
    async with world(tmp_path) as here, open_http_peer(lambda asked: mood[0]) as peer:
        added = await here.add(peer.url)
        await here.tell(1, 1)
        here.clock.advance(TRIED_FOR - 1)
        await here.delivery.deliver_due()
        assert await here.waiting(added.id) == 2
        here.clock.advance(5 * HOUR)
        await here.delivery.deliver_due()
        assert await here.waiting(added.id) == 0
        assert here.observer.counted["given up"] == 2
        (shown,) = await here.listed()
        assert shown.webhook.given_up == 2
        mood[0] = Answer(200)
        assert await here.service.replay(IVO, added.id, HookPosition(2), DAY) == 1
        assert await here.service.replay(IVO, added.id, None, Duration(7 * DAY)) == 1
        await here.delivery.deliver_due()
        assert sorted(map(position, peer.asked[-2:])) == [1, 2]
        assert await here.service.replay(IVO, WebhookId(99), HookPosition(1), DAY) == WebhookNotFound()


async def test_what_a_killed_process_was_sending_is_sent_again(tmp_path: Path) -> None:
    async with world(tmp_path) as here, open_http_peer(lambda asked: Answer(200)) as peer:
        added = await here.add(peer.url)
        await here.tell(1, 1, 2)
        now, until = here.clock.now(), Instant(here.clock.now() + LEASE)
        await here.store.write(lambda transaction: transaction.hooks.lease(added.id, "dead", now, until))
        await here.sender("other").deliver_due()
        assert peer.asked == []
        assert await here.sender("dead").recover() == 3
        await here.sender("dead").deliver_due()
        assert by_subject(peer) == {1: [1, 2], 2: [3]}
        # The one of a node that never comes back is sent when its lease ends.
        await here.tell(3)
        await here.store.write(lambda transaction: transaction.hooks.lease(added.id, "dead", now, until))
        here.clock.advance(LEASE)
        await here.sender("other").deliver_due()
        assert by_subject(peer)[3] == [4]


async def test_a_webhook_of_another_key_waits(tmp_path: Path) -> None:
    async with world(tmp_path) as here, open_http_peer(lambda asked: Answer(200)) as peer:
        added = await here.add(peer.url)
        await here.tell(1)
        stranger = here.sender(seal=WebhookSeal(b"x" * 32, SeededRandomness()))
        await stranger.deliver_due()
        assert peer.asked == []
        assert await here.fault(added.id) == UNREADABLE
        found = await here.store.read(lambda transaction: transaction.hooks.find(added.id))
        assert found is not None
        assert peer.url.encode() not in found.sealed
        assert here.seal.open(WebhookId(added.id + 1), found.sealed) is None


async def test_trying_one(tmp_path: Path) -> None:
    async with world(tmp_path) as here, open_http_peer(lambda asked: Answer(202)) as peer:
        added = await here.add(peer.url)
        assert await here.service.test(IVO, added.id, here.client) == WebhookTrial(202)
        assert json.loads(peer.asked[0].body)["type"] == "webhook.test"
        assert await here.service.test(IVO, WebhookId(9), here.client) == WebhookNotFound()
        assert await here.service.disable(IVO, added.id) is None
        await here.tell(1)
        assert await here.waiting(added.id) == 0
        assert await here.service.enable(IVO, added.id) is None
        assert await here.waiting(added.id) == 0
        await here.tell(2)
        (due,) = await here.outstanding(added.id)
        assert (due.account, due.kind, due.attempts, due.fault) == (2, "user.created", 0, None)
        assert await here.service.remove(IVO, added.id) is None
        assert await here.service.remove(IVO, added.id) == WebhookNotFound()


async def test_what_is_refused(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        for url, kinds, note, secret, field in (
            ("ftp://x", "", "", "", "url"),
            ("http://x", "user.made", "", "", "events"),
            ("http://x", "", "a\nb", "", "note"),
            ("http://x", "", "", "whsec_short", "secret"),
        ):
            wrong = await here.service.add(IVO, url, kinds, note, secret)
            assert isinstance(wrong, BadWebhook)
            assert wrong.field == field
        for _ in range(50):
            await here.add("http://127.0.0.1:9")
        assert await here.service.add(IVO, "http://x", "", "") == BadWebhook("", "there are 50 already")


async def test_late_means_minutes(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.add("http://127.0.0.1:9")
        await here.tell(1)
        here.clock.advance(LATE)
        assert await here.delivery.check() is None
        here.clock.advance(DAY)
        assert await here.delivery.check() == (
            "webhook 1 is late since 2020-09-13T12:26:40Z: 1 waiting; nothing sends it"
        )
