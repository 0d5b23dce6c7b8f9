"""Templates of pages. Their library, Jinja, comes with the first page: 2 MiB and 40 ms, in a thread."""

from collections.abc import Callable, Iterable
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import msgspec
import trio

from regserver.endpoint import Request
from regserver.web.http.answer import Answer
from regserver.web.http.pipeline import RouteEndpoint
from regserver.web.http.route import Route

if TYPE_CHECKING:
    import jinja2

Render = Callable[..., str]
"""Fills a template with values, which are given by name."""


def page_environment(read: Callable[[str], str], *, strips: bool = True) -> "jinja2.Environment":
    """Where templates find each other. read: the text of one by its name. strips: the blanks before blocks."""
    import jinja2  # 2 MiB, 40 ms

    return jinja2.Environment(
        loader=jinja2.FunctionLoader(read),
        autoescape=jinja2.select_autoescape(["html"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=strips,
    )


@cache
def load_template(name: str) -> Render:
    """The template of a page, which may extend and include others. name: of its file."""
    environment = page_environment(lambda name: (files(__package__) / name).read_text("utf-8"))
    return environment.get_template(name).render


def loaded_before(load: Callable[[], object], routes: Iterable[Route]) -> tuple[Route, ...]:
    """The same routes, whose first request waits until `load` has run in a thread."""
    done: list[object] = []

    def waiting(endpoint: RouteEndpoint) -> RouteEndpoint:
        async def answer(request: Request) -> Answer:
            if not done:
                done.append(await trio.to_thread.run_sync(load))
            return await endpoint(request)

        return answer

    return tuple(msgspec.structs.replace(route, endpoint=waiting(route.endpoint)) for route in routes)
