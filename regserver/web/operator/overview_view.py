"""The first page: how every part is, what runs, what waits."""

import msgspec

from regserver.domain.outcome import Refusal
from regserver.service.operator.server import RunningJob
from regserver.service.operator.user import UserDesk
from regserver.web.admin.server_endpoint import ServerParts
from regserver.web.operator.guarded import Asked
from regserver.web.operator.view import FactsBlock, ListRow, OperatorView, RowsBlock

MOST_COUNTED = 1000
"""Waiting accounts are counted up to this number, which is then shown."""


class OverviewParts(msgspec.Struct, frozen=True):
    """What it works with. node: the name of this process."""

    server: ServerParts
    users: UserDesk
    node: str


class OverviewView:
    """The overview."""

    def __init__(self, parts: OverviewParts) -> None:
        self._parts = parts

    async def page(self, asked: Asked) -> OperatorView | Refusal:
        """What every role but publish may see."""
        t, who, server = asked.t, asked.visit.who, self._parts.server
        health, jobs = await server.server.health(who), await server.server.jobs(who)
        if isinstance(health, Refusal):
            return health
        if isinstance(jobs, Refusal):
            return jobs
        waiting, mails = await self._parts.users.waiting(who, MOST_COUNTED), await server.mail.list(who)
        if isinstance(waiting, Refusal):
            return waiting
        if isinstance(mails, Refusal):
            return mails
        parked = sum(each.message.parked_at is not None for each in mails)
        facts = (
            (t.fact["state"], t.word["fine"] if health.status == "ready" else health.status),
            (t.fact["version"], server.version),
            (t.fact["node"], self._parts.node),
            (t.fact["running"], str(len(jobs))),
            (t.fact["waiting"], str(len(waiting))),
            (t.fact["mail"], str(len(mails) - parked)),
            (t.fact["parked"], str(parked)),
        )
        parts = tuple(
            (name, t.word["fine"] if state == "ok" else state) for name, state in health.parts.items()
        )
        blocks = (
            FactsBlock(t.word["numbers"], facts),
            FactsBlock(t.word["health"], parts),
            RowsBlock(t.fact["running"], tuple(map(_job, jobs)), t.word["nothing"]),
        )
        return OperatorView(t.section["overview"], "overview", blocks)


def _job(job: RunningJob) -> ListRow:
    steps = str(job.step) if job.total < 0 else f"{job.step}/{job.total}"
    return ListRow(job.username, facts=(steps, f"{job.seconds} s"))
