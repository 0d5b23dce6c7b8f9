"""By what a registration of the steps is known: a phone number, an address, or a person whom an identity service vouches for."""

import msgspec


class Phone(msgspec.Struct, frozen=True):
    """As people write it, with its country code."""

    phone: str


class Email(msgspec.Struct, frozen=True):
    """An address."""

    email: str


class Identity(msgspec.Struct, frozen=True):
    """The id at an identity service."""

    identity: str
    provider: str | None = None


Contact = Phone | Email | Identity


def contact_params(contact: Contact) -> dict[str, object]:
    """The contact as parameters of JSON-RPC."""
    fields = msgspec.structs.asdict(contact)
    return {name: value for name, value in fields.items() if value is not None}
