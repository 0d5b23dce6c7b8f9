"""An Antelope node on loopback, and an independent implementation of the chain's byte format.

The node keeps accounts and a clock that the test moves. It takes transactions as nodeos does (expired, duplicate, name
taken), and can die before it takes one, after it took one, or say nothing. It reads the packed bytes by its own eyes:
positions in a `newaccount` are fixed.
"""

import hashlib
import json
import struct
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import trio

from regserver.domain.public_key import PublicKey, format_public_key
from tests.peer.http import DROP, HANG, Answer, Asked, HttpPeer, answer, open_http_peer
from tests.peer.node import install_node_peer

ORACLE = Path(__file__).parent / "antelope_oracle"

Mood = Literal[
    "well",
    "die before taking",
    "die after taking",
    "silent after taking",
    "silent",
    "full",
    "no account yet",
]
CHAIN_ID = hashlib.sha256(b"a chain for tests").hexdigest()
START = 1_600_000_000
LETTERS = ".12345abcdefghijklmnopqrstuvwxyz"


class Chain:
    """mood: how the next push_transaction goes."""

    def __init__(self) -> None:
        self.now = START
        self.accounts: dict[str, tuple[str, str]] = {}
        self.taken: list[str] = []
        self.mood: Mood = "well"
        self.peer: HttpPeer | None = None
        self._took = trio.Event()

    async def wait_taken(self) -> None:
        """Until a transaction was taken."""
        with trio.fail_after(20):
            await self._took.wait()

    @property
    def url(self) -> str:
        assert self.peer is not None
        return self.peer.url

    @property
    def pushed(self) -> list[str]:
        """The ids of all transactions that were pushed, taken or not."""
        assert self.peer is not None
        calls = [asked for asked in self.peer.asked if asked.path.endswith("push_transaction")]
        return [hashlib.sha256(bytes.fromhex(asked.json["packed_trx"])).hexdigest() for asked in calls]

    def reply(self, asked: Asked) -> Answer:
        assert asked.method == "POST"
        call = asked.path.removeprefix("/v1/chain/")
        if self.mood == "silent":
            return HANG
        if call == "get_info":
            return answer(self._info())
        if call == "get_account":
            return self._account(asked.json["account_name"])
        assert call == "push_transaction"
        return self._push(asked.json)

    def _info(self) -> dict[str, object]:
        return {
            "server_version": "5d9f2c1e",
            "chain_id": CHAIN_ID,
            "head_block_num": 1000,
            "last_irreversible_block_num": 900,
            "last_irreversible_block_id": (900).to_bytes(4, "big").hex() + "ab" * 28,
            "head_block_time": datetime.fromtimestamp(self.now, UTC).strftime("%Y-%m-%dT%H:%M:%S.500"),
        }

    def _account(self, name: str) -> Answer:
        if name not in self.accounts or self.mood == "no account yet":
            return _failure(0, "exception", f"unknown key (eosio::chain::name): {name}")
        permissions = [
            {
                "perm_name": permission,
                "parent": "",
                "required_auth": {
                    "threshold": 1,
                    "keys": [{"key": key, "weight": 1}],
                    "accounts": [],
                    "waits": [],
                },
            }
            for permission, key in zip(("owner", "active"), self.accounts[name], strict=True)
        ]
        return answer({"account_name": name, "permissions": permissions, "ram_quota": 5000})

    def _push(self, body: dict[str, Any]) -> Answer:
        assert body.keys() == {"signatures", "compression", "packed_context_free_data", "packed_trx"}
        if self.mood == "die before taking":
            return DROP
        if self.mood == "full":
            return _failure(
                3080004, "tx_cpu_usage_exceeded", "Transaction exceeded the current CPU usage limit"
            )
        packed = bytes.fromhex(body["packed_trx"])
        identity = hashlib.sha256(packed).hexdigest()
        if refusal := self._refusal(packed, identity):
            return refusal
        name, owner, active = _read_new_account(packed)
        self.taken.append(identity)
        self.accounts[name] = (owner, active)
        self._took.set()
        if self.mood in {"die after taking", "silent after taking"}:
            return DROP if self.mood == "die after taking" else HANG
        return answer({"transaction_id": identity, "processed": {"receipt": {"status": "executed"}}}, 202)

    def _refusal(self, packed: bytes, identity: str) -> Answer | None:
        (expiration,) = struct.unpack_from("<I", packed)
        if identity in self.taken:
            return _failure(3040008, "tx_duplicate", "Duplicate transaction")
        if expiration < self.now:
            return _failure(3040005, "expired_tx_exception", "Expired Transaction")
        if _read_new_account(packed)[0] in self.accounts:
            return _failure(3050001, "account_name_exists_exception", "Account name already exists")
        return None


def _failure(code: int, name: str, text: str) -> Answer:
    error = {
        "code": code,
        "name": name,
        "what": name,
        "details": [{"message": text, "file": "x", "method": "y"}],
    }
    return answer({"code": 500, "message": "Internal Service Error", "error": error}, 500)


def _read_new_account(packed: bytes) -> tuple[str, str, str]:
    """Name and both keys, by their places: a header of 13 bytes, two counts, the action's head of 35, its data."""
    data = packed[13 + 2 + 35 - 1 :]
    keys = (data[22 : 22 + 33], data[22 + 33 + 2 + 2 + 6 : 22 + 33 + 2 + 2 + 6 + 33])
    owner, active = (format_public_key(PublicKey(key), "EOS") for key in keys)
    return _name(data[8:16]), owner, active


def _name(raw: bytes) -> str:
    (value,) = struct.unpack("<Q", raw)
    letters = [LETTERS[value >> shift & 31] for shift in range(59, 3, -5)] + [LETTERS[value & 15]]
    return "".join(letters).rstrip(".")


@asynccontextmanager
async def open_chain() -> AsyncIterator[Chain]:
    chain = Chain()
    async with open_http_peer(chain.reply) as peer:
        chain.peer = peer
        yield chain


# --- the independent implementation
class Oracle:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, question: str, **given: object) -> Any:
        """Answers are short and come at once; a test may well wait for one."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"ask": question, **given}) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@contextmanager
def open_oracle() -> Iterator[Oracle]:
    built = install_node_peer(ORACLE)
    with subprocess.Popen(
        ["node", str(built / "oracle.js")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Oracle(process)
        assert process.stdin is not None
        process.stdin.close()
