"""The composition root: the only package that chooses back ends. `server` runs what the other modules build."""

from regserver.app.asgi import create_app
from regserver.app.collector import run_collector
from regserver.app.server import App, Control, Started, open_app, run_app

__all__ = ["App", "Control", "Started", "create_app", "open_app", "run_app", "run_collector"]
