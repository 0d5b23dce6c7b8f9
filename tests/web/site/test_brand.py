"""The operator's brand on every page: name, sign, colour and the links at the foot, within the same policy."""

import re

import pytest

from regserver.domain.colour import Colour
from regserver.web.http.forwarded import ForwardedReader
from regserver.web.http.route import Route
from regserver.web.site.brand import PLAIN, Brand
from regserver.web.site.link_page import LinkPage
from regserver.web.site.page import PageApi
from tests.web.http_client import open_routes

pytestmark = pytest.mark.usefixtures("way")

LOGO = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
ACME = Brand(
    "Acme <&> Sons",
    Colour("#7a1f5c"),
    "https://acme.example/imprint",
    "mailto:privacy@acme.example",
    (".svg", LOGO),
)


async def test_the_page_shows_it() -> None:
    async with open_routes(PageApi(ForwardedReader((), ""), brand=ACME).routes()) as client:
        html = (await client.ask("GET", "/", headers={"host": "acme.example"})).body.decode()
        logo = await client.ask("GET", "/" + next(iter(re.findall(r'"(static/[^"]+/logo-[^"]+)"', html))))
        theme = await client.ask("GET", "/" + next(iter(re.findall(r'"(static/[^"]+/theme.css)"', html))))
    assert "<title>Acme &lt;&amp;&gt; Sons</title>" in html
    assert '<a href="https://acme.example/imprint">Imprint</a>' in html
    assert '<a href="mailto:privacy@acme.example">Privacy</a>' in html
    assert "icon.svg" not in html
    assert logo.body == LOGO
    # A browser that opens the file by itself runs nothing of it.
    assert (
        "content-security-policy",
        "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    ) in logo.headers
    assert "--accent: #7a1f5c;" in theme.body.decode()
    assert theme.body.decode().count("prefers-color-scheme: dark") == 2


async def test_pages_behind_mailed_links_show_it() -> None:
    page = LinkPage("recover", "recover.html", ACME)
    async with open_routes((Route("file", "GET", "/{file}", page.file, "page", described=False),)) as client:
        assert (await client.ask("GET", f"/{ACME.icon}")).body == LOGO
        assert b"--accent: #7a1f5c;" in (await client.ask("GET", "/theme.css")).body


def test_another_sign_is_another_file() -> None:
    assert Brand(logo=(".png", b"1")).icon != Brand(logo=(".png", b"2")).icon
    assert PLAIN.icon == "icon.svg"


async def test_without_one_nothing_stands_at_the_foot() -> None:
    async with open_routes(PageApi(ForwardedReader((), "")).routes()) as client:
        html = (await client.ask("GET", "/", headers={"host": "reg.example.org"})).body.decode()
    assert "<footer" not in html
    assert "<title>regserver</title>" in html
