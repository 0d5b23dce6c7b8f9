"""The Quart-Trio app, and a package for each door: see create_app."""

from regserver.web.app import WebApp, create_app

__all__ = ["WebApp", "create_app"]
