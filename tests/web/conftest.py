"""The three ways that the tests of the doors go."""

from collections.abc import Iterator

import pytest

from tests.serving.conftest import certificate
from tests.web.http_client import WAYS, Chosen

__all__ = ["certificate"]


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, certificate: tuple[str, str]) -> Iterator[None]:
    """Sends what `open_client` opens by each way in turn."""
    Chosen.way, Chosen.certificate = request.param, certificate
    yield
    Chosen.way = "HTTP/1.1"
