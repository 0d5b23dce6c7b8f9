"""The composition root: the only package that chooses back ends. `server` runs what the other modules build."""

from collections.abc import Awaitable, Callable

from regserver.app.collector import give_back, run_collector
from regserver.app.server import App, Control, Started, open_app, run_app
from regserver.config import Loaded

__all__ = ["App", "Control", "Started", "create_app", "give_back", "open_app", "run_app", "run_collector"]


def create_app(loaded: Loaded | None = None) -> Callable[..., Awaitable[None]]:
    """The whole server as ASGI app: see `app.asgi`, which loads Quart. `regserver serve` saves its 7 MiB."""
    from regserver.app.asgi import create_app as create  # 7 MiB

    return create(loaded)
