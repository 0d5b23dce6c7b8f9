"""Refusals of what operators ask for; `regserver.errors` has their statuses."""

from typing import Annotated

from msgspec import Meta

from regserver.domain.outcome import Refusal


class NotPermitted(Refusal, frozen=True):
    """The key's role does not go so far."""


class BadKeyName(Refusal, frozen=True):
    """A key's name is 1 to 40 lower-case letters, digits, dots, underscores or hyphens, with a letter or digit at both ends."""


class BadServiceName(Refusal, frozen=True):
    """The name of a service is 1 to 64 visible characters, without an at sign."""


class BadRole(Refusal, frozen=True):
    """The role is admin, support, publish or read."""


class KeyNameTaken(Refusal, frozen=True):
    """Another key has the name."""


class KeyNotFound(Refusal, frozen=True):
    """No key has the name."""


class TooManyKeys(Refusal, frozen=True):
    """There are as many keys as there may be; revoke those that nobody needs."""


class AccountUnchanged(Refusal, frozen=True):
    """The account is as it was asked to be already, or cannot become so; the hint says which."""

    hint: Annotated[str, Meta(examples=["it is suspended already"])] = ""  # type: ignore[misc]


class NameOnLedger(Refusal, frozen=True):
    """The name stands in the ledger, which keeps it for good."""


class InvitationNotFound(Refusal, frozen=True):
    """No invitation has the number."""


class BadInvitation(Refusal, frozen=True):
    """An invitation has from 1 to 100000 uses, lives from a minute to a year, and has a note of one line."""


class BadWebhook(Refusal, frozen=True):
    """The webhook's address, events, note or key will not do, or there are too many; field and hint say which and why."""

    field: Annotated[str, Meta(examples=["url"])] = ""
    hint: Annotated[str, Meta(examples=["expected https://"])] = ""  # type: ignore[misc]


class WebhookNotFound(Refusal, frozen=True):
    """No webhook has the number, or it was sealed with another key."""


class StepsNotFound(Refusal, frozen=True):
    """No registration by steps has the id."""


class BadContactName(Refusal, frozen=True):
    """The contact is a phone number such as +380000000000, an e-mail address, or an identity with its provider."""


class SeveralProviders(Refusal, frozen=True):
    """Several providers know the identity; name one."""


class BadClient(Refusal, frozen=True):
    """The client is an IPv4 or IPv6 address."""


class NoMailServer(Refusal, frozen=True):
    """No mail server is configured: mail.smtp is log: alone."""


class ReloadUnavailable(Refusal, frozen=True):
    """The settings of this server are read at its start alone."""
