"""Which process gets which tests, and what becomes of those of a process that ends.

The parts of pytest-xdist that this overrides are private: its version is pinned, and tests/test_scheduler.py ends processes.
"""

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]


class FilesAndBrowser(LoadScopeScheduling):  # type: ignore[misc]
    """Gives the tests of a file to one process, and all that share the browser: one of these is enough for two processors."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "browser" if file.startswith("tests/browser/") else file

    def remove_node(self, node: Any) -> str | None:
        """The test that a process ended with is not tried again: one that hangs would hang in each process.

        What was over before is forgotten: given to another process as work without a test, it would leave that one waiting.
        """
        units = self.assigned_work[node]
        ended_with = next(
            (test for unit in units.values() for test, is_over in unit.items() if not is_over), None
        )
        if ended_with is not None:
            units[self._split_scope(ended_with)][ended_with] = True
        for scope in [scope for scope, unit in units.items() if all(unit.values())]:
            del units[scope]
        super().remove_node(node)
        return ended_with

    def _reschedule(self, node: Any) -> None:
        if node in self.registered_collections:  # a new process asks itself when it has found the tests
            super()._reschedule(node)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FilesAndBrowser:
    """Of `make test`."""
    return FilesAndBrowser(config, log)
