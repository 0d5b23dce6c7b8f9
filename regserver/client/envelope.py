"""Answers about an account that have one member."""

from datetime import datetime

import msgspec

from regserver.client import wire


class NextRetryEnvelope(msgspec.Struct, rename="camel"):
    """One member of an answer."""

    next_retry: datetime


class AccountShownEnvelope(msgspec.Struct):
    """One member of an answer."""

    user: wire.Account


class UserIdEnvelope(msgspec.Struct, rename="camel"):
    """One member of an answer."""

    user_id: int


class UsernameEnvelope(msgspec.Struct):
    """One member of an answer."""

    username: str


class EmailEnvelope(msgspec.Struct):
    """One member of an answer."""

    email: str


class SessionsEnvelope(msgspec.Struct):
    """One member of an answer."""

    sessions: tuple[wire.SessionInfo, ...]


class RecoveryCodesEnvelope(msgspec.Struct, rename="camel"):
    """One member of an answer."""

    recovery_codes: tuple[str, ...]
