"""A room of long posts is read in pages of a mebibyte, whatever its posts become as JSON; nothing is missing between them."""

from tests.system.server import local_server, sign_up

MIB = 1024 * 1024


async def test_long_posts_come_in_pages() -> None:
    contents = ["x" * 16_384] * 70 + ["\x01" * 8_000] * 25 + ["short"] * 20
    async with local_server() as (_, client):
        ann = await sign_up(client, "ann")
        room = (await ann.post("/room/create", {}))["roomId"]
        posts = [
            (await ann.post(f"/room/post/{room}", {"content": content}))["postId"] for content in contents
        ]
        read: list[int] = []
        before, pages = "", 0
        while True:
            answer = await ann.call("GET", f"/room/readAll/{room}{before}")
            assert len(answer.content) <= MIB
            page, pages = answer.json(), pages + 1
            read = [post["id"] for post in page["posts"]] + read
            if not page["more"]:
                break
            before = f"?before={read[0]}"
        assert read == posts
        assert pages == 3
        whole = await ann.get(f"/room/readAll/{room}?limit=20")
        assert ([post["content"] for post in whole["posts"]], whole["more"]) == (["short"] * 20, True)
