"""Invitations at the page: listed, made, revoked."""

from regserver.domain.instant import SECOND, Duration
from regserver.domain.invitation import InvitationId, SignUpInvitation
from regserver.domain.operator_key import Operation
from regserver.domain.outcome import Refusal
from regserver.domain.room import parse_id
from regserver.service.operator.invitation import InvitationDesk, InvitationWish
from regserver.service.operator.unit import OperatorCredential
from regserver.web.operator.act import ActTable, Done, PageAct, Values
from regserver.web.operator.guarded import Asked
from regserver.web.operator.said import when
from regserver.web.operator.view import Button, ButtonsBlock, ListRow, OperatorView, RowsBlock


class InvitationView:
    """A client of the use cases of invitations."""

    def __init__(self, invitations: InvitationDesk) -> None:
        self._invitations = invitations

    def acts(self) -> tuple[PageAct, ...]:
        """What can be done with them."""
        change, number = Operation.CHANGE_INVITATIONS, ("invitation",)
        wish = ("uses", "note", "email", "life")
        return (
            PageAct("invite", change, self._make, wish, back=_back),
            PageAct("revoke_invitation", change, self._revoke, number, asks=True, is_danger=True, back=_back),
        )

    async def page(self, asked: Asked, acts: ActTable) -> OperatorView | Refusal:
        """Those that are good, the newest first."""
        t, found = asked.t, await self._invitations.list(asked.visit.who)
        if isinstance(found, Refusal):
            return found
        rows = RowsBlock("", tuple(self._row(asked, acts, each) for each in found), t.word["nothing"])
        make = ButtonsBlock("", (acts["invite"].button(t),))
        may = asked.visit.may(Operation.CHANGE_INVITATIONS)
        return OperatorView(t.section["invitations"], "invitations", (make, rows) if may else (rows,))

    def _row(self, asked: Asked, acts: ActTable, invitation: SignUpInvitation) -> ListRow:
        t, buttons = asked.t, tuple[Button, ...]()
        title = f"{t.fact['number']} {invitation.id}"
        if asked.visit.may(Operation.CHANGE_INVITATIONS):
            buttons = (acts["revoke_invitation"].button(t, title, invitation=str(invitation.id)),)
        facts = (
            invitation.note,
            "" if invitation.mask is None else f"{t.fact['boundTo']} {invitation.mask}",
            f"{t.fact['uses']} {invitation.used}/{invitation.uses}",
            f"{t.fact['expires']} {when(invitation.expires_at, t)}",
        )
        return ListRow(title, facts=tuple(filter(None, facts)), buttons=buttons)

    async def _make(self, who: OperatorCredential, values: Values) -> Done | Refusal:
        life = Duration((parse_id(values["life"]) or 0) * SECOND)
        uses = parse_id(values["uses"]) or 0
        wish = InvitationWish(uses, values["note"], values["email"] or None, life)
        made = await self._invitations.create(who, wish)
        return made if isinstance(made, Refusal) else Done("invitations", str(made.id), made.secret)

    async def _revoke(self, who: OperatorCredential, values: Values) -> Done | Refusal:
        number = InvitationId(parse_id(values["invitation"]) or 0)
        return await self._invitations.revoke(who, number) or Done("invitations", str(number))


def _back(values: Values) -> str:
    return "invitations"
