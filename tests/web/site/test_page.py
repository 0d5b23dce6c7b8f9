"""The page without a browser: its headers, languages, static files, words and colours."""

import gzip
import re
from importlib.resources import files
from pathlib import Path

import pytest

from regserver.domain.sign_up_policy import SignUpMode
from regserver.text import CATALOGUES
from regserver.web.http.forwarded import ForwardedReader
from regserver.web.site.asset import Assets, load_assets
from regserver.web.site.page import FOLDERS, PageApi, TrialPage, page_policy
from tests.web.http_client import Reply, open_routes

pytestmark = pytest.mark.usefixtures("way")

PAGE = files("regserver.web.site")
SCRIPTS = {
    name: data.decode() for name, (_, data) in load_assets(*FOLDERS).files.items() if name.endswith(".js")
}
TEMPLATE = (PAGE / "page.html").read_text(encoding="utf-8")


async def _get(path: str, query: str = "", headers: dict[str, str] | None = None) -> Reply:
    async with open_routes(PageApi(ForwardedReader((), "")).routes()) as client:
        return await client.ask(
            "GET", f"{path}?{query}", headers={"host": "reg.example.org", **(headers or {})}
        )


async def test_the_policy_lets_in_nothing_but_our_own() -> None:
    response = await _get("/")
    fields = dict(response.headers)
    policy = dict(part.split(" ", 1) for part in fields["content-security-policy"].split("; "))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self'",
        "connect-src": "'self' ws://reg.example.org wss://reg.example.org",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    assert fields["referrer-policy"] == "same-origin"
    assert fields["cache-control"] == "no-cache"
    assert "Accept-Language" in fields["vary"]
    assert response.content_type == "text/html; charset=utf-8"


def test_a_base_path_is_not_part_of_the_policy() -> None:
    assert "connect-src 'self' ws://example.org:8443 wss://example.org:8443;" in page_policy(
        "wss://example.org:8443/reg"
    )


async def test_the_page_itself_keeps_to_the_policy() -> None:
    html = (await _get("/")).body.decode()
    assert "<style" not in html
    assert not re.search(r"\s(style|on[a-z]+)=", html)
    assert re.findall(r"<script(?![^>]* src=)", html) == []
    addresses = re.findall(r'(?:src|href|action)="([^"]*)"', html)
    assert addresses
    assert [a for a in addresses if "//" in a or a.startswith("/")] == []  # relative: works below a base path


async def test_static_files_are_kept_for_good_under_their_version() -> None:
    html = (await _get("/")).body.decode()
    addresses = sorted(set(re.findall(r'"(static/[^"]+)"', html)))
    assert {"main.js", "api.js", "page.css", "icon.svg"} <= {
        address.rpartition("/")[2] for address in addresses
    }
    for address in addresses:
        response = await _get("/" + address)
        assert response.status == 200
        assert ("cache-control", "public, max-age=31536000, immutable") in response.headers


async def test_a_first_visit_loads_what_it_shows() -> None:
    html = (await _get("/")).body.decode()
    first = {
        address.rpartition("/")[2] for address in re.findall(r'modulepreload" href="(static/[^"]+)"', html)
    }
    ahead = set(re.findall(r'data-next="([^"]*)"', html)[0].split())
    assert first | {"main.js"} == load_assets(*FOLDERS).needs("main.js")
    assert "rooms.js" in ahead
    assert not ahead & first
    assert not (first | ahead) & {"settings.js", "totp.js", "push.js", "mailbox.js"}


def test_every_script_is_needed_by_something() -> None:
    later = {name for script in SCRIPTS.values() for name in re.findall(r'import\("\./([\w.-]+)"\)', script)}
    workers = {name for name in SCRIPTS if name.endswith(".worker.js")}
    assert load_assets(*FOLDERS).needs("main.js", *later) | workers == SCRIPTS.keys()


async def test_a_server_for_trying_out_names_people_who_are_there() -> None:
    door = PageApi(ForwardedReader((), ""), trial=TrialPage(examples=True))
    async with open_routes(door.routes()) as client:
        assert b"sign in as ada" in (await client.ask("GET", "/")).body
        door.take("open", examples=False)  # another roster was loaded
        html = (await client.ask("GET", "/")).body
        assert b"ada" not in html.partition(b'id="sign-in"')[2].partition(b"</section>")[0]
        assert b"This server is for trying out." in html


async def test_another_version_is_served_but_not_kept() -> None:
    response = await _get("/static/0123456789abcdef/main.js")
    assert response.status == 200
    assert ("cache-control", "no-cache") in response.headers


@pytest.mark.parametrize("name", ["nothing.js", "page.html", "page.css.map", "..", "__init__.py"])
async def test_an_unknown_file_is_no_route(name: str) -> None:
    response = await _get(f"/static/x/{name}")
    assert (response.status, response.body) == (404, b'{"error":"RouteNotFound"}')


def test_the_version_changes_with_names_and_contents() -> None:
    versions = {
        Assets(c).version
        for c in ({"a.js": b"1"}, {"a.js": b"2"}, {"b.js": b"1"}, {"a.js": b"1", "b.js": b""})
    }
    assert len(versions) == 4
    assert Assets({"a.js": b"1"}).version == Assets({"a.js": b"1"}).version


