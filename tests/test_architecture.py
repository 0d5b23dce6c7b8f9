"""The architecture: who may import whom, how long and how wide code may be, that every refusal has an answer."""

import ast
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from regserver import errors
from regserver.app import open_app
from regserver.config import Loaded, Secret, Settings
from regserver.config.setting import StoreSection
from regserver.domain import operator_outcome, outcome
from regserver.web.directory.wire import DirectoryStyle
from regserver.web.http.rate_limit import LIMITS
from tests import figures

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "regserver"

# What each part may import of ours; a part may always import itself, and every part what stands on Python alone.
EVERYWHERE = {"group", "owner", "__version__"}
ALLOWED: dict[str, set[str]] = {
    "client": set(),
    "domain": set(),
    "endpoint": set(),
    "errors": {"domain"},
    "group": set(),
    "log": {"domain"},
    "metric": {"domain", "endpoint", "ports"},
    "owner": set(),
    "config": {"domain"},
    "ports": {"domain", "endpoint"},
    "pytest_plugin": {"testing"},
    "service": {"domain", "ports", "errors"},
    "store": {"domain", "ports"},
    "testing": {"adapters", "app", "config", "domain", "log", "ports", "store"},
    "text": set(),
    "broker": {"domain", "ports", "endpoint"},
    "adapters": {"domain", "ports", "config", "text"},
    "serving": {"endpoint", "domain.address"},
    "web": {"domain", "ports", "service", "errors", "endpoint", "serving", "log", "metric", "text"},
}
# app, cli and store_opening put everything together; __init__ holds the version.
ROOTS = {"app", "cli", "store_opening", "__main__", "__init__"}

# Libraries that belong to one part only.
CONFINED: dict[str, set[str]] = {
    "quart": {"web"},
    "quart_trio": {"web", "app"},
    "hypercorn": set(),
    "h2": {"serving"},
    "trio_websocket": {"client"},
    "wsproto": {"serving"},
    "h11": {"serving"},
    "httptools": {"serving"},
    "sqlite3": {"store", "cli"},
    "psycopg": {"store", "broker"},
    "argon2": {"adapters"},
    "smtplib": {"adapters"},
    "pyotp": {"adapters"},
    "segno": {"adapters"},
    "fido2": {"adapters"},
    "prometheus_client": {"metric"},
}
# Modules of the client whose names are those of the wire, as the server's are.
ON_THE_WIRE = {
    "refusal",
    "step_refusal",
    "directory_refusal",
    "notification",
    "wire",
    "step_wire",
    "proof",
    "contact",
}
# A registration by steps is one in the server; whoever uses the client watches a live one.
MEANT_TWICE = {"Registration"}
# The domain waits for nothing and reads nothing.
PURE = {"trio", "os", "time", "random", "secrets", "socket", "logging", "asyncio", "pathlib", "httpx"}


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        first = path.relative_to(PACKAGE).parts[0]
        yield first.removesuffix(".py"), path


@cache
def parsed(path: Path) -> ast.Module:
    """The tree of a module, which several tests walk."""
    return ast.parse(path.read_text("utf-8"))


@cache
def measured() -> figures.Part:
    """The figures of the whole package."""
    return figures.measure(ROOT)[0]


def imports(path: Path) -> Iterator[str]:
    return names_imported(parsed(path))


def names_imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
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


DRIVER = "regserver.store.postgres.driver"


def test_the_driver_could_be_published_alone() -> None:
    """It imports nothing of ours, and only the store on it imports it."""
    wrong = []
    for _, path in modules():
        inside = module_name(path).startswith(DRIVER)
        near = module_name(path).startswith("regserver.store.postgres")
        for name in imports(path):
            ours, driver = name.split(".")[0] == "regserver", name.startswith(DRIVER)
            if (inside and ours and not driver) or (driver and not near):
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


# The bounds of a stop and of a retry, the leases of nodes, the presence of sockets.
OWN_TIME = {
    "broker/local.py",
    "broker/presence_teller.py",
    "service/erasure_service.py",
    "service/live_service.py",
    "service/node_lease.py",
    "service/session_upkeep.py",
}


def test_services_wait_by_the_clock() -> None:
    """By `Clock.sleep` and `Clock.move_on_after`, so that a test can let days pass; OWN_TIME names the exceptions."""
    real = re.compile(
        r"trio\.(sleep|sleep_until|move_on_a\w+|fail_a\w+|current_time)\(|time\.(time|monotonic)"
    )
    found = {
        str(path.relative_to(PACKAGE))
        for part, path in modules()
        if part in {"service", "broker"} and real.search(path.read_text("utf-8"))
    }
    assert found == OWN_TIME


