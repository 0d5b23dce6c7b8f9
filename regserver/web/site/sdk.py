"""`GET /sdk.js` and `GET /sdk.d.ts`: the client for people who build on this server in JavaScript, and its types."""

from importlib.resources import files

from regserver.endpoint import Request, Response
from regserver.web.http.made_once import DocumentMadeOnce
from regserver.web.http.route import Route

SCRIPT = "text/javascript; charset=utf-8"
TYPES = "application/typescript; charset=utf-8"


class SdkApi:
    """Its page is docs/sdk.md. The web page imports the script from its own versioned folder."""

    def __init__(self) -> None:
        folder = files(__package__) / "static" / "sdk"
        # Deno finds the types by this field; others are told where they are by the name.
        script = (folder / "sdk.js").read_bytes()
        self._script = DocumentMadeOnce(script, SCRIPT, (("x-typescript-types", "./sdk.d.ts"),))
        self._types = DocumentMadeOnce((folder / "sdk.d.ts").read_bytes(), TYPES)

    def routes(self) -> tuple[Route, ...]:
        """The two."""
        return (
            Route("site.sdk", "GET", "/sdk.js", self.script, "page", described=False),
            Route("site.sdk_types", "GET", "/sdk.d.ts", self.types, "page", described=False),
        )

    async def script(self, request: Request) -> Response:
        """The module."""
        return self._script.answer(request)

    async def types(self, request: Request) -> Response:
        """Its types."""
        return self._types.answer(request)
