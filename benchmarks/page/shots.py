"""python -m benchmarks.page.shots FOLDER [--language en] [--width 320] [--scheme dark]

Pictures of every screen of the page, of the pages behind mailed links, without scripts and of the operator, of the reference and
of the mails: in each language, wide and on a phone, light and dark, or in those that are asked for.
"""

import argparse
import itertools
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import get_args

from playwright.sync_api import Browser, expect, sync_playwright

from regserver.adapters.jinja_mail import SAMPLES, load_mail_templates
from regserver.ports.mail_template import MailTemplateName
from regserver.text import LANGUAGES, Language
from tests.browser.conftest import ARGUMENTS, NAMES
from tests.browser.operator import make_key, sign_up
from tests.browser.server import Server, running_server
from tests.browser.visitor import Visitor
from tests.peer.required import find_program

SETTINGS = (
    "server.mailbox=true",
    "server.test_mode=true",
    "site.imprint=https://example.org/imprint",
    "site.privacy=https://example.org/privacy",
    "rooms.consent=ask",
    "push.enabled=true",
)
WIDTHS, SCHEMES = (1280, 320), ("light", "dark")
OUTSIDE = ("sign-in", "sign-up", "forgot", "code")
LONG = "https://example.org/a_rather_long_address_without_any_place_to_break_it/index.html"
MAILS: tuple[MailTemplateName, ...] = get_args(MailTemplateName)
Keep = Callable[[Visitor, str], None]


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page.shots", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--language", choices=LANGUAGES)
    parser.add_argument("--width", type=int)
    parser.add_argument("--scheme", choices=SCHEMES)
    return parser.parse_args()


@contextmanager
def roster(looks: Iterable[tuple[Language, int, str]]) -> Iterator[Path]:
    """A folder with people.csv: somebody for each look."""
    with tempfile.TemporaryDirectory() as folder:
        people = [f"new-{name_of(*look)},secret,Ada,Lovelace,800ms" for look in looks]
        head = "username,password,first_name,last_name,delay"
        (Path(folder) / "people.csv").write_text("\n".join([head, *people]), encoding="utf-8")
        yield Path(folder)


def name_of(language: Language, width: int, scheme: str) -> str:
    """That of the person of a look."""
    return f"ann-{language}-{width}-{scheme}"


def outside(guest: Visitor, keep: Keep, language: str, newcomer: str) -> None:
    """Who is not signed in. newcomer: of the roster, who was never here."""
    for view in OUTSIDE:
        guest.open(f"/?lang={language}#{view}")
        guest.sees(f"#{view}-title")
        guest.find(f"#{view} button.primary:visible").first.click()
        guest.sees(f"#{view} .error:visible")
        keep(guest, view)
    for page in ("plain", "confirm", "verify", "recover", "undo", "approve"):
        guest.open(f"/{page}?lang={language}")
        keep(guest, page)
    guest.open("/docs")
    keep(guest, "docs")
    guest.open(f"/?lang={language}")
    guest.find("#sign-in-username").fill(newcomer)
    guest.find("#sign-in-password").fill("secret")
    guest.page.keyboard.press("Enter")
    guest.sees("#registration-log li >> nth=1")
    keep(guest, "registration")


