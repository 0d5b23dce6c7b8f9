"""The binary form of transactions on Antelope chains: names as numbers, lists with their length, all little-endian.

Only a new account's part is here: the transaction, `newaccount`, and for chains with a system contract `buyrambytes` and
`delegatebw`. Tests compare the bytes with an independent implementation (wharfkit). The Python packages for it (pyntelope,
antelopy) have had no release since 2024, and request the contracts' ABI from a node.
"""

import hashlib
import re
import struct
from collections.abc import Sequence

import msgspec

from regserver.domain.public_key import PublicKey

NAME_LETTERS = ".12345abcdefghijklmnopqrstuvwxyz"
_NAME = re.compile(r"[a-z1-5.]{0,11}[a-z1-5]|[a-z1-5.]{12}[a-j1-5]", re.ASCII)
_ASSET = re.compile(r"(\d{1,18})(?:\.(\d{1,17}))? ([A-Z]{1,7})", re.ASCII)


class Authorization(msgspec.Struct, frozen=True):
    """An account, and which of its permissions signs."""

    actor: str
    permission: str


class Action(msgspec.Struct, frozen=True):
    """One call of a contract, its arguments packed in `data`."""

    contract: str
    name: str
    authorization: Authorization
    data: bytes


def is_name(text: str) -> bool:
    """Whether the text is an account name: up to 12 letters of a-z, 1-5 and dots, or 13 with a last one of a-j, 1-5."""
    return _NAME.fullmatch(text) is not None


def pack_name(text: str) -> bytes:
    """A name as eight bytes: at most 13 letters of five bits each, the last of four."""
    value = 0
    for position in range(13):
        letter = NAME_LETTERS.index(text[position]) if position < len(text) else 0
        value = (value << 5) | letter if position < 12 else (value << 4) | (letter & 0x0F)
    return struct.pack("<Q", value)


def pack_length(value: int) -> bytes:
    """A length as varuint32: seven bits a byte, the lowest first."""
    packed = b""
    while value > 0x7F:
        packed += bytes([value & 0x7F | 0x80])
        value >>= 7
    return packed + bytes([value])


def pack_asset(text: str) -> bytes:
    """An amount such as "1.0000 EOS": in its smallest unit, the number of decimals, the symbol. Raises ValueError."""
    found = _ASSET.fullmatch(text)
    if found is None:
        raise ValueError('expected an amount such as "1.0000 EOS"')
    decimals = found[2] or ""
    return struct.pack("<qB7s", int(found[1] + decimals), len(decimals), found[3].encode())


def _pack_authority(key: PublicKey) -> bytes:
    """An authority of one key: threshold 1, one key (K1) of weight 1, no accounts, no waits."""
    keys = pack_length(1) + b"\0" + key + struct.pack("<H", 1)
    return struct.pack("<I", 1) + keys + pack_length(0) + pack_length(0)


def new_account(
    contract: str, creator: Authorization, name: str, owner: PublicKey, active: PublicKey
) -> Action:
    """The action that creates an account with one key for each of its two permissions."""
    data = pack_name(creator.actor) + pack_name(name) + _pack_authority(owner) + _pack_authority(active)
    return Action(contract, "newaccount", creator, data)


def buy_ram(contract: str, payer: Authorization, receiver: str, count: int) -> Action:
    """The action that buys `count` bytes of memory for an account."""
    data = pack_name(payer.actor) + pack_name(receiver) + struct.pack("<I", count)
    return Action(contract, "buyrambytes", payer, data)


def delegate(contract: str, giver: Authorization, receiver: str, net: str, cpu: str) -> Action:
    """The action that stakes amounts for an account; the giver remains their owner."""
    data = pack_name(giver.actor) + pack_name(receiver) + pack_asset(net) + pack_asset(cpu) + b"\0"
    return Action(contract, "delegatebw", giver, data)


def _pack_action(action: Action) -> bytes:
    signer = action.authorization
    authorization = pack_length(1) + pack_name(signer.actor) + pack_name(signer.permission)
    data = pack_length(len(action.data)) + action.data
    return pack_name(action.contract) + pack_name(action.name) + authorization + data


def pack_header(reference_block: bytes, expiration: int) -> bytes:
    """Ties a transaction to one chain, by a recent block. A block's id begins with its number and has its prefix at byte
    eight. expiration: seconds since 1970.
    """
    number = int.from_bytes(reference_block[:4], "big")
    return struct.pack("<IH", expiration, number & 0xFFFF) + reference_block[8:12]


def pack_transaction(header: bytes, actions: Sequence[Action]) -> bytes:
    """A transaction without limits on net and CPU, delay, context-free actions or extensions."""
    limits = pack_length(0) + b"\0" + pack_length(0)
    packed = pack_length(len(actions)) + b"".join(map(_pack_action, actions))
    return header + limits + pack_length(0) + packed + pack_length(0)


def transaction_id(packed: bytes) -> str:
    """The id that the chain gives a transaction, in hex."""
    return hashlib.sha256(packed).hexdigest()


def signing_digest(chain_id: bytes, packed: bytes) -> bytes:
    """The digest that is signed: of chain id, transaction, and 32 zeros in place of context-free data."""
    return hashlib.sha256(chain_id + packed + bytes(32)).digest()
