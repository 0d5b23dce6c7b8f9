"""Proxies whose setting is missing: told in the log once an hour, and in readiness for an hour.

Without the setting every client of the proxy counts as one client, and links begin with what the proxy asked for.
"""

import logging
import time
from collections.abc import Callable, Iterable

from regserver.domain.address import is_private
from regserver.log import HourlyLog

log = logging.getLogger("regserver.proxy")
SHOWN_SECONDS = 3600.0


class ProxyNotice:
    """monotonic: the time in seconds."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._log = HourlyLog(log, monotonic)
        self._shown = ""
        self._until = 0.0

    def tell_ignored(self, peer: str, fields: Iterable[str]) -> None:
        """A peer that is not trusted sends these fields.

        Readiness tells of peers on private addresses alone: on public ones any stranger may send such fields.
        """
        who, entry = (peer, peer) if peer else ("the unix socket", "unix")
        text = (
            f"{who} sends {', '.join(sorted(fields))}, which are ignored: if it is your proxy, add"
            f' "{entry}" to server.trusted_proxies, and set server.public_url (docs/proxy.md)'
        )
        self._tell(entry, text, in_readiness=not peer or is_private(peer))

    def tell_missing(self, peer: str, field: str) -> None:
        """A trusted peer forwards a request without the field that is believed."""
        text = (
            f"the proxy {peer or 'at the unix socket'} sends no {field}, so all its clients count as one: make it set"
            " the field, or name another in server.proxy_fields (docs/proxy.md)"
        )
        self._tell(f"{peer} {field}", text, in_readiness=True)

    def _tell(self, cause: str, text: str, *, in_readiness: bool) -> None:
        self._log.warn(cause, "%s", text)
        if in_readiness:
            self._shown, self._until = text, self._monotonic() + SHOWN_SECONDS

    async def check(self) -> str | None:
        """The last notice, for an hour after its last cause; None without one."""
        return self._shown if self._monotonic() < self._until else None
