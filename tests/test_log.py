"""The log: its forms, and that secrets do not get through."""

import io
import json
import logging

import pytest

from regserver.log import redact, request_id, start_logging

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
    assert text.getvalue()[9:] == "info    XXXXXXXXXX (none) client= status=404 ms=1.0 request=r2\n"
