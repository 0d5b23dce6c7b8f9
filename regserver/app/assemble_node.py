"""What a node needs among others on the same store: its name, their presence and signs, and what to do when the log goes back."""

from contextlib import AsyncExitStack

from regserver.app.base import AppPart, Base
from regserver.config import PostgresPlace, store_place
from regserver.service.node_lease import NodeLease, NodePolicy
from regserver.service.presence_sync import PresenceSync
from regserver.service.shared_clock import SharedClock
from regserver.service.sign_sync import SignSync


async def open_node(stack: AsyncExitStack, base: Base) -> AppPart:
    """Takes the node's name, before any other part works under it, and ties its sockets to the others. On SQLite there is one process."""
    if not isinstance(store_place(base.loaded), PostgresPlace):
        return AppPart()
    policy = NodePolicy(base.node, base.run, base.settings.node.lease)
    lease = NodeLease(base.store, base.clock, policy)
    await lease.take()
    stack.push_async_callback(lease.leave)
    presence = PresenceSync(base.store, base.clock, base.broker, policy.run, policy.lease)
    signs = SignSync(base.store, base.clock, base.broker)
    base.store.listen_texts(signs.hear_nowait)
    base.store.listen_loss(base.broker.begin_anew_nowait)
    clocks = (base.clock.run,) if isinstance(base.clock, SharedClock) else ()
    return AppPart(background=(lease.run, presence.run, signs.run, *clocks))
