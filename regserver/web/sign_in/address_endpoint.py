"""The endpoints under /login/email: an address is verified by the link in a mail, replaced, and given back."""

import msgspec

from regserver.domain.outcome import BadLink, Refusal, TooManyRequests
from regserver.domain.secret import SecretHash
from regserver.endpoint import Request
from regserver.service.address_change import AddressChange, AddressChangeRefusal, AddressWish
from regserver.service.address_service import AddressService
from regserver.service.identity_service import Unknown
from regserver.web.http.asker import asker_of
from regserver.web.http.bearer import bearer
from regserver.web.http.forwarded import ForwardedReader
from regserver.web.http.language import language_of
from regserver.web.http.pipeline import pipeline
from regserver.web.http.route import Route
from regserver.web.sign_in import change_wire, wire


class AddressApi(msgspec.Struct, frozen=True):
    """The account's e-mail address."""

    addresses: AddressService
    changes: AddressChange
    forwarded: ForwardedReader

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        verify = pipeline(self.verify, wire.read_mailed_link)
        resend = pipeline(self.resend, bearer)
        change = pipeline(self.change, bearer, change_wire.read_address_change)
        undo = pipeline(self.undo, wire.read_mailed_link)
        return (
            Route("account.verify_email", "POST", "/login/email/verify", verify, "write"),
            Route("account.resend_email", "POST", "/login/email/resend", resend, "mail"),
            Route("account.change_email", "POST", "/login/email", change, "mail", hashes=True),
            Route("account.undo_email", "POST", "/login/email/undo", undo, "write"),
        )

    async def verify(self, request: Request, link: wire.MailedLink) -> wire.EmailVerified | BadLink:
        """Verify an address with the token of the link that was mailed to it. A new one replaces the old one."""
        outcome = await self.addresses.verify(link.token, self.forwarded.read(request).base)
        return outcome if isinstance(outcome, Refusal) else wire.EmailVerified(outcome)

    async def resend(
        self, request: Request, token: SecretHash
    ) -> wire.MailAccepted | Unknown | TooManyRequests:
        """Mail another link to the asker's address, unless it is verified."""
        base = self.forwarded.read(request).base
        refusal = await self.addresses.resend(token, language_of(request), base)
        return wire.MailAccepted() if refusal is None else refusal

    async def change(
        self, request: Request, token: SecretHash, body: change_wire.AddressChanged
    ) -> wire.MailAccepted | AddressChangeRefusal:
        """Ask for another address. Nothing changes until the link that is mailed to it is used.

        The answer does not tell whether the address is another account's.
        """
        wish = AddressWish(body.email, body.password, self.forwarded.read(request).base)
        refusal = await self.changes.ask(token, wish, asker_of(request, language_of(request)))
        return wire.MailAccepted() if refusal is None else refusal

    async def undo(self, request: Request, link: wire.MailedLink) -> change_wire.AddressRestored | BadLink:
        """Give an account its old address back with the token of the link that was mailed there. All sessions end."""
        outcome = await self.changes.undo(link.token, self.forwarded.read(request).base)
        return outcome if isinstance(outcome, Refusal) else change_wire.AddressRestored(outcome)
