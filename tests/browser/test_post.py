"""Posts on the page: on all devices at once, as links, edited and deleted, by keyboard, and what a person has begun to write."""

import re
import time

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.visitor import PASSWORD, Visitor


def _second(visit: Visit, name: str) -> Visitor:
    """Another device of the same person."""
    device = visit()
    device.open()
    device.sign_in(name, PASSWORD)
    device.sees_live()
    return device


def test_a_second_device_sees_at_once_what_the_first_does(visit: Visit) -> None:
    olga = visit()
    olga.sign_up("olga")
    device = _second(visit, "olga")
    olga.create_room("Both")
    device.enter("Both")
    olga.post("from the first")
    device.sees_posts("from the first")
    device.post("from the second")
    olga.sees_posts("from the first", "from the second")
    expect(device.find("#room-list .badge")).to_have_count(0)
    expect(olga.find("#notice")).to_have_text("")

    olga.find("#people summary").click()
    olga.find("#room-leave").click()
    olga.find("#confirm-yes").click()
    expect(device.find("#room-list a")).to_have_count(0)
    expect(device.find("#room")).to_be_hidden()


LINKS = [
    ("see https://example.org/a?b=1#c.", ["https://example.org/a?b=1#c"]),
    ("(https://example.org/wiki/Tea_(drink)), and", ["https://example.org/wiki/Tea_(drink)"]),
    ("«https://пример.рф/чай»", ["https://xn--e1afmkfd.xn--p1ai/%D1%87%D0%B0%D0%B9"]),
    ("mailto:ann@example.org!", ["mailto:ann@example.org"]),
    ("HTTP://EXAMPLE.ORG", ["http://example.org/"]),
    ("javascript:alert(1) data:text/html,x ftp://example.org file:///etc/passwd", []),
    ("https://bank.example@evil.example/", []),
    ("https:// http://", []),
    ("xhttps://example.org", []),
    ("https://example.org/\u202egnp.exe", ["https://example.org/"]),
    ('https://example.org/"onmouseover="x', ["https://example.org/"]),
    ("<a href=https://example.org/x>x</a>", ["https://example.org/x"]),
    ("https://a.example https://b.example", ["https://a.example/", "https://b.example/"]),
    ("日本語https://example.org/。次", []),
    ("日本語 https://example.org/ページ。", ["https://example.org/%E3%83%9A%E3%83%BC%E3%82%B8"]),
]


def test_addresses_become_links_that_are_safe_and_nothing_else_becomes_markup(visit: Visit) -> None:
    lena = visit()
    lena.sign_up("lena")
    lena.create_room("Links")
    lena.post_directly(*(text for text, _ in LINKS))
    posts = lena.find("#room-posts .content")
    expect(posts).to_have_text([text for text, _ in LINKS])
    for number, (_, hrefs) in enumerate(LINKS):
        links = posts.nth(number).locator("a")
        assert links.evaluate_all("links => links.map(({ href }) => href)") == hrefs
    rels = lena.find("#room-posts a").evaluate_all(
        "links => links.map(({ rel, target }) => `${target} ${rel}`)"
    )
    assert set(rels) == {"_blank noopener noreferrer"}
    assert (
        lena.find("#room-posts").evaluate(
            "posts => posts.querySelectorAll('script, img, [onmouseover]').length"
        )
        == 0
    )


