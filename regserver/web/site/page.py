"""`GET /` and the files under `/static/`, with their security fields.

The page is the same for all readers of one language, so it is rendered once, in a thread when it is first asked for. Only the
address to which its script may open sockets differs between requests.
"""

from collections.abc import Collection, Mapping
from typing import Final

import msgspec
import trio

from regserver.domain.outcome import RouteNotFound
from regserver.domain.sign_up_policy import DoorPolicy, SignUpMode
from regserver.endpoint import Request, Response
from regserver.text import CATALOGUES, Language
from regserver.web.http.forwarded import ForwardedReader
from regserver.web.http.language import language_of
from regserver.web.http.route import Route
from regserver.web.site.asset import (
    FOR_GOOD,
    REVALIDATE,
    Assets,
    asset_response,
    load_assets,
    packed,
)
from regserver.web.site.brand import PLAIN, Brand
from regserver.web.site.security import PAGE_FIELDS, content_security_policy
from regserver.web.site.template import Render, load_template

FOLDERS = ("page", "sdk")
FIRST = "main.js"
"""What the page begins with."""
NEXT = ("registration.js", "rooms.js", "sign-up.js", "ways.js")
"""What most people need next. The page fetches it as soon as somebody does something."""
FIELDS = (
    ("cache-control", REVALIDATE),
    *(field for field in PAGE_FIELDS if field[0] != "vary"),
    ("vary", "Accept-Language, Accept-Encoding"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)


class RobotChecks(msgspec.Struct, frozen=True):
    """proves: the doors that demand a proof of work, which the page does.

    elsewhere: those that demand the captcha of a service, whose script would come from there. The policy forbids it: the page has no form for them, and says why.
    """

    proves: Collection[str] = ()
    elsewhere: Collection[str] = ()


NO_CHECKS: Final = RobotChecks()
State = tuple[SignUpMode, bool]


class TrialPage(msgspec.Struct, frozen=True):
    """On a server for trying out the page has a mailbox. examples: it also names people of the example roster, who can sign in."""

    examples: bool = False


class PageApi:
    """The page and its files."""

    def __init__(
        self,
        forwarded: ForwardedReader,
        *,
        checks: RobotChecks = NO_CHECKS,
        sign_up: SignUpMode = "open",
        pushes: bool = False,
        trial: TrialPage | None = None,
        brand: Brand = PLAIN,
    ) -> None:
        """forwarded: finds the address to which the page may open sockets. checks: of the doors against robots.

        sign_up: the mode of the room door; where it takes nobody, the page says so and has no form for it. pushes: whether browsers can be told of rooms by Web Push.
        trial: what it shows on a server for trying out.
        """
        self._forwarded = forwarded
        self._proves, self._elsewhere = checks.proves, checks.elsewhere
        self._pushes = pushes
        self._trial = trial
        self._brand = brand
        self._assets = load_assets(*FOLDERS, brand=brand)
        self._state: State = (sign_up, trial is not None and trial.examples)
        self._pages: dict[State, dict[Language, bytes]] = {}
        self._rendering = trio.Lock()

    def take(self, sign_up: SignUpMode, *, examples: bool) -> None:
        """Says on the page who may sign up and whom it names, after a reload. examples: as in TrialPage."""
        self._state = (sign_up, examples)

    async def _rendered(self) -> dict[Language, bytes]:
        state = self._state
        if state not in self._pages:
            async with self._rendering:
                if state not in self._pages:
                    self._pages[state] = await trio.to_thread.run_sync(self._render, *state)
        return self._pages[state]

    def _render(self, sign_up: SignUpMode, examples: bool) -> dict[Language, bytes]:
        switches = {
            "proves": self._proves,
            "elsewhere": self._elsewhere,
            "is_open": DoorPolicy(sign_up).accepts,
            "sign_up": sign_up,
            "pushes": self._pushes,
            "mailbox": self._trial is not None,
            "examples": examples,
            "brand": self._brand,
        }
        return render_pages(self._assets, switches)

    def routes(self) -> tuple[Route, ...]:
        """GET / and the files below /static."""
        # Three segments, since two would conflict with the directory's /{name}/check.
        return (
            Route("site.page", "GET", "/", self.page, "page", described=False),
            Route("site.push_worker", "GET", "/push.worker.js", self.push_worker, "page", described=False),
            Route("site.asset", "GET", "/static/{version}/{file}", self.asset, "page", described=False),
        )

    async def page(self, request: Request) -> Response:
        """The page in the reader's language."""
        language = language_of(request)
        policy = page_policy(
            self._forwarded.read(request).socket_base, proves=bool(self._proves), pushes=self._pushes
        )
        fields = (("content-security-policy", policy), ("content-language", language), *FIELDS)
        body, coded = packed((await self._rendered())[language], request)
        return Response(body=body, content_type="text/html; charset=utf-8", headers=(*coded, *fields))

    async def push_worker(self, request: Request) -> Response:
        """The service worker. Its address stays the same, since browsers look there for a newer one, and beside the page, whose it is."""
        return asset_response(self._assets.files["push.worker.js"], REVALIDATE, request)

    async def asset(self, request: Request) -> Response | RouteNotFound:
        """A file of the page."""
        found = self._assets.files.get(request.params["file"])
        if found is None:
            return RouteNotFound()
        # During an update a page of one version may get files from a node of another: served, but not cached.
        current = request.params["version"] == self._assets.version
        return asset_response(found, FOR_GOOD if current else REVALIDATE, request)


def page_policy(socket_base: str, *, proves: bool = False, pushes: bool = False) -> str:
    """The page's Content-Security-Policy. socket_base: ws or wss, host and perhaps a path.

    The host is named because not every browser counts WebSockets to the page's own host as 'self'; with both schemes, since a
    proxy may end TLS without saying so. With proves, the page may start the worker that does the work; with pushes, its service worker.
    """
    host = socket_base.partition("://")[2].partition("/")[0]
    connect = f"connect-src 'self' ws://{host} wss://{host}"
    if proves or pushes:
        names = " ".join(name for name, used in (("proof", proves), ("push", pushes)) if used)
        worker = "worker-src 'self'"
        return content_security_policy("img-src 'self'", connect, worker, trusted_types=names)
    return content_security_policy("img-src 'self'", connect)


def render_pages(assets: Assets, switches: Mapping[str, object]) -> dict[Language, bytes]:
    """language → HTML. switches: what the template shows. Its links are relative, so that it works below a proxy's base path."""
    render = load_template("page.html")
    return {language: _render(render, assets, language, switches) for language in CATALOGUES}


def _render(render: Render, assets: Assets, language: Language, switches: Mapping[str, object]) -> bytes:
    text = CATALOGUES[language]
    script = {f"{group}.{key}": word for group, words in text.script.items() for key, word in words.items()}
    first = assets.needs(FIRST)
    html = render(
        language=language,
        languages=[(code, catalogue.name) for code, catalogue in CATALOGUES.items()],
        static=f"static/{assets.version}",
        first=sorted(first - {FIRST}),
        next=sorted(assets.needs(*NEXT) - first),
        t=text.page,
        site=text.site,
        **switches,
        script_text=msgspec.json.encode(script).decode(),
    )
    return html.lstrip().encode()
