"""Who somebody is comes from their token, never from a body, a query or a field of their own making."""

import itertools
import json
from pathlib import Path

from regserver.web.http.bearer import bearer
from regserver.web.http.pipeline import steps_of
from regserver.web.rooms.push_wire import POINT
from tests.web.http.test_document_truth import opened
from tests.web.provocation import Asked

FIELDS = ("userId", "user", "user_id", "account", "accountId", "door", "token", "id", "username", "session")
KEYS = {"p256dh": POINT, "auth": "BTBZMqHH6r4Tts7J_aSIgg"}
VALUES = (1, "1", True, {"userId": 1, "id": 1}, [1], "regs_" + "A" * 43)


async def test_no_body_switches_authentication_off(tmp_path: Path) -> None:
    async with opened(tmp_path) as (app, stage):
        person = await stage.person()
        routes = [route for route in app.core.router.routes.values() if bearer in steps_of(route.endpoint)]
        assert len(routes) > 12
        for route in routes:
            path = route.pattern
            for name in ("room", "post", "user_id", "username"):
                path = path.replace("{" + name + "}", "1")
            path = path.replace("{", "").replace("}", "")
            for field, value in itertools.product(FIELDS, VALUES):
                claimed = person.id if value == 1 else value
                # What the route wants of a body besides, so that it is the missing token that is refused.
                wanted = {"content": "x", "otherUsers": [person.id], "postId": 1, "name": "x"}
                wanted |= {"endpoint": "https://push.example.org/1", "keys": KEYS}
                if route.name == "rooms.kick":
                    wanted["userId"] = person.id
                body = {field: claimed, **wanted}
                query = f"{field}={claimed if isinstance(claimed, int | str) else json.dumps(claimed)}"
                asked = Asked(
                    method=route.method, path=f"{path}?{query}", body=body, headers={f"x-{field}": "1"}
                )
                answer = await stage.ask(asked if route.method != "GET" else asked.but(body=None))
                assert (answer.status, json.loads(answer.body)["error"]) == (401, "MissingAuth"), (
                    route.name,
                    body,
                )