# What a module loads when it is first needed, and why: see "What an idle server does not load" in docs/architecture.md.
LATE: dict[str, tuple[set[str], str]] = {
    "adapters/authenticator_app.py": ({"segno"}, "QR codes, for whoever begins with codes of an app"),
    "adapters/foreign_hash.py": ({"passlib"}, "hashes of other software, for people who came from it"),
    "adapters/ledger/antelope_key.py": ({"coincurve"}, "keys of a chain"),
    "__main__.py": ({"regserver"}, "the command line, when the garbage collector has been told to wait"),
    "adapters/late_mail.py": (
        {"regserver.adapters.jinja_mail"},
        "jinja2, for mails from the built-in templates",
    ),
    "adapters/late_webhook.py": (
        {"regserver.adapters.webhook_client"},
        "httpcore, for receivers of webhooks",
    ),
    "adapters/provider_client.py": ({"httpx"}, "SMS and captcha services"),
    "adapters/push/late_push.py": (
        {
            "regserver.adapters.push.message_encryption",
            "regserver.adapters.push.vapid",
            "regserver.adapters.push.web_push",
        },
        "cryptography",
    ),
    "adapters/source/__init__.py": ({"regserver.adapters.source.http"}, "httpcore, for one of the sources"),
    "adapters/trust.py": ({"httpx"}, "the known authorities, read when TLS is first needed"),
    "app/__init__.py": ({"regserver.app.asgi"}, "Quart, for other ASGI servers"),
    "app/assemble_backup.py": ({"regserver.store.postgres.postgres_dump"}, "psycopg"),
    "app/assemble_factor.py": ({"regserver.adapters.webauthn"}, "fido2, for passkeys"),
    "app/assemble_operator_server.py": ({"regserver.adapters.mail_probe"}, "dnspython, for a trial of mail"),
    "cli/doctor/state.py": ({"regserver.store.postgres.postgres_probe"}, "psycopg"),
    "cli/store.py": ({"regserver.store.store_copy"}, "psycopg; other commands open a store by this module"),
    "cli/user.py": (
        {"regserver.cli.user_export", "regserver.cli.user_import"},
        "the web's modules, and libraries of hashes",
    ),
    "domain/phone.py": ({"regserver.domain.numbering_plan"}, "phonenumbers, with the first number"),
    "pytest_plugin.py": ({"regserver.testing"}, "a whole server, which most runs of pytest do without"),
    "service/cipher.py": ({"cryptography"}, "what is sealed"),
    "serving/late_http2.py": ({"regserver.serving.http2_connection"}, "h2, for clients that speak HTTP/2"),
    "store_opening.py": ({"regserver.store.postgres"}, "psycopg"),
    "web/site/template.py": ({"jinja2"}, "templates of pages"),
}
# Libraries of which a module names types alone. What it has late as well, or what its caller has loaded.
TYPES_ALONE = {
    "adapters/provider_client.py": {"httpx"},
    "service/cipher.py": {"cryptography"},
    "web/http/router.py": {"quart"},
    "web/site/template.py": {"jinja2"},
}


def bare(name: str, depth: int) -> str:
    """The library of an imported name, or the module of ours: without its `depth` last words."""
    words = name.split(".")
    return name.rsplit(".", depth)[0] if words[0] == "regserver" else words[0]


