"""The operator's endpoints of the server itself: its health, mail, limits and settings."""

from collections.abc import Callable, Mapping

import msgspec

from regserver.domain.operator_outcome import BadClient, NoMailServer, ReloadUnavailable
from regserver.domain.outcome import AccountNotFound, BadEmail, Refusal
from regserver.endpoint import Request
from regserver.service.operator.limit import LimitDesk
from regserver.service.operator.mail import MailDesk, MailProbe
from regserver.service.operator.server import ServerDesk
from regserver.service.operator.unit import Denied, KeyHolder
from regserver.service.rate_limiter import Rate
from regserver.web.admin import ask, show_server, wanted
from regserver.web.http.pipeline import pipeline
from regserver.web.http.rate_limit import LimitName
from regserver.web.http.route import Route

LIMIT: LimitName = "operator"


class ServerParts(msgspec.Struct, frozen=True):
    """rates: the limits in force. probe: sends a message for trying; None without a mail server."""

    server: ServerDesk
    mail: MailDesk
    limits: LimitDesk
    version: str
    rates: Callable[[], Mapping[str, Rate]]
    probe: Callable[[], MailProbe | None]


class ServerAdminApi:
    """The endpoints."""

    def __init__(self, parts: ServerParts) -> None:
        self._parts = parts

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        key, limit = ask.caller, LIMIT
        mail, retry = (
            pipeline(self.mail, wanted.read_mail_wanted, key),
            pipeline(self.retry, ask.read_retry, key),
        )
        tried, lifted = (
            pipeline(self.try_mail, ask.read_trial_mail, key),
            pipeline(self.lift, ask.read_client, key),
        )
        guesses = "/admin/users/{user}/guesses"
        return (
            Route("admin.mail", "GET", "/admin/mail", mail, limit),
            Route("admin.retry", "POST", "/admin/mail/retry", retry, limit),
            Route("admin.try_mail", "POST", "/admin/mail/test", tried, limit),
            Route("admin.server", "GET", "/admin/server", pipeline(self.server, key), limit),
            Route("admin.jobs", "GET", "/admin/registrations", pipeline(self.jobs, key), limit),
            Route("admin.reload", "POST", "/admin/reload", pipeline(self.reload, key), limit),
            Route("admin.limits", "GET", "/admin/limits", pipeline(self.limits, key), limit),
            Route("admin.lift", "POST", "/admin/limits/lift", lifted, limit),
            Route("admin.guesses", "GET", guesses, pipeline(self.guesses, key), limit),
            Route("admin.forget_guesses", "DELETE", guesses, pipeline(self.forget_guesses, key), limit),
        )

    # --- mail
    async def mail(
        self, _: Request, asked: wanted.MailWanted, who: KeyHolder
    ) -> show_server.MailList | Denied:
        """List mail that waits, or was set aside."""
        found = await self._parts.mail.list(who, asked.state)
        return found if isinstance(found, Refusal) else show_server.mail_list(found)

    async def retry(
        self, _: Request, body: ask.RetryBody, who: KeyHolder
    ) -> show_server.MailRequeued | Denied:
        """Send mail again."""
        count = await self._parts.mail.retry(who, body.ids)
        return count if isinstance(count, Refusal) else show_server.MailRequeued(count)

    async def try_mail(
        self, _: Request, body: ask.TrialMailBody, who: KeyHolder
    ) -> show_server.MailTried | Denied | BadEmail | NoMailServer:
        """Send a message step by step, and say what the mail server answers."""
        found = await self._parts.mail.test(who, body.to, self._parts.probe())
        return found if isinstance(found, Refusal) else show_server.mail_tried(found)

    # --- the server
    async def server(self, _: Request, who: KeyHolder) -> show_server.ServerState | Denied:
        """See whether the server is well, what runs, and the limits in force."""
        health, jobs = await self._parts.server.health(who), await self._parts.server.jobs(who)
        if isinstance(health, Refusal):
            return health
        if isinstance(jobs, Refusal):
            return jobs
        return show_server.ServerState(
            self._parts.version, health.status, dict(health.parts), health.failing, len(jobs), self._limits()
        )

    async def jobs(self, _: Request, who: KeyHolder) -> show_server.JobList | Denied:
        """List the live registrations that run."""
        found = await self._parts.server.jobs(who)
        return (
            found
            if isinstance(found, Refusal)
            else show_server.JobList(tuple(map(show_server.job_body, found)))
        )

    async def reload(
        self, _: Request, who: KeyHolder
    ) -> show_server.SettingsReloaded | Denied | ReloadUnavailable:
        """Read the settings again, and say what of them is in force now."""
        found = await self._parts.server.reload(who)
        return found if isinstance(found, Refusal) else show_server.settings_reloaded(found)

    # --- limits
    async def limits(self, _: Request, who: KeyHolder) -> show_server.LimitList | Denied:
        """See the rate limits, and who has reached one."""
        held = await self._parts.limits.held(who)
        if isinstance(held, Refusal):
            return held
        return show_server.LimitList(self._limits(), tuple(map(show_server.held_body, held)))

    def _limits(self) -> tuple[show_server.LimitBody, ...]:
        rates = self._parts.rates().items()
        return tuple(show_server.LimitBody(name, rate.count, rate.seconds) for name, rate in rates)

    async def lift(
        self, _: Request, body: ask.ClientBody, who: KeyHolder
    ) -> show_server.LimitLifted | Denied | BadClient:
        """Let a client go on at once that has reached a rate limit of this node."""
        count = await self._parts.limits.lift(who, body.client)
        return count if isinstance(count, Refusal) else show_server.LimitLifted(count)

    async def guesses(
        self, request: Request, who: KeyHolder
    ) -> show_server.GuessList | Denied | AccountNotFound:
        """See how many wrong secrets in a row were tried at an account."""
        found = await self._parts.limits.guesses(who, request.params["user"])
        if isinstance(found, Refusal):
            return found
        return show_server.GuessList(tuple(map(show_server.guess_body, found)))

    async def forget_guesses(
        self, request: Request, who: KeyHolder
    ) -> show_server.LimitLifted | Denied | AccountNotFound:
        """Reset these counters, so that the account's person can sign in at once."""
        count = await self._parts.limits.forget_guesses(who, request.params["user"])
        return count if isinstance(count, Refusal) else show_server.LimitLifted(count)
