"""Schemathesis on the OpenAPI document of a started server: inputs that the document allows, and inputs that it does not.

No answer may be a fault of the server, and none another than the document describes: status, type, header fields, body.
`python -m tests.peer.schema_fuzz` runs all of it for some minutes; the tests run a part.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import trio

from tests.system.server import open_server, sign_up

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
ENDLESS = ("/room/events",)
"""Streams that only their client ends."""
PARTING = ("/login/delete", "/login/token", "/login/sessions/{session_id}", "/room/leave/{room}")
"""What would take the account or its room away, after which nothing else is reached."""
PROVING = ("captcha.kind=altcha",)


class Extent(msgspec.Struct, frozen=True):
    """How much is tried. phases: of Schemathesis. examples: for each operation in a phase."""

    phases: str
    examples: int


BRIEF = Extent("examples,fuzzing", 3)
WHOLE = Extent("examples,coverage,fuzzing,stateful", 200)


async def fuzz(folder: Path, extent: Extent) -> list[str]:
    """Tries a server as a stranger, and as a member of a room. The reports of what failed. folder: for files."""
    async with open_server(folder, PROVING) as server, server.client() as http:
        ann = await sign_up(http, "ann")
        room = (await ann.post("/room/create", {"name": "Kitchen"}))["roomId"]
        post = (await ann.post(f"/room/post/{room}", {"content": "Tea?"}))["postId"]
        member = ("--header", f"Authorization: Bearer {ann.token}", *_without(PARTING))
        there = folder / "member"
        there.mkdir()
        (there / "schemathesis.toml").write_text(
            f'[parameters]\n"path.room" = {room}\n"path.post" = {post}\n'
        )
        reports = [
            await _report(folder, server.url, extent, ()),
            await _report(there, server.url, extent, member),
        ]
        assert [line for line in server.lines if line.get("level") == "error"] == []
    return [report for report in reports if report]


async def _report(folder: Path, url: str, extent: Extent, more: Sequence[str]) -> str:
    command = [
        str(Path(sys.executable).parent / "schemathesis"), "run", f"{url}/openapi.json", "--no-color",
        "--checks", ",".join(CHECKS), "--phases", extent.phases, "--max-examples", str(extent.examples),
        "--request-timeout", "10", "--seed", "1", "--warnings", "off", "--continue-on-failure", "--no-shrink",
        *_without(ENDLESS), *more,
    ]  # fmt: skip
    ran = await trio.run_process(
        command, cwd=folder, capture_stdout=True, stderr=subprocess.STDOUT, check=False
    )
    return "" if ran.returncode == 0 else ran.stdout.decode()


def _without(paths: Sequence[str]) -> list[str]:
    return [word for path in paths for word in ("--exclude-path", path)]


def main() -> None:
    """Runs all of it; exits with what failed."""
    with TemporaryDirectory() as folder:
        reports = trio.run(fuzz, Path(folder), WHOLE)
    sys.exit("\n".join(reports) or None)


if __name__ == "__main__":
    main()
