"""Who asks, as services need to know it, from a request."""

from regserver.endpoint import Request
from regserver.service.asker import Asker


def asker_of(request: Request, language: str) -> Asker:
    """The client of a routed request. language: of messages to the person."""
    return Asker(request.client, language, request.headers.get("user-agent", ""))