def test_own_posts_are_edited_and_deleted_by_keyboard(visit: Visit) -> None:
    mila, nina = visit(), visit()
    mila.sign_up("mila")
    nina.sign_up("nina")
    mila.create_room("Corrections", "nina")
    nina.enter("Corrections")
    mila.post("teh first")
    mila.post("the second")
    nina.sees_posts("teh first", "the second")
    expect(nina.find(".post.mine, .tools")).to_have_count(0)

    mila.page.keyboard.press("ArrowUp")  # in an empty field: one's last post
    mila.page.keyboard.type("!")
    mila.page.keyboard.press("Enter")
    nina.sees_posts("teh first", "the second!")
    nina.sees("#room-posts .post:last-child .edited", "edited")
    mila.sees("#room-posts .post:last-child .edited", "edited")
    expect(mila.field("Your post")).to_be_focused()

    mila.page.get_by_role("button", name=re.compile("^Edit, written at")).first.focus()
    mila.page.keyboard.press("Enter")
    mila.page.keyboard.press("ControlOrMeta+a")
    mila.page.keyboard.type("dropped")
    mila.page.keyboard.press("Escape")
    mila.sees_posts("teh first", "the second!")

    mila.page.get_by_role("button", name=re.compile("^Delete, written at")).first.focus()
    mila.page.keyboard.press("Enter")
    mila.sees("#confirm", "Delete this post?")
    mila.page.keyboard.press("Tab")
    mila.page.keyboard.press("Enter")
    nina.sees_posts("the second!")
    mila.sees_posts("the second!")
    nina.page.reload()
    nina.sees_posts("the second!")
    nina.sees("#room-posts .edited", "edited")


def test_names_are_completed_and_highlighted(visit: Visit) -> None:
    owen, petra = visit(), visit()
    owen.sign_up("owen")
    petra.sign_up("petra")
    owen.create_room("Calling", "petra")
    petra.enter("Calling")
    owen.field("Your post").press_sequentially("Ask @pe")
    expect(owen.page.get_by_role("option", name="petra")).to_have_attribute("aria-selected", "true")
    owen.page.keyboard.press("Enter")
    expect(owen.field("Your post")).to_have_value("Ask @petra ")
    owen.page.keyboard.type("or @nobody, mail petra@petra.example")
    owen.page.keyboard.press("Enter")
    expect(petra.find("#room-posts mark")).to_have_text(["@petra"])
    expect(petra.find("#room-posts mark")).to_have_class("me")
    expect(owen.find("#room-posts mark")).to_have_class("other")


def test_who_is_here_and_who_types_is_shown(visit: Visit) -> None:
    rita, sven = visit(), visit()
    rita.sign_up("rita")
    sven.sign_up("sven")
    rita.create_room("Signs", "sven")
    rita.sees("#room-present", "Here now: sven.")
    sven.enter("Signs")
    sven.sees("#room-present", "Here now: rita.")
    rita.field("Your post").press_sequentially("hm")
    sven.sees("#room-typing", "Typing: rita")
    rita.page.keyboard.press("Enter")
    sven.sees_posts("hm")
    expect(sven.find("#room-typing")).to_have_text("")


def test_new_posts_wait_below_for_who_reads_older_ones(visit: Visit) -> None:
    tina, udo = visit(), visit()
    tina.sign_up("tina")
    udo.sign_up("udo")
    tina.create_room("Below", "udo")
    tina.post_directly(*(f"post {number}" for number in range(40)))
    udo.enter("Below")
    expect(udo.find("#room-posts .post")).to_have_count(40)
    udo.find("#room-log").evaluate("log => { log.scrollTop = 0; }")
    tina.post("the newest")
    below = udo.find("#room-below")
    expect(below).to_have_text("New posts below: 1")
    assert udo.find("#room-log").evaluate("log => log.scrollTop") == 0
    below.press("Enter")
    expect(udo.find(".post").last).to_be_in_viewport()
    expect(below).to_be_hidden()


def test_drafts_are_kept_for_each_room(visit: Visit) -> None:
    vera = visit()
    vera.sign_up("vera")
    vera.create_room("One")
    vera.field("Your post").fill("half a thought")
    vera.create_room("Two")
    expect(vera.field("Your post")).to_have_value("")
    vera.page.reload()
    vera.enter("One")
    expect(vera.field("Your post")).to_have_value("half a thought")
    vera.sign_out()
    assert vera.page.evaluate("() => localStorage.length") == 0


DENY = "Object.defineProperty(window, '{}', {{ get() {{ throw new DOMException('denied', 'SecurityError'); }} }})"


