"""The chain's byte format, keys and signatures, compared with an independent implementation."""

import hashlib
import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regserver.adapters.ledger import on_curve
from regserver.adapters.ledger.antelope_format import (
    Action,
    Authorization,
    buy_ram,
    delegate,
    is_name,
    new_account,
    pack_asset,
    pack_header,
    pack_length,
    pack_name,
    pack_transaction,
    signing_digest,
    transaction_id,
)
from regserver.adapters.ledger.antelope_key import SigningKey, is_canonical
from regserver.domain.public_key import (
    PublicKey,
    decode_base58,
    encode_base58,
    format_public_key,
    key_checksum,
    parse_public_key,
)
from tests.peer.antelope import CHAIN_ID, Oracle, open_oracle

WIF = "5KQwrPbwdL6PhXujxW37FSSQZ1JiwsST4cqQzDeyXtP79zkvFD3"  # the well-known key of development chains
CREATOR = Authorization("creator", "active")
LIMITS = settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="session")
def oracle() -> Iterator[Oracle]:
    with open_oracle() as opened:
        yield opened


def public_of(key: SigningKey) -> PublicKey:
    return PublicKey(key._key.public_key.format())


def public_key(seed: bytes) -> PublicKey:
    return public_of(SigningKey(secret_text(hashlib.sha256(seed).digest())))


def secret_text(secret: bytes) -> str:
    return "PVT_K1_" + encode_base58(secret + key_checksum(secret + b"K1"))


def authority(key: PublicKey) -> dict[str, Any]:
    return {
        "threshold": 1,
        "keys": [{"key": format_public_key(key), "weight": 1}],
        "accounts": [],
        "waits": [],
    }


def told(action: Action, data: dict[str, Any]) -> dict[str, Any]:
    """The action as the independent implementation is told of it."""
    authorization = {"actor": action.authorization.actor, "permission": action.authorization.permission}
    return {"account": action.contract, "name": action.name, "authorization": [authorization], "data": data}


NAMES = st.from_regex(r"\A[a-z1-5.]{0,11}[a-z1-5]\Z")


@LIMITS
@given(
    name=NAMES,
    creator=NAMES,
    seeds=st.tuples(st.binary(max_size=8), st.binary(max_size=8)),
    expiration=st.integers(1, 2**32 - 1),
    block=st.binary(min_size=32, max_size=32),
    ram=st.integers(0, 2**32 - 1),
)
def test_transactions_are_packed_alike(
    oracle: Oracle,
    name: str,
    creator: str,
    seeds: tuple[bytes, bytes],
    expiration: int,
    block: bytes,
    ram: int,
) -> None:
    by, (owner, active) = Authorization(creator, "active"), map(public_key, seeds)
    header = pack_header(block, expiration)
    _, number, prefix = struct.unpack("<IHI", header)
    ours = [
        new_account("eosio", by, name, owner, active),
        buy_ram("eosio", by, name, ram),
        delegate("eosio", by, name, "1.0000 EOS", "25 CPU"),
    ]
    data: list[dict[str, Any]] = [
        {"creator": creator, "name": name, "owner": authority(owner), "active": authority(active)},
        {"payer": creator, "receiver": name, "bytes": ram},
        {
            "from": creator,
            "receiver": name,
            "stake_net_quantity": "1.0000 EOS",
            "stake_cpu_quantity": "25 CPU",
            "transfer": False,
        },
    ]
    theirs = oracle.ask(
        "pack",
        chain_id=CHAIN_ID,
        header={
            "expiration": datetime.fromtimestamp(expiration, UTC).strftime("%Y-%m-%dT%H:%M:%S"),
            "ref_block_num": number,
            "ref_block_prefix": prefix,
        },
        actions=[told(action, each) for action, each in zip(ours, data, strict=True)],
    )
    packed = pack_transaction(header, ours)
    assert packed.hex() == theirs["packed"]
    assert transaction_id(packed) == theirs["id"]
    assert signing_digest(bytes.fromhex(CHAIN_ID), packed).hex() == theirs["digest"]


