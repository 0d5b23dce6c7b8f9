"""The composition root: the only place that names back ends. `server` puts together what the other modules build."""

from regserver.app.base import sqlite_path
from regserver.app.server import App, Control, open_app, run_app

__all__ = ["App", "Control", "open_app", "run_app", "sqlite_path"]
