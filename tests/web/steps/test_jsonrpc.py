"""The dispatcher against the specification's own examples (https://www.jsonrpc.org/specification#examples) and beyond."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regserver.endpoint import Request
from regserver.ports.store import StoreFault
from regserver.web.steps.jsonrpc import Method, Rpc, RpcError, invalid_params


class Pair(msgspec.Struct):
    minuend: int
    subtrahend: int


class Nothing(msgspec.Struct):
    pass


class Choice(msgspec.Struct):
    colour: str = "none"


async def subtract(params: Pair, _: Request) -> object:
    return params.minuend - params.subtrahend


async def get_data(params: Nothing, _: Request) -> object:
    return ["hello", 5]


async def fail(params: Nothing, _: Request) -> object:
    raise LookupError("a bug with a secret in it")


async def lose_store(params: Nothing, _: Request) -> object:
    raise StoreFault("disk full")


async def refuse(params: Nothing, _: Request) -> object:
    return RpcError(1107, "Try later", {"when": "soon"}, {"when": "soon"})


async def colour(params: Choice, _: Request) -> object:
    return params.colour


def method(name: str, params: type[msgspec.Struct], call: Any) -> Method:
    return Method(name=name, summary="", params=params, result=Nothing, call=call)


RPC = Rpc(
    [
        method("subtract", Pair, subtract),
        method("get_data", Nothing, get_data),
        method("update", Nothing, get_data),
        method("fail", Nothing, fail),
        method("lose_store", Nothing, lose_store),
        method("refuse", Nothing, refuse),
        method("colour", Choice, colour),
    ],
    lambda methods: {"openrpc": "1.3.2", "methods": [{"name": each.name} for each in methods]},
)

PARSE = {"jsonrpc": "2.0", "error": {"code": -32700, "message": "Parse error"}, "id": None}
INVALID = {"jsonrpc": "2.0", "error": {"code": -32600, "message": "Invalid Request"}, "id": None}


def error(code: int, message: str, identity: object = None, **more: object) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "error": {"code": code, "message": message, **more}, "id": identity}


def result(value: object, identity: object) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "result": value, "id": identity}


async def ask(body: bytes | str) -> Any:
    reply = await RPC.serve(
        Request(method="POST", path="/rpc", body=body.encode() if isinstance(body, str) else body)
    )
    return None if reply is None else json.loads(reply)


SPECIFICATION: list[tuple[str, Any]] = [
    (
        '{"jsonrpc": "2.0", "method": "subtract", "params": {"subtrahend": 23, "minuend": 42}, "id": 3}',
        result(19, 3),
    ),
    (
        '{"jsonrpc": "2.0", "method": "subtract", "params": {"minuend": 42, "subtrahend": 23}, "id": 4}',
        result(19, 4),
    ),
    # Parameters come by name here, so these of the specification's calls are refused.
    (
        '{"jsonrpc": "2.0", "method": "subtract", "params": [42, 23], "id": 1}',
        error(-32602, "Invalid params", 1),
    ),
    ('{"jsonrpc": "2.0", "method": "update", "params": [1,2,3,4,5]}', None),
    ('{"jsonrpc": "2.0", "method": "foobar"}', None),
    ('{"jsonrpc": "2.0", "method": "foobar", "id": "1"}', error(-32601, "Method not found", "1")),
    ('{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]', PARSE),
    ('{"jsonrpc": "2.0", "method": 1, "params": "bar"}', INVALID),
    (
        '[{"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"}, {"jsonrpc": "2.0", "method"]',
        PARSE,
    ),
    ("[]", INVALID),
    ("[1]", [INVALID]),
    ("[1,2,3]", [INVALID, INVALID, INVALID]),
    (
        """[
        {"jsonrpc": "2.0", "method": "subtract", "params": {"minuend": 42, "subtrahend": 23}, "id": "1"},
        {"jsonrpc": "2.0", "method": "update", "params": {}},
        {"jsonrpc": "2.0", "method": "subtract", "params": [42,23], "id": "2"},
        {"foo": "boo"},
        {"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"},
        {"jsonrpc": "2.0", "method": "get_data", "id": "9"}
    ]""",
        [
            result(19, "1"),
            error(-32602, "Invalid params", "2"),
            INVALID,
            error(-32601, "Method not found", "5"),
            result(["hello", 5], "9"),
        ],
    ),
    (
        '[{"jsonrpc": "2.0", "method": "update", "params": {}}, {"jsonrpc": "2.0", "method": "nothing"}]',
        None,
    ),
]


@pytest.mark.parametrize(("sent", "reply"), SPECIFICATION)
async def test_the_examples_of_the_specification(sent: str, reply: Any) -> None:
    assert await ask(sent) == reply


@pytest.mark.parametrize(
    "identity", ['"1"', "1", "0", "-7", "1.5", "12345678901234567890", "null", '""', '"\\u0000"']
)
async def test_ids_come_back_as_they_were(identity: str) -> None:
    reply = await ask(f'{{"jsonrpc": "2.0", "method": "get_data", "id": {identity}}}')
    assert reply == result(["hello", 5], json.loads(identity))


@pytest.mark.parametrize("identity", ["true", "false", "[]", "{}", "[1]", '{"id": 1}'])
async def test_other_ids_are_invalid(identity: str) -> None:
    assert await ask(f'{{"jsonrpc": "2.0", "method": "get_data", "id": {identity}}}') == INVALID


@pytest.mark.parametrize(
    "body",
    [
        "",
        "NaN",
        '{"id": NaN}',
        "nul",
        "{}x",
        "\ufeff{}",
        '{"a": "\\ud800"}',
        "[" * 60_000,
        '{"a":' * 20_000,
        "1e999",
    ],
)
async def test_what_is_no_json(body: str) -> None:
    assert await ask(body) == PARSE


async def test_bytes_that_are_no_text_are_no_json() -> None:
    assert await ask(b'{"jsonrpc": "\xff"}') == PARSE
    assert await ask('{"jsonrpc": "2.0", "method": "get_data", "id": 1}'.encode("utf-16")) == PARSE


@pytest.mark.parametrize("body", ["null", "1", '"x"', "true", "[[]]", "[[1]]", "[null]"])
async def test_what_is_no_request(body: str) -> None:
    assert await ask(body) in (INVALID, [INVALID])


@pytest.mark.parametrize(
    "wrong",
    [
        {"jsonrpc": "1.0"},
        {"jsonrpc": 2.0},
        {"jsonrpc": None},
        {"method": None},
        {"method": ["get_data"]},
        {"params": "x"},
        {"params": 1},
        {"params": False},
    ],
)
async def test_malformed_requests_keep_their_id(wrong: dict[str, object]) -> None:
    request = {"jsonrpc": "2.0", "method": "get_data", "id": 7, **wrong}
    assert await ask(json.dumps(request)) == error(-32600, "Invalid Request", 7)


async def test_batches_hold_fifty() -> None:
    call = {"jsonrpc": "2.0", "method": "get_data", "id": 1}
    assert await ask(json.dumps([call] * 50)) == [result(["hello", 5], 1)] * 50
    assert await ask(json.dumps([call] * 51)) == error(-32600, "Invalid Request", data={"maxBatch": 50})


@pytest.mark.parametrize("name", ["registration.get_data", "get_data"])
async def test_names_with_and_without_prefix(name: str) -> None:
    assert await ask(json.dumps({"jsonrpc": "2.0", "method": name, "id": 1})) == result(["hello", 5], 1)


@pytest.mark.parametrize(
    "name",
    [
        "__init__",
        "__class__",
        "",
        "registration.",
        "registration.registration.get_data",
        "get_data ",
        "GET_DATA",
        "rpc.",
        "rpc.discover.x",
        "serve",
        "methods",
        "\0",
        "x" * 10_000,
    ],
)
async def test_other_names_are_no_methods(name: str) -> None:
    asked = json.dumps({"jsonrpc": "2.0", "method": name, "id": 1})
    assert await ask(asked) == error(-32601, "Method not found", 1)


async def test_null_is_the_same_as_absent() -> None:
    asked = {"jsonrpc": "2.0", "method": "colour", "id": 1, "params": {"colour": None, "unknown": None}}
    assert await ask(json.dumps(asked)) == result("none", 1)
    assert await ask(json.dumps({**asked, "params": None})) == result("none", 1)
    missing = {"jsonrpc": "2.0", "method": "subtract", "id": 1, "params": {"minuend": None, "subtrahend": 1}}
    assert await ask(json.dumps(missing)) == error(-32602, "Invalid params", 1, data={"parameter": "minuend"})


async def test_a_wrong_parameter_is_named_and_not_repeated() -> None:
    asked = {
        "jsonrpc": "2.0",
        "method": "subtract",
        "id": 1,
        "params": {"minuend": "s3cret", "subtrahend": 1},
    }
    assert await ask(json.dumps(asked)) == error(-32602, "Invalid params", 1, data={"parameter": "minuend"})
    assert invalid_params().as_wire() == {"code": -32602, "message": "Invalid params"}


async def test_application_errors_stand_in_data_and_beside_the_code() -> None:
    reply = await ask('{"jsonrpc": "2.0", "method": "refuse", "id": 1}')
    assert reply == error(1107, "Try later", 1, data={"when": "soon"}, when="soon")


@pytest.mark.parametrize("name", ["fail", "lose_store"])
async def test_a_fault_of_ours_is_one_reply_and_the_batch_goes_on(name: str) -> None:
    batch = [
        {"jsonrpc": "2.0", "method": name, "id": 1},
        {"jsonrpc": "2.0", "method": name},
        {"jsonrpc": "2.0", "method": "get_data", "id": 2},
    ]
    assert await ask(json.dumps(batch)) == [
        error(500, "Internal Service Error", 1),
        result(["hello", 5], 2),
    ]


async def test_discovery_is_served_like_a_method() -> None:
    reply = await ask('{"jsonrpc": "2.0", "method": "rpc.discover", "id": 1}')
    assert reply["result"]["openrpc"] == "1.3.2"
    assert len(reply["result"]["methods"]) == 7


async def test_a_batch_describes_the_methods_once() -> None:
    discover = {"jsonrpc": "2.0", "method": "rpc.discover", "id": 1}
    first, other, again = await ask(
        json.dumps([discover, {"jsonrpc": "2.0", "method": "get_data", "id": 2}, discover])
    )
    assert first["result"]["openrpc"] == "1.3.2"
    assert other["id"] == 2
    assert again["error"]["code"] == 429


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=10), inner, max_size=5),
    max_leaves=20,
)
KEYS = st.sampled_from(["jsonrpc", "method", "params", "id"])
REQUESTS = st.dictionaries(KEYS, st.sampled_from(["2.0", "colour", "subtract"]) | JSON_VALUES)


@given(JSON_VALUES | REQUESTS | st.lists(REQUESTS, max_size=4))
async def test_any_json_gets_a_well_formed_reply(message: object) -> None:
    reply = await ask(json.dumps(message))
    assert_well_formed(reply)


def assert_well_formed(reply: Any) -> None:
    replies = reply if isinstance(reply, list) else [] if reply is None else [reply]
    for each in replies:
        assert each.keys() - {"result", "error"} == {"jsonrpc", "id"}
        assert ("result" in each) != ("error" in each)


@given(st.binary(max_size=300))
async def test_any_bytes_get_a_well_formed_reply(body: bytes) -> None:
    assert_well_formed(await ask(body))
