"""Modules without docstrings, as the executable has them."""

import inspect
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

TEXT = '''"""What it is for."""
"another text"
from __future__ import annotations

class Empty:
    """Nothing else."""

class Full:
    """Text."""
    text = "kept"

    async def work(self, number: int = 3) -> str:
        """Text."""
        assert number == 3
        return "kept"

def fail():
    """Text."""
    raise ValueError("line 19")
'''


@pytest.fixture
def docstring(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(ROOT / "packaging")
    import docstring  # type: ignore[import-not-found]  # packaging is a folder of scripts

    yield docstring
    sys.modules.pop("docstring")


def test_only_docstrings_go(tmp_path: Path, docstring: Any) -> None:
    path = tmp_path / "module.py"
    path.write_text(TEXT)
    made: dict[str, Any] = {"__name__": "module"}
    exec(docstring.compile_without(str(path)), made)  # noqa: S102  (of this test)
    for thing in (made["Empty"], made["Full"], made["Full"].work, made["fail"]):
        assert inspect.getdoc(thing) is None
    assert made.get("__doc__") is None
    assert made["Full"].text == "kept"
    with pytest.raises(AssertionError):
        made["Full"]().work(4).send(None)
    with pytest.raises(ValueError, match="line 19") as caught:
        made["fail"]()
    assert caught.traceback[-1].lineno + 1 == 19


def test_what_is_read_is_kept(docstring: Any) -> None:
    kept = ("regserver.web.site.page", "regserver.domain.outcome", "regserver.errors", "dns.exception")
    gone = ("trio", "trio._core", "regserver.store.migration", "dnsx")
    assert [docstring.may_lose_docstrings(name) for name in (*kept, *gone)] == [False] * 4 + [True] * 4
