"""Who asks: the client of a request, as far as services need to know it."""

import msgspec


class Asker(msgspec.Struct, frozen=True):
    """address: the client's, "" if unknown. language: of messages to the person."""

    address: str
    language: str
