"""The operator's service is asked before somebody gets an account; without its answer the operator's choice holds."""

import json
from pathlib import Path
from typing import Literal

import pytest
import trio

from regserver.adapters.hooked_sign_up import MOST_ASKING, HookedSignUp
from regserver.adapters.webhook_client import WebhookClient
from regserver.domain.contact import ContactClaim, parse_phone
from regserver.domain.instant import SECOND, Duration
from regserver.domain.outcome import InvitationRequired, RegistrationClosed
from regserver.domain.sign_up_policy import Door, DoorPolicy
from regserver.domain.webhook import WebhookTarget
from regserver.service.outbox import Outbox
from regserver.service.sign_up_gate import GateParts, Newcomer, SignUpGate
from regserver.store.sqlite import SqliteStore, open_sqlite
from tests.fake import PEPPER, ManualClock, SeededRandomness, claim_of
from tests.gate import CLOSED, INVITE, OPEN, open_desk
from tests.peer.http import DROP, HANG, Answer, Asked, open_http_peer, refused_url

ANN = Newcomer(claim=claim_of("ann@example.org"), invitation=None, address="192.0.2.1", username="ann")


def hook(
    client: WebhookClient,
    url: str,
    fail: Literal["open", "closed"] = "closed",
    counted: list[str] | None = None,
    seconds: float = 0.3,
) -> HookedSignUp:
    return HookedSignUp(
        client,
        WebhookTarget(url, bytes(32)),
        (ManualClock(), SeededRandomness()),
        seconds=seconds,
        fail=fail,
        count=(counted if counted is not None else []).append,
    )


def gate(
    store: SqliteStore, asked: HookedSignUp, door: Door = "rooms", policy: DoorPolicy = OPEN
) -> SignUpGate:
    clock = ManualClock()
    parts = GateParts(
        store=store,
        clock=clock,
        pepper=PEPPER,
        desk=open_desk(store, clock, Outbox(clock, SeededRandomness(), bytes(32))),
        take=lambda client: None,
        daily_waiting=10,
        daily_waiting_per_address=None,
        hook=(asked, door),
    )
    return SignUpGate(policy, parts)


def client() -> WebhookClient:
    return WebhookClient(allow_private=True, timeout=Duration(SECOND))


async def test_yes_and_no(tmp_path: Path) -> None:
    def reply(asked: Asked) -> Answer:
        return Answer(403 if asked.json["data"].get("username") == "eve" else 200)

    counted: list[str] = []
    async with open_sqlite(tmp_path / "x.db") as store, open_http_peer(reply) as peer, client() as http:
        asked = hook(http, peer.url, counted=counted)
        assert await gate(store, asked).refusal(ANN) is None
        eve = Newcomer(claim=None, invitation=None, address="", username="eve")
        assert await gate(store, asked, "live").refusal(eve) == RegistrationClosed()
        phone = parse_phone("+380440000000")
        assert phone is not None
        claim: ContactClaim = PEPPER.claim(phone, is_verified=True)
        caller = Newcomer(claim=claim, invitation=None, address="")
        assert await gate(store, asked, "steps").refusal(caller) is None
        # Whom the door refuses by itself, nobody is asked about.
        assert await gate(store, asked, policy=CLOSED).refusal(ANN) == RegistrationClosed()
        assert await gate(store, asked, policy=INVITE).refusal(ANN) == InvitationRequired()
    assert [json.loads(each.body)["data"] for each in peer.asked] == [
        {"door": "rooms", "invited": False, "username": "ann", "email": "ann@example.org"},
        {"door": "live", "invited": False, "username": "eve"},
        {"door": "steps", "invited": False, "phone": "+380440000000"},
    ]
    assert counted == ["allowed", "refused", "allowed"]


@pytest.mark.parametrize("reply", [DROP, HANG, Answer(500), Answer(302), Answer(404), None])
@pytest.mark.parametrize("fail", ["closed", "open"])
async def test_without_an_answer(
    tmp_path: Path, reply: Answer | None, fail: Literal["open", "closed"], caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        open_sqlite(tmp_path / "x.db") as store,
        client() as http,
        open_http_peer(lambda asked: reply or DROP) as peer,
    ):
        url = await refused_url() if reply is None else peer.url
        refusal = await gate(store, hook(http, url, fail)).refusal(ANN)
    assert refusal == (None if fail == "open" else RegistrationClosed())
    (line,) = [record.getMessage() for record in caplog.records if record.name == "regserver.webhook"]
    assert line.startswith(
        "webhook.before_sign_up: a sign-up was " + ("let in" if fail == "open" else "refused")
    )
    assert "example.org" not in line


async def test_so_many_are_asked_about_at_once(tmp_path: Path) -> None:
    """The others wait no longer than they would for their own answers."""
    async with open_sqlite(tmp_path / "x.db") as store, client() as http:
        async with open_http_peer(lambda asked: HANG) as peer:
            # So long that all are asked before it ends, also on a busy machine: httpcore complains of requests that are cut.
            # And shorter than the client's own second, after which others would get their places.
            door = gate(store, hook(http, peer.url, seconds=0.9))
            with trio.fail_after(20):
                async with trio.open_nursery() as nursery:
                    for _ in range(MOST_ASKING + 20):
                        nursery.start_soon(door.refusal, ANN)
        assert len(peer.asked) <= MOST_ASKING
