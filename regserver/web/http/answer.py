"""What endpoints answer with, and how that becomes a response.

    None                 204
    a JsonAnswer         its JSON, with the status and header fields of its type
    a Response           as it is: scripts, streams, replies that are bytes already
    a Refusal            as the style of the route words it

An endpoint's return type names each of them, and the OpenAPI document is read off that type: so every answer that is not
empty has a type of its own, whose docstring says what it means and whose fields carry examples.
"""

from typing import ClassVar

import msgspec

from regserver.domain.outcome import Refusal
from regserver.endpoint import Response
from regserver.web.http.error_style import ErrorStyle, HeaderFields

_encode = msgspec.json.Encoder().encode
_NO_CONTENT = Response(status=204, content_type="")


class JsonAnswer(msgspec.Struct, frozen=True):
    """Base of what is answered as JSON."""

    http_status: ClassVar[int] = 200

    def headers(self) -> HeaderFields:
        """Header fields beside those that every response has."""
        return ()


Answer = JsonAnswer | Response | Refusal | None
"""What an endpoint returns."""


def respond(answer: Answer, style: ErrorStyle) -> Response:
    """The response that an answer becomes at a route of this style."""
    match answer:
        case JsonAnswer():
            return Response(status=answer.http_status, body=_encode(answer), headers=answer.headers())
        case None:
            return _NO_CONTENT
        case Refusal():
            return style.refuse(answer)
        case Response():
            return answer
