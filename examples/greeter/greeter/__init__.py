"""Welcomes whoever comes into a room: an example of a service that is built on regserver."""

from greeter.service import greet

__all__ = ["greet"]
