"""`as` in the rooms: a service posts with an operator key, and people's clients see it as they see anybody."""

from pathlib import Path

from tests.web.http.test_document_truth import opened
from tests.web.provocation import PUBLISH_KEY, Asked


async def test_people_meet_a_service_as_they_meet_anybody(tmp_path: Path) -> None:
    async with opened(tmp_path) as (_, stage):
        ann, bob = await stage.person(), await stage.person()
        new = Asked(
            method="POST",
            path="/room/create",
            body={"name": "Weather", "otherUsers": [ann.id], "as": "Weather"},
            by=PUBLISH_KEY,
        )
        room = (await stage.ask_json(new))["roomId"]
        filled = await stage.ask(
            new.but(path=f"/room/invite/{room}", body={"otherUsers": [bob.id], "as": "Weather"})
        )
        assert filled.status == 204
        post = new.but(path=f"/room/post/{room}", body={"content": "Rain.", "as": "Weather"})
        number = (await stage.ask_json(post))["postId"]
        for person in (ann, bob):
            read = Asked(method="GET", path=f"/room/readAll/{room}", by=person.token)
            (shown,) = (await stage.ask_json(read))["posts"]
            assert (shown["id"], shown["username"], shown["content"]) == (number, "Weather", "Rain.")
        # An operator key is nobody's token, and a person's is no operator key.
        alone = await stage.ask(post.but(body={"content": "x"}))
        claimed = await stage.ask(post.but(by=ann.token))
        assert (alone.status, claimed.status) == (401, 401)
