"""Lines from chunks of any size, within bounds."""

import itertools
import json
from collections.abc import Sequence

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from regserver.adapters.source.line_parser import MAX_LINE_BYTES
from regserver.adapters.source.ndjson import LineReader, LineSplitter
from regserver.domain.source_line import DoneLine, MalformedLine, SourceLine, StepLine
from regserver.ports.source import SourceFault


@given(
    st.lists(st.binary(max_size=20).filter(lambda line: b"\n" not in line), max_size=10),
    st.lists(st.integers(0, 200), max_size=10),
)
def test_lines_do_not_depend_on_where_the_pieces_end(lines: list[bytes], cuts: list[int]) -> None:
    whole = b"\n".join(lines)
    splitter = LineSplitter()
    found = []
    places = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})
    for start, end in itertools.pairwise(places):
        found += splitter.feed(whole[start:end])
    assert [*found, splitter.rest()] == (lines or [b""])


def test_a_line_past_the_bound_ends_the_reading() -> None:
    splitter = LineSplitter(limit=10)
    assert splitter.feed(b"0123456789\nabc") == [b"0123456789"]
    before = splitter.overlong
    assert splitter.feed(b"defghijk") == []
    assert (before, splitter.overlong) == (False, True)
    assert splitter.feed(b"\nmore\n") == []


async def read(pieces: Sequence[bytes]) -> list[SourceLine]:
    waiting = iter(pieces)

    async def receive() -> bytes:
        await trio.lowlevel.checkpoint()
        return next(waiting, b"")

    return [line async for line in LineReader(receive, 1)]


async def test_the_last_line_may_lack_its_end() -> None:
    assert await read([b'{"message": "a"}\n{"do', b'ne": true}']) == [StepLine("a"), DoneLine()]


async def test_blank_lines_mean_nothing() -> None:
    assert await read([b'\n\r\n \n{"done": true}\n\n']) == [DoneLine()]


async def test_a_character_may_be_split() -> None:
    said = json.dumps({"message": "Ёлка 🎄"}, ensure_ascii=False).encode()
    assert await read([said[index : index + 1] for index in range(len(said))]) == [StepLine("Ёлка 🎄")]


async def test_an_endless_line_is_given_up_early() -> None:
    pieces = [b"x" * 16_384] * 320  # 5 MiB
    taken = iter(pieces)

    async def receive() -> bytes:
        await trio.lowlevel.checkpoint()
        return next(taken, b"")

    lines = [line async for line in LineReader(receive, 1)]
    assert len(lines) == 1
    assert isinstance(lines[0], MalformedLine)
    assert len(lines[0].raw) < 1000
    assert sum(1 for _ in taken) > 320 - MAX_LINE_BYTES // 16_384 - 2


async def test_silence_ends_the_reading(autojump_clock: trio.testing.MockClock) -> None:
    async def receive() -> bytes:
        await trio.sleep(float("inf"))
        return b""

    with pytest.raises(SourceFault, match="nothing came for 30 s"):
        await anext(LineReader(receive, 30))
