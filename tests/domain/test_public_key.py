"""Public keys: shape, checksum, point."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regserver.adapters.ledger import on_curve
from regserver.domain.public_key import (
    PublicKey,
    decode_base58,
    encode_base58,
    format_public_key,
    has_ripemd160,
    key_checksum,
    parse_public_key,
)

GLS = "GLS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV"
K1 = "PUB_K1_6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5BoDq63"
OFF_CURVE = "GLS4tVMTu4hrMTGeAQpAEzueCYqEESJQgkaH9DVJNnzK1mztsYYww"


def test_the_two_forms_of_a_key_are_equal() -> None:
    key = parse_public_key(GLS, on_curve)
    assert key is not None
    assert key == parse_public_key(K1, on_curve) == parse_public_key("EOS" + GLS[3:], on_curve)
    assert format_public_key(key) == K1
    assert format_public_key(key, "GLS") == GLS


def test_a_good_checksum_is_not_enough() -> None:
    assert parse_public_key(OFF_CURVE, lambda key: True) is not None
    assert parse_public_key(OFF_CURVE, on_curve) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "GLS",
        "PUB_K1_",
        GLS[:-1],
        GLS[:-1] + "W",
        GLS + "1",
        GLS[3:],
        "PUB_K1_" + GLS[3:],
        "GLS" + K1[7:],
        "PUB_R1_" + K1[7:],
        "gls" + GLS[3:],
        GLS.replace("6M", "0M"),
        "GLS8Bb....",
        "GLS" + "1" * 37,
        "GLS" + "z" * 200,
    ],
)
def test_what_is_no_key(text: str) -> None:
    assert parse_public_key(text, on_curve) is None


@given(st.binary(max_size=60))
def test_base58_goes_both_ways(raw: bytes) -> None:
    assert decode_base58(encode_base58(raw)) == raw


@given(st.text(max_size=70))
def test_any_text_is_judged(text: str) -> None:
    assert parse_public_key("GLS" + text, on_curve) is None or len(text) > 40


def test_infinity_and_uncompressed_points_are_no_keys() -> None:
    for key in (bytes(33), b"\x04" + bytes(32), b"\x02" + b"\xff" * 32):
        assert parse_public_key(format_public_key(PublicKey(key)), on_curve) is None


@pytest.mark.parametrize(
    ("message", "digest"),
    [
        (b"", "9c1185a5c5e9fc54612808977ee8f548b2258d31"),
        (b"abc", "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"),
        (b"message digest", "5d0689ef49d2fae572b881b123a85ffa21595f36"),
        (b"1234567890" * 8, "9b752e45573d4b39f4dbd3323cab82bf63326bfb"),
    ],
)
def test_the_checksum_is_the_beginning_of_ripemd160(message: bytes, digest: str) -> None:
    """Digests of the specification (Dobbertin, Bosselaers, Preneel 1996)."""
    assert key_checksum(message) == bytes.fromhex(digest)[:4]
    assert has_ripemd160()


def test_a_build_without_ripemd160_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def hidden(name: str, *arguments: object, **options: object) -> None:
        raise ValueError(f"unsupported hash type {name}")

    monkeypatch.setattr(hashlib, "new", hidden)
    assert not has_ripemd160()
