"""How Antelope chains write transactions: names as numbers, lists with their length, everything little-endian.

Only what a new account takes is here: the transaction around it, `newaccount`, and for chains with a system contract
`buyrambytes` and `delegatebw`. The bytes are held against an independent implementation in the tests.
"""

import hashlib
import re
import struct
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from regserver.domain.public_key import PublicKey

T = TypeVar("T")

NAME_LETTERS = ".12345abcdefghijklmnopqrstuvwxyz"
_NAME = re.compile(r"[a-z1-5.]{0,11}[a-z1-5]|[a-z1-5.]{12}[a-j1-5]", re.ASCII)
_ASSET = re.compile(r"(\d{1,18})(?:\.(\d{1,17}))? ([A-Z]{1,7})", re.ASCII)


class Authorization(msgspec.Struct, frozen=True):
    actor: str
    permission: str


class Action(msgspec.Struct, frozen=True):
    contract: str
    name: str
    authorization: Authorization
    data: bytes


class Header(msgspec.Struct, frozen=True):
    """What ties a transaction to one chain and time. expiration: seconds since 1970."""

    expiration: int
    ref_block_num: int
    ref_block_prefix: int


def is_name(text: str) -> bool:
    return _NAME.fullmatch(text) is not None


def pack_name(text: str) -> bytes:
    """Thirteen letters at most, five bits each but the last, which has four."""
    value = 0
    for position in range(13):
        letter = NAME_LETTERS.index(text[position]) if position < len(text) else 0
        value = (value << 5) | letter if position < 12 else (value << 4) | (letter & 0x0F)
    return struct.pack("<Q", value)


def pack_length(value: int) -> bytes:
    """varuint32: seven bits a byte, the lowest first."""
    packed = b""
    while value > 0x7F:
        packed += bytes([value & 0x7F | 0x80])
        value >>= 7
    return packed + bytes([value])


def pack_list(items: Sequence[T], pack: Callable[[T], bytes]) -> bytes:
    return pack_length(len(items)) + b"".join(pack(item) for item in items)


def pack_asset(text: str) -> bytes:
    """ "1.0000 EOS": the amount in its smallest unit, the number of decimals, the symbol. Raises ValueError."""
    found = _ASSET.fullmatch(text)
    if found is None:
        raise ValueError('expected an amount such as "1.0000 EOS"')
    decimals = found[2] or ""
    return struct.pack("<qB7s", int(found[1] + decimals), len(decimals), found[3].encode())


def _pack_authority(key: PublicKey) -> bytes:
    """One key that suffices alone: threshold 1, one key (K1) with weight 1, no accounts, no waits."""
    keys = pack_list([key], lambda each: b"\0" + each + struct.pack("<H", 1))
    return struct.pack("<I", 1) + keys + pack_length(0) + pack_length(0)


def new_account(
    contract: str, creator: Authorization, name: str, owner: PublicKey, active: PublicKey
) -> Action:
    data = pack_name(creator.actor) + pack_name(name) + _pack_authority(owner) + _pack_authority(active)
    return Action(contract, "newaccount", creator, data)


def buy_ram(contract: str, payer: Authorization, receiver: str, count: int) -> Action:
    data = pack_name(payer.actor) + pack_name(receiver) + struct.pack("<I", count)
    return Action(contract, "buyrambytes", payer, data)


def delegate(contract: str, giver: Authorization, receiver: str, net: str, cpu: str) -> Action:
    data = pack_name(giver.actor) + pack_name(receiver) + pack_asset(net) + pack_asset(cpu) + b"\0"
    return Action(contract, "delegatebw", giver, data)


def _pack_action(action: Action) -> bytes:
    authorization = pack_list(
        [action.authorization], lambda each: pack_name(each.actor) + pack_name(each.permission)
    )
    data = pack_length(len(action.data)) + action.data
    return pack_name(action.contract) + pack_name(action.name) + authorization + data


def pack_transaction(header: Header, actions: Sequence[Action]) -> bytes:
    """Without limits on net and CPU, delay, context-free actions or extensions."""
    head = struct.pack("<IHI", header.expiration, header.ref_block_num, header.ref_block_prefix)
    limits = pack_length(0) + b"\0" + pack_length(0)
    return head + limits + pack_length(0) + pack_list(actions, _pack_action) + pack_length(0)


def transaction_id(packed: bytes) -> str:
    return hashlib.sha256(packed).hexdigest()


def signing_digest(chain_id: bytes, packed: bytes) -> bytes:
    """What is signed: chain, transaction, and the hash of no context-free data, which is all zeros."""
    return hashlib.sha256(chain_id + packed + bytes(32)).digest()


def header_of(reference_block: bytes, expiration: int) -> Header:
    """reference_block: the id of a recent block; its number is its first four bytes, its prefix stands after eight."""
    number = int.from_bytes(reference_block[:4], "big")
    (prefix,) = struct.unpack_from("<I", reference_block, 8)
    return Header(expiration, number & 0xFFFF, prefix)
