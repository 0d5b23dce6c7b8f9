"""Common fields of bodies, answers and paths, each with its constraints, its meaning and an example.

The documents contain these examples, and the tests send them. The constraints are for the documents only: requests are
checked where they are read, so that each fault gets its own refusal.
"""

from typing import Annotated, Any

from msgspec import Meta

from regserver.domain import room as domain
from regserver.domain.account import MAX_JSON_INTEGER, AccountId
from regserver.domain.email import MAX_EMAIL_LENGTH
from regserver.domain.push import SubscriptionId
from regserver.domain.session import SessionId
from regserver.domain.webhook import WebhookId
from regserver.ports.passkey_table import PasskeyId

NEW_USERNAME = "^[A-Za-z0-9][A-Za-z0-9._-]{1,30}[A-Za-z0-9]$"
"""What `is_rooms_username` takes, as JSON Schema has it."""


def described(meaning: str, example: object, **constraints: Any) -> Meta:
    """What a field means, with an example. constraints: more of msgspec's Meta."""
    return Meta(description=meaning, examples=[example], **constraints)


_ID = Meta(ge=1, le=MAX_JSON_INTEGER)

UserIdField = Annotated[AccountId, _ID, described("An account's id.", 17)]
RoomIdField = Annotated[domain.RoomId, _ID, described("A room's id.", 5)]
PostIdField = Annotated[domain.PostId, _ID, described("A post's id.", 42)]
PasskeyIdField = Annotated[PasskeyId, _ID, described("A passkey's id.", 3)]

SessionIdField = Annotated[SessionId, _ID, described("A session's id, among those of its account.", 3001)]

UsernameField = Annotated[str, described("A user name.", "ada", min_length=1, max_length=MAX_EMAIL_LENGTH)]
NewUsernameField = Annotated[
    str, described("A user name of 3 to 32 characters.", "ada", pattern=NEW_USERNAME), Meta(max_length=32)
]
EmailField = Annotated[str, described("An e-mail address.", "ada@example.org", max_length=MAX_EMAIL_LENGTH)]
PasswordField = Annotated[
    str, Meta(examples=["correct horse battery"], min_length=1, extra_json_schema={"format": "password"})
]
InvitationField = Annotated[
    str, described("An invitation, where a new account needs one; else it is ignored.", "regi_0123abcd")
]
TokenField = Annotated[str, described("A bearer token; it is shown this once.", "regs_0123abcd")]
SecondsField = Annotated[int, described("Seconds from now.", 864_000, ge=0)]
TimeField = Annotated[
    str, described("UTC, whole seconds.", "2020-09-13T12:26:40Z", extra_json_schema={"format": "date-time"})
]

RoomNameField = Annotated[
    str, described("A room's name.", "Kitchen", min_length=1, max_length=domain.MAX_ROOM_NAME_LENGTH)
]
ContentField = Annotated[
    str,
    described(f"A text of at most {domain.MAX_POST_BYTES} bytes in UTF-8.", "Tea? 🫖", min_length=1),
    Meta(max_length=domain.MAX_POST_BYTES),
]
DirectoryNameField = Annotated[
    str, described("A user name of 5 to 21 letters and digits.", "Alice", pattern="^[A-Za-z0-9]{5,21}$")
]

SubscriptionIdField = Annotated[SubscriptionId, _ID, described("A push subscription's id.", 3)]

PATH_FIELDS = {
    "room": RoomIdField,
    "post": PostIdField,
    "user_id": UserIdField,
    "session_id": SessionIdField,
    "passkey_id": PasskeyIdField,
    "subscription": SubscriptionIdField,
    "webhook": Annotated[WebhookId, _ID, described("A webhook's number.", 4)],
    "steps_id": Annotated[
        str,
        described(
            "A registration by steps: the hash of its contact, in hex.", "ab" * 32, pattern="^[0-9a-f]{64}$"
        ),
    ],
    "username": UsernameField,
    "registration": Annotated[
        str,
        described(
            "The id of a registration; anybody who knows it may watch.",
            "u-00000000-0000-4000-8000-000000000000",
            pattern="^u-[0-9a-f-]{36}$",
        ),
    ],
    "user": Annotated[
        str, described("A user name, an e-mail address, a number, or a userId of the steps.", "ada")
    ],
    "invitation": Annotated[int, described("The number of an invitation.", 5, ge=1)],
    "key": Annotated[str, described("The name of an operator key.", "anna")],
    "name": DirectoryNameField,
    "challenge": Annotated[
        str, described("The challenge that was mailed.", "a" * 24, pattern="^[A-Za-z0-9]{5,200}$")
    ],
}
"""The parameters in the patterns of routes."""
