"""The directory's messages: each is there, and each fault of a sign-up has one."""

from typing import get_args

from regserver.domain.directory import SignUpFault
from regserver.text import CATALOGUES
from regserver.web.directory.message import FAULT_IDS, MESSAGES, MessageId


def test_every_fault_has_a_message() -> None:
    assert set(FAULT_IDS) == set(get_args(SignUpFault))


def test_the_catalogues_have_these_messages_and_no_others() -> None:
    assert [*CATALOGUES["en"].directory] == [*get_args(MessageId)]


def test_the_seeds_own_words() -> None:
    assert MESSAGES["INIT_DONE"].detail == "An e-mail has been sent, check your mailbox to confirm."
    assert "6 and 99" in MESSAGES["INVALID_PASSWORD"].detail
