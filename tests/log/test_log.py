"""The log: its formats, and the removal of secrets."""

import contextlib
import io
import json
import logging
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TextIO

import pytest
import trio
import trio.testing

from regserver.log import AccessLog, redact, request_id, start_logging
from regserver.log.access import FLUSH_SECONDS, MAX_WAITING

TOKEN = "regs_" + "a1B2" * 10 + "xyz"


@pytest.fixture(autouse=True)
def _restored() -> object:
    root, ours = logging.getLogger(), logging.getLogger("regserver")
    handlers, level, our_level = root.handlers[:], root.level, ours.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    ours.setLevel(our_level)
    return None


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("GET /room/websocket?token=abc&x=1", "GET /room/websocket?token=…&x=1"),
        ("?ticket=abc", "?ticket=…"),
        (f"sent {TOKEN}!", "sent regs_…!"),
        ("/register/u-97ff4adc-8766-49be-84cd-596e983cb77c", "/register/u-…"),
        ("/Zx81kdk3Kd/confirm", "/…/confirm"),
        ("Authorization: Bearer abcdefghij", "Authorization: Bearer …"),
        ("nothing to hide", "nothing to hide"),
    ],
)
def test_secrets_are_taken_out(text: str, shown: str) -> None:
    assert redact(text) == shown


def test_json_lines() -> None:
    stream = io.StringIO()
    start_logging("info", "json", stream)
    request_id.set("r1")
    logging.getLogger("regserver.x").info("hello %s", TOKEN, extra={"status": 200, "url": "?token=abc"})
    logging.getLogger("regserver.x").debug("not this")
    try:
        raise ValueError("ticket=abc")
    except ValueError:
        logging.getLogger("regserver.x").exception("broken")
    first, second = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert first["message"] == "hello regs_…"
    assert (first["level"], first["logger"], first["status"]) == ("info", "regserver.x", 200)
    assert (first["url"], first["request"]) == ("?token=…", "r1")
    assert "ticket=…" in second["traceback"]


def test_text_lines() -> None:
    stream = io.StringIO()
    start_logging("info", "auto", stream)
    assert not stream.getvalue()
    start_logging("info", "text", stream)
    logging.getLogger("regserver.x").warning("careful", extra={"status": 5})
    assert "warning careful status=5" in stream.getvalue()


def test_the_access_log_has_the_same_form() -> None:
    stream = io.StringIO()
    access = start_logging("info", "json", stream)
    assert access is not None
    request_id.set("r2")
    access.record("GET", "/room/info/{room}", "192.0.2.1", 200, 0.00123)
    assert not stream.getvalue()  # lines are written together
    access.flush()
    line = json.loads(stream.getvalue())
    assert line.pop("at")[-5:-4] == "."
    assert line == {
        "level": "info",
        "logger": "regserver.access",
        "message": "GET /room/info/{room}",
        "client": "192.0.2.1",
        "status": 200,
        "ms": 1.2,
        "request": "r2",
    }
    assert start_logging("warning", "json", stream) is None
    text = io.StringIO()
    readable = start_logging("debug", "text", text)
    assert readable is not None
    readable.record("X" * 99, "(none)", "", 404, 0.001)
    readable.flush()
    assert text.getvalue()[9:] == "info    XXXXXXXXXX (none) client= status=404 ms=1.0 request=r2\n"


def test_all_lines_stand_in_their_order() -> None:
    stream = io.StringIO()
    access = start_logging("info", "json", stream)
    assert access is not None
    for number in range(3):
        access.record("GET", f"/{number}", "", 200, 0)
        logging.getLogger("regserver").info("after %s", number)
    messages = [json.loads(line)["message"] for line in stream.getvalue().splitlines()]
    assert messages == ["GET /0", "after 0", "GET /1", "after 1", "GET /2", "after 2"]


def test_many_requests_do_not_wait() -> None:
    stream = io.StringIO()
    access = start_logging("info", "json", stream)
    assert access is not None
    for _ in range(MAX_WAITING):
        access.record("GET", "/", "", 200, 0)
    assert stream.getvalue().count("\n") == MAX_WAITING


async def test_lines_are_written_soon_and_at_the_end(autojump_clock: trio.testing.MockClock) -> None:
    stream = io.StringIO()
    access = start_logging("info", "json", stream)
    assert access is not None
    async with trio.open_nursery() as nursery:
        nursery.start_soon(access.run_flush)
        access.record("GET", "/soon", "", 200, 0)
        await trio.sleep(2 * FLUSH_SECONDS)
        assert "/soon" in stream.getvalue()
        access.record("GET", "/last", "", 200, 0)
        nursery.cancel_scope.cancel()
    assert "/last" in stream.getvalue()


def _flush_often(access: AccessLog) -> None:
    for _ in range(2000):
        access.flush()


def test_threads_that_log_lose_no_request() -> None:
    stream = io.StringIO()
    access = start_logging("info", "json", stream)
    assert access is not None
    with ThreadPoolExecutor(4) as pool:
        for _ in range(4):
            pool.submit(_flush_often, access)
        for number in range(5000):
            access.record("GET", f"/{number}", "", 200, 0)
    access.flush()
    lines = [json.loads(line)["message"] for line in stream.getvalue().splitlines()]
    assert lines == [f"GET /{number}" for number in range(5000)]


@pytest.fixture
def unread() -> Iterator[TextIO]:
    """A pipe whose reader has gone."""
    reader, writer = os.pipe()
    os.close(reader)
    stream = open(writer, "w", buffering=1)  # noqa: SIM115  (closing it fails as well)
    yield stream
    with contextlib.suppress(BrokenPipeError):
        stream.close()


async def test_a_log_that_nobody_reads_ends_nothing(unread: TextIO) -> None:
    access = start_logging("info", "json", unread)
    assert access is not None
    async with trio.open_nursery() as nursery:
        nursery.start_soon(access.run_flush)
        access.record("GET", "/", "", 200, 0)
        await trio.sleep(2 * FLUSH_SECONDS)
        assert nursery.child_tasks  # it goes on
        nursery.cancel_scope.cancel()
    with pytest.raises(BrokenPipeError):
        unread.flush()
