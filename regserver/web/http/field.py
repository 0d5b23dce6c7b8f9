"""Common fields of bodies, answers and paths, each with its constraints, its meaning and an example.

The documents contain these examples, and the tests send them. The constraints are for the documents only: requests are
checked where they are read, so that each fault gets its own refusal.
"""

from typing import Annotated

from msgspec import Meta

from regserver.domain import room as domain
from regserver.domain.account import MAX_JSON_INTEGER, AccountId

_ID = Meta(ge=1, le=MAX_JSON_INTEGER)

UserIdField = Annotated[AccountId, _ID, Meta(description="An account's id.", examples=[17])]
RoomIdField = Annotated[domain.RoomId, _ID, Meta(description="A room's id.", examples=[5])]
PostIdField = Annotated[domain.PostId, _ID, Meta(description="A post's id.", examples=[42])]

UsernameField = Annotated[str, Meta(description="A user name.", examples=["ada"])]
EmailField = Annotated[str, Meta(description="An e-mail address.", examples=["ada@example.org"])]
PasswordField = Annotated[
    str, Meta(examples=["correct horse battery"], extra_json_schema={"format": "password"})
]
TokenField = Annotated[
    str, Meta(description="A bearer token; it is shown this once.", examples=["regs_0123abcd"])
]
SecondsField = Annotated[int, Meta(ge=0, description="Seconds from now.", examples=[864_000])]
TimeField = Annotated[
    str,
    Meta(
        description="UTC, whole seconds.",
        examples=["2020-09-13T12:26:40Z"],
        extra_json_schema={"format": "date-time"},
    ),
]

RoomNameField = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=domain.MAX_ROOM_NAME_LENGTH,
        description="A room's name.",
        examples=["Kitchen"],
    ),
]
ContentField = Annotated[
    str,
    Meta(
        min_length=1,
        description=f"A text of at most {domain.MAX_POST_BYTES} bytes in UTF-8.",
        examples=["Tea? 🫖"],
    ),
]
DirectoryNameField = Annotated[
    str, Meta(description="A user name of 5 to 21 letters and digits.", examples=["Alice"])
]

PATH_FIELDS = {
    "room": RoomIdField,
    "post": PostIdField,
    "user_id": UserIdField,
    "username": UsernameField,
    "registration": Annotated[
        str,
        Meta(
            description="The id of a registration; anybody who knows it may watch.",
            examples=["u-00000000-0000-4000-8000-000000000000"],
        ),
    ],
    "name": DirectoryNameField,
    "challenge": Annotated[str, Meta(description="The challenge that was mailed.", examples=["a" * 24])],
}
"""The parameters in the patterns of routes."""
