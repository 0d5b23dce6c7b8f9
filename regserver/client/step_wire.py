"""What the registration steps answer."""

from datetime import datetime
from typing import Any

import msgspec

from regserver.client.wire import AnswerBody


class Chosen(AnswerBody, frozen=True):
    """What was chosen before."""

    user_id: str
    username: str


class StepState(AnswerBody, frozen=True):
    """The state of a registration; in toBlockChain also what was chosen."""

    current_state: str
    data: Chosen | None = None


class CodeSent(AnswerBody, frozen=True):
    """A code is on its way; another one can be asked for at `next_retry`."""

    current_state: str
    next_sms_retry: datetime | None = None
    next_email_retry: datetime | None = None

    @property
    def next_retry(self) -> datetime | None:
        """That of the phone or of the address."""
        return self.next_sms_retry or self.next_email_retry


class Verified(AnswerBody, frozen=True):
    """The contact is proved. token: where one was wanted; the later steps take it."""

    current_state: str
    token: str | None = None


class NameReserved(AnswerBody, frozen=True):
    """The name is reserved. user_id: the 12 letters of the ledger."""

    current_state: str
    user_id: str


class StepsDone(AnswerBody, frozen=True):
    """The account is on the ledger. token, expires_in: of a session, where one was wanted."""

    username: str
    user_id: str
    current_state: str
    token: str | None = None
    expires_in: int | None = None


class RpcAnswer(msgspec.Struct, frozen=True):
    """One reply of JSON-RPC."""

    result: msgspec.Raw = msgspec.Raw(b"null")
    error: dict[str, Any] | None = None
