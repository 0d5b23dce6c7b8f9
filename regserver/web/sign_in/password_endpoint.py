"""The endpoint of /login/password."""

import msgspec

from regserver.domain.secret import SecretHash
from regserver.endpoint import Request
from regserver.service.password_change import PasswordChange, PasswordChangeRefusal
from regserver.web.http.asker import asker_of
from regserver.web.http.bearer import bearer
from regserver.web.http.language import language_of
from regserver.web.http.pipeline import pipeline
from regserver.web.http.route import Route
from regserver.web.sign_in import change_wire as wire


class PasswordApi(msgspec.Struct, frozen=True):
    """The account's password."""

    passwords: PasswordChange

    def routes(self) -> tuple[Route, ...]:
        """One."""
        change = pipeline(self.change, bearer, wire.read_password_change)
        return (Route("account.change_password", "POST", "/login/password", change, "sign_in", hashes=True),)

    async def change(
        self, request: Request, token: SecretHash, body: wire.PasswordChanged
    ) -> PasswordChangeRefusal | None:
        """Change the asker's password. This session stays; all others, and every link and code, end."""
        asker = asker_of(request, language_of(request))
        return await self.passwords.change(token, body.password, body.new_password, asker)
