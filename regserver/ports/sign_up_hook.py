"""A service of the operator's that is asked before somebody gets an account."""

from typing import Protocol

import msgspec

from regserver.domain.contact import Contact
from regserver.domain.sign_up_policy import Door


class SignUpQuestion(msgspec.Struct, frozen=True):
    """Who signs up where. username: "" where it is not chosen yet. contact: None where there is none. invited: with an invitation."""

    door: Door
    username: str
    contact: Contact | None
    invited: bool

    def __repr__(self) -> str:
        return "SignUpQuestion(…)"


class SignUpHook(Protocol):
    """Bounded in time; what holds when the service cannot be asked is the operator's choice."""

    async def allows(self, question: SignUpQuestion) -> bool:
        """Whether the sign-up may go on. Raises nothing."""
