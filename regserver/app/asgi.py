"""The whole server as one Quart-Trio app, to be served or mounted: hypercorn -k trio "regserver.app:create_app()"

The app's lifespan opens store, broker and services and runs the background work, so the app has no routes before its
startup. The ASGI server handles limits of connections, TLS and pings.
"""

import os
from pathlib import Path

import trio

from regserver.app.assembly import assemble, open_assembly
from regserver.app.server import App
from regserver.config import Loaded, load
from regserver.web.app import WebApp


def create_app(loaded: Loaded | None = None) -> WebApp:
    """The app. loaded: its configuration; by default the file that REGSERVER_CONFIG names, or one of the usual places.

    Raises ConfigFault; other faults fail the lifespan's startup.
    """
    if loaded is None:
        file = os.environ.get("REGSERVER_CONFIG")
        loaded = load(Path(file) if file else None)
    assembly = assemble(loaded, None)
    app, stopping, stopped = WebApp(assembly.core, assembly.limits), trio.Event(), trio.Event()
    app.config["BACKGROUND_TASK_SHUTDOWN_TIMEOUT"] = loaded.settings.server.grace.seconds

    async def keep_open(*, task_status: trio.TaskStatus[None]) -> None:
        """Runs in a task of the app's nursery, since startup and shutdown are two calls."""
        try:
            async with open_assembly(assembly) as whole:
                task_status.started()
                await stopping.wait()
                for stop in whole.stop:
                    await stop()
        finally:
            stopped.set()

    @app.before_serving
    async def start() -> None:
        await app.nursery.start(keep_open)

    @app.after_serving
    async def stop() -> None:
        stopping.set()
        await stopped.wait()

    return app


def quart_app(app: App) -> WebApp:
    """An opened server as ASGI app, for Quart's test client."""
    return WebApp(app.core, app.limits)
