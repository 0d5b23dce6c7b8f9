"""One measurement each: a fresh server on a prepared database, the client on the other core, figures as a dictionary."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec

from benchmarks.client import run_client
from benchmarks.front import contender
from benchmarks.process import compiled, scratch
from benchmarks.product import MODULE, product
from benchmarks.rooms.world import World, world
from benchmarks.table import Figures
from regserver.adapters.server_key import load_server_key
from regserver.domain.cursor import CursorSeal
from regserver.domain.instant import Instant
from regserver.domain.room_event import EventId, Position
from regserver.store.sqlite import connect

PRODUCT, ONE_COMMIT, BARE = MODULE, "benchmarks.rooms.one_commit", "benchmarks.rooms.bare"
CLIENT = Path(__file__).parent / "roomclient.c"
WARM_UP_SECONDS = 0.3  # of the client, before it counts
SOCKET = "/room/websocket"


def client(mode: str, port: int, made: World, *arguments: str | float) -> Figures:
    return run_client([compiled(CLIENT), mode, port, made.tokens, *arguments])


def post(made: World, posters: int, seconds: float, module: str = PRODUCT) -> Figures:
    """Acknowledged, and so durable, posts per second in a closed loop of so many posters, to all rooms."""
    with product(made.path, module=module) as running:
        used = running.cpu_seconds()
        rooms = f"{made.rooms[0]}-{made.rooms[-1]}"
        figures = client("post", running.port, made, rooms, posters, seconds)
        # What the time of the warm-up was used for is in no figure of the client.
        share = seconds / (seconds + WARM_UP_SECONDS)
        figures["cpu_us"] = (running.cpu_seconds() - used) * 1e6 / figures["served"] * share
        return figures


def fresh_post(posters: int, seconds: float, module: str = PRODUCT) -> Figures:
    """The same with an empty log."""
    with world(people=posters) as made:
        return post(made, posters, seconds, module)


def fan(made: World, sockets: int, seconds: float, module: str, query: str = "", window: int = 4) -> Figures:
    """Post to last delivery with one post on its way, deliveries per second with `window` of them."""
    with product(made.path, module=module) as running:
        room, target = made.rooms[0], SOCKET + query
        return client("fan", running.port, made, room, sockets, seconds, window, target, running.pid)


def peer(name: str, sockets: int, seconds: float, window: int) -> Figures:
    """A peer's bare fan-out of messages as long."""
    with contender.fan(name, sockets, seconds, 1, window=window) as load:
        return {key: value for key, value in load.burst().items() if key in {"deliveries_s", "cpu_us"}}


def recovery(events: int, times: int) -> Figures:
    """Everything since the creation of the room, by one client."""
    with world(people=2, posts=events) as made:
        key = load_server_key(made.path.with_suffix(".key"))
        with product(made.path) as running:
            cursor = CursorSeal(key.derive("cursor")).write(_position(made.path, 1))
            return client("recover", running.port, made, f"{SOCKET}?since={cursor}", events, times)


def _position(path: Path, event: int) -> Position:
    with contextlib.closing(connect(path, read_only=True)) as connection:
        row = connection.execute("SELECT id, at FROM event WHERE id = ?", (event,)).fetchone()
    return Position(EventId(row[0]), Instant(row[1]))


def room_list(rooms: int, posts_each: int, times: int) -> Figures:
    """GET /room/list of somebody in so many rooms, each with ten members and unread posts."""
    with world(people=10, rooms=rooms, posts=rooms * posts_each) as made, product(made.path) as running:
        return client("get", running.port, made, "/room/list", times)


@contextlib.contextmanager
def kept(people: int, rooms: int, lengths: tuple[int, ...]) -> Iterator[dict[int, World]]:
    """A database for each length of the log, which posts make longer."""
    with scratch() as folder:
        worlds = {}
        for length in lengths:
            with world(people=people, rooms=rooms, posts=length) as made:
                place = shutil.copytree(made.path.parent, folder / str(length))
                worlds[length] = msgspec.structs.replace(made, path=place / made.path.name)
        yield worlds
