"""The operator's page: what each section shows and does, by the hand of somebody at a browser."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.operator import confirm, enter, go, make_key, press, rows, sign_in, sign_up, told
from tests.browser.server import Server, running_server
from tests.browser.visitor import Visitor

OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("operated")) as server:
        yield server


@pytest.fixture(scope="module")
def admin_key(desk: Server) -> str:
    return make_key(desk, "root")


@pytest.fixture
def operator(visit: Visit, desk: Server, admin_key: str) -> Visitor:
    return enter(visit(desk.url), admin_key)


def test_the_first_page_says_what_runs(operator: Visitor) -> None:
    operator.sees("h1", "Overview")
    present = operator.find("section:has(h2:text('At present'))")
    expect(present).to_contain_text("Version")
    expect(present).to_contain_text("Live registrations")


def test_an_account_is_found_suspended_and_resumed(operator: Visitor, desk: Server) -> None:
    for name in ("grace.h", "other"):
        sign_up(desk, name)
    go(operator, "Users")
    operator.field("Name or address").fill("GRACE")
    operator.page.keyboard.press("Enter")
    expect(operator.find(".rows li")).to_have_count(1)
    operator.page.get_by_role("link", name="grace.h").click()
    operator.sees(".facts", "grace.h@example.org (not verified)")
    press(operator, "Suspend: grace.h")
    assert sign_in(desk, "grace.h") is not None  # the second page alone does nothing
    confirm(operator, "Suspend this account?", "Suspend")
    told(operator, "grace.h is suspended.")
    operator.sees(".facts", "suspended")
    assert sign_in(desk, "grace.h") is None
    press(operator, "Resume: grace.h")
    told(operator, "grace.h can be used again.")
    assert sign_in(desk, "grace.h") is not None
    found = rows(desk, "SELECT actor, action FROM audit WHERE action IN ('suspended', 'account_resumed')")
    assert found == [("key root", "suspended"), ("key root", "account_resumed")]
    operator.sees("section:has(h2:text('What was done'))", "account_resumed")


def test_an_account_is_made_renamed_and_given_a_link(operator: Visitor, desk: Server) -> None:
    go(operator, "Users")
    press(operator, "Make an account")
    operator.field("User name").fill("x")
    operator.field("E-mail").fill("new@example.org")
    operator.page.keyboard.press("Enter")
    operator.sees("[role=alert]", "3 to 32 letters")
    expect(operator.field("E-mail")).to_have_value("new@example.org")
    operator.field("User name").fill("newcomer")
    operator.field("The address is known to be theirs").check()
    operator.page.keyboard.press("Enter")
    told(operator, "newcomer is made.")
    operator.sees(".facts", "new@example.org (verified)")
    press(operator, "Rename: newcomer")
    operator.field("User name").fill("settler")
    operator.page.keyboard.press("Enter")
    told(operator, "The account is now called settler.")
    press(operator, "Link for a new password: settler")
    operator.page.get_by_role("button", name="Link for a new password").click()
    told(operator, "The link for settler is made.")
    assert "/recover" in operator.find("#secret").inner_text()


def test_sessions_end_a_password_is_set_and_an_account_deleted_and_restored(
    operator: Visitor, desk: Server
) -> None:
    person = sign_up(desk, "leaver")
    operator.open("/operator/user?name=leaver")
    press(operator, "End all sessions: leaver")
    confirm(operator, "Sign this person out everywhere?", "End all sessions")
    told(operator, "leaver is signed out everywhere.")
    assert httpx.get(f"{desk.url}/login/sessions", headers=person).status_code == 401
    press(operator, "Set a password: leaver")
    operator.field("Password").fill("another long password")
    operator.page.keyboard.press("Enter")
    told(operator, "The password of leaver is set.")
    assert sign_in(desk, "leaver", "another long password") is not None
    press(operator, "Delete: leaver")
    confirm(operator, "Delete this account?", "Delete")
    told(operator, "leaver is deleted.")
    assert sign_in(desk, "leaver", "another long password") is None
    press(operator, "Restore: leaver")
    told(operator, "leaver is restored.")


def test_an_invitation_is_shown_once_and_revoked(operator: Visitor, desk: Server) -> None:
    go(operator, "Invitations")
    press(operator, "Make an invitation")
    operator.field("How many accounts it makes").fill("3")
    operator.field("Note (optional)").fill("class 7b")
    operator.page.keyboard.press("Enter")
    told(operator, "is made.")
    assert operator.find("#secret").inner_text().startswith("regi_")
    operator.sees(".rows", "class 7b · Uses 0/3")
    operator.page.reload()
    expect(operator.find("#secret")).to_have_count(0)
    operator.find(".rows a:has-text('Revoke')").click()
    confirm(operator, "Revoke this invitation?", "Revoke")
    told(operator, "is revoked.")
    operator.sees(".empty", "Nothing is here.")


def test_a_room_loses_a_member_a_post_and_itself(operator: Visitor, desk: Server) -> None:
    host, guest = sign_up(desk, "host"), sign_up(desk, "guest")
    [(number,)] = rows(desk, "SELECT id FROM account WHERE username = 'guest'")
    body = {"name": "Kitchen", "otherUsers": [number]}
    room = httpx.post(f"{desk.url}/room/create", json=body, headers=host).json()["roomId"]
    post = httpx.post(f"{desk.url}/room/post/{room}", json={"content": "awful words"}, headers=host).json()[
        "postId"
    ]
    go(operator, "Rooms")
    operator.sees(".lead", "Posts are not shown to operators.")
    press(operator, "Remove a post")
    operator.field("Number of the post").fill(str(post))
    operator.page.keyboard.press("Enter")
    told(operator, f"The content of post {post} is gone.")
    assert rows(desk, "SELECT content FROM post WHERE id = ?", post) == [("[removed]",)]
    operator.page.get_by_role("link", name="Kitchen").click()
    press(operator, "Put out: guest")
    confirm(operator, "Put this person out of the room?", "Put out")
    told(operator, "guest is out of the room.")
    assert httpx.get(f"{desk.url}/room/{room}", headers=guest).status_code in {403, 404}
    press(operator, "Close the room: Kitchen")
    confirm(operator, "Close this room?", "Close the room")
    told(operator, f"Room {room} is closed.")
    assert rows(desk, "SELECT id FROM room WHERE id = ?", room) == []


def test_keys_are_made_and_revoked(operator: Visitor, desk: Server) -> None:
    go(operator, "Operator keys")
    press(operator, "Make a key")
    operator.field("Name of the key").fill("Not A Name")
    operator.page.keyboard.press("Enter")
    operator.sees("[role=alert]", "small letters")
    operator.field("Name of the key").fill("helper")
    operator.field("Role").select_option("read")
    operator.page.get_by_role("button", name="Make a key").click()
    told(operator, "The key helper is made.")
    key = operator.find("#secret").inner_text()
    answer = httpx.get(f"{desk.url}/admin/users", headers={"authorization": f"Bearer {key}"})
    assert answer.status_code == 200
    press(operator, "Revoke: helper")
    confirm(operator, "Revoke this key?", "Revoke")
    told(operator, "The key helper is revoked.")
    answer = httpx.get(f"{desk.url}/admin/users", headers={"authorization": f"Bearer {key}"})
    assert answer.status_code == 401


def test_the_audit_is_filtered_paged_and_verified(operator: Visitor, desk: Server) -> None:
    for number in range(60):
        if number % 20 == 0:
            make_key(desk, f"row-{number}")
        httpx.post(f"{desk.url}/login", json={"username": f"nobody{number}", "password": "x" * 9})
    go(operator, "Audit")
    operator.field("Kind").select_option("key_made")
    operator.page.get_by_role("button", name="Search").click()
    operator.sees(".rows", "key row-40, admin")
    expect(operator.find(".rows .name:has-text('sign_in')")).to_have_count(0)
    go(operator, "Audit")
    first = operator.find(".rows li").first.inner_text()
    operator.page.get_by_role("link", name="Further ones").click()
    operator.page.wait_for_url("**before=*")
    assert operator.find(".rows li").first.inner_text() != first
    press(operator, "Verify")
    told(operator, "✓")


def test_mail_that_waits_is_sent_again(visit: Visit, desk: Server, operator: Visitor) -> None:
    go(operator, "Mail")
    operator.sees("main", "Nothing is here.")


@pytest.mark.parametrize(
    ("role", "sections"),
    [
        ("read", ["Overview", "Users", "Waiting", "Invitations", "Rooms", "Mail", "Audit"]),
        ("support", ["Overview", "Users", "Waiting", "Invitations", "Rooms", "Mail", "Audit"]),
    ],
)
def test_a_role_is_offered_what_it_may_do(visit: Visit, desk: Server, role: str, sections: list[str]) -> None:
    sign_up(desk, f"seen-by-{role}")
    operator = enter(visit(desk.url), make_key(desk, f"a-{role}", role))
    assert set(sections) <= set(operator.find(".desk > .sections a").all_inner_texts())
    assert "Operator keys" not in operator.find(".desk > .sections a").all_inner_texts()
    operator.open("/operator/keys")
    operator.sees("h1", "Not allowed")
    operator.open(f"/operator/user?name=seen-by-{role}")
    expect(operator.page.get_by_role("link", name="Delete")).to_have_count(0)
    expect(operator.page.get_by_role("link", name="Suspend")).to_have_count(0 if role == "read" else 1)
    operator.open(f"/operator/do/delete_user?user=seen-by-{role}")
    operator.sees("h1", "Not found")
    assert sign_in(desk, f"seen-by-{role}") is not None


@pytest.mark.parametrize(
    ("language", "title", "section"),
    [("fr", "Aperçu", "Utilisateurs"), ("ru", "Обзор", "Пользователи")],
)
def test_a_chosen_language_stays(operator: Visitor, language: str, title: str, section: str) -> None:
    operator.find(f"[hreflang={language}]").click()
    operator.sees("h1", title)
    operator.page.get_by_role("link", name=section).click()
    operator.sees("h1", section)
    expect(operator.find("html")).to_have_attribute("lang", language)


def test_by_keyboard_alone(operator: Visitor, desk: Server) -> None:
    sign_up(desk, "keyed")
    keys = operator.page.keyboard
    keys.press("Tab")
    expect(operator.find(".skip")).to_be_focused()
    keys.press("Enter")
    expect(operator.find("main")).to_be_focused()
    operator.open("/operator/user?name=keyed")
    operator.page.get_by_role("link", name="Suspend: keyed").focus()
    keys.press("Enter")
    operator.sees("h1", "Suspend this account?")
    for _ in range(40):
        keys.press("Tab")
        if operator.page.evaluate("() => document.activeElement.matches('form.act button')"):
            break
    keys.press("Enter")
    told(operator, "keyed is suspended.")


def test_without_scripts(visit: Visit, desk: Server, admin_key: str) -> None:
    sign_up(desk, "scriptless")
    operator = enter(visit(desk.url, java_script_enabled=False), admin_key)
    operator.open("/operator/user?name=scriptless")
    press(operator, "Suspend: scriptless")
    confirm(operator, "Suspend this account?", "Suspend")
    told(operator, "scriptless is suspended.")


@pytest.mark.parametrize("language", ["en", "fr", "ru"])
def test_nothing_sticks_out_of_a_phone(visit: Visit, desk: Server, admin_key: str, language: str) -> None:
    name = f"a-rather-long-user-name-now.{language}"
    headers = sign_up(desk, name)
    body = {"name": "A-room-whose-name-has-no-space-at-all-to-break-it-" * 2}
    room = httpx.post(f"{desk.url}/room/create", json=body, headers=headers).json()["roomId"]
    operator = visit(desk.url, viewport={"width": 320, "height": 640})
    enter(operator, admin_key)
    operator.open(f"/operator?lang={language}")
    pages = [str(each.get_attribute("href")) for each in operator.find(".desk > .sections a").all()]
    inner = [f"operator/user?name={name}", f"operator/rooms/{room}"]
    acts = [f"operator/do/{act}?user={name}" for act in ("suspend_user", "rename_user", "make_user")]
    for page in (*pages, *inner, *acts, "operator/do/invite", "operator/do/make_key"):
        operator.open("/" + page.removeprefix("operator/../"))
        assert operator.page.evaluate(OVERFLOW) <= 0, page


def test_on_a_phone_the_sections_are_in_a_menu(visit: Visit, desk: Server, admin_key: str) -> None:
    operator = visit(desk.url, viewport={"width": 320, "height": 640}, java_script_enabled=False)
    enter(operator, admin_key)
    heading = operator.page.get_by_role("heading", level=1)
    box = heading.bounding_box()
    assert box is not None
    assert box["y"] < 160  # what is above it leaves the screen to what one came for
    operator.find(".drawer summary").focus()
    operator.page.keyboard.press("Enter")
    go(operator, "Rooms")
    operator.sees(".drawer summary", "Rooms")
    operator.find(".drawer summary").press("Enter")
    operator.page.get_by_role("button", name="Leave").press("Enter")
    operator.sees("main", "You have left.")


def test_what_people_write_is_no_markup(operator: Visitor, desk: Server) -> None:
    headers = sign_up(desk, "marker")
    text = "<img src=x onerror=window.pwned=1>{{7*7}}"
    httpx.post(f"{desk.url}/room/create", json={"name": text}, headers=headers)
    go(operator, "Rooms")
    operator.sees(".rows", text)
    operator.page.get_by_role("link", name=text).click()
    operator.sees("h1", text)
    operator.open("/operator/do/suspend_user?user=%3Cb%3Eno%3C/b%3E")
    operator.sees(".thing", "<b>no</b>")
    assert operator.page.evaluate("() => 'pwned' in window") is False
