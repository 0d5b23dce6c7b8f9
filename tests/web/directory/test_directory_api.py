"""The directory door on the wire: routes, ids, orders, letter cases, and what bad input gets."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from regserver.endpoint import MAX_BODY_BYTES
from regserver.web.directory.endpoint import DirectoryApi
from regserver.web.directory.message import MessageId
from regserver.web.http.forwarded import ForwardedReader
from regserver.web.site.confirm import ConfirmApi
from tests.directory import BASE, PASSWORD, World, challenge_in, world
from tests.guess import open_guard
from tests.web.http_client import Client as HttpClient
from tests.web.http_client import Reply, open_routes

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
KEY = "the key of a platform"
ALICE = {"userName": "Alice", "password": "sixsix", "email": "alice@example.org", "languageCode": "en"}


pytestmark = pytest.mark.usefixtures("way")


class Client:
    """What is asked of the door."""

    def __init__(self, here: World, http: HttpClient) -> None:
        self.world = here
        self._http = http

    async def send(self, method: str, path: str, body: bytes = b"", kind: str = "", **headers: str) -> Reply:
        return await self._http.ask(
            method, path, body, {**headers, **({"content-type": kind} if kind else {})}
        )

    async def get(self, path: str) -> tuple[int, Any]:
        return told(await self.send("GET", path))

    async def init(self, fields: object, **headers: str) -> tuple[int, Any]:
        return told(await self.send("POST", "/init", json.dumps(fields).encode(), JSON, **headers))

    async def raw(self, body: bytes, kind: str = JSON) -> tuple[int, Any]:
        return told(await self.send("POST", "/init", body, kind))


def told(response: Reply) -> tuple[int, Any]:
    assert response.content_type == JSON
    return response.status, json.loads(response.body)


def ids(body: Any) -> list[str]:
    return [error["id"] for error in body["errors"]]


@asynccontextmanager
async def client(
    folder: Path, servers: tuple[str, ...] = ("test1.edelwatch.net",), **options: Any
) -> AsyncIterator[Client]:
    async with world(folder, servers) as here, asking(here, **options) as ask:
        yield ask


@asynccontextmanager
async def asking(
    here: World, *, trusted_key: str = "", mail_wait: float | None = None
) -> AsyncIterator[Client]:
    door = DirectoryApi(
        here.directory,
        ForwardedReader((), BASE),
        trusted_key=trusted_key,
        take_mail=lambda client: mail_wait,
        guard=open_guard(here.store, here.clock),
    )
    async with open_routes((*door.routes(), *ConfirmApi(here.directory).routes()), BASE) as http:
        yield Client(here, http)


async def test_check(tmp_path: Path) -> None:
    async with client(tmp_path) as ask:
        assert await ask.get("/alice/check") == (200, {"exists": False})
        await ask.world.directory.confirm(await ask.world.begin("Alice"))
        assert await ask.get("/aLiCe/check") == (200, {"exists": True})
        assert await ask.get("/alice/check/") == (200, {"exists": True})


async def test_check_of_what_is_no_name_is_the_seeds_example(tmp_path: Path) -> None:
    async with client(tmp_path) as ask:
        expected = {
            "message": "Invalid user name",
            "detail": "User name must be made of 5 to 21 alphanumeric characters.",
            "id": "INVALID_USER_NAME",
        }
        for name in ("abcd", "a" * 22, "alice\n", "ali\u212ae", "\u0661\u0662\u0663\u0664\u0665", "alice\0"):
            assert await ask.get(f"/{name}/check") == (400, expected)


async def test_init_is_the_seeds_example(tmp_path: Path) -> None:
    async with client(tmp_path) as ask:
        assert await ask.init(ALICE) == (
            200,
            {
                "message": "Registration started",
                "detail": "An e-mail has been sent, check your mailbox to confirm.",
                "id": "INIT_DONE",
            },
        )
        (mail,) = await ask.world.mails()
        assert mail.to == "alice@example.org"


async def test_init_with_everything_empty_is_the_seeds_example(tmp_path: Path) -> None:
    async with client(tmp_path) as ask:
        for empty in ({}, {"userName": "", "password": "", "email": ""}, {"userName": None}):
            status, body = await ask.init(empty)
            assert status == 400
            assert body["id"] == "INVALID_DATA"
            assert body["message"] == "Invalid Data"
            assert ids(body) == ["INVALID_USER_NAME", "INVALID_PASSWORD", "INVALID_EMAIL"]
            assert all(set(error) == {"message", "detail", "id"} for error in body["errors"])


@pytest.mark.parametrize("wrong", [5, True, ["alice"], {"a": 1}, None])
async def test_fields_of_the_wrong_type_are_invalid_data(tmp_path: Path, wrong: object) -> None:
    async with client(tmp_path) as ask:
        for field, expected in (
            ("userName", "INVALID_USER_NAME"),
            ("password", "INVALID_PASSWORD"),
            ("email", "INVALID_EMAIL"),
        ):
            status, body = await ask.init({**ALICE, field: wrong})
            assert (status, ids(body)) == (400, [expected])
        assert (await ask.init({**ALICE, "languageCode": wrong}))[0] == 200


@pytest.mark.parametrize(
    ("code", "greeting"),
    [
        ("fr", "Bonjour"),
        ("FR", "Bonjour"),
        ("fr_CH", "Bonjour"),
        ("ru", "Здравствуйте"),
        ("de", "Hello"),
        ("fry", "Hello"),
        ("", "Hello"),
        (None, "Hello"),
    ],
)
async def test_the_language_code_decides_on_the_mail(tmp_path: Path, code: str | None, greeting: str) -> None:
    async with client(tmp_path) as ask:
        assert (await ask.init({**ALICE, "languageCode": code}, **{"accept-language": "fr"}))[0] == 200
        (mail,) = await ask.world.mails()
        assert mail.text.startswith(greeting)


async def test_init_takes_forms(tmp_path: Path) -> None:
    async with client(tmp_path) as ask:
        body = b"userName=Alice&password=six+six%21&email=alice%2Blist%40example.org&languageCode=fr"
        assert (await ask.raw(body, FORM))[0] == 200
        (mail,) = await ask.world.mails()
        assert (mail.to, "Bonjour Alice" in mail.text) == ("alice+list@example.org", True)
        status, errors = await ask.raw(b"userName=Bobby&password=&email=b%40example.org", FORM)
        assert (status, ids(errors)) == (400, ["INVALID_PASSWORD"])


async def test_json_that_curl_declares_to_be_a_form(tmp_path: Path) -> None:
    async with client(tmp_path) as ask:
        assert (await ask.raw(json.dumps(ALICE).encode(), FORM))[0] == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[1]",
        b'"alice"',
        b"null",
        b"{",
        b"{'userName': 1}",
        b'{"userName": NaN}',
        b'{"userName": "\xff"}',
        b'{"userName": "\\ud800"}',
        b"[" * 50_000,
    ],
)
async def test_what_is_no_json_object(tmp_path: Path, body: bytes) -> None:
    async with client(tmp_path) as ask:
        status, answer = await ask.raw(body)
        assert (status, answer["id"]) == (400, "INVALID_JSON_REQUEST")


@pytest.mark.parametrize("body", [b"userName=%ff", b"a=1&" * 200])
async def test_what_is_no_form(tmp_path: Path, body: bytes) -> None:
    async with client(tmp_path) as ask:
        status, answer = await ask.raw(body, FORM)
        assert (status, answer["id"]) == (400, "INVALID_JSON_REQUEST")


async def test_other_content_types_and_long_bodies_are_refused(tmp_path: Path) -> None:
    async with client(tmp_path) as ask:
        status, answer = await ask.raw(b"<a/>", "text/xml")
        assert (status, answer["id"]) == (415, "BAD_CONTENT_TYPE")
        status, answer = await ask.raw(b" " * (MAX_BODY_BYTES + 1))
        assert (status, answer["id"]) == (413, "BODY_TOO_LARGE")


async def test_nothing_of_the_input_is_echoed(tmp_path: Path) -> None:
    async with client(tmp_path) as ask:
        for fields in ({**ALICE, "userName": "xyzzy<b>"}, {**ALICE, "email": "xyzzy\r\nBcc: a@b.org"}):
            response = await ask.send("POST", "/init", json.dumps(fields).encode(), JSON)
            assert response.status == 400
            assert b"xyzzy" not in response.body
        assert b"xyzzy" not in (await ask.send("GET", "/xyzzy!/check")).body
        assert b"xyzzy" not in (await ask.send("GET", "/xyzzyxyzzy/confirm")).body


async def test_long_fields_are_refused_in_linear_time(tmp_path: Path) -> None:
    async with client(tmp_path) as ask:
        room = MAX_BODY_BYTES - 200
        for email in (
            "a" * room,
            "a@" + "b." * (room // 2),
            "a@" + "-" * room,
            "a." * (room // 2) + "@b.org",
        ):
            status, body = await ask.init({**ALICE, "email": email})
            assert (status, ids(body)) == (400, ["INVALID_EMAIL"])


async def test_existing_comes_after_the_syntax(tmp_path: Path) -> None:
    async with client(tmp_path) as ask:
        await ask.world.directory.confirm(await ask.world.begin("Alice"))
        status, body = await ask.init({**ALICE, "userName": "ALICE", "email": "Alice@Example.org"})
        assert (status, ids(body)) == (400, ["EXISTING_USER_NAME", "EXISTING_EMAIL"])
        status, body = await ask.init({**ALICE, "userName": "ALICE", "password": "five5"})
        assert ids(body) == ["INVALID_PASSWORD", "EXISTING_USER_NAME", "EXISTING_EMAIL"]
        assert "6 and 99" in body["errors"][0]["detail"]
        status, body = await ask.init({**ALICE, "userName": "admin"})
        assert ids(body) == ["RESERVED_USER_NAME", "EXISTING_EMAIL"]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_confirm(tmp_path: Path, method: str) -> None:
    async with client(tmp_path) as ask:
        challenge = await ask.world.begin("Alice")
        path = f"/{challenge}/confirm"
        assert told(await ask.send(method, path)) == (200, {"server": "test1.edelwatch.net"})
        expected = {
            "message": "Already confirmed",
            "detail": "The registration for this user has already been confirmed.",
            "id": "ALREADY_CONFIRMED",
            "server": "test1.edelwatch.net",
        }
        assert told(await ask.send(method, path)) == (400, expected)
        for other_method in ("GET", "POST"):
            assert told(await ask.send(other_method, "/alice/server")) == (
                200,
                {"server": "test1.edelwatch.net"},
            )


async def test_what_confirm_refuses(tmp_path: Path) -> None:
    async with client(tmp_path) as ask:
        for challenge in ("abcd", "a" * 201, "abc-de", "abcde\n"):
            status, body = await ask.get(f"/{challenge}/confirm")
            assert (status, body["id"]) == (400, "INVALID_CHALLENGE")
        status, body = await ask.get("/abcdefghij/confirm")
        assert (status, body["id"]) == (404, "NO_PENDING_CREATION")


async def test_head_changes_nothing(tmp_path: Path) -> None:
    async with client(tmp_path) as ask:
        challenge = await ask.world.begin("Alice")
        assert (await ask.send("HEAD", f"/{challenge}/confirm")).status == 200
        assert await ask.get("/alice/check") == (200, {"exists": False})
        assert (await ask.get(f"/{challenge}/confirm"))[0] == 200
        assert (await ask.send("HEAD", f"/{challenge}/confirm")).status == 400
        assert (await ask.send("HEAD", "/abcdefghij/confirm")).status == 404


async def test_server_of_whom_nobody_knows(tmp_path: Path) -> None:
    async with client(tmp_path) as ask:
        status, body = await ask.get("/nobody/server")
        assert (status, body["id"]) == (404, "UNKOWN_USER_NAME")
        status, body = await ask.get("/abcd/server")
        assert (status, body["id"]) == (400, "INVALID_USER_NAME")


async def test_without_a_list_the_server_is_this_host(tmp_path: Path) -> None:
    async with client(tmp_path, ()) as ask:
        challenge = await ask.world.begin("Alice")
        assert await ask.get(f"/{challenge}/confirm") == (200, {"server": "example.org"})
        assert (await ask.get(f"/{challenge}/confirm"))[1]["server"] == "example.org"
        assert await ask.get("/alice/server") == (200, {"server": "example.org"})


async def test_trust_mode(tmp_path: Path) -> None:
    async with client(tmp_path, trusted_key=KEY) as ask:
        answer = await ask.init(ALICE, authorization=f"Bearer {KEY}")
        assert answer == (200, {"server": "test1.edelwatch.net"})
        assert await ask.world.mails() == []
        status, body = await ask.init(ALICE, authorization=f"Bearer {KEY}")
        assert (status, ids(body)) == (400, ["EXISTING_USER_NAME", "EXISTING_EMAIL"])
        for wrong in ("Bearer wrong", "Bearer \u00e9"):
            status, body = await ask.init({**ALICE, "userName": "Bobby"}, authorization=wrong)
            assert (status, body["id"]) == (401, "INVALID_TRUSTED_KEY")


async def test_without_a_key_trust_mode_is_off(tmp_path: Path) -> None:
    async with client(tmp_path) as ask:
        status, body = await ask.init(ALICE, authorization="Bearer ")
        assert (status, body["id"]) == (200, "INIT_DONE")
        status, body = await ask.init({**ALICE, "userName": "Bobby"}, authorization="Bearer anything")
        assert (status, body["id"]) == (200, "INIT_DONE")


async def test_mails_of_one_client_are_bounded_but_mistakes_cost_nothing(tmp_path: Path) -> None:
    async with client(tmp_path, mail_wait=12.3) as ask:
        response = await ask.send("POST", "/init", json.dumps(ALICE).encode(), JSON)
        assert told(response)[1]["id"] == "TOO_MANY_REQUESTS"
        assert ("retry-after", "13") in response.headers
        assert (await ask.init({}))[1]["id"] == "INVALID_DATA"


async def test_a_fault_of_ours_is_500_in_this_doors_shape(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        pass
    async with asking(here) as ask:
        status, body = await ask.init(ALICE)  # the store is closed by now
    assert status == 500
    assert body == {
        "message": "Internal error",
        "detail": "Something went bad on the server.",
        "id": "INTERNAL_ERROR",
    }


@pytest.mark.parametrize(("language", "word"), [("en", "mailbox"), ("fr", "boîte")])
async def test_message_files_are_javascript_with_every_id(tmp_path: Path, language: str, word: str) -> None:
    async with client(tmp_path) as ask:
        response = await ask.send("GET", f"/messages-{language}.js")
    assert response.content_type.startswith("text/javascript")
    assert word.encode() in response.body
    found = re.fullmatch(rb"register_messages = (\{.*\});\n", response.body, re.DOTALL)
    assert found is not None
    messages = json.loads(found[1])
    assert set(messages) == set(get_args(MessageId))
    assert all(set(text) == {"message", "detail"} for text in messages.values())


# --- the page behind the link
async def test_opening_the_page_changes_nothing(tmp_path: Path) -> None:
    async with client(tmp_path) as ask:
        challenge = await ask.world.begin("Alice")
        for method in ("GET", "HEAD"):
            response = await ask.send(method, "/confirm?lang=fr")
            assert response.status == 200
            assert (method == "HEAD") or "Confirmez votre inscription" in response.text
        status, standing = told(
            await ask.send("POST", "/confirm/standing", msgspec.json.encode({"challenge": challenge}), JSON)
        )
        assert (status, standing["state"], standing["userName"]) == (200, "pending", "Alice")
        assert "Alice" in standing["text"]
        assert await ask.get("/alice/check") == (200, {"exists": False})


@pytest.mark.parametrize(
    ("lang", "words"),
    [("en", "Registration confirmed"), ("fr", "Inscription confirmée"), ("ru", "Регистрация подтверждена")],
)
async def test_the_button_confirms(tmp_path: Path, lang: str, words: str) -> None:
    async with client(tmp_path) as ask:
        form = f"challenge={await ask.world.begin('Alice')}&password={PASSWORD}".encode()
        response = await ask.send("POST", f"/confirm?lang={lang}", form, FORM)
        assert response.status == 200
        assert words in response.body.decode()
        assert "test1.edelwatch.net" in response.body.decode()
        assert await ask.get("/alice/check") == (200, {"exists": True})
        assert (await ask.send("POST", f"/confirm?lang={lang}", form, FORM)).status == 400


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("fr,fr-FR;q=0.8,en-US;q=0.5,en;q=0.3", "fr"), ("ru,en;q=0.9", "ru"), ("de", "en")],
)
async def test_the_page_speaks_what_the_browser_prefers(tmp_path: Path, accepted: str, language: str) -> None:
    async with client(tmp_path) as ask:
        response = await ask.send("GET", "/confirm", b"", "", **{"accept-language": accepted})
        assert ("content-language", language) in response.headers
        assert ("vary", "Accept-Language") in response.headers


async def test_the_page_tells_why_not(tmp_path: Path) -> None:
    async with client(tmp_path) as ask:
        response = await ask.send("POST", "/confirm", b"challenge=abcdefghij", FORM)
        assert (response.status, "no longer valid" in response.body.decode()) == (404, True)
        response = await ask.send("POST", "/confirm", b"x=1&" * 50, FORM)
        assert response.status == 404
        challenge = await ask.world.begin("Alice", "ada@example.org")
        form = f"challenge=+{challenge}+&password={PASSWORD}".encode()
        await ask.world.add_elsewhere("someone", "ada@example.org")
        response = await ask.send("POST", "/confirm", form, FORM)
        assert (response.status, "address is in use" in response.body.decode()) == (400, True)
        assert (await ask.send("POST", "/confirm", form, JSON)).status == 415


async def test_nobody_is_confirmed_by_the_page_without_the_password(tmp_path: Path) -> None:
    """A stranger has signed up with the address of somebody who presses the button."""
    async with client(tmp_path) as ask:
        challenge = await ask.world.begin("Alice")
        for form in ("", "&password=", "&password=another+password", "&new=1", "&new=1&password=short"):
            response = await ask.send("POST", "/confirm", f"challenge={challenge}{form}".encode(), FORM)
            assert response.status == 400, form
            page = response.body.decode()
            assert ("Choose another password" if "new" in form else "Wrong password") in page
            assert f'value="{challenge}"' in page
            assert await ask.get("/alice/check") == (200, {"exists": False})
        form = f"challenge={challenge}&new=1&password=her+own+password"
        assert (await ask.send("POST", "/confirm", form.encode(), FORM)).status == 200
        account = await ask.world.account("alice")
        assert await ask.world.hasher.verify("her own password", account.password_hash)
        assert not await ask.world.hasher.verify(PASSWORD, account.password_hash)
        assert account.verified_email == "alice@example.org"


async def test_the_page_says_who_asked_when_and_from_where(tmp_path: Path) -> None:
    async with client(tmp_path) as ask:
        fields = {"userName": "Alice", "password": PASSWORD, "email": "alice@example.org"}
        assert (await ask.init(fields))[0] == 200
        (mail,) = await ask.world.mails()
        challenge = challenge_in(mail)
        assert mail.text.split().count(challenge) == 1  # the code for links that are broken
        body = msgspec.json.encode({"challenge": challenge})
        _, standing = told(await ask.send("POST", "/confirm/standing", body, JSON))
        assert "2020-09-13 12:26 UTC" in standing["text"]
        assert re.search(r"network 127\.0\.0\.0/24|network —", standing["text"])


async def test_the_page_runs_nothing_but_its_own_script(tmp_path: Path) -> None:
    async with client(tmp_path) as ask:
        response = await ask.send("GET", "/confirm")
        headers = dict(response.headers)
        page = response.body.decode()
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["referrer-policy"] == "same-origin"
        assert re.findall(r"<script[^>]*>", page) == ['<script src="confirm/static/link.js" defer>']
        assert " style=" not in page
        for file in re.findall(r'(?:src|href)="(confirm/static/[^"]+)"', page):
            assert (await ask.send("GET", f"/{file}")).status == 200
        assert (await ask.send("GET", "/confirm/static/text.json")).status == 404


@pytest.mark.parametrize("body", [b"", b"[]", b'{"challenge": 5}', b"{}"])
async def test_the_standing_of_nonsense(tmp_path: Path, body: bytes) -> None:
    async with client(tmp_path) as ask:
        status, _ = told(await ask.send("POST", "/confirm/standing", body, JSON))
        assert status == 400


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/alice/check", "GET, HEAD"),
        ("POST", "/alice/check/", "GET, HEAD"),
        ("GET", "/init", "POST"),
        ("PUT", "/abcdefghij/confirm", "GET, HEAD, POST"),
        ("PATCH", "/alice/server", "GET, HEAD, POST"),
    ],
)
async def test_another_method_is_told_which_there_are(
    tmp_path: Path, method: str, path: str, allowed: str
) -> None:
    async with client(tmp_path) as ask:
        response = await ask.send(method, path)
        assert (response.status, response.fields["allow"]) == (405, allowed)
        assert response.json["id"] == "METHOD_NOT_ALLOWED"
        assert (await ask.send(method, "/alice/nothing")).json == {"error": "RouteNotFound"}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/ali%63e/check", 200),  # decoded before it is routed
        ("/al%2Fice/check", 404),  # an encoded slash separates segments like any other
        ("/x%2Fcheck", 400),
        ("//alice/check", 404),
        ("/alice//check", 404),
        ("/alice/check//", 404),
        ("/alice/check?x=/confirm", 200),
        ("/alice/check%3F", 404),
    ],
)
async def test_paths_are_taken_as_they_are(tmp_path: Path, path: str, status: int) -> None:
    async with client(tmp_path) as ask:
        assert (await ask.send("GET", path)).status == status
