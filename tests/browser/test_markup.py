"""What people and sources write is text to every page: nothing of it becomes markup, and no script in it runs."""

import sys
from pathlib import Path

import pytest

from tests.browser.conftest import Visit
from tests.browser.server import running_server
from tests.browser.visitor import Visitor

PAYLOADS = (
    "<img src=x onerror=window.pwned=1>",
    "<svg onload=window.pwned=1>",
    "<script>window.pwned=1</script>",
    "</p></div><iframe srcdoc='<script>parent.pwned=1</script>'>",
    "<a href=javascript:window.pwned=1>click</a>",
    '" autofocus onfocus=window.pwned=1 x="',
    "{{7*7}}${window.pwned=1}`",
    "<style>@import'//evil.example';*{display:none}</style>",
)
FOREIGN = (
    "main script, main iframe, main svg, main style, main img, main a[href^='javascript:'], main [onfocus]"
)

SOURCE = """#!{python}
import json, sys
if sys.argv[1] == "verify":
    print(json.dumps({{"subject": "mallory"}}))
else:
    for step, message in enumerate({messages!r}, 1):
        print(json.dumps({{"step": step, "totalSteps": {count}, "message": message}}))
    print(json.dumps({{"name": {{"firstName": {first!r}, "middleName": None, "lastName": {last!r}}}}}))
    print(json.dumps({{"done": True}}))
"""


def is_text(visitor: Visitor) -> bool:
    """Whether no script of a text has run, and no element was made of one."""
    ran = visitor.page.evaluate("() => 'pwned' in window")
    return not ran and visitor.find(FOREIGN).count() == 0


def test_rooms_and_posts(visit: Visit) -> None:
    writer, reader = visit(), visit()
    reader.sign_up("reader")
    writer.sign_up("writer")
    for payload in PAYLOADS:
        writer.create_room(payload, "reader")
        reader.sees("#notice", payload)
        reader.enter(payload)
        assert payload in reader.page.title()
    for text in PAYLOADS:
        writer.post(text)
    writer.sees_posts(*PAYLOADS)
    reader.sees_posts(*PAYLOADS)
    assert is_text(writer)
    assert is_text(reader)


@pytest.mark.parametrize("payload", PAYLOADS[:3])
def test_messages_and_names_of_a_source(visit: Visit, tmp_path: Path, payload: str) -> None:
    source = tmp_path / "people"
    names = {"first": payload, "last": PAYLOADS[4]}
    source.write_text(SOURCE.format(python=sys.executable, messages=PAYLOADS, count=len(PAYLOADS), **names))
    source.chmod(0o755)
    with running_server(tmp_path, "live.source=command", f"live.command.argv={source}") as server:
        mallory = visit(server.url)
        mallory.open()
        mallory.sign_in("mallory", "whatever it takes")
        mallory.sees("#registration-continue")
        for text in PAYLOADS:
            mallory.sees("#registration-log", text)
        mallory.sees("#registration-name", payload)
        assert is_text(mallory)
