"""Builds what live registration is made of, and its board: among other nodes on PostgreSQL, alone on SQLite."""

import msgspec

from regserver.app.assemble_gate import build_gate
from regserver.app.base import Base
from regserver.config import PostgresPlace, store_place
from regserver.ports.source import Source
from regserver.service.live_account import LiveParts, LivePolicy
from regserver.service.live_board import LiveBoard, LoneBoard
from regserver.service.live_keeper import BoardParts
from regserver.service.live_seal import LiveSeal
from regserver.service.shared_board import SharedBoard


def build_live_parts(base: Base, source: Source | None) -> LiveParts:
    """source: None where live registration is switched off. Raises ConfigFault."""
    policy = msgspec.convert(base.settings.live, LivePolicy, from_attributes=True)
    return LiveParts(
        store=base.store,
        clock=base.clock,
        randomness=base.randomness,
        identity=base.identity,
        guard=base.guard,
        source=source,
        policy=policy,
        gate=build_gate(base, "live"),
        board=_build_board(base, source, policy),
        on_end=lambda state: base.web.metrics.registrations_ended.labels(state).inc(),
    )


def _build_board(base: Base, source: Source | None, policy: LivePolicy) -> LiveBoard:
    if not isinstance(store_place(base.loaded), PostgresPlace):
        return LoneBoard()
    parts = BoardParts(
        store=base.store,
        clock=base.clock,
        seal=LiveSeal(base.key.derive("live"), base.key.derive("live person"), base.randomness),
        run=base.run,
        lease=base.settings.node.lease,
        replay=policy.replay,
        most=policy.max_running,
        source=policy.source,
        keeps_names=source is not None and source.people is not None,
    )
    board = SharedBoard(parts)
    base.store.listen_elsewhere(board.follower.changed_nowait)
    return board
