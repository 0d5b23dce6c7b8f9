"""The Quart app: what its `url_map` shows, and how it serves by itself."""

from pathlib import Path

import httpx
import pytest
import trio
from hypercorn.config import Config
from hypercorn.middleware.dispatcher import TrioDispatcherMiddleware
from hypercorn.trio import serve
from hypercorn.typing import ASGIFramework
from quart_trio import QuartTrio

from regserver.app.asgi import create_app
from regserver.config import Loaded, Secret, Settings
from regserver.config.setting import LimitsSection, StoreSection


@pytest.fixture
async def app(tmp_path: Path) -> QuartTrio:
    store = StoreSection(url=Secret(f"sqlite:{tmp_path / 'x.db'}"))
    app = create_app(Loaded(Settings(store=store, limits=LimitsSection(enabled=False)), None))
    return app


async def test_its_map_holds_every_route_by_name(app: QuartTrio) -> None:
    assert list(app.url_map.iter_rules()) == []
    async with app.test_app():
        rules = {rule.endpoint: rule for rule in app.url_map.iter_rules()}
    assert len(rules) > 40
    assert rules["rooms.post"].rule == "/room/post/<room>"
    assert rules["rooms.post"].methods == {"POST"}
    assert rules["rooms.listen"].websocket
    assert all(callable(app.view_functions[name]) for name, rule in rules.items() if not rule.websocket)


async def test_its_lifespan_opens_what_it_stands_on(app: QuartTrio) -> None:
    async with app.test_app() as running:
        answer = await running.test_client().get("/health/ready")
        assert answer.status_code == 200
        assert (await answer.get_json())["parts"]["store"] == "ok"


async def test_a_lifespan_that_cannot_open_says_why(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("this is no database")
    store = StoreSection(url=Secret(f"sqlite:{tmp_path / 'x.db'}"))
    app = create_app(Loaded(Settings(store=store), None))
    asked, told = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}], []

    async def receive() -> dict[str, str]:
        return asked.pop(0)

    async def send(message: dict[str, str]) -> None:
        told.append(message)

    await app({"type": "lifespan"}, receive, send)  # type: ignore[arg-type]
    assert told[0]["type"] == "lifespan.startup.failed"
    assert "x.db: file is not a database" in told[0]["message"]


async def serving(nursery: trio.Nursery, app: ASGIFramework, stop: trio.Event) -> str:
    """Serves it by stock Hypercorn on a real port until `stop`; the address."""
    config = Config()
    config.bind = ["127.0.0.1:0"]
    config.errorlog = None
    (url,) = await nursery.start(
        lambda task_status: serve(app, config, shutdown_trigger=stop.wait, task_status=task_status)
    )
    return str(url)


async def ask(base: str) -> None:
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"{base}/health/ready")).json()["status"] == "ready"
        assert (await client.get(f"{base}/nowhere")).json() == {"error": "RouteNotFound"}
        page = await client.get(f"{base}/", headers={"accept-language": "fr"})
        assert page.headers["content-language"] == "fr"
        refused = await client.put(f"{base}/rpc")
        assert (refused.status_code, refused.headers["allow"]) == (405, "POST")


async def test_stock_hypercorn_serves_it(app: QuartTrio) -> None:
    stop = trio.Event()
    async with trio.open_nursery() as nursery:
        await ask(await serving(nursery, app, stop))
        stop.set()


async def test_it_can_be_mounted(app: QuartTrio) -> None:
    stop = trio.Event()
    async with trio.open_nursery() as nursery:
        base = await serving(nursery, TrioDispatcherMiddleware({"/reg": app}), stop)
        await ask(f"{base}/reg")
        stop.set()
