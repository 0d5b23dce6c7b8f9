"""The doors, a package each, and the Quart-Trio app that hosts them: see create_app."""

from regserver.web.app import WebApp, create_app

__all__ = ["WebApp", "create_app"]
