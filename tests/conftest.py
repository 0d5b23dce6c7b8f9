"""What tests of several folders share: one cluster of PostgreSQL, and new databases on it."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.cli.shell import Shell
from tests.fork_server import FORK_SERVER, ForkingPopen
from tests.peer.postgres import Cluster
from tests.scheduler import pytest_xdist_make_scheduler as pytest_xdist_make_scheduler  # a hook
from tests.store.postgres.held_store import databases

# A busy machine takes longer; what a test says of its time it counts itself.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
subprocess.Popen = ForkingPopen  # type: ignore[misc]

HEAVY = {"browser", "system", "crash", "security", "cli", "packaging", "document"}
"""The folders of tests that start processes."""
HEAVY_END = 0.85


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests with the browser come first, since one process has them all. The files of the other folders are spread over the run,
    the light ones last, since one process would be left with a heavy file.
    """
    files: dict[str, dict[Path, None]] = {}
    for item in items:
        files.setdefault(_folder(item), {})[item.path] = None
    place = {
        path: number / len(paths) * (HEAVY_END if folder in HEAVY else 1)
        for folder, paths in files.items()
        for number, path in enumerate(paths)
    }
    items.sort(key=lambda item: (_folder(item) != "browser", place[item.path]))


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(FailuresAtOnce(config))


class FailuresAtOnce:
    """Prints a failure when it is known: a run that is cut off has no summary."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Of the process that prints."""
        terminal = self._config.pluginmanager.get_plugin("terminalreporter")
        if report.failed and terminal is not None:
            terminal.ensure_newline()
            terminal.section(f"{report.when} of {report.nodeid}", red=True)
            terminal.line(report.longreprtext)


def _folder(item: pytest.Item) -> str:
    return item.path.relative_to(Path(__file__).parent).parts[0]


@pytest.fixture(scope="session", autouse=True)
def fork_server() -> Iterator[None]:
    """Ends with the tests."""
    yield
    FORK_SERVER.stop()


@pytest.fixture
def new_interpreters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes start as a person starts them, for tests that look at the process itself."""
    monkeypatch.setattr(FORK_SERVER, "is_on", False)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """One for all tests that do not stop it."""
    with Cluster.create() as made:
        yield made


@pytest.fixture(scope="session")
def new_database(cluster: Cluster) -> Callable[[], str]:
    """Makes empty, migrated databases."""
    return databases(cluster)


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    """The command line, on a store in the test's folder."""
    return Shell(tmp_path, capsys)
