"""The Quart-Trio app that hosts the endpoints which are not served hot: those over HTTP/2, and the test client's.

One hook answers every request before Quart looks for a route: routing, limits and errors are the dispatcher's, so a
request means the same here and on the hot path.
"""

from typing import cast

import quart
from quart_trio import QuartTrio
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.routing import Rule

from regserver.endpoint import Endpoint, Request, StreamResponse
from regserver.serving import request_from_scope, response_fields


def build_quart(serve: Endpoint, body_bytes: int) -> QuartTrio:
    """An ASGI app that answers every HTTP request with `serve`. body_bytes: of a longer body only that is told."""
    app = QuartTrio("regserver", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = body_bytes

    async def answer() -> quart.Response:
        response = await serve(await _read())
        if isinstance(response, StreamResponse):
            return _streaming(response)
        made = quart.Response(response.body, status=response.status)
        made.headers.clear()
        made.headers.extend(response_fields(response))
        return made

    app.before_request(answer)
    # Quart never comes to these; but for want of them each request would carry an exception, with all its frames.
    for path in ("/", "/<path:_>"):
        app.url_map.add(Rule(path, endpoint="everything"))
    return app


def _streaming(response: StreamResponse) -> quart.Response:
    """A response of unknown length that may take as long as it likes: the client's patience is its bound."""
    made = quart.Response(response.stream, status=response.status)
    made.timeout = None
    made.headers.clear()
    made.headers.extend([*response.headers, ("content-type", response.content_type)])
    return made


async def _read() -> Request:
    try:
        body = cast("bytes", await quart.request.get_data(as_text=False))
    except RequestEntityTooLarge:
        return request_from_scope(quart.request.scope, oversized=True)
    return request_from_scope(quart.request.scope, body)
