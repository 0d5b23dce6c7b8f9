"""The shape of the house: who may import whom, that every refusal has an answer and every route a limit."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from regserver import errors
from regserver.app import open_app
from regserver.config import Loaded, Secret, Settings
from regserver.config.setting import StoreSection
from regserver.domain import outcome
from regserver.web.limit import LIMITS

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "regserver"

# What each part may import of ours; a part may always import itself, and every part what stands on Python alone.
EVERYWHERE = {"group", "__version__"}
ALLOWED: dict[str, set[str]] = {
    "domain": set(),
    "endpoint": set(),
    "errors": {"domain"},
    "group": set(),
    "log": {"domain"},
    "metric": {"endpoint"},
    "config": {"domain"},
    "ports": {"domain", "endpoint"},
    "service": {"domain", "ports", "errors"},
    "store": {"domain", "ports"},
    "broker": {"domain", "ports", "endpoint"},
    "adapters": {"domain", "ports", "config"},
    "serving": {"endpoint", "domain.address"},
    "web": {"domain", "ports", "service", "errors", "endpoint", "serving", "log", "metric"},
}
# app and cli put everything together; __init__ holds the version.
ROOTS = {"app", "cli", "__main__", "__init__"}

# Libraries that belong to one part only.
CONFINED: dict[str, set[str]] = {
    "quart": {"web"},
    "quart_trio": {"web", "app"},
    "hypercorn": {"serving"},
    "wsproto": {"serving"},
    "h11": {"serving"},
    "httptools": {"serving"},
    "sqlite3": {"store", "cli"},
    "psycopg": {"store", "broker"},
    "argon2": {"adapters"},
    "smtplib": {"adapters"},
    "prometheus_client": {"metric"},
}
# The domain waits for nothing and reads nothing.
PURE = {"trio", "os", "time", "random", "secrets", "socket", "logging", "asyncio", "pathlib", "httpx"}


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        first = path.relative_to(PACKAGE).parts[0]
        yield first.removesuffix(".py"), path


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_each_part_imports_only_what_lies_further_in() -> None:
    wrong = []
    for part, path in modules():
        if part in ROOTS:
            continue
        for name in imports(path):
            words = name.split(".")
            allowed = ALLOWED[part] | EVERYWHERE | {part}
            if words[0] == "regserver" and not {words[1], ".".join(words[1:3])} & allowed:
                wrong.append(f"{path.relative_to(ROOT)}: {name}")
    assert wrong == []


def test_libraries_stay_where_they_belong() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for part, path in modules()
        for name in imports(path)
        if part not in CONFINED.get(name.split(".")[0], {part})
        or (part == "domain" and name.split(".")[0] in PURE)
    ]
    assert wrong == []


def test_imports_stand_at_the_top() -> None:
    """An import inside a function needs a reason beside it, as a comment on its line."""
    wrong = []
    for _, path in modules():
        text = path.read_text("utf-8")
        lines = text.splitlines()
        for function in ast.walk(ast.parse(text)):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            wrong += [
                f"{path.relative_to(ROOT)}:{node.lineno}"
                for node in ast.walk(function)
                if isinstance(node, ast.Import | ast.ImportFrom) and "#" not in lines[node.lineno - 1]
            ]
    assert wrong == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [str(path) for _, path in modules() if not ast.get_docstring(ast.parse(path.read_text("utf-8")))]
    assert silent == []


def test_files_are_short() -> None:
    long = [str(path) for _, path in modules() if path.read_text("utf-8").count("\n") > 400]
    assert long == []


def refusals(kind: type[outcome.Refusal]) -> Iterator[type[outcome.Refusal]]:
    for child in kind.__subclasses__():
        yield child
        yield from refusals(child)


def test_every_refusal_of_the_named_doors_has_a_status() -> None:
    shared = {kind for kind in refusals(outcome.Refusal) if kind.__module__ == outcome.__name__}
    assert shared == set(errors.STATUS)


async def test_every_route_has_a_limit_and_words_every_general_refusal(tmp_path: Path) -> None:
    store = StoreSection(url=Secret(f"sqlite:{tmp_path / 'x.db'}"))
    async with open_app(Loaded(Settings(store=store), None)) as app:
        assert len(app.router.routes) > 20
        named = {route.pattern: route.limit for route in app.router.routes}
        named |= {socket.pattern: socket.limit for socket in app.router.sockets}
        assert {pattern for pattern, limit in named.items() if limit not in LIMITS} == set()
        general = (
            outcome.TooManyRequests(3),
            outcome.BodyTooLarge(),
            outcome.InternalError(),
            outcome.StoreUnavailable(),
        )
        for route in app.router.routes:
            for refusal in general:
                assert route.door.refuse(refusal).status in {200, 400, 413, 429, 500, 503}, route.pattern


def test_a_stray_file_would_be_seen() -> None:
    """The tables above name every part there is."""
    parts = {part for part, _ in modules()}
    assert parts == set(ALLOWED) | ROOTS


@pytest.mark.parametrize("name", sorted(ALLOWED))
def test_parts_exist(name: str) -> None:
    assert (PACKAGE / name).is_dir() or (PACKAGE / f"{name}.py").is_file()
