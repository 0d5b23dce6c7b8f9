"""What follows each change of an account's factors: what `regserver.domain.ending` says ends, and the owner is told by mail."""

from regserver.domain.account import Account
from regserver.domain.ending import AccountEvent
from regserver.domain.secret import SecretHash
from regserver.ports.broker import Broker
from regserver.ports.mail_template import MailTemplateName, MailTemplates
from regserver.ports.transaction import Transaction
from regserver.service.account_ending import EndedSessions, close_sockets_nowait, end_outstanding
from regserver.service.outbox import Outbox


class FactorChange:
    """broker: of the sockets of ended sessions."""

    def __init__(self, broker: Broker, outbox: Outbox, mail_templates: MailTemplates) -> None:
        self._broker = broker
        self._outbox = outbox
        self._mail_templates = mail_templates

    async def note(
        self, transaction: Transaction, account: Account, session: SecretHash, mail: MailTemplateName
    ) -> EndedSessions:
        """In the unit of work of the change. session: the token that makes it."""
        await self.tell(transaction, account, mail)
        return await end_outstanding(transaction, AccountEvent.FACTOR_CHANGED, account.id, session)

    async def tell(self, transaction: Transaction, account: Account, mail: MailTemplateName) -> None:
        """Mails the owner, where there is a verified address."""
        if (address := account.verified_email) is not None:
            language = await transaction.networks.language(account.id) or ""
            written = self._mail_templates.write(mail, language, address, {"username": account.username})
            await self._outbox.enqueue(transaction, written)

    def close_nowait(self, ended: EndedSessions) -> None:
        """After the commit: closes the sockets of the sessions that have ended."""
        close_sockets_nowait(self._broker, ended)
