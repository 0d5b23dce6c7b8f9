"""Requests to a running server: stop, abort, reload."""

import logging
from types import SimpleNamespace
from typing import cast

import pytest
import trio
import trio.testing

from regserver.app.base import AppPart
from regserver.app.server import App, Control, _run_reload
from regserver.config import Loaded, Settings
from regserver.ports.store import StoreFault


async def test_a_reload_that_the_store_cannot_do_is_logged_and_may_be_repeated(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The store fails once; the task that reloads must outlive it."""
    faults = [StoreFault("the disk is full")]

    async def reload(settings: Settings) -> None:
        if faults:
            raise faults.pop()

    app = cast("App", SimpleNamespace(whole=AppPart(reload=(reload,))))
    control = Control()
    caplog.set_level(logging.INFO)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_run_reload, app, control, lambda: Loaded(Settings(), None))
        for expected in ("not reloaded: the disk is full", "reloaded"):
            control.reload_nowait()
            await trio.testing.wait_all_tasks_blocked()
            assert caplog.messages[-1] == expected
        nursery.cancel_scope.cancel()
