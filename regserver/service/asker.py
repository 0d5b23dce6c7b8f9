"""Who asks: the client of a request, as far as services need to know it."""

import msgspec


class Asker(msgspec.Struct, frozen=True):
    """address: the client's, "" if unknown. language: of messages to the person. agent: its User-Agent, as it came."""

    address: str
    language: str
    agent: str = ""
