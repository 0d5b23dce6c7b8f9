"""Server frames, byte for byte (RFC 6455, 5.7), and back."""

import pytest

from regserver.endpoint import CloseCode, Frame
from regserver.serving.frame import (
    binary_frame,
    close_frame,
    ping_frame,
    pong_frame,
    split_close,
    split_frames,
    text_frame,
)


@pytest.mark.parametrize(
    ("frame", "raw"),
    [
        (text_frame("Hello"), b"\x81\x05Hello"),
        (text_frame("é".encode()), b"\x81\x02\xc3\xa9"),
        (binary_frame(b"a" * 125), b"\x82\x7d" + b"a" * 125),
        (binary_frame(b"a" * 126), b"\x82\x7e\x00\x7e" + b"a" * 126),
        (binary_frame(b"a" * 65535), b"\x82\x7e\xff\xff" + b"a" * 65535),
        (binary_frame(b"a" * 65536), b"\x82\x7f\0\0\0\0\0\1\0\0" + b"a" * 65536),
        (ping_frame(), b"\x89\x00"),
        (pong_frame(b"x"), b"\x8a\x01x"),
        (close_frame(1000), b"\x88\x02\x03\xe8"),
        (close_frame(1013, "slow"), b"\x88\x06\x03\xf5slow"),
        (close_frame(CloseCode.NO_STATUS, "unsaid"), b"\x88\x00"),
    ],
)
def test_frame(frame: Frame, raw: bytes) -> None:
    assert frame == raw
    ((opcode, payload),) = split_frames(frame)
    assert opcode == raw[0] & 15
    assert raw.endswith(payload)
    assert len(payload) in (raw[1], len(raw) - 4, len(raw) - 10)


def test_joined_frames_come_apart() -> None:
    sizes = (0, 125, 126, 65535, 65536, 3)
    frames = [binary_frame(bytes(size)) for size in sizes] + [text_frame("é"), close_frame(1000)]
    parts = list(split_frames(b"".join(frames)))
    assert [len(payload) for _, payload in parts] == [*sizes, 2, 2]
    assert [opcode for opcode, _ in parts] == [2] * 6 + [1, 8]


def test_close_reason_is_cut_at_a_character() -> None:
    ((_, payload),) = split_frames(close_frame(1000, "é" * 100))
    assert split_close(payload) == (1000, "é" * 61)
    assert split_close(b"") == (CloseCode.NO_STATUS, "")
