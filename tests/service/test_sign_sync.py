"""Typing and marks between nodes: what goes as one text, how much, and what comes in."""

import trio
import trio.testing

from regserver.domain.account import AccountId
from regserver.domain.presence import MarkMoved, PassedSign, TypingNoticed
from regserver.domain.room import PostId, RoomId
from regserver.ports.clock import Clock
from regserver.ports.sign_hub import SignHub
from regserver.ports.sign_link import SignLink
from regserver.ports.store import MOST_TEXT, Store
from regserver.service.sign_sync import GAP_SECONDS, MOST_WAITING, SignSync
from tests.broker.test_local import TrioClock

LONGEST = 2**53 - 1


class Node(SignHub):
    """A node whose texts go to the other one."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.heard: list[PassedSign] = []
        self.link: SignLink

    def say_nowait(self, text: str) -> None:
        self.said.append(text)

    def link_signs_nowait(self, link: SignLink) -> None:
        self.link = link

    def hear_nowait(self, sign: PassedSign) -> None:
        self.heard.append(sign)


def typing(number: int) -> TypingNoticed:
    return TypingNoticed(AccountId(number), RoomId(1))


async def test_what_comes_meanwhile_goes_as_one_text(autojump_clock: trio.testing.MockClock) -> None:
    here, there = Node(), Node()
    clock: Clock = TrioClock()
    sync = SignSync(as_store(here), clock, here)
    other = SignSync(as_store(there), clock, there)
    mark = MarkMoved(AccountId(LONGEST), RoomId(LONGEST), PostId(LONGEST))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(sync.run)
        await trio.testing.wait_all_tasks_blocked()
        here.link.pass_nowait(typing(1))
        await trio.testing.wait_all_tasks_blocked()
        for _ in range(3):
            here.link.pass_nowait(typing(2))
            here.link.pass_nowait(mark)
        await trio.testing.wait_all_tasks_blocked()
        assert len(here.said) == 1
        await trio.sleep(1.5 * GAP_SECONDS)
        assert len(here.said) == 2
        for number in range(3 * MOST_WAITING):
            here.link.pass_nowait(MarkMoved(AccountId(LONGEST - number), RoomId(LONGEST), PostId(LONGEST)))
        await trio.sleep(1.5 * GAP_SECONDS)
        assert len(here.said) == 3
        assert len(here.said[-1].encode()) <= MOST_TEXT
        nursery.cancel_scope.cancel()
    for text in here.said:
        other.hear_nowait(text)
    assert there.heard[:3] == [typing(1), typing(2), mark]
    assert len(there.heard) == 3 + MOST_WAITING


async def test_what_is_no_text_of_ours_is_passed_over() -> None:
    here = Node()
    sync = SignSync(as_store(here), TrioClock(), here)
    for text in ("", "x", "[1]", '[["later",1,2]]', '[["typing","1",2]]', '[["typing",1]]', "{}", "null"):
        sync.hear_nowait(text)
    assert here.heard == []


def as_store(node: Node) -> Store:
    """What it says is kept."""
    return node  # type: ignore[return-value]
