"""How late the event loop is: all requests wait for it, so a delay here is a delay for everybody."""

import trio

from regserver.domain.times import Times

LOOK_SECONDS = 0.25


async def run_loop_watch(delay: Times) -> None:
    """Measures how much later a sleep ends than it should, until cancelled."""
    while True:
        due = trio.current_time() + LOOK_SECONDS
        await trio.sleep_until(due)
        delay.add(max(0.0, trio.current_time() - due))
