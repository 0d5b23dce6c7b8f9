"""One measurement each: a fresh server on a prepared database, the client on the other core, figures as a dictionary."""

import shutil
from pathlib import Path

from benchmarks.rooms.process import Figures, client, cpu_seconds, server, world
from benchmarks.rooms.world import World
from regserver.adapters.server_key import load_server_key
from regserver.domain.cursor import CursorSeal
from regserver.domain.event import EventId, Position
from regserver.domain.instant import Instant
from regserver.store.sqlite import connect

PRODUCT, ONE_COMMIT, BARE = "regserver", "benchmarks.rooms.one_commit", "benchmarks.rooms.bare"


def posts(posters: int, seconds: float, module: str = PRODUCT) -> Figures:
    """Acknowledged, and so durable, posts per second in a closed loop of so many posters."""
    with world(people=posters) as (path, made), server(path, module) as (port, process):
        used = cpu_seconds(process)
        figures = client("post", port, made.rooms[0], posters, seconds, people=made.people)
        # The client warms up before it counts; its share of the time is what it is of the seconds.
        figures["cpu_us"] = (
            (cpu_seconds(process) - used) * 1e6 / figures["served"] * seconds / (seconds + 0.3)
        )
        return figures


def fan(path: Path, made: World, sockets: int, seconds: float, module: str, query: str = "") -> Figures:
    """Post to last delivery with one post on its way, deliveries per second with four."""
    with server(path, module) as (port, process):
        return client("fan", port, made.rooms[0], sockets, seconds, 4, query, process.pid, people=made.people)


def recovery(events: int, times: int) -> Figures:
    """Everything since the creation of the room, by one client."""
    with world(people=2, posts=events) as (path, made):
        key = load_server_key(path.with_suffix(".key"))
        with server(path) as (port, _):
            cursor = CursorSeal(key.derive("cursor")).write(_position(path, 1))
            return client("recover", port, cursor, events, times, people=made.people)


def _position(path: Path, event: int) -> Position:
    connection = connect(path, read_only=True)
    try:
        row = connection.execute("SELECT id, at FROM event WHERE id = ?", (event,)).fetchone()
    finally:
        connection.close()
    return Position(EventId(row[0]), Instant(row[1]))


def room_list(rooms: int, posts_each: int, times: int) -> Figures:
    """GET /room/list of somebody in so many rooms, each with ten members and unread posts."""
    with (
        world(people=10, rooms=rooms, posts=rooms * posts_each) as (path, made),
        server(path) as (port, _),
    ):
        return client("get", port, "/room/list", times, people=made.people)


class Growth:
    """The cost of a post in a log of a given length: the same database, grown step by step."""

    def __init__(self, lengths: tuple[int, ...], rooms: int) -> None:
        self._lengths = lengths
        self._rooms = rooms

    def run(self, rounds: int, seconds: float, folder: Path) -> dict[int, list[Figures]]:
        """The rounds alternate between the lengths, so that whatever else the machine does meets all of them."""
        kept = {}
        for length in self._lengths:
            with world(people=50, rooms=self._rooms, posts=length) as (path, made):
                kept[length] = (Path(shutil.copytree(path.parent, folder / str(length))) / path.name, made)
        table: dict[int, list[Figures]] = {length: [] for length in self._lengths}
        for _ in range(rounds):
            for length, (path, made) in kept.items():
                with server(path) as (port, process):
                    used = cpu_seconds(process)
                    rooms = f"{made.rooms[0]}-{made.rooms[-1]}"
                    figures = client("post", port, rooms, 50, seconds, people=made.people)
                    figures["cpu_us"] = (cpu_seconds(process) - used) * 1e6 / figures["served"]
                    table[length].append(figures)
        return table
