"""The whole server as one Quart-Trio app, to be served or mounted: hypercorn -k trio "regserver.app:create_app()"

The app's lifespan opens store, broker and services and runs the background work, so the app has no routes before its
startup. The ASGI server handles limits of connections, TLS and pings.
"""

import os
from pathlib import Path

import trio

from regserver.app.assembly import Assembly, assemble, open_assembly
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
    app, lifespan = assembly.app, _Lifespan(assembly)
    app.config["BACKGROUND_TASK_SHUTDOWN_TIMEOUT"] = loaded.settings.server.grace.seconds
    app.before_serving(lifespan.start)
    app.after_serving(lifespan.stop)
    return app


class _Lifespan:
    """Keeps the assembly open in a task of the app's nursery, since startup and shutdown are two calls."""

    def __init__(self, assembly: Assembly) -> None:
        self._assembly = assembly
        self._stopping = trio.Event()
        self._stopped = trio.Event()

    async def start(self) -> None:
        await self._assembly.app.nursery.start(self._run)

    async def stop(self) -> None:
        self._stopping.set()
        await self._stopped.wait()

    async def _run(self, *, task_status: trio.TaskStatus[None]) -> None:
        try:
            async with open_assembly(self._assembly) as behind:
                task_status.started()
                await self._stopping.wait()
                for stop in behind.stop:
                    await stop()
        finally:
            self._stopped.set()
