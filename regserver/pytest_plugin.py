"""The fixture `regserver` for pytest. It is loaded by every run of pytest, so it loads the server only where a test asks for it.

A test gets a server of its own, with an empty store: an asynchronous one (pytest-trio, anyio, pytest-asyncio) a TestedServer, a
plain one a BlockingServer. They run in one thread for the whole session. `@pytest.mark.regserver(login={"token_ttl": "1h"})` on a
test, class or module gives settings.
"""

import inspect
from collections.abc import Iterator
from typing import Any

import pytest

MARK = "regserver(**settings): the settings of the test's server, by section, as in regserver.toml"


def pytest_configure(config: pytest.Config) -> None:
    """Makes the marker known."""
    config.addinivalue_line("markers", MARK)


@pytest.fixture(scope="session")
def regserver_loop() -> Iterator[Any]:
    """The thread of all servers of the session."""
    from regserver import testing  # heavy, and most runs of pytest have no use for it

    with testing.server_loop() as loop:
        yield loop


@pytest.fixture
def regserver(request: pytest.FixtureRequest, regserver_loop: Any) -> Iterator[Any]:
    """A server for this test."""
    from regserver import testing  # as above

    settings: dict[str, dict[str, Any]] = {}
    for mark in reversed(list(request.node.iter_markers("regserver"))):
        for section, values in mark.kwargs.items():
            settings[section] = {**settings.get(section, {}), **values}
    with regserver_loop.server(**settings) as running:
        yield running if _is_async(request) else testing.BlockingServer(running)


def _is_async(request: pytest.FixtureRequest) -> bool:
    return inspect.iscoroutinefunction(inspect.unwrap(request.function))