def test_where_storage_is_denied_the_page_remembers_by_itself(visit: Visit) -> None:
    walt = visit()
    for name in ("localStorage", "sessionStorage"):
        walt.page.add_init_script(DENY.format(name))
    walt.sign_up("walt")
    walt.create_room("One")
    walt.field("Your post").fill("half a thought")
    walt.create_room("Two")
    walt.post("sent all the same")
    walt.sees_posts("sent all the same")
    walt.enter("One")
    expect(walt.field("Your post")).to_have_value("half a thought")


def test_a_post_that_is_too_long_is_told_while_it_is_written(visit: Visit) -> None:
    xena = visit()
    xena.sign_up("xena")
    xena.create_room("Bound")
    xena.field("Your post").fill("x" * 20_000)
    xena.sees("#compose-size", "Too long: 20,000 of at most 16,384 bytes.")
    xena.page.keyboard.press("Enter")
    expect(xena.field("Your post")).to_have_value("x" * 20_000)
    expect(xena.find("#room-waiting li")).to_have_count(0)
    xena.post("x" * 16_384)
    expect(xena.find("#compose-size")).to_have_text("")
    expect(xena.find("#room-posts .content")).to_have_count(1)


def test_a_double_click_posts_once(visit: Visit) -> None:
    yves = visit()
    yves.sign_up("yves")
    yves.create_room("Once")
    yves.field("Your post").fill("once")
    yves.find("#compose button.primary").dblclick()
    yves.post("twice is another")
    yves.sees_posts("once", "twice is another")


def test_double_clicks_make_one_account_and_one_room(visit: Visit) -> None:
    twice = visit()
    made: list[str] = []
    twice.page.on("request", lambda request: made.append(request.url) if request.method == "POST" else None)
    twice.open("/#sign-up")
    twice.field("User name").fill("twice")
    twice.field("E-mail").fill("twice@example.org")
    twice.field("Password").fill(PASSWORD)
    twice.find("#sign-up button.primary").dblclick()
    twice.sees_live()
    twice.find("#create summary").click()
    twice.field("Name (optional)").fill("Single")
    twice.find("#create button.primary").dblclick()
    expect(twice.find("#room-title")).to_have_text("Single")
    twice.post("here")
    twice.sees_posts("here")
    expect(twice.find("#room-list a")).to_have_count(1)
    assert [url.removeprefix(twice.url) for url in made if "/register" in url or "/create" in url] == [
        "/login/register",
        "/room/create",
    ]


@pytest.mark.parametrize("answer", ["lost", "slow"])
def test_a_post_whose_answer_is_lost_or_slow_is_made_once(visit: Visit, answer: str) -> None:
    zoe = visit()
    zoe.sign_up(f"zoe-{answer}")
    zoe.create_room("Retry")
    tries: list[str] = []

    def meddle(route) -> None:  # type: ignore[no-untyped-def]  # the tool's own type
        tries.append(route.request.headers["idempotency-key"])
        fetched = route.fetch()
        if answer == "lost" and len(tries) == 1:
            route.abort()
            return
        time.sleep(0.3)
        route.fulfill(response=fetched)

    zoe.page.route("**/room/post/*", meddle)
    with zoe.failing():
        zoe.field("Your post").fill("only once")
        zoe.page.keyboard.press("Enter")
        expect(zoe.find("#room-waiting li")).to_have_count(0)
        zoe.sees_posts("only once")
        zoe.page.unroute_all()
        zoe.page.reload()  # the post may be seen before the browser tells of the lost answer
        zoe.sees_posts("only once")
    assert len(set(tries)) == 1


NAMES = ["مرحبا بالعالم", "👩‍👩‍👧‍👦 семья 🎉", "abc \u202e cba", "x" * 60]


def test_names_of_any_script_stay_in_their_place(visit: Visit) -> None:
    abel = visit(viewport={"width": 320, "height": 640})
    abel.sign_up("abel")
    for name in NAMES:
        abel.create_room(name)
        abel.find("#room .back").click()
    expect(abel.find("#room-list .room-name")).to_have_text(NAMES[::-1])
    assert abel.find("#room-list .room-name").evaluate_all("all => all.every(({ dir }) => dir === 'auto')")
    overflow = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert abel.page.evaluate(overflow) <= 0
