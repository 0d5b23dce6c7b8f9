"""What tests of running front doors share."""

from tests.serving.conftest import certificate

__all__ = ["certificate"]
