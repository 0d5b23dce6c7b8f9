"""The thread that writes the log: stalled readers, full disks, files that are moved."""

import os
import resource
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from regserver.log.sink import MAX_WAITING, LogSink
from regserver.log.target import LogTarget, log_file, standard_error


def notice(message: str) -> str:
    return f"[{message}]\n"


class Slow(LogTarget):
    """Takes lines once it is let. whole: how many lines of each write it takes; None: all."""

    def __init__(self, whole: int | None = None) -> None:
        super().__init__(-1)
        self.lines: list[str] = []
        self.whole = whole
        self.free = threading.Event()
        self.asked = threading.Event()

    def write(self, lines: Sequence[str]) -> int:
        self.asked.set()
        self.free.wait()
        taken = lines if self.whole is None else lines[: self.whole]
        self.lines += taken
        return len(taken)


def test_a_stalled_reader_loses_lines_which_are_counted_in_their_place() -> None:
    target = Slow()
    sink = LogSink(target, notice)
    sink.put(["first\n"])
    assert target.asked.wait(10)
    line = "x" * (MAX_WAITING // 10) + "\n"
    for _ in range(12):  # nine fit
        sink.put([line])
    sink.put(["a short one that would fit\n"])
    assert sink.lost == 4
    target.free.set()
    assert sink.close()
    assert target.lines == ["first\n", *[line] * 9, "[4 lines lost]\n"]


def test_the_end_does_not_wait_for_a_stalled_reader() -> None:
    target = Slow()
    sink = LogSink(target, notice)
    sink.put(["first\n"])
    assert not sink.close()
    target.free.set()


def test_what_a_target_refuses_is_told_when_it_takes_lines_again() -> None:
    target = Slow(whole=0)
    target.free.set()
    sink = LogSink(target, notice)
    for number in range(3):
        target.asked.clear()
        sink.put([f"{number}\n"])
        assert target.asked.wait(10)
    target.whole = None
    sink.put(["after\n"])
    assert sink.close()
    assert target.lines == ["[3 lines lost]\n", "after\n"]
    assert sink.lost == 3


def test_it_is_told_without_another_line_to_write() -> None:
    target = Slow(whole=0)
    target.free.set()
    sink = LogSink(target, notice)
    sink.put(["lost\n"])
    assert target.asked.wait(10)
    target.whole = None
    target.asked.clear()
    assert target.asked.wait(10)  # it tries by itself
    assert sink.close()
    assert target.lines == ["[1 lines lost]\n"]


@contextmanager
def longest_file(count: int) -> Iterator[None]:
    """No file may become longer than so many bytes: the write that passes it is cut, the next one is refused."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (count, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_line_that_was_cut_is_lost_and_the_next_begins_anew(tmp_path: Path) -> None:
    target = log_file(tmp_path / "log")
    with longest_file(12):
        assert target.write(["first\n", "second\n", "third\n"]) == 1
        assert target.write(["none\n"]) == 0
    assert target.write(["after\n"]) == 1
    assert (tmp_path / "log").read_text() == "first\nsecond\nafter\n"


def test_a_reader_that_has_gone_takes_nothing() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    assert LogTarget(writer).write(["x\n"]) == 0
    os.close(writer)


def test_a_file_that_was_moved_is_opened_anew(tmp_path: Path) -> None:
    path, moved = tmp_path / "log", tmp_path / "log.1"
    target = log_file(path)
    sink = LogSink(target, notice)
    sink.put(["before\n"])
    sink.reopen_nowait()  # nothing has changed
    assert sink.close()
    path.rename(moved)
    target.write(["still there\n"])
    target.reopen()
    target.write(["after\n"])
    assert moved.read_text() == "before\nstill there\n"
    assert path.read_text() == "after\n"


def test_a_file_that_cannot_be_opened_anew_stays(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    target = log_file(folder / "log")
    sink = LogSink(target, notice)
    folder.rename(tmp_path / "elsewhere")
    sink.reopen_nowait()
    sink.put(["after\n"])
    assert sink.close()
    first, second = (tmp_path / "elsewhere" / "log").read_text().splitlines()
    assert first.startswith("[the log file cannot be opened anew: [Errno 2] No such file")
    assert second == "after"


def test_a_closed_standard_error_is_no_other_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", None)
    target = standard_error()
    assert target.write(["x\n"]) == 1
    assert not target.is_terminal
