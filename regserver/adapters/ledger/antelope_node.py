"""The requests to an Antelope node (nodeos) over its HTTP API, bounded in time, and its answers.

https://docs.antelope.io: /v1/chain/get_info, get_account, push_transaction
"""

from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from regserver.adapters.provider_client import NoAnswer, ProviderAnswer, ProviderClient, ProviderRequest
from regserver.domain.instant import Instant
from regserver.ports.ledger import LedgerFault

T = TypeVar("T")

JSON = {"content-type": "application/json"}
DUPLICATE = 3040008  # tx_duplicate: the node has accepted these bytes before
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


class NodeError(msgspec.Struct):
    """The exception by which the node refused a request; code 0 when it named none."""

    code: int = 0
    name: str = ""
    details: tuple[_Detail, ...] = ()


class _Failure(msgspec.Struct):
    error: NodeError


class AntelopeNode:
    """A client of one node. url: without the path of its API."""

    def __init__(self, client: ProviderClient, url: str) -> None:
        self._client = client
        self._url = url.rstrip("/")

    async def info(self) -> Info:
        """The state of the chain. Raises LedgerFault."""
        return self._read(await self._post("get_info", b"{}"), Info)

    async def account(self, name: str) -> ChainAccount | None:
        """An account; None only when the node says that there is none. Raises LedgerFault for any other answer."""
        answer = await self._post("get_account", msgspec.json.encode({"account_name": name}))
        if answer.good:
            return self._read(answer, ChainAccount)
        error = _error_of(answer)
        if any(UNKNOWN_KEY in detail.message for detail in error.details):
            return None
        raise LedgerFault(f"get_account: status {answer.status}, {error.code} {error.name}")

    async def push(self, signed: bytes) -> NodeError | None:
        """Pushes a transaction; None when the node accepted it. Raises LedgerFault when there is no answer."""
        answer = await self._post("push_transaction", signed)
        return None if answer.good else _error_of(answer)

    async def _post(self, call: str, body: bytes) -> ProviderAnswer:
        request = ProviderRequest("POST", f"{self._url}/v1/chain/{call}", headers=JSON, content=body)
        try:
            return await self._client.ask(request)
        except NoAnswer as fault:
            raise LedgerFault(f"{call}: {fault}") from None

    def _read(self, answer: ProviderAnswer, kind: type[T]) -> T:
        if not answer.good:
            raise LedgerFault(f"the node answered with status {answer.status}")
        if (read := answer.read(kind)) is None:
            raise LedgerFault("the node's answer cannot be read")
        return read


def _error_of(answer: ProviderAnswer) -> NodeError:
    return (answer.read(_Failure) or _Failure(NodeError())).error
