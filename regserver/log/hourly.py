"""Warnings about what clients do, at most once an hour for each cause, however many clients do it."""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable

SECONDS = 3600.0
MAX_CAUSES = 64
"""The most causes that are remembered, since clients can invent them. While all of them are fresh, no further one is logged."""


class HourlyLog:
    """monotonic: the time in seconds."""

    def __init__(self, log: logging.Logger, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._monotonic = monotonic
        self._told: OrderedDict[str, float] = OrderedDict()

    def warn(self, cause: str, text: str, *arguments: object) -> None:
        """Logs the text unless this cause was told within the hour. arguments: as for Logger.warning."""
        now = self._monotonic()
        while self._told and next(iter(self._told.values())) <= now - SECONDS:
            self._told.popitem(last=False)
        if cause in self._told or len(self._told) >= MAX_CAUSES:
            return
        self._told[cause] = now
        self._log.warning(text, *arguments)
