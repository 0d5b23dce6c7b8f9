"""Fixtures for the adapters' tests."""

from tests.serving.conftest import certificate

__all__ = ["certificate"]
