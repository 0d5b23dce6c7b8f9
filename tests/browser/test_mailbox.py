"""The mailbox on the page of a server for trying out: a mail comes in, and its link is followed."""

from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.server import running_server


def test_a_mail_comes_and_its_link_works(visit: Visit, tmp_path: Path) -> None:
    with running_server(tmp_path, "server.mailbox=true") as server:
        ann = visit(server.url)
        ann.sign_up("ann")
        expect(ann.find("#mailbox-unread")).to_have_text("1")
        ann.find("#mailbox summary").click()
        expect(ann.find("#mailbox-unread")).to_be_hidden()
        ann.sees("#letters", "Mail to ann@example.org")
        with ann.page.expect_popup() as opened:
            ann.find("#letters a").first.click()
        opened.value.get_by_role("button").click()
        expect(opened.value.locator("h1")).to_contain_text("Address verified")
        narrow = visit(server.url, viewport={"width": 320, "height": 640})
        narrow.open()
        narrow.find("#mailbox summary").click()
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert narrow.page.evaluate(wide) <= 0
        ann.page.goto("about:blank")  # nothing looks any more while the server ends
        narrow.page.goto("about:blank")
