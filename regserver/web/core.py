"""Router and dispatcher of all routes: what the front door calls, and the Quart app too."""

from collections.abc import Iterable

from regserver.web.http.dispatch import Dispatcher, WebParts
from regserver.web.http.route import Route, SocketRoute
from regserver.web.http.router import Router


class WebCore:
    """The web side without Quart, which a server on its own front door does not load.

    Routes may be added before the first request, for instance by a lifespan.
    """

    def __init__(self, parts: WebParts) -> None:
        self.router = Router()
        self.dispatcher = Dispatcher(self.router, parts)

    def add_routes(self, routes: Iterable[Route], sockets: Iterable[SocketRoute] = ()) -> None:
        """Adds routes to the router's Map, under their names. Raises ValueError for a duplicate."""
        self.router.add(routes, sockets)
