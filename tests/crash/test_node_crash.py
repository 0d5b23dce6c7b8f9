"""A few kills of two nodes with every run of the tests; `make crash-nodes` has two hundred."""

from pathlib import Path

import pytest

from tests.crash.history import Verdict, compare
from tests.crash.node_checker import NodeChecker
from tests.system.server import Message


# The HTTP client leaves a generator behind when the server dies while it is sending.
@pytest.mark.filterwarnings("ignore:Async generator 'httpx.*ByteStream.__aiter__':ResourceWarning")
async def test_two_nodes_lose_nothing_and_keep_one_order(tmp_path: Path) -> None:
    checker = NodeChecker(tmp_path, seed=1)
    await checker.run(4)
    assert checker.kills >= 4
    assert any(request.answer is not None for request in checker.requests)


def _frame(position: int, content: str) -> tuple[int, Message]:
    return position, {"type": "NewPost", "content": content}


def test_the_history_checker_finds_each_kind_of_fault() -> None:
    a, b, c = _frame(1, "a"), _frame(2, "b"), _frame(3, "c")
    assert compare({"one": [a, b, c], "two": [a, b, c]}, ["a", "b", "c"]).is_clean
    assert compare({"one": [a, b], "two": [a, b]}, ["a", "b", "c"]) == Verdict(1, 0, 0, 0)
    assert compare({"one": [a, b, (4, b[1])], "two": [a, b, (4, b[1])]}, ["a"]) == Verdict(0, 1, 0, 0)
    assert compare({"one": [a, b, c], "two": [a, c, b]}, ["a"]) == Verdict(0, 0, 1, 1)
    assert compare({"one": [a, b, c], "two": [a, c]}, ["a"]) == Verdict(0, 0, 0, 1)
