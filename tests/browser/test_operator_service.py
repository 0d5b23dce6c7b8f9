"""The operator's page: health, limits, registrations by steps, webhooks, and its screens as axe-core sees them."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.axe import violations
from tests.browser.conftest import Visit
from tests.browser.operator import confirm, enter, go, make_key, press, rows, sign_in, sign_up, told
from tests.browser.server import Server, running_server
from tests.browser.visitor import Visitor


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("served"), "webhook.allow_private=true") as server:
        yield server


@pytest.fixture(scope="module")
def admin_key(desk: Server) -> str:
    return make_key(desk, "root")


@pytest.fixture
def operator(visit: Visit, desk: Server, admin_key: str) -> Visitor:
    return enter(visit(desk.url), admin_key)


def test_the_overview_shows_every_part_and_what_runs(operator: Visitor, desk: Server) -> None:
    operator.sees("section:has(h2:text('Health'))", "store")
    operator.sees("section:has(h2:text('Health'))", "well")
    body = {"username": "donald", "password": "volume four"}
    assert httpx.post(f"{desk.url}/login", json=body).status_code in {200, 202, 303}
    operator.page.reload()
    operator.sees("section:has(h2:text('Live registrations'))", "donald")


def test_a_webhook_is_added_tried_switched_and_removed(operator: Visitor, desk: Server) -> None:
    go(operator, "Webhooks")
    press(operator, "Add a webhook")
    operator.field("Address (https)").fill("nowhere")
    operator.page.keyboard.press("Enter")
    operator.sees("[role=alert]", "This will not do")
    operator.field("Address (https)").fill("https://127.0.0.1:1/hook")
    operator.field("Events").fill("user.created,post.created")
    operator.field("Note (optional)").fill("billing")
    operator.page.keyboard.press("Enter")
    told(operator, "The webhook is added.")
    assert operator.find("#secret").inner_text().startswith("whsec_")
    operator.sees(".facts", "user.created, post.created")
    url = "https://127.0.0.1:1/hook"
    press(operator, f"Test: {url}")
    told(operator, "✕")
    sign_up(desk, "first-told")
    operator.page.reload()
    operator.sees("section:has(h2:text('Deliveries'))", "user.created")
    press(operator, f"Switch off: {url}")
    confirm(operator, "Switch this webhook off?", "Switch off")
    told(operator, "is off.")
    press(operator, f"Switch on: {url}")
    told(operator, "is on.")
    press(operator, f"Deliver again: {url}")
    confirm(operator, "Deliver the last day again?", "Deliver again")
    told(operator, "events are delivered again.")
    press(operator, f"Remove: {url}")
    confirm(operator, "Remove this webhook?", "Remove")
    told(operator, "is removed.")
    assert rows(desk, "SELECT id FROM webhook") == []
    found = rows(desk, "SELECT DISTINCT actor FROM audit WHERE action LIKE 'webhook_%'")
    assert found == [("key root",)]


def test_a_registration_by_steps_is_unlocked(operator: Visitor, desk: Server) -> None:
    ask = {"jsonrpc": "2.0", "id": 1, "method": "firstStep", "params": {"phone": "+380501234567"}}
    assert "result" in httpx.post(f"{desk.url}/rpc", json=ask).json()
    go(operator, "Steps")
    expect(operator.find(".rows li")).to_have_count(1)
    assert "+380501234567" not in operator.find("main").inner_text()
    operator.find(".rows a").click()
    operator.sees(".facts", "verify")
    operator.page.get_by_role("link", name="Unlock").click()
    confirm(operator, "Let this contact start again?", "Unlock")
    told(operator, "can start again.")
    operator.sees(".empty", "Nothing is here.")


def test_wrong_passwords_are_forgotten(operator: Visitor, desk: Server) -> None:
    sign_up(desk, "clumsy")
    for _ in range(6):
        sign_in(desk, "clumsy", "wrong password")
    assert rows(desk, "SELECT count(*) FROM guess") != [(0,)]
    operator.open("/operator/user?name=clumsy")
    press(operator, "Forget wrong passwords: clumsy")
    told(operator, "The wrong passwords of clumsy are forgotten.")
    assert sign_in(desk, "clumsy") is not None


def test_limits_of_an_address_are_lifted(operator: Visitor) -> None:
    go(operator, "Limits")
    press(operator, "Lift the limits")
    operator.field("IP address").fill("somewhere")
    operator.page.keyboard.press("Enter")
    operator.sees("[role=alert]", "no IPv4 or IPv6 address")
    operator.field("IP address").fill("192.0.2.7")
    operator.page.keyboard.press("Enter")
    told(operator, "What was counted for 192.0.2.7 is forgotten.")


def test_without_a_mail_server_no_message_is_sent_for_trying(operator: Visitor) -> None:
    go(operator, "Mail")
    press(operator, "Send a test message")
    operator.field("E-mail address").fill("me@example.org")
    operator.page.keyboard.press("Enter")
    operator.sees("[role=alert]", "No mail server is configured")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(visit: Visit, desk: Server, admin_key: str, scheme: str) -> None:
    name = f"looked-at-{scheme}"
    headers = sign_up(desk, name)
    room = httpx.post(f"{desk.url}/room/create", json={"name": "Hall"}, headers=headers).json()["roomId"]
    operator = visit(desk.url, color_scheme=scheme)
    operator.open("/operator")
    assert violations(operator.page) == []
    operator.find("#link-part summary").click()
    assert violations(operator.page) == []
    enter(operator, admin_key)
    pages = ("", "/users", f"/user?name={name}", "/waiting", "/invitations", "/rooms", f"/rooms/{room}")
    more = ("/mail", "/steps", "/webhooks", "/limits", "/audit", "/keys", "/rooms/999")
    acts = ("suspend_user", "make_user", "invite", "make_key", "add_webhook", "lift_limits")
    for page in (*pages, *more, *(f"/do/{act}?user={name}" for act in acts)):
        operator.open(f"/operator{page}")
        assert violations(operator.page) == [], page
