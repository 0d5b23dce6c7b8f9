"""Mails written from templates."""

from collections.abc import Mapping
from typing import Literal, Protocol

from regserver.domain.instant import Instant
from regserver.ports.mailer import Mail

MailTemplateName = Literal[
    "confirm",
    "email_taken",
    "name_taken",
    "code",
    "guessed",
    "verify",
    "recover",
    "sign_in_code",
    "password_changed",
    "change_email",
    "email_in_use",
    "email_changed",
    "email_restored",
    "email_restored_source",
    "approve",
    "approved",
    "totp_on",
    "totp_off",
    "passkey_added",
    "passkey_removed",
    "passkey_copied",
]
"""confirm: has the link that confirms a sign-up. email_taken, name_taken: tell the owner of the mailbox why a sign-up failed,
where the answer to the client must not. code: has a one-time code of the steps. sign_in_code: has one that signs in. guessed: tells an
account's owner of many wrong passwords. verify: has the link that verifies an account's address.
recover: has the link that sets a new password. password_changed: tells of a new password.
change_email: has the link that makes an address an account's, in place of its old one. email_in_use: goes to that address
in its place where it is another account's. email_changed: goes to the old address, with the link that undoes the change.
email_restored: goes there once that was used, with a link that sets a new password. email_restored_source: the same for
somebody whose password is the data source's.
approve: asks the operator about an account, with the link that approves it. approved: tells its person.
totp_on, totp_off, passkey_added, passkey_removed: tell of a change of the account's factors. passkey_copied: tells of a
passkey whose counter went back."""


class MailTemplateFault(Exception):
    """A template cannot be used; the message names the file and the mistake."""


class MailTemplates(Protocol):
    """Writes mails from templates."""

    def write(
        self,
        name: MailTemplateName,
        language: str,
        to: str,
        values: Mapping[str, str],
        good_until: Instant | None = None,
    ) -> Mail:
        """A mail in the reader's language. Reads no files but at the first mail, so it may be called inside a transaction.

        values: for the template: username, link, code and hours for confirm, username for name_taken, code and minutes for
        code, username and failures for guessed, username, link, code and hours for verify,
        username, link, code and minutes for recover, username, code and minutes for sign_in_code, username for password_changed,
        username, link, code and hours for change_email, username, address, link, code and days for email_changed, where
        address is the new one, masked, username, link, code and minutes for email_restored, username for
        email_restored_source, username, contact, door, waiting, link and code for approve, username for approved,
        username for changes of factors. good_until: see Mail.
        """