def late_imports(tree: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from (it for it in ast.walk(function) if isinstance(it, ast.Import | ast.ImportFrom))


def test_imports_stand_at_the_top() -> None:
    """LATE names the others, each with its reason; its gain is a comment on its line."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    silent = []
    for _, path in modules():
        text = path.read_text("utf-8")
        lines = text.splitlines()
        for node in late_imports(parsed(path)):
            if "#" not in lines[node.lineno - 1]:
                silent.append(f"{path.relative_to(ROOT)}:{node.lineno}")
            for name in names_imported(node):
                plain = isinstance(node, ast.Import) or name == "regserver.testing"
                found[str(path.relative_to(PACKAGE))].add(bare(name, 0 if plain else 1))
    assert silent == []
    assert found == {path: names for path, (names, _) in LATE.items()}


def test_modules_are_imported_by_statements_alone() -> None:
    """The tests here read those. Only the command line imports by name, its own modules."""
    word = re.compile(r"\b(import_module|__import__|run_module|find_spec)\b")
    assert [
        str(path.relative_to(PACKAGE)) for _, path in modules() if word.search(path.read_text("utf-8"))
    ] == ["cli/__init__.py"]


def test_every_module_says_what_it_is_for() -> None:
    silent = [str(path) for _, path in modules() if not ast.get_docstring(parsed(path))]
    assert silent == []


MOST_PARAMETERS = 6
# Layers in which a module's name says which of a feature's modules it is. Elsewhere the package says so.
NAMED_ONCE = (
    "adapters/*.py",
    "app/*.py",
    "broker/*.py",
    "domain/*.py",
    "ports/*.py",
    "service/*.py",
    "store/**/*.py",
)


def test_files_and_functions_are_short() -> None:
    whole = measured()
    bounds = figures.FILE_BOUNDS[2], figures.FUNCTION_BOUNDS[2]
    long_files = [str(source.path) for source in whole.sources if source.lines > bounds[0]]
    long_functions = [
        f"{source.path}:{function.line}"
        for source in whole.sources
        for function in source.functions
        if function.length > bounds[1]
    ]
    assert (long_files, long_functions) == ([], [])
    assert whole.files.within(figures.FILE_BOUNDS), whole.files
    assert whole.lengths.within(figures.FUNCTION_BOUNDS), whole.lengths


def test_public_functions_are_documented() -> None:
    """`python3 -m tests.figures --list` names those that are not."""
    assert measured().documented >= figures.DOCUMENTED_PERCENT


def classes(path: Path) -> Iterator[ast.ClassDef]:
    return (node for node in parsed(path).body if isinstance(node, ast.ClassDef))


def types(path: Path) -> Iterator[str]:
    """Yields the public names of a module's classes and type aliases."""
    for node in parsed(path).body:
        if isinstance(node, ast.ClassDef):
            names = [node.name]
        elif isinstance(node, ast.Assign):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names = [node.target.id]
        else:
            continue
        yield from (name for name in names if re.fullmatch(r"[A-Z]\w*[a-z]\w*", name))


def test_a_public_type_name_means_one_thing() -> None:
    homes = defaultdict(list)
    for part, path in modules():
        if part == "client" and (path.stem in ON_THE_WIRE or path.stem == "__init__"):
            continue
        for name in set(types(path)) - MEANT_TWICE:
            homes[name].append(str(path.relative_to(PACKAGE)))
    assert {n: at for n, at in homes.items() if len(at) > 1} == {}


def test_a_module_name_says_which_layer_it_is_in() -> None:
    homes = defaultdict(list)
    for path in [path for pattern in NAMED_ONCE for path in PACKAGE.glob(pattern) if path.stem != "__init__"]:
        homes[path.stem].append(str(path.relative_to(PACKAGE)))
    assert {n: at for n, at in homes.items() if len(at) > 1} == {}


def test_each_port_has_a_module_with_its_name() -> None:
    wrong = {}
    for path in (PACKAGE / "ports").glob("*.py"):
        protocols = [
            it.name for it in classes(path) if any(ast.unparse(base) == "Protocol" for base in it.bases)
        ]
        named = [re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower().removesuffix("s") for name in protocols]
        if path.stem != "__init__" and named != [path.stem.removesuffix("s")]:
            wrong[path.name] = protocols
    assert wrong == {}


def test_no_function_takes_many_parameters() -> None:
    """A constructor that needs more takes a frozen Struct with its policy or its parts."""
    wide = []
    for _, path in modules():
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                names = [it.arg for it in node.args.posonlyargs + node.args.args + node.args.kwonlyargs]
                count = len(names) - (names[:1] in (["self"], ["cls"]))
                if count > MOST_PARAMETERS:
                    wide.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name} takes {count}")
    assert wide == []


def test_no_import_of_ours_is_for_type_checking_alone() -> None:
    """It would hide a circle. A library may be loaded late, and its types be named before: TYPES_ALONE says where."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for _, path in modules():
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
                assert ast.unparse(node.test) == "TYPE_CHECKING", path
                assert not node.orelse, path
                names = {name for inner in node.body for name in names_imported(inner)}
                found[str(path.relative_to(PACKAGE))] |= {bare(name, 0) for name in names}
    assert found == TYPES_ALONE


# Libraries that an idle server does without, by the modules of ours that load them when they are loaded themselves.
LOADED_BY = {
    "cryptography": {"adapters/push", "adapters/webauthn.py", "cli/doctor"},
    "fido2": {"adapters/webauthn.py"},
    "httpcore": {
        "adapters/guarded_network.py",
        "adapters/push",
        "adapters/source/http.py",
        "adapters/webhook_client.py",
    },
    "httpx": {
        "cli/doctor",
        "cli/running.py",
        "cli/server_call.py",
        "cli/trial.py",
        "cli/try.py",
        "client",
        "testing",
    },
    "jinja2": {"adapters/jinja_mail.py"},
    "dns": {"adapters/mail_probe.py", "cli/mail.py"},
    "phonenumbers": {"domain/numbering_plan.py"},
    "psycopg": {"store/postgres", "store/store_copy.py"},
    "quart": {"web/app.py"},
    "quart_trio": {"web/app.py"},
}


def at_run_time(tree: ast.Module) -> Iterator[str]:
    """What is imported as soon as the module is: not in functions, and not for type checking alone."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from names_imported(node)
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and not (
            isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        ):
            waiting += ast.iter_child_nodes(node)


