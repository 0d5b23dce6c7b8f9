"""Trying the server out without a mail server: what the mails ask for can be done from the log."""

import re
from pathlib import Path

from tests.system.server import open_server, sign_up


async def test_an_address_is_verified_by_the_link_in_the_log(tmp_path: Path) -> None:
    async with open_server(tmp_path) as server, server.client() as client:
        ann = await sign_up(client, "annabella")
        line = await server.wait_line(
            lambda line: str(line["message"]).startswith("mail to annabella@example.org")
        )
        (secret,) = set(re.findall(r"regl_[A-Za-z0-9_-]{43}", line["text"]))
        assert (await client.post("/login/email/verify", json={"token": secret})).status_code == 200
        assert (await ann.get("/login/info"))["user"]["emailVerified"] is True
