"""The endpoints under /login/email: the account's address is verified by the link in a mail."""

import msgspec

from regserver.domain.outcome import BadLink, Refusal, TooManyRequests
from regserver.domain.secret import SecretHash
from regserver.endpoint import Request
from regserver.service.address_service import AddressService
from regserver.service.identity_service import Unidentified
from regserver.web.http.bearer import bearer
from regserver.web.http.forwarded import ForwardedReader
from regserver.web.http.language import language_of
from regserver.web.http.pipeline import pipeline
from regserver.web.http.route import Route
from regserver.web.sign_in import wire


class AddressApi(msgspec.Struct, frozen=True):
    """The account's e-mail address."""

    addresses: AddressService
    forwarded: ForwardedReader

    def routes(self) -> tuple[Route, ...]:
        """Both."""
        verify = pipeline(self.verify, wire.read_mailed_link)
        resend = pipeline(self.resend, bearer)
        return (
            Route("account.verify_email", "POST", "/login/email/verify", verify, "write"),
            Route("account.resend_email", "POST", "/login/email/resend", resend, "mail"),
        )

    async def verify(self, _: Request, link: wire.MailedLink) -> wire.EmailVerified | BadLink:
        """Verify an address with the token of the link that was mailed to it."""
        outcome = await self.addresses.verify(link.token)
        return outcome if isinstance(outcome, Refusal) else wire.EmailVerified(outcome)

    async def resend(
        self, request: Request, token: SecretHash
    ) -> wire.MailAccepted | Unidentified | TooManyRequests:
        """Mail another link to the asker's address, unless it is verified."""
        base = self.forwarded.read(request).base
        refusal = await self.addresses.resend(token, language_of(request), base)
        return wire.MailAccepted() if refusal is None else refusal