@pytest.mark.parametrize(
    ("query", "accepted", "language"),
    [("", "", "en"), ("", "ru,en;q=0.9", "ru"), ("lang=fr", "ru", "fr")],
)
async def test_the_page_speaks_the_language_of_its_reader(query: str, accepted: str, language: str) -> None:
    response = await _get("/", query, {"accept-language": accepted})
    assert ("content-language", language) in response.headers
    assert f'<html lang="{language}">' in response.body.decode()


def test_every_text_is_used_and_every_used_text_is_there() -> None:
    text = CATALOGUES["en"]
    assert set(re.findall(r"""\bt\[["'](\S+?)["']\]""", TEMPLATE)) == text.page.keys()
    quoted = {key for script in SCRIPTS.values() for key in re.findall(r'"([a-z]+\.[A-Za-z]+)"', script)}
    used = {key for key in quoted if not key.endswith(".js")}
    # Refusals are worded by their names, so those are not quoted in the script.
    named = {f"error.{key}" for key in text.script["error"]}
    assert used | named == {f"{group}.{key}" for group, words in text.script.items() for key in words}


def test_the_script_holds_no_way_to_make_markup_of_text() -> None:
    for name, script in SCRIPTS.items():
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|Function\(", script
        ), name


# --- colours
_PAIRS = (
    ("ink", "ground"), ("ink", "surface"), ("ink", "raised"), ("ink", "tint"),
    ("muted", "ground"), ("muted", "surface"), ("muted", "raised"), ("muted", "tint"),
    ("accent", "ground"), ("accent", "surface"), ("on-accent", "accent"), ("on-accent", "accent-hover"),
    ("danger", "surface"), ("danger", "raised"), ("danger", "tint"), ("on-danger", "danger"),
)  # fmt: skip


def _palettes() -> list[dict[str, str]]:
    style = load_assets("page").files["theme.css"][1].decode()
    blocks = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    return [dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6})", block)) for block in blocks]


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("palette", _palettes(), ids=["light", "dark"])
def test_text_stands_out_from_its_ground(palette: dict[str, str]) -> None:
    """WCAG 2.2, 1.4.3 (4.5:1 for text) and 1.4.11 (3:1 for the edges of controls)."""
    for text, ground in (*_PAIRS, ("edge", "surface")):
        light, dark = sorted((_luminance(palette[text]), _luminance(palette[ground])), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= (3 if text == "edge" else 4.5), f"{text} on {ground}"


@pytest.mark.parametrize("mode", ["open", "invite", "approve"])
async def test_the_form_says_how_the_door_takes_people(mode: SignUpMode) -> None:
    async with open_routes(PageApi(ForwardedReader((), ""), sign_up=mode).routes()) as client:
        html = (await client.ask("GET", "/", headers={"host": "reg.example.org"})).body.decode()
    assert f'action="login/register" novalidate data-mode="{mode}"' in html


async def test_the_page_and_its_files_are_compressed_for_who_accepts_it() -> None:
    accepting = {"accept-encoding": "br, gzip;q=0.5"}
    html = (await _get("/")).body
    script = re.findall(r'"(static/[^"]+main\.js)"', html.decode())[0]
    for path, plain in (("/", html), (f"/{script}", (await _get(f"/{script}")).body)):
        reply = await _get(path, headers=accepting)
        assert ("content-encoding", "gzip") in reply.headers
        assert any("Accept-Encoding" in value for name, value in reply.headers if name == "vary")
        assert gzip.decompress(reply.body) == plain
        assert len(reply.body) < len(plain) / 2
        refusing = await _get(path, headers={"accept-encoding": "gzip;q=0"})
        assert refusing.body == plain


def test_lines_of_comments_are_left_out_and_everything_else_stays() -> None:
    for name, (_, data) in load_assets(*FOLDERS).files.items():
        if not name.endswith((".js", ".css")):
            continue
        (path,) = [
            found for found in Path(str(PAGE)).rglob(name) if found.parent.name in {*FOLDERS, "shared"}
        ]
        whole = path.read_text("utf-8").split("\n")
        left = iter(data.decode().split("\n"))
        line = next(left)
        missing = []
        for one in whole:
            if one == line:
                line = next(left, "\0")
            else:
                missing.append(one.strip())
        assert line == "\0", name
        assert all(
            one.startswith(("//", "/*", "*", "--")) or one.endswith("*/") or not one for one in missing
        ), name


async def test_a_first_visit_loads_at_most_60_kb() -> None:
    for language in ("en", "fr", "ru"):
        accepting = {"accept-encoding": "gzip"}
        page = await _get("/", f"lang={language}", accepting)
        addresses = set(re.findall(r'"(static/[^"]+)"', gzip.decompress(page.body).decode()))
        files = [(await _get(f"/{address}", headers=accepting)).body for address in sorted(addresses)]
        assert len(page.body) + sum(map(len, files)) <= 60_000
