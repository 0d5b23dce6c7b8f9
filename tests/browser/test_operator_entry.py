"""Entering the operator's page: by the link of the first start, by a key; and how a session ends."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.operator import enter, go, make_key, rows, told
from tests.browser.server import Server, running_server
from tests.browser.visitor import Visitor

LINK = re.compile(r"http\S+/operator/enter#rego_[\w-]{43}")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose store was empty when it started."""
    with running_server(tmp_path_factory.mktemp("operator")) as server:
        yield server


def first_link(server: Server) -> str:
    for _ in range(100):
        if found := LINK.findall("".join(server.log)):
            assert len(found) == 1
            return str(found[0])
        time.sleep(0.05)
    raise AssertionError("no link was printed")


def cookies(operator: Visitor) -> dict[str, dict[str, object]]:
    return {str(each["name"]): dict(each) for each in operator.page.context.cookies()}


def post(server: Server, path: str, form: dict[str, str], **headers: str) -> httpx.Response:
    return httpx.post(f"{server.url}/operator/{path}", data=form, headers=headers)


def test_the_link_of_the_first_start_opens_the_page_once(visit: Visit, desk: Server) -> None:
    link, operator = first_link(desk), visit(desk.url)
    secret = link.partition("#")[2]
    operator.open(link.removeprefix(desk.url))
    operator.sees("h1", "Operators’ entrance")
    assert secret not in operator.page.url
    expect(operator.field("Name of the key")).to_be_focused()
    operator.field("Name of the key").fill("boss")
    operator.page.keyboard.press("Enter")
    told(operator, "Your operator key is boss")
    key = operator.find("#secret").inner_text()
    operator.page.reload()
    expect(operator.find(".told")).to_have_count(0)
    assert rows(desk, "SELECT name, role FROM operator_key WHERE name = 'boss'") == [("boss", "admin")]
    second = visit(desk.url)
    second.open(link.removeprefix(desk.url))
    second.field("Name of the key").fill("other")
    second.page.keyboard.press("Enter")
    second.sees("[role=alert]", "The link was used")
    enter(visit(desk.url), key)
    log = "".join(line for line in desk.log if "once within an hour" not in line)
    assert secret not in log
    assert key not in log


def test_the_database_has_hashes_alone(visit: Visit, desk: Server) -> None:
    key = make_key(desk, "hashed")
    operator = enter(visit(desk.url), key)
    session = str(cookies(operator)["regserver-operator"]["value"])
    assert session.startswith("rego_")
    stored = b"".join(path.read_bytes() for path in desk.database.parent.glob("test.db*"))
    assert session.encode() not in stored
    assert key.encode() not in stored


def test_a_language_chosen_before_the_entry_stays(desk: Server) -> None:
    to_entry = httpx.get(f"{desk.url}/operator?lang=fr", headers={"accept-language": "ru"})
    assert to_entry.status_code == 303
    chosen = {"regserver-operator-language": to_entry.cookies["regserver-operator-language"]}
    assert chosen == {"regserver-operator-language": "fr"}
    entry = httpx.get(f"{desk.url}/operator/enter", headers={"accept-language": "ru"}, cookies=chosen)
    assert entry.headers["content-language"] == "fr"


def test_another_link_is_made_by_a_command(visit: Visit, desk: Server) -> None:
    old = desk.command("key", "link").splitlines()[0]
    link = desk.command("key", "link").splitlines()[0]
    operator = visit(desk.url)
    operator.open("/operator/enter#" + old.partition("#")[2])
    operator.field("Name of the key").fill("late")
    operator.page.keyboard.press("Enter")
    operator.sees("[role=alert]", "The link was used")
    operator.open("/operator/enter#" + link.partition("#")[2])
    operator.field("Name of the key").fill("late")
    operator.page.keyboard.press("Enter")
    told(operator, "Your operator key is late")


def test_without_scripts_the_link_is_pasted(visit: Visit, desk: Server) -> None:
    link = desk.command("key", "link").splitlines()[0]
    operator = visit(desk.url, java_script_enabled=False)
    operator.open("/operator")
    operator.find("#link-part summary").click()
    operator.field("One-time link").fill(link)
    operator.field("Name of the key").fill("handy")
    operator.page.keyboard.press("Enter")
    told(operator, "Your operator key is handy")
    go(operator, "Operator keys")
    operator.sees(".rows", "handy")


def test_the_cookie_is_for_this_page_alone(visit: Visit, desk: Server) -> None:
    operator = enter(visit(desk.url), make_key(desk, "cook"))
    found = cookies(operator)["regserver-operator"]
    assert (found["httpOnly"], found["sameSite"], found["path"]) == (True, "Strict", "/")
    assert 3500 < float(str(found["expires"])) - time.time() <= 3600
    assert operator.page.evaluate("() => document.cookie") == ""


def test_leaving_ends_the_session(visit: Visit, desk: Server) -> None:
    operator = enter(visit(desk.url), make_key(desk, "leaver"))
    session = str(cookies(operator)["regserver-operator"]["value"])
    operator.page.get_by_role("button", name="Leave").click()
    operator.sees("[role=status]", "You have left.")
    assert "regserver-operator" not in cookies(operator)
    answer = httpx.get(f"{desk.url}/operator", cookies={"regserver-operator": session})
    assert (answer.status_code, answer.headers["location"]) == (303, "operator/enter")


