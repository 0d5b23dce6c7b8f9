"""The client's words are those of the server, and its blocking form is that of the asynchronous one."""

import subprocess
import sys

import pytest

from regserver import errors
from regserver.client.directory_refusal import DIRECTORY_REFUSALS
from regserver.client.refusal import REFUSALS
from regserver.client.step_refusal import STEP_REFUSALS
from regserver.domain import outcome
from regserver.web.directory.message import FAULT_IDS
from regserver.web.steps.wire import REPLIES
from tests.client.blocking_maker import MADE, SOURCES, blocking


def test_every_refusal_has_a_class() -> None:
    # Those of operators are Refused with their names.
    people = [kind for kind in errors.STATUS if kind.__module__ == outcome.__name__]
    names = {kind.wire_name or kind.__name__ for kind in people if kind is not outcome.MethodNotAllowed}
    assert names - REFUSALS.keys() == set()
    assert {code for code, _ in REPLIES.values()} - STEP_REFUSALS.keys() == set()
    assert set(FAULT_IDS.values()) - DIRECTORY_REFUSALS.keys() == set()


@pytest.mark.parametrize("name", SOURCES)
def test_the_blocking_client_is_made_from_the_other(name: str) -> None:
    assert (MADE / f"{name}.py").read_text("utf-8") == blocking(name)


def test_the_client_loads_nothing_of_the_server() -> None:
    code = (
        "import sys, regserver.client\n"
        "print(sorted({name.split('.')[1] for name in sys.modules if name.startswith('regserver.')}))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "['client', 'group']"
