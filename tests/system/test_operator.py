"""An operator at work beside people: what is done by /admin is heard at once, and the audit says by whom."""

import json
from pathlib import Path

from tests.system.server import listening, open_server, run_command, sign_up


async def test_an_operator_at_work(tmp_path: Path) -> None:
    where = ("--set", f"store.url=sqlite:{tmp_path / 'test.db'}", "--json")
    async with open_server(tmp_path) as server, server.client() as client:
        made = await run_command("key", "create", "anna", "--role", "support", *where, folder=tmp_path)
        key = {"authorization": f"Bearer {json.loads(made.stdout)['key']}"}
        ann, bob = await sign_up(client, "ann"), await sign_up(client, "bob")
        room = (await ann.post("/room/create", {"name": "Tea", "otherUsers": [bob.id]}))["roomId"]
        post = (await ann.post(f"/room/post/{room}", {"content": "something nasty"}))["postId"]
        url = f"{server.socket_url}/room/websocket?since=&token="
        async with listening(url + ann.token) as hers, listening(url + bob.token) as his:
            assert (await hers.message())["type"] == (await his.message())["type"] == "Resumed"

            # A post that was reported, and its author, who is out at once.
            assert (await client.delete(f"/admin/posts/{post}", headers=key)).status_code == 204
            read = (
                await client.get(f"/room/read/{post}", headers={"authorization": f"Bearer {bob.token}"})
            ).json()
            assert read["post"]["content"] == "[removed]"
            suspended = await client.post("/admin/users/ann/suspend", headers=key)
            assert suspended.json()["user"]["suspendedAt"] is not None
            assert await hers.text() == "NotApproved"
            assert await hers.close_code() == 1008
            body = {"username": "ann", "password": "ann's long password"}
            refused = await client.post("/login", json=body)
            assert (refused.status_code, refused.json()) == (
                403,
                {"error": "NotApproved", "waitsFor": "resumption"},
            )

            # A room that is closed; whoever stays longest hears of the others.
            assert (await client.delete(f"/admin/rooms/{room}", headers=key)).status_code == 204
            assert (await his.message())["type"] == "UserLeftRoom"
        assert (await client.post("/admin/users/ann/resume", headers=key)).status_code == 200
        signed_in = await client.post("/login", json=body)
        assert signed_in.status_code == 200
        denied = await client.delete("/admin/users/ann", headers=key)
        assert (denied.status_code, denied.json()["error"]) == (403, "NotPermitted")
        listed = await run_command("audit", "list", *where, folder=tmp_path)
        rows = [(row["actor"], row["action"], row["outcome"]) for row in json.loads(listed.stdout)]
        assert rows[:6] == [
            ("client", "sign_in", "done"),
            ("key anna", "account_resumed", "done"),
            ("key anna", "room_closed", "done"),
            ("client", "sign_in", "NotApproved"),
            ("key anna", "suspended", "done"),
            ("key anna", "post_removed", "done"),
        ]
        shown = await run_command("room", "list", *where, folder=tmp_path)
        assert json.loads(shown.stdout) == []
        verified = await run_command("audit", "verify", *where, folder=tmp_path)
        assert json.loads(verified.stdout)["whole"] is True
        assert "regs_op_" not in server.printed.replace("regs_op_…", "")