def test_a_revoked_key_ends_its_sessions(visit: Visit, desk: Server) -> None:
    operator = enter(visit(desk.url), make_key(desk, "short-lived"))
    operator.open("/operator/do/make_key")
    operator.field("Name of the key").fill("too-late")
    desk.command("key", "revoke", "short-lived")
    operator.page.keyboard.press("Enter")
    operator.sees("h1", "Operators’ entrance")
    assert rows(desk, "SELECT name FROM operator_key WHERE name = 'too-late'") == []


def test_a_key_has_ten_sessions_at_most(desk: Server) -> None:
    key = make_key(desk, "busy")
    entered = [post(desk, "enter", {"key": key}).cookies["regserver-operator"] for _ in range(12)]
    open_ones = [
        httpx.get(f"{desk.url}/operator", cookies={"regserver-operator": each}).status_code
        for each in entered
    ]
    assert sorted(open_ones) == [200] * 10 + [303] * 2


def test_wrong_keys_are_slowed_down(desk: Server) -> None:
    statuses = [post(desk, "enter", {"key": f"regs_op_{number:043}"}).status_code for number in range(6)]
    assert statuses == [401] * 5 + [429]
    desk.command("user", "list")  # commands are not kept out
    time.sleep(1.1)
    assert post(desk, "enter", {"key": make_key(desk, "patient")}).status_code == 303


def test_a_publish_key_does_not_enter(visit: Visit, desk: Server) -> None:
    operator = visit(desk.url)
    operator.open("/operator")
    operator.field("Operator key").fill(make_key(desk, "robot", "publish"))
    operator.page.keyboard.press("Enter")
    operator.sees("[role=alert]", "The role of your key does not go so far.")


def test_forms_of_others_do_nothing(visit: Visit, desk: Server) -> None:
    operator = enter(visit(desk.url), make_key(desk, "target"))
    session = {"regserver-operator": str(cookies(operator)["regserver-operator"]["value"])}
    proof = str(operator.find("input[name=proof]").first.get_attribute("value"))
    form = {"keyName": "stolen", "role": "admin", "form": "1"}
    url = f"{desk.url}/operator/do/make_key"
    other = enter(visit(desk.url), make_key(desk, "neighbour"))
    foreign = str(other.find("input[name=proof]").first.get_attribute("value"))
    answers = [
        httpx.post(url, data=form, cookies=session),
        httpx.post(url, data={**form, "proof": foreign}, cookies=session),
        httpx.post(
            url, data={**form, "proof": proof}, cookies=session, headers={"sec-fetch-site": "same-site"}
        ),
        httpx.post(
            url, data={**form, "proof": proof}, cookies=session, headers={"origin": "https://evil.example"}
        ),
        httpx.post(url, data={**form, "proof": proof}),
        httpx.post(url, json={**form, "proof": proof}, cookies=session),
    ]
    assert [answer.status_code for answer in answers] == [403, 403, 403, 403, 303, 415]
    assert post(desk, "enter", {"key": "x"}, **{"sec-fetch-site": "cross-site"}).status_code == 403
    assert rows(desk, "SELECT name FROM operator_key WHERE name = 'stolen'") == []


def test_a_form_that_comes_twice_is_done_once(visit: Visit, desk: Server) -> None:
    operator = enter(visit(desk.url), make_key(desk, "hasty"))
    session = {"regserver-operator": str(cookies(operator)["regserver-operator"]["value"])}
    proof = str(operator.find("input[name=proof]").first.get_attribute("value"))
    form = {"keyName": "twin", "role": "read", "form": "42", "proof": proof}
    first, second = (
        httpx.post(f"{desk.url}/operator/do/make_key", data=form, cookies=session) for _ in range(2)
    )
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.cookies["regserver-operator-done"] == second.cookies["regserver-operator-done"]
    assert len(rows(desk, "SELECT number FROM audit WHERE subject = 'key twin, read'")) == 1


@pytest.mark.parametrize("host", ["reg.example", "192.0.2.7:8080"])
def test_by_plain_http_from_elsewhere_nobody_enters(desk: Server, host: str) -> None:
    key = make_key(desk, f"far-{host[:3]}")
    page = httpx.get(f"{desk.url}/operator/enter", headers={"host": host})
    assert "by https, or on the server" in page.text
    assert "<form" not in page.text
    answer = post(desk, "enter", {"key": key}, host=host)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_by_https_the_cookie_is_bound_to_the_host(tmp_path: Path) -> None:
    with running_server(tmp_path, "server.public_url=https://reg.example") as server:
        answer = post(server, "enter", {"key": make_key(server, "anna")}, host="reg.example")
        assert answer.status_code == 303
        [cookie] = answer.headers.get_list("set-cookie")
        assert re.fullmatch(
            r"__Host-regserver-operator=rego_[\w-]{43}; Path=/; Max-Age=3600; HttpOnly; SameSite=Strict; Secure",
            cookie,
        )
        assert "https://reg.example/operator/enter#rego_" in "".join(server.log)


def test_the_page_can_be_switched_off(tmp_path: Path) -> None:
    with running_server(tmp_path, "operations.page=false") as server:
        assert httpx.get(f"{server.url}/operator").status_code == 404
        assert LINK.findall("".join(server.log)) == []
