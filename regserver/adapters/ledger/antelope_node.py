"""What is asked of an Antelope node (nodeos) over its HTTP API, bounded in time, and how its answers are read.

https://docs.antelope.io: /v1/chain/get_info, get_account, push_transaction
"""

from datetime import UTC, datetime
from typing import Any, TypeVar

import httpx
import msgspec
import trio

from regserver.domain.instant import Duration, Instant
from regserver.ports.steps import LedgerFault

T = TypeVar("T")

MAX_REPLY_BYTES = 1024 * 1024
DUPLICATE = 3040008  # tx_duplicate: these very bytes were taken before
NAME_EXISTS = 3050001  # account_name_exists_exception
UNKNOWN_KEY = "unknown key"  # how a node says that there is no such account


class Info(msgspec.Struct):
    """chain_id and last_irreversible_block_id in hex; head_block_time in UTC without a zone."""

    chain_id: str
    head_block_time: str
    last_irreversible_block_id: str

    @property
    def now(self) -> Instant:
        """The chain's own time. Raises ValueError."""
        moment = datetime.fromisoformat(self.head_block_time.rstrip("Z")).replace(tzinfo=UTC)
        return Instant(int(moment.timestamp() * 1000))


class KeyWeight(msgspec.Struct):
    key: str
    weight: int


class Authority(msgspec.Struct):
    threshold: int
    keys: tuple[KeyWeight, ...] = ()
    accounts: tuple[Any, ...] = ()


class Permission(msgspec.Struct):
    perm_name: str
    required_auth: Authority


class ChainAccount(msgspec.Struct):
    account_name: str
    permissions: tuple[Permission, ...] = ()

    def keys_of(self, permission: str) -> tuple[str, ...]:
        """The keys of one permission, as the node writes them."""
        found = [each for each in self.permissions if each.perm_name == permission]
        return tuple(weight.key for each in found for weight in each.required_auth.keys)

    def is_shared(self, permission: str) -> bool:
        """Whether another account also holds the permission."""
        return any(each.required_auth.accounts for each in self.permissions if each.perm_name == permission)


class _Detail(msgspec.Struct):
    message: str = ""


class _Error(msgspec.Struct):
    code: int = 0
    name: str = ""
    details: tuple[_Detail, ...] = ()


class _Failure(msgspec.Struct):
    error: _Error


class Refused(msgspec.Struct, frozen=True):
    """The node did not take a transaction. code, name: of its exception."""

    code: int
    name: str


class AntelopeNode:
    def __init__(self, client: httpx.AsyncClient, url: str, limit: Duration) -> None:
        self._client = client
        self._url = url.rstrip("/")
        self._limit = limit

    async def info(self) -> Info:
        return self._read(await self._post("get_info", b"{}"), Info)

    async def account(self, name: str) -> ChainAccount | None:
        """None only when the node says that there is none; anything else unclear is a fault."""
        response = await self._post("get_account", msgspec.json.encode({"account_name": name}))
        if response.is_success:
            return self._read(response, ChainAccount)
        error = _error_of(response)
        if any(UNKNOWN_KEY in detail.message for detail in error.details):
            return None
        raise LedgerFault(f"get_account: status {response.status_code}, {error.code} {error.name}")

    async def push(self, signed: bytes) -> Refused | None:
        """None when the node took the transaction."""
        response = await self._post("push_transaction", signed)
        if response.is_success:
            return None
        error = _error_of(response)
        return Refused(error.code, error.name[:80])

    async def _post(self, call: str, body: bytes) -> httpx.Response:
        try:
            with trio.fail_after(self._limit.seconds):
                response = await self._client.post(
                    f"{self._url}/v1/chain/{call}", content=body, headers={"content-type": "application/json"}
                )
        except trio.TooSlowError:
            raise LedgerFault(f"{call}: no answer in {self._limit.seconds:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise LedgerFault(f"{call}: the node cannot be reached: {type(error).__name__}") from None
        if len(response.content) > MAX_REPLY_BYTES:
            raise LedgerFault(f"{call}: a very long answer")
        return response

    def _read(self, response: httpx.Response, kind: type[T]) -> T:
        if not response.is_success:
            raise LedgerFault(f"the node answered with status {response.status_code}")
        try:
            return msgspec.json.decode(response.content, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise LedgerFault("the node answered with something else than expected") from None


def _error_of(response: httpx.Response) -> _Error:
    try:
        return msgspec.json.decode(response.content, type=_Failure).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _Error()
