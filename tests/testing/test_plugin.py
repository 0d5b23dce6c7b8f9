"""The fixture `regserver` with each way to run tests: pytest-trio, pytest-asyncio, anyio, and none."""

import subprocess
import sys
from pathlib import Path

import pytest

HEAD = """
import httpx
import pytest

async def whose(server, headers):
    async with httpx.AsyncClient() as client:
        answer = (await client.get(f"{server.url}/login/info", headers=headers)).json()
    return answer["user"]["username"] if "user" in answer else answer["error"]
"""
BODY = """
async def test_of_a_loop(regserver):
    ada = await regserver.person("ada", verified=True)
    ben = await regserver.person("ben")
    room = await regserver.room(ada, ben, name="tea")
    assert (await regserver.events.wait("created")).room == room
    async with httpx.AsyncClient() as client:
        await client.post(f"{regserver.url}/login/recover", json={"email": ada.email})
    assert (await regserver.mailbox.wait(ada.email, subject="password")).token
    assert await whose(regserver, ada.headers) == "ada"
    regserver.clock.advance(days=11)
    assert await whose(regserver, ada.headers) == "BadToken"

@pytest.mark.regserver(signup={"mode": "closed"})
async def test_that_has_settings(regserver):
    with pytest.raises(AssertionError, match="RegistrationClosed"):
        await regserver.person("ada")  # free: the store is another one
"""
PLAIN = """
def test_of_no_loop(regserver):
    ada = regserver.person("ada")
    assert httpx.get(f"{regserver.url}/login/info", headers=ada.headers).json()["user"]["username"] == "ada"
    regserver.fail("store", times=1)
    assert httpx.get(f"{regserver.url}/login/info", headers=ada.headers).status_code == 503
    assert httpx.get(f"{regserver.url}/login/info", headers=ada.headers).status_code == 200
"""
WAYS = {
    "pytest-trio": (
        "trio_mode = true",
        BODY.replace("async def test", "@pytest.mark.trio\nasync def test"),
        2,
    ),
    "pytest-asyncio": ("asyncio_mode = auto\nasyncio_default_fixture_loop_scope = function", BODY, 2),
    "anyio": ("", "pytestmark = pytest.mark.anyio\n" + BODY, 4),  # asyncio and Trio
    "plain": ("", PLAIN, 1),
    "mixed": ("asyncio_mode = auto\nasyncio_default_fixture_loop_scope = function", BODY + PLAIN, 3),
}
UNUSED = {
    "pytest-trio": ("asyncio",),
    "pytest-asyncio": ("trio",),
    "anyio": ("asyncio", "trio"),
    "plain": ("asyncio", "trio", "anyio"),
    "mixed": ("trio",),
}


@pytest.mark.parametrize("way", WAYS)
def test_the_fixture_serves(way: str, tmp_path: Path) -> None:
    setting, body, count = WAYS[way]
    (tmp_path / "pytest.ini").write_text(f"[pytest]\n{setting}\nfilterwarnings = error\n")
    (tmp_path / "test_mine.py").write_text(HEAD + body)
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:schemathesis"]
    for plugin in UNUSED[way]:
        words += ["-p", f"no:{plugin}"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{count} passed" in done.stdout
