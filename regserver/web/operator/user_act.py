"""What can be done with accounts."""

from collections.abc import Awaitable, Callable, Mapping

from regserver.domain.account import Account
from regserver.domain.instant import SECOND, Duration
from regserver.domain.operator_key import Operation
from regserver.domain.outcome import Refusal, SessionNotFound
from regserver.domain.room import parse_id
from regserver.domain.session import SessionId
from regserver.service.operator.new_user import NewUserDesk, UserWish
from regserver.service.operator.unit import OperatorCredential
from regserver.service.operator.user import UserDesk
from regserver.web.operator.act import Done, PageAct, Values
from regserver.web.operator.said import user_address

AccountCall = Callable[[OperatorCredential, str], Awaitable[Account | Refusal]]
LONGEST_LIFE = 7 * 86_400
SHORTEST_LIFE = 3600


class UserActs:
    """A client of the use cases of accounts."""

    def __init__(self, users: UserDesk, makes: NewUserDesk) -> None:
        self._users = users
        self._makes = makes

    def acts(self) -> tuple[PageAct, ...]:
        """All of them."""
        return (*self._plain(), *self._with_fields())

    def _plain(self) -> tuple[PageAct, ...]:
        """Acts that need nothing but the account."""
        help_, change, users = Operation.HELP_USERS, Operation.CHANGE_USERS, self._users

        async def reject(who: OperatorCredential, name: str) -> Account | Refusal:
            return await users.approve(who, name, rejects=True)

        return (
            _on_account("suspend_user", help_, users.suspend, asks=True),
            _on_account("resume_user", help_, users.resume),
            _on_account("delete_user", change, users.delete, asks=True),
            _on_account("restore_user", help_, users.restore),
            _on_account("approve_user", help_, users.approve),
            _on_account("reject_user", change, reject, asks=True),
        )

    def _with_fields(self) -> tuple[PageAct, ...]:
        help_, change, back = Operation.HELP_USERS, Operation.CHANGE_USERS, _back
        session, new = ("user", "session"), ("username", "email", "verified", "firstPassword")
        user = ("user",)
        return (
            PageAct("rename_user", help_, self._rename, ("user", "username"), back=back),
            PageAct("reset_link", help_, self._reset_link, ("user", "linkLife"), back=back),
            PageAct("set_password", change, self._set_password, ("user", "password"), back=back),
            PageAct("end_sessions", help_, self._end_all, user, asks=True, is_danger=True, back=back),
            PageAct("end_session", help_, self._end_one, session, asks=True, is_danger=True, back=back),
            PageAct("make_user", change, self._make, new, back=lambda values: "users"),
        )

    async def _make(self, who: OperatorCredential, values: Values) -> Done | Refusal:
        wish = UserWish(
            username=values["username"],
            email=values["email"] or None,
            is_verified=bool(values["verified"]),
            password=values["firstPassword"] or None,
        )
        made = await self._makes.create(who, wish)
        return made if isinstance(made, Refusal) else Done(user_address(made.username), made.username)

    async def _rename(self, who: OperatorCredential, values: Values) -> Done | Refusal:
        found = await self._users.rename(who, values["user"], values["username"])
        return found if isinstance(found, Refusal) else Done(user_address(found.username), found.username)

    async def _reset_link(self, who: OperatorCredential, values: Values) -> Done | Refusal:
        seconds = min(max(parse_id(values["linkLife"]) or 0, SHORTEST_LIFE), LONGEST_LIFE)
        made = await self._users.reset_link(who, values["user"], Duration(seconds * SECOND))
        return made if isinstance(made, Refusal) else Done(_back(values), made.username, made.link)

    async def _set_password(self, who: OperatorCredential, values: Values) -> Done | Refusal:
        found = await self._makes.set_password(who, values["user"], values["password"])
        return found if isinstance(found, Refusal) else Done(_back(values), found.username)

    async def _end_all(self, who: OperatorCredential, values: Values) -> Done | Refusal:
        ended = await self._users.revoke(who, values["user"], None)
        return ended if isinstance(ended, Refusal) else Done(_back(values), values["user"])

    async def _end_one(self, who: OperatorCredential, values: Values) -> Done | Refusal:
        session = parse_id(values["session"])
        if session is None:
            return SessionNotFound()
        ended = await self._users.revoke(who, values["user"], SessionId(session))
        return ended if isinstance(ended, Refusal) else Done(_back(values), values["user"])


def _on_account(name: str, operation: Operation, call: AccountCall, *, asks: bool = False) -> PageAct:
    async def run(who: OperatorCredential, values: Values) -> Done | Refusal:
        found = await call(who, values["user"])
        return found if isinstance(found, Refusal) else Done(_back(values), found.username)

    return PageAct(name, operation, run, ("user", "to"), asks=asks, is_danger=asks, back=_back)


def _back(values: Mapping[str, str]) -> str:
    """The account, or the list that it was chosen from."""
    return "waiting" if values.get("to") == "waiting" else user_address(values["user"])
