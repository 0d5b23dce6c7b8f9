"""A session of the page: for all tabs in a cookie that no script reads, or for one tab alone."""

import json

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.server import Server
from tests.browser.visitor import PASSWORD, Visitor


def inside(visitor: Visitor, name: str) -> None:
    visitor.sees_live()
    expect(visitor.find("#who")).to_have_text(name)


def test_every_tab_is_signed_in_and_signed_out_with_the_others(visit: Visit) -> None:
    ute = visit()
    waiting = visit(beside=ute)
    waiting.open()
    waiting.sees("#sign-in")
    ute.sign_up("ute")
    inside(waiting, "ute")  # it hears of the sign-in
    later = visit(beside=ute)
    later.open()
    inside(later, "ute")
    waiting.page.reload()
    inside(waiting, "ute")
    later.sign_out()
    for tab in (ute, waiting):
        tab.sees("#notice", "You are signed out.")
        tab.sees("#sign-in-title")
    ute.page.reload()
    ute.sees("#sign-in-title")


def test_the_cookie_is_out_of_reach_of_scripts(visit: Visit) -> None:
    vera = visit()
    vera.sign_up("vera")
    (cookie,) = [cookie for cookie in vera.cookies() if cookie["value"].startswith("regs_")]
    port = vera.url.rpartition(":")[2]
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (
        f"regserver-{port}",
        True,
        "Lax",
        "/",
    )
    kept = vera.page.evaluate("() => JSON.stringify([sessionStorage, localStorage, document.cookie])")
    assert "regs_" not in kept


def test_a_cookie_alone_changes_and_shows_nothing(visit: Visit, server: Server) -> None:
    """Whichever page makes the browser send it: it takes a field that only our own page can send."""
    willi = visit()
    willi.sign_up("willi")
    asked = willi.page.request
    assert asked.get(f"{server.url}/login/info").status == 401
    assert asked.delete(f"{server.url}/login/delete").status == 401
    field = {"x-regserver-session": "cookie"}
    assert asked.get(f"{server.url}/login/info", headers=field).status == 200
    foreign = {**field, "sec-fetch-site": "same-site"}
    assert asked.get(f"{server.url}/login/info", headers=foreign).status == 401


def test_for_this_tab_alone(visit: Visit) -> None:
    xenia = visit()
    xenia.sign_up("xenia")
    xenia.sign_out()
    expect(xenia.find("#sign-in-remember")).to_be_checked()
    xenia.find("#sign-in-remember").uncheck()
    xenia.sign_in("xenia", PASSWORD)
    inside(xenia, "xenia")
    assert [cookie for cookie in xenia.cookies() if cookie["value"].startswith("regs_")] == []
    xenia.page.reload()
    inside(xenia, "xenia")
    other = visit(beside=xenia)
    other.open()
    other.sees("#sign-in-title")


def test_another_person_in_another_tab(visit: Visit) -> None:
    """No tab goes on in the name of who was signed in before."""
    yannick = visit()
    yannick.sign_up("yannick")
    before = yannick.token()
    other = visit(beside=yannick)
    other.open("/")
    inside(other, "yannick")
    answer = other.page.evaluate(
        """async fields => {
            const answer = await fetch("login/register", { method: "POST", headers: { "content-type": "application/json" }, body: fields });
            return (await answer.json()).token;
        }""",
        json.dumps({"username": "zita", "email": "zita@example.org", "password": PASSWORD}),
    )
    other.page.evaluate(
        """async token => {
            const { keepToken } = await import(document.querySelector("link[href$='api.js']").href);
            await keepToken(token, true);
        }""",
        answer,
    )
    inside(yannick, "zita")
    assert yannick.token() == answer
    # The session that the browser had is over, and not merely forgotten.
    refused = yannick.page.request.get(
        f"{yannick.url}/login/info", headers={"authorization": f"Bearer {before}"}
    )
    assert refused.status == 401


def test_a_session_that_only_the_cookie_knows_of_is_found(visit: Visit) -> None:
    albert = visit()
    albert.sign_up("albert")
    albert.page.evaluate("() => localStorage.clear()")
    albert.page.reload()
    inside(albert, "albert")