def test_what_an_idle_server_does_without_is_loaded_in_few_places() -> None:
    """`tests/app/test_idle_server.py` asks a real one, on its default settings."""
    wrong = []
    for _, path in modules():
        own = str(path.relative_to(PACKAGE))
        for name in at_run_time(parsed(path)):
            places = LOADED_BY.get(name.split(".")[0])
            if places is not None and not any(own == it or own.startswith(f"{it}/") for it in places):
                wrong.append(f"{own}: {name}")
    assert wrong == []


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def test_modules_import_each_other_in_no_circle() -> None:
    names = {module_name(path) for _, path in modules()}

    def imported(found: Iterable[str]) -> Iterator[str]:
        for name in found:
            yield name if name in names else name.rpartition(".")[0]

    graph = {module_name(path): set(imported(imports(path))) & names for _, path in modules()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"modules import each other: {error.args[1]}")


def test_imports_are_absolute() -> None:
    """The tests above read them."""
    assert [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for _, path in modules()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ImportFrom) and node.level
    ] == []


def test_a_missing_peer_is_reported_in_one_place() -> None:
    """Under CI it fails there, while a bare skip would hide it."""
    skips = {
        str(path.relative_to(ROOT / "tests"))
        for path in (ROOT / "tests").rglob("*.py")
        if re.search(r"pytest\.(skip\(|importorskip\b|mark\.skip\b)", path.read_text("utf-8"))
    }
    assert skips == {"peer/required.py"}


def refusals(kind: type[outcome.Refusal]) -> Iterator[type[outcome.Refusal]]:
    for child in kind.__subclasses__():
        yield child
        yield from refusals(child)


def test_every_refusal_of_the_named_doors_has_a_status() -> None:
    named = {outcome.__name__, operator_outcome.__name__}
    shared = {kind for kind in refusals(outcome.Refusal) if kind.__module__ in named}
    assert shared == set(errors.STATUS)


async def test_every_route_has_a_limit_and_words_every_general_refusal(tmp_path: Path) -> None:
    store = StoreSection(url=Secret(f"sqlite:{tmp_path / 'x.db'}"))
    async with open_app(Loaded(Settings(store=store), None)) as app:
        assert len(app.core.router.routes) > 20
        named = {route.pattern: route.limit for route in app.core.router.routes.values()}
        named |= {socket.pattern: socket.limit for socket in app.core.router.sockets.values()}
        assert {pattern for pattern, limit in named.items() if limit not in LIMITS} == set()
        general = (
            outcome.TooManyRequests(3),
            outcome.BodyTooLarge(),
            outcome.InternalError(),
            outcome.StoreUnavailable(),
        )
        for route in app.core.router.routes.values():
            for refusal in general:
                status = route.style.refuse(refusal).status
                # A directory's clients know one status for every fault of the server.
                directory = isinstance(route.style, DirectoryStyle) and isinstance(
                    refusal, outcome.StoreUnavailable
                )
                assert status == (500 if directory else errors.STATUS[type(refusal)]), route.pattern


def test_every_file_of_the_package_is_packed() -> None:
    """Catalogues, templates, SQL and the page's files; the binary takes what the package has."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    patterns = project["tool"]["setuptools"]["package-data"]["regserver"]
    data = [path.relative_to(PACKAGE) for path in PACKAGE.rglob("*") if path.is_file()]
    assert [
        str(path)
        for path in data
        if path.suffix not in {".py", ".pyc"}
        and not any(fnmatch(str(path), pattern.removeprefix("**/")) for pattern in patterns)
    ] == []


def test_a_stray_file_would_be_seen() -> None:
    """The tables above name every part there is."""
    parts = {part for part, _ in modules()}
    assert parts == set(ALLOWED) | ROOTS


@pytest.mark.parametrize("name", sorted(ALLOWED))
def test_parts_exist(name: str) -> None:
    assert (PACKAGE / name).is_dir() or (PACKAGE / f"{name}.py").is_file()
