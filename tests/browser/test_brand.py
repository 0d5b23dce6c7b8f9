"""The operator's brand as people see it: on the page, behind mailed links, without scripts, at the operator's page, in the reference."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.axe import violations
from tests.browser.conftest import Visit
from tests.browser.operator import enter, make_key
from tests.browser.server import running_server

LOGO = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><circle cx="5" cy="5" r="5" fill="#7a1f5c"/></svg>'


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_bears_it(visit: Visit, tmp_path: Path, scheme: str) -> None:
    (tmp_path / "logo.svg").write_text(LOGO)
    brand = (
        "site.name=Plum & Co",
        f"site.logo={tmp_path / 'logo.svg'}",
        "site.color=#7a1f5c",
        "site.imprint=https://plum.example/imprint",
        "site.privacy=https://plum.example/privacy",
    )
    with running_server(tmp_path, *brand) as server:
        guest = visit(server.url, color_scheme=scheme)
        for path in (
            "/",
            "/plain",
            "/recover",
            "/verify",
            "/undo",
            "/approve",
            "/confirm",
            "/operator",
            "/docs",
        ):
            guest.open(path)
            expect(guest.page.locator(".brand").first).to_contain_text("Plum & Co")
            assert "Plum & Co" in guest.page.title()
            icon = guest.page.locator("link[rel=icon]").get_attribute("href") or ""
            assert "/logo-" in icon
            expect(guest.page.get_by_role("link", name="Imprint")).to_have_attribute(
                "href", "https://plum.example/imprint"
            )
            # The reference has hundreds of entries, of which axe has its own test.
            assert violations(guest.page, "footer" if path == "/docs" else "html") == [], path
        enter(guest, make_key(server, "root"))
        guest.sees("footer", "Privacy")
        expect(guest.page.locator(".brand").first).to_contain_text("Plum & Co")
        assert violations(guest.page) == []
        accent = guest.page.evaluate(
            "() => getComputedStyle(document.documentElement).getPropertyValue('--accent')"
        )
        assert (accent == "#7a1f5c") is (scheme == "light")