def rooms(person: Visitor, other: Visitor, keep: Keep, language: str, name: str) -> None:
    """Who is signed in, and somebody who writes to them."""
    person.sign_up(name)
    other.sign_up(f"o-{name}")
    person.open(f"/?lang={language}")
    person.sees("#first-room")
    keep(person, "rooms-empty")
    person.find("#create summary").click()
    keep(person, "rooms-create")
    person.find("#create-name").fill("Чай ☕ مرحبا")
    person.find("#create-people").fill(f"o-{name}")
    person.page.keyboard.press("Enter")
    person.sees("#room-title", "Чай")
    other.find("#offer-list .primary").click()  # leads there
    other.sees("#room-title", "Чай")
    other.post(f"Hello @{name}, see {LONG}")
    person.find("#compose-content").fill("مرحبا 👋\nsecond line")
    person.find("#compose button.primary").click()
    expect(person.find("#room-posts .post")).to_have_count(2)
    keep(person, "room")
    for menu in ("people", "search", "invite"):
        person.find(f"#{menu} summary").click()
        if menu == "search":
            person.find("#search-q").fill("hello")
            person.page.keyboard.press("Enter")
            person.sees("#search-results li")
        if menu == "people":
            person.sees("#people-list li >> nth=1")
        keep(person, f"room-{menu}")
        person.page.keyboard.press("Escape")
    person.find("#people summary").click()
    person.find("#room-leave").click()
    person.sees("#confirm-title")
    keep(person, "room-leave")
    person.page.keyboard.press("Escape")
    other.page.evaluate("() => { location.hash = 'rooms'; }")
    other.find("#create summary").click()
    other.find("#create-name").fill("A second room with a name that is rather long")
    other.find("#create-people").fill(name)
    other.page.keyboard.press("Enter")
    other.sees("#room-title", "A second room")
    person.page.evaluate("() => { location.hash = 'rooms'; }")
    person.sees("#offers")
    keep(person, "rooms-offer")
    person.find("#offer-list .primary").click()
    person.sees("#room-title", "A second room")
    person.page.evaluate("() => { location.hash = 'rooms'; }")
    other.post(f"@{name}: are you there?")
    person.sees("#room-list .named")
    keep(person, "rooms-mention")
    person.find("#mailbox summary").click()
    keep(person, "mailbox")
    person.open(f"/?lang={language}#settings")
    person.sees("#settings-title")
    keep(person, "settings")
    for number in range(person.find("#settings summary").count()):
        person.find("#settings summary").nth(number).click()
    person.find("#totp-begin").click()
    person.sees("#totp-confirm")
    keep(person, "settings-open")


def operate(operator: Visitor, server: Server, keep: Keep, language: str, key: str) -> None:
    """The operator's page, section by section."""
    operator.open(f"/operator?lang={language}")
    keep(operator, "operator-enter")
    operator.find("input[type=password], input[name=key]").first.fill(key)
    operator.page.keyboard.press("Enter")
    operator.sees(".desk")
    if operator.find(".drawer").is_visible():
        operator.find(".drawer summary").click()
        keep(operator, "operator-menu")
    ways = operator.find(".desk > .sections a").evaluate_all("links => links.map(({ href }) => href)")
    for number, way in enumerate(ways):
        operator.page.goto(way)
        operator.sees("h1")
        keep(operator, f"operator-{number}")


def mails(guest: Visitor, keep: Keep, language: Language) -> None:
    """Every mail in one language, one below the other."""
    templates = load_mail_templates(None, "example.org")
    for name in MAILS:
        guest.page.set_content(templates.write(name, language, "ada@example.org", SAMPLES[name]).html or "")
        keep(guest, f"mail-{name}")


def look(
    browser: Browser, server: Server, key: str, folder: Path, language: Language, width: int, scheme: str
) -> None:
    """All screens in one language, size and scheme."""
    viewport = {"width": width, "height": 800 if width > 600 else 640}
    made: list[Visitor] = []

    def visitor() -> Visitor:
        made.append(
            Visitor(browser, server.url, viewport=viewport, color_scheme=scheme, reduced_motion="reduce")
        )
        return made[-1]

    def keep(who: Visitor, name: str) -> None:
        # A reference of hundreds of entries is too high for a picture.
        who.page.screenshot(
            path=folder / f"{name}-{language}-{width}-{scheme}.png",
            full_page=name != "docs" and not name.startswith("room"),
        )

    name = name_of(language, width, scheme)
    outside(visitor(), keep, language, f"new-{name}")
    rooms(visitor(), visitor(), keep, language, name)
    operate(visitor(), server, keep, language, key)
    if scheme == "light":
        mails(visitor(), keep, language)
    for one in made:
        one.close()


def main() -> None:
    asked = options()
    asked.folder.mkdir(parents=True, exist_ok=True)
    looks = list(itertools.product(LANGUAGES, WIDTHS, SCHEMES))
    with (
        roster(looks) as folder,
        running_server(folder, *SETTINGS, f"live.file.path={folder}/people.csv") as server,
        sync_playwright() as tool,
    ):
        browser = tool.chromium.launch(executable_path=find_program("chromium", *NAMES), args=list(ARGUMENTS))
        key = make_key(server, "shots")
        sign_up(server, "somebody")
        for language, width, scheme in looks:
            wanted = zip((asked.language, asked.width, asked.scheme), (language, width, scheme), strict=True)
            if all(one in {None, other} for one, other in wanted):
                look(browser, server, key, asked.folder, language, width, scheme)
        browser.close()


if __name__ == "__main__":
    main()
