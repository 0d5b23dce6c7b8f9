"""The log: its formats, and the removal of secrets."""

import json
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
import trio
import trio.testing

from regserver.log import AccessLog, LogTarget, ProcessLog, redact, request_id, start_logging
from regserver.log.access import FLUSH_SECONDS, MAX_WAITING

TOKEN = "regs_" + "a1B2" * 10 + "xyz"


class Kept(LogTarget):
    """Keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__(-1)
        self.text = ""

    def write(self, lines: Sequence[str]) -> int:
        self.text += "".join(lines)
        return len(lines)

    def after(self, output: ProcessLog) -> str:
        """What is there once everything is written."""
        assert output.close()
        return self.text


def opened(form: str, level: str = "info") -> tuple[Kept, ProcessLog]:
    kept = Kept()
    return kept, start_logging(level, "text" if form == "text" else "json", kept)


def requests_of(output: ProcessLog) -> AccessLog:
    return output.access


@pytest.fixture(autouse=True)
def _restored() -> object:
    root, ours = logging.getLogger(), logging.getLogger("regserver")
    handlers, level, our_level = root.handlers[:], root.level, ours.level
    request_id.set("")
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
    kept, output = opened("json")
    request_id.set("r1")
    logging.getLogger("regserver.x").info("hello %s", TOKEN, extra={"status": 200, "url": "?token=abc"})
    logging.getLogger("regserver.x").debug("not this")
    try:
        raise ValueError("ticket=abc")
    except ValueError:
        logging.getLogger("regserver.x").exception("broken")
    first, second = [json.loads(line) for line in kept.after(output).splitlines()]
    assert first["message"] == "hello regs_…"
    assert (first["level"], first["logger"], first["status"]) == ("info", "regserver.x", 200)
    assert (first["url"], first["request"]) == ("?token=…", "r1")
    assert "ticket=…" in second["traceback"]


def test_text_lines() -> None:
    kept, output = opened("text")
    logging.getLogger("regserver.x").warning("careful", extra={"status": 5})
    logging.getLogger("regserver.x").info("a letter", extra={"text": "Dear Ann,\n\nbye"})
    assert "warning careful status=5\n" in kept.after(output)
    assert kept.text.endswith("info    a letter\n  | Dear Ann,\n  | \n  | bye\n")


CONTROLS = "\x1b[2J\r\n12:00:00 error   forged \x00\x07\x7f\x9b\u202e\u2028\u2066\ud800"


@pytest.mark.parametrize("form", ["text", "json"])
def test_control_characters_are_escaped(form: str) -> None:
    """They could clear a terminal, forge a line or turn it round, whoever sent them."""
    kept, output = opened(form)
    logging.getLogger("regserver.x").info("said %s", CONTROLS, extra={"field": CONTROLS, "text": CONTROLS})
    try:
        raise ValueError(CONTROLS)
    except ValueError:
        logging.getLogger("regserver.x").exception("broken")
    requests_of(output).record(CONTROLS, "/" + CONTROLS, CONTROLS, 200, 0)
    lines = kept.after(output).split("\n")
    assert all(line.isprintable() for line in lines)
    assert not [line for line in lines if line.startswith("12:00:00")]
    if form == "json":
        assert json.loads(lines[0])["message"] == f"said {CONTROLS}"
        assert len(lines) == 4


def test_a_line_that_cannot_be_formatted_is_told_and_ends_nothing() -> None:
    kept, output = opened("json")
    logging.getLogger("regserver.x").info("%d", "no number")
    line = json.loads(kept.after(output))
    assert line["message"] == "a line of the log cannot be formatted: TypeError"
    assert line["logger"] == "regserver.x"


def test_the_access_log_has_the_same_form() -> None:
    kept, output = opened("json")
    request_id.set("r2")
    requests_of(output).record("GET", "/room/info/{room}", "192.0.2.1", 200, 0.00123)
    line = json.loads(kept.after(output))
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
    assert not opened("json", "warning")[1].access.is_on
    text, readable = opened("text", "debug")
    requests_of(readable).record("X" * 99, "(none)", "", 404, 0.001)
    assert text.after(readable)[9:] == "info    XXXXXXXXXX (none) client= status=404 ms=1.0 request=r2\n"


def messages(text: str) -> list[str]:
    return [json.loads(line)["message"] for line in text.splitlines()]


def test_all_lines_stand_in_their_order() -> None:
    kept, output = opened("json")
    for number in range(3):
        requests_of(output).record("GET", f"/{number}", "", 200, 0)
        logging.getLogger("regserver").info("after %s", number)
    told = messages(kept.after(output))
    assert told == ["GET /0", "after 0", "GET /1", "after 1", "GET /2", "after 2"]


def test_many_requests_do_not_wait() -> None:
    taken: list[str] = []
    access = AccessLog(taken.extend, text=False)
    for _ in range(MAX_WAITING):
        access.record("GET", "/", "", 200, 0)
    assert len(taken) == MAX_WAITING


async def test_lines_are_written_soon_and_at_the_end(autojump_clock: trio.testing.MockClock) -> None:
    taken: list[str] = []
    access = AccessLog(taken.extend, text=False)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(access.run_flush)
        access.record("GET", "/soon", "", 200, 0)
        await trio.sleep(2 * FLUSH_SECONDS)
        assert "/soon" in taken[-1]
        access.record("GET", "/last", "", 200, 0)
        nursery.cancel_scope.cancel()
    assert "/last" in taken[-1]


def _flush_often(access: AccessLog) -> None:
    for _ in range(2000):
        access.flush()


def test_threads_that_log_lose_no_request() -> None:
    kept, output = opened("json")
    access = requests_of(output)
    with ThreadPoolExecutor(4) as pool:
        for _ in range(4):
            pool.submit(_flush_often, access)
        for number in range(5000):
            access.record("GET", f"/{number}", "", 200, 0)
    assert messages(kept.after(output)) == [f"GET /{number}" for number in range(5000)]
    assert output.lost == 0
