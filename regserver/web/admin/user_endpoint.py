"""The operator's endpoints of accounts."""

from regserver.domain.account import AccountId
from regserver.domain.instant import iso_seconds
from regserver.domain.operator_outcome import AccountUnchanged, NameOnLedger
from regserver.domain.outcome import (
    BadPassword,
    BadUsername,
    PasswordAtSource,
    Refusal,
    SessionNotFound,
    UserIsDeleted,
    UsernameTaken,
)
from regserver.domain.session import SessionId
from regserver.endpoint import Request
from regserver.service.operator.new_user import NewUserDesk, NotMade
from regserver.service.operator.unit import Denied, KeyHolder
from regserver.service.operator.user import Missing, UserDesk
from regserver.web.admin import ask, show, wanted
from regserver.web.http.pipeline import pipeline
from regserver.web.http.rate_limit import LimitName
from regserver.web.http.route import Route

USER = "/admin/users/{user}"
LIMIT: LimitName = "operator"


class UserAdminApi:
    """Accounts are named in paths by user name, address, number, or userId of the steps."""

    def __init__(self, users: UserDesk, makes: NewUserDesk) -> None:
        self._users = users
        self._makes = makes

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        key, limit = ask.caller, LIMIT
        listed, waits = pipeline(self.list, wanted.read_user_range, key), pipeline(self.waiting, key)
        made, set_password = (
            pipeline(self.create, ask.read_new_user, key),
            pipeline(self.set_password, ask.read_new_password, key),
        )
        renamed, linked = (
            pipeline(self.rename, ask.read_new_name, key),
            pipeline(self.reset_link, ask.read_life, key),
        )
        end = pipeline(self.end_session, wanted.read_session, key)
        sessions = f"{USER}/sessions"
        return (
            Route("admin.users", "GET", "/admin/users", listed, limit),
            Route("admin.waiting", "GET", "/admin/waiting", waits, limit),
            Route("admin.make_user", "POST", "/admin/users", made, limit, hashes=True),
            Route("admin.user", "GET", USER, pipeline(self.one, key), limit),
            Route("admin.delete_user", "DELETE", USER, pipeline(self.delete, key), limit),
            Route("admin.set_password", "POST", f"{USER}/password", set_password, limit, hashes=True),
            Route("admin.reset_link", "POST", f"{USER}/reset-link", linked, limit),
            Route("admin.rename", "POST", f"{USER}/rename", renamed, limit),
            Route("admin.suspend", "POST", f"{USER}/suspend", pipeline(self.suspend, key), limit),
            Route("admin.resume", "POST", f"{USER}/resume", pipeline(self.resume, key), limit),
            Route("admin.restore", "POST", f"{USER}/restore", pipeline(self.restore, key), limit),
            Route("admin.approve", "POST", f"{USER}/approve", pipeline(self.approve, key), limit),
            Route("admin.reject", "POST", f"{USER}/reject", pipeline(self.reject, key), limit),
            Route("admin.sessions", "GET", sessions, pipeline(self.sessions, key), limit),
            Route("admin.end_sessions", "DELETE", sessions, pipeline(self.end_sessions, key), limit),
            Route("admin.end_session", "DELETE", f"{sessions}/{{session_id}}", end, limit),
        )

    async def list(self, _: Request, asked: wanted.UserRange, who: KeyHolder) -> show.UserPage | Denied:
        """List accounts, or search for them."""
        found = await self._users.list(who, asked.search, asked.after or AccountId(0), asked.limit + 1)
        if isinstance(found, Refusal):
            return found
        return show.UserPage(tuple(map(show.user_body, found[: asked.limit])), len(found) > asked.limit)

    async def waiting(self, _: Request, who: KeyHolder) -> show.UserPage | Denied:
        """List the accounts that wait for their approval, or for the verification of their address."""
        found = await self._users.waiting(who, 1001)
        if isinstance(found, Refusal):
            return found
        return show.UserPage(tuple(map(show.user_body, found[:1000])), len(found) > 1000)

    async def create(self, _: Request, body: ask.NewUserBody, who: KeyHolder) -> show.UserMade | NotMade:
        """Make an account."""
        made = await self._makes.create(who, body.wish)
        return made if isinstance(made, Refusal) else show.UserMade(show.user_body(made))

    async def one(self, request: Request, who: KeyHolder) -> show.UserDetail | Missing:
        """Get one account."""
        found = await self._users.show(who, request.params["user"])
        if isinstance(found, Refusal):
            return found
        return show.UserDetail(show.user_body(found.account), found.rooms)

    async def delete(self, request: Request, who: KeyHolder) -> show.UserChanged | Missing | AccountUnchanged:
        """Delete an account. It can be restored until it is erased."""
        found = await self._users.delete(who, request.params["user"])
        return found if isinstance(found, Refusal) else show.UserChanged(show.user_body(found))

    async def set_password(
        self, request: Request, body: ask.NewPasswordBody, who: KeyHolder
    ) -> Missing | BadPassword | UserIsDeleted | PasswordAtSource | None:
        """Set an account's password, and end all its sessions."""
        found = await self._makes.set_password(who, request.params["user"], body.password)
        return found if isinstance(found, Refusal) else None

    async def reset_link(
        self, request: Request, body: ask.LifeBody, who: KeyHolder
    ) -> show.ResetLinkMade | Missing | UserIsDeleted | PasswordAtSource:
        """Make a link with which its person sets a new password."""
        made = await self._users.reset_link(who, request.params["user"], body.life)
        if isinstance(made, Refusal):
            return made
        return show.ResetLinkMade(made.link, made.username, iso_seconds(made.expires_at))

    async def rename(
        self, request: Request, body: ask.NewNameBody, who: KeyHolder
    ) -> show.UserChanged | Missing | BadUsername | UsernameTaken | UserIsDeleted | NameOnLedger:
        """Give an account another name. The old one is free at once."""
        found = await self._users.rename(who, request.params["user"], body.username)
        return found if isinstance(found, Refusal) else show.UserChanged(show.user_body(found))

    async def suspend(
        self, request: Request, who: KeyHolder
    ) -> show.UserChanged | Missing | UserIsDeleted | AccountUnchanged:
        """Suspend an account: nobody can use it until it is resumed."""
        found = await self._users.suspend(who, request.params["user"])
        return found if isinstance(found, Refusal) else show.UserChanged(show.user_body(found))

    async def resume(self, request: Request, who: KeyHolder) -> show.UserChanged | Missing | AccountUnchanged:
        """End an account's suspension."""
        found = await self._users.resume(who, request.params["user"])
        return found if isinstance(found, Refusal) else show.UserChanged(show.user_body(found))

    async def restore(
        self, request: Request, who: KeyHolder
    ) -> show.UserChanged | Missing | AccountUnchanged:
        """Bring a deleted account back, before it is erased."""
        found = await self._users.restore(who, request.params["user"])
        return found if isinstance(found, Refusal) else show.UserChanged(show.user_body(found))

    async def approve(
        self, request: Request, who: KeyHolder
    ) -> show.UserChanged | Missing | AccountUnchanged:
        """Let an account in that waits."""
        found = await self._users.approve(who, request.params["user"])
        return found if isinstance(found, Refusal) else show.UserChanged(show.user_body(found))

    async def reject(self, request: Request, who: KeyHolder) -> show.UserChanged | Missing | AccountUnchanged:
        """Delete an account that waits, for good."""
        found = await self._users.approve(who, request.params["user"], rejects=True)
        return found if isinstance(found, Refusal) else show.UserChanged(show.user_body(found))

    async def sessions(self, request: Request, who: KeyHolder) -> show.UserSessions | Missing:
        """List an account's sessions."""
        found = await self._users.sessions(who, request.params["user"])
        if isinstance(found, Refusal):
            return found
        return show.UserSessions(tuple(map(show.session_value, found)))

    async def end_sessions(self, request: Request, who: KeyHolder) -> show.SessionsEnded | Missing:
        """End all sessions of an account."""
        ended = await self._users.revoke(who, request.params["user"], None)
        if isinstance(ended, SessionNotFound):  # of a single session only
            return show.SessionsEnded(0)
        return ended if isinstance(ended, Refusal) else show.SessionsEnded(ended)

    async def end_session(
        self, request: Request, session: SessionId, who: KeyHolder
    ) -> Missing | SessionNotFound | None:
        """End one session of an account."""
        ended = await self._users.revoke(who, request.params["user"], session)
        return ended if isinstance(ended, Refusal) else None
