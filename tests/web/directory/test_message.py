"""The directory's messages: each there is in each language, and each fault of a sign-up has one."""

from typing import get_args

from regserver.domain.directory import SignUpFault
from regserver.web.directory.message import FAULT_IDS, MESSAGES, MessageId


def test_every_fault_has_a_message() -> None:
    assert set(FAULT_IDS) == set(get_args(SignUpFault))


def test_every_message_is_there_in_both_languages() -> None:
    assert set(MESSAGES) == set(get_args(MessageId))
    for texts in MESSAGES.values():
        assert set(texts) == {"en", "fr"}
        assert all(text.message and text.detail for text in texts.values())


def test_the_seeds_own_words() -> None:
    assert MESSAGES["INIT_DONE"]["en"].detail == "An e-mail has been sent, check your mailbox to confirm."
    assert "6 and 99" in MESSAGES["INVALID_PASSWORD"]["en"].detail
