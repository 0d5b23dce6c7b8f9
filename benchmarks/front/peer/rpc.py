"""The product with one method more, which does nothing and needs no store. Usage: rpc serve --set …

So that what a request costs on its way through all of the product is measured, and not what is done about it.
"""

import msgspec

from regserver.__main__ import main
from regserver.endpoint import Request
from regserver.web.steps import endpoint as steps
from regserver.web.steps.jsonrpc import Method
from regserver.web.steps.method import StepsMethods
from regserver.web.steps.table import methods


class Nothing(msgspec.Struct, frozen=True):
    """Takes nothing."""


class Fine(msgspec.Struct, frozen=True):
    status: str = "OK"


async def nothing(params: Nothing, request: Request) -> Fine:
    return Fine()


NOTHING = Method(name="bench.nothing", summary="Nothing.", params=Nothing, result=Fine, call=nothing)


def with_nothing(calls: StepsMethods) -> tuple[Method, ...]:
    return (*methods(calls), NOTHING)


if __name__ == "__main__":
    steps.methods = with_nothing  # type: ignore[attr-defined]  # that module only imports it
    main()