def test_a_packed_transaction_reads_as_it_was_meant(oracle: Oracle) -> None:
    owner, active = public_key(b"owner"), public_key(b"active")
    header = struct.pack("<IHI", 1_600_000_000, 900, 7)
    packed = pack_transaction(header, [new_account("eosio", CREATOR, "reg1abcdefgh", owner, active)])
    read = oracle.ask("unpack", packed=packed.hex())
    (action,) = read.pop("actions")
    assert read == {
        "expiration": "2020-09-13T12:26:40",
        "ref_block_num": 900,
        "ref_block_prefix": 7,
        "max_net_usage_words": 0,
        "max_cpu_usage_ms": 0,
        "delay_sec": 0,
        "context_free_actions": [],
        "transaction_extensions": [],
    }
    assert action["data"] == {
        "creator": "creator",
        "name": "reg1abcdefgh",
        "owner": authority(owner),
        "active": authority(active),
    }


@LIMITS
@given(secret=st.binary(min_size=32, max_size=32), message=st.binary(max_size=20))
def test_signatures_are_of_the_key_that_signed(oracle: Oracle, secret: bytes, message: bytes) -> None:
    key = SigningKey(secret_text(hashlib.sha256(secret).digest()))
    digest = hashlib.sha256(message).digest()
    signature = key.sign(digest)
    while signature is None:
        digest = hashlib.sha256(digest).digest()
        signature = key.sign(digest)
    recovered = oracle.ask("recover", signature=signature, digest=digest.hex())
    assert recovered == {"key": format_public_key(public_of(key)), "good": True}
    raw = decode_base58(signature.removeprefix("SIG_K1_"))
    assert raw is not None
    assert is_canonical(raw[1:65])


def test_private_keys_in_both_forms(oracle: Oracle) -> None:
    theirs = oracle.ask("keys", secret=WIF)
    for text in (WIF, theirs["text"]):
        assert format_public_key(public_of(SigningKey(text))) == theirs["public"]
        assert format_public_key(public_of(SigningKey(text)), "GLS") == theirs["legacy"]


@pytest.mark.parametrize(
    "text",
    [
        *("", "5", WIF[:-1], WIF[:-1] + "2", WIF + "3", "PVT_K1_" + WIF, "PVT_R1_x", "EOS" + WIF),
        *("0" * 51, "1" * 51, "PVT_K1_" + "1" * 40, "5" * 500),
    ],
)
def test_what_is_no_private_key_is_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match=r"^expected a private key, WIF or PVT_K1_…$"):
        SigningKey(text)


def test_a_key_does_not_show_itself() -> None:
    assert repr(SigningKey(WIF)) == "SigningKey(…)"


@LIMITS
@given(seed=st.binary(max_size=8))
def test_public_keys_are_written_and_read_alike(oracle: Oracle, seed: bytes) -> None:
    key = public_key(seed)
    for text in (format_public_key(key), format_public_key(key, "EOS")):
        assert oracle.ask("parse", key=text) == {"key": format_public_key(key)}
        assert parse_public_key(text, on_curve) == key


@pytest.mark.parametrize(
    ("name", "good"),
    [
        *(("eosio", True), ("reg1abcdefgh", True), ("a.b", True), ("abcdefghijklj", True)),
        *(
            ("", False),
            ("a.", False),
            ("A", False),
            ("a6", False),
            ("abcdefghijklz", False),
            ("a" * 14, False),
        ),
    ],
)
def test_names(name: str, good: bool) -> None:
    assert is_name(name) is good


def test_numbers_names_and_amounts() -> None:
    assert [pack_length(value).hex() for value in (0, 127, 128, 300, 2**32 - 1)] == [
        "00",
        "7f",
        "8001",
        "ac02",
        "ffffffff0f",
    ]
    assert pack_name("eosio").hex() == "0000000000ea3055"
    assert pack_asset("1.0000 EOS").hex() == "102700000000000004454f5300000000"
    for wrong in ("", "1 eos", "-1 EOS", "1. EOS", ".1 EOS", "1.0000", "1 TOOLONGS", "9" * 19 + " EOS"):
        with pytest.raises(ValueError, match="amount"):
            pack_asset(wrong)
