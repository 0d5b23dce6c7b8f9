"""Requests through the whole product, as somebody in one room and one running registration makes them."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import msgspec

from benchmarks.checkout import Checkout, checkouts
from benchmarks.front import scenario
from benchmarks.front.contender import EVENT_STREAM, Open, asking, contest, write_request
from benchmarks.process import Server
from benchmarks.table import BEFORE, Table, ratio, report, verdict

CONNECTIONS = (1, 32)
AS_FAST = 0.95  # of the earlier version: below it a request has become slower, and not by chance


class Inside(msgspec.Struct, frozen=True):
    """A started product, and what its requests name."""

    server: Server
    token: str
    room: int
    registration: str

    def request(self, method: str, target: str, body: object = None) -> str:
        """Returns a request of the person whose token this is."""
        return write_request(method, target, body, f"Authorization: Bearer {self.token}")


REQUESTS: Mapping[str, Callable[[Inside], str]] = {
    "GET /health/alive": lambda _: write_request("GET", "/health/alive"),
    "GET /login/info": lambda inside: inside.request("GET", "/login/info"),
    "GET /room/list": lambda inside: inside.request("GET", "/room/list"),
    "POST /room/post/{room}": lambda inside: inside.request(
        "POST", f"/room/post/{inside.room}", {"content": "x" * 100}
    ),
    "POST /rpc, getState": lambda _: write_request(
        "POST",
        "/rpc",
        {"jsonrpc": "2.0", "id": 1, "method": "getState", "params": {"phone": "+380000000000"}},
    ),
    "GET /openapi.json": lambda _: write_request("GET", "/openapi.json"),
    "GET /register/{id}/events, first byte": lambda inside: write_request(
        "GET", f"{inside.registration}/events", None, f"Accept: {EVENT_STREAM}"
    ),
}


@contextlib.contextmanager
def open_product(checkout: Checkout) -> Iterator[Inside]:
    """Starts the product with a person, a room of that person's, and a registration that has begun."""
    with scenario.live_product(checkout) as running:
        person = {"username": "ann", "email": "ann@example.org", "password": "a long password"}
        token = scenario.ask(running, "/login/register", person)["token"]
        room = scenario.ask(running, "/room/create", {"name": "Tea"}, token)["roomId"]
        yield Inside(running, token, room, scenario.sign_in(running))


def measure(count: int, bursts: int, seconds: float) -> None:
    """Measures each request over one connection and over many, this version and the earlier one in turns."""
    with contextlib.ExitStack() as stack:
        opened = {
            name: stack.enter_context(open_product(checkout)) for name, checkout in checkouts("now").items()
        }
        for title, write in REQUESTS.items():
            for connections in CONNECTIONS:
                opens: dict[str, Open] = {
                    name: partial(asking, inside.server, write(inside), connections, seconds)
                    for name, inside in opened.items()
                }
                table = contest(opens, count, bursts)
                report(
                    f"{title}, {connections} at a time", table, ("requests_s", "p50_us", "p99_us", "cpu_us")
                )
                judge(table)


def judge(table: Table) -> None:
    if BEFORE in table:
        verdict("requests/s to before", ratio(table, "requests_s", "now", BEFORE), AS_FAST)
        verdict("processor time, before to now", ratio(table, "cpu_us", BEFORE, "now"), AS_FAST)
