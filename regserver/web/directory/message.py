"""The ids of the directory's messages, whose texts are in the catalogues.

Answers have the id and the English text. Clients translate by id, with files made from the same catalogues.
"""

from collections.abc import Mapping
from typing import Literal, get_args

import msgspec

from regserver.domain.directory import SignUpFault
from regserver.text import CATALOGUES, DirectoryMessage, Language

MessageId = Literal[
    "INIT_DONE",
    "INVALID_USER_NAME",
    "RESERVED_USER_NAME",
    "EXISTING_USER_NAME",
    "INVALID_PASSWORD",
    "INVALID_EMAIL",
    "EXISTING_EMAIL",
    "INVALID_DATA",
    "INVALID_CAPTCHA",
    "INVALID_JSON_REQUEST",
    "INVALID_CHALLENGE",
    "NO_PENDING_CREATION",
    "ALREADY_CONFIRMED",
    "UNKOWN_USER_NAME",
    "INVALID_TRUSTED_KEY",
    "REGISTRATION_CLOSED",
    "INVITATION_REQUIRED",
    "BAD_CONTENT_TYPE",
    "BODY_TOO_LARGE",
    "METHOD_NOT_ALLOWED",
    "FOREIGN_ORIGIN",
    "TOO_MANY_REQUESTS",
    "INTERNAL_ERROR",
]
"""The ids on the wire; the spelling of UNKOWN_USER_NAME is the protocol's."""

FAULT_IDS: dict[SignUpFault, MessageId] = {
    "bad_name": "INVALID_USER_NAME",
    "reserved_name": "RESERVED_USER_NAME",
    "taken_name": "EXISTING_USER_NAME",
    "bad_password": "INVALID_PASSWORD",
    "bad_email": "INVALID_EMAIL",
    "taken_email": "EXISTING_EMAIL",
}

MESSAGES: Mapping[MessageId, DirectoryMessage] = {
    message: CATALOGUES["en"].directory[message] for message in get_args(MessageId)
}
"""The English messages of answers. A missing one fails here, at start."""


def message_file(language: Language) -> bytes:
    """JavaScript that sets `register_messages`: id → message and detail."""
    table = msgspec.json.format(msgspec.json.encode(CATALOGUES[language].directory), indent=2).decode()
    return f"register_messages = {table};\n".encode()
