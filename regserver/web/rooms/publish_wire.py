"""What an operator's publish key adds to bodies of the rooms: the name of the service that acts."""

from collections.abc import Mapping
from typing import Annotated

from msgspec import UNSET, UnsetType

from regserver.web.http.field import described

AsField = Annotated[
    str | UnsetType,
    described(
        "Of an operator's publish key alone: the name of the service that does it, whose account is made at its first use.",
        "Weather",
    ),
]


def read_as(fields: Mapping[str, object]) -> str | UnsetType:
    """`as` in a body: "" for what is no name."""
    name = fields.get("as", UNSET)
    return name if isinstance(name, str) or name is UNSET else ""
