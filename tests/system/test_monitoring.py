"""The shipped dashboard and alert rules: every metric, label and outcome that they name is there."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import get_args

import pytest

from regserver.app import open_app
from regserver.config import load
from regserver.domain.outcome import SourceUnavailable
from regserver.endpoint import Request
from regserver.service.guess_guard import GuessEnd
from regserver.service.mail_delivery import DeliveryOutcome
from regserver.service.sms_guard import SmsOutcome

MONITORING = Path(__file__).parents[2] / "config" / "monitoring"
OF_POSTGRES = {"regserver_store_link_up", "regserver_store_log_losses_total"}
"""Of a node on PostgreSQL alone."""
EXPRESSION = re.compile(r"^ +expr: (.+)$", re.MULTILINE)
NAMED = re.compile(r"\b(regserver_[a-z_]+)(?:\{([^}]*)\})?")
OUTCOMES = {
    "regserver_sms_codes_total": set(get_args(SmsOutcome)),
    "regserver_guesses_total": set(get_args(GuessEnd)),
    "regserver_mail_attempts_total": set(get_args(DeliveryOutcome)),
    "regserver_sign_ins_total": {SourceUnavailable.__name__},
    "regserver_jobs_total": {"done", "failed"},
}


def expressions(name: str) -> list[str]:
    text = (MONITORING / name).read_text("utf-8")
    if name.endswith(".json"):
        return [target["expr"] for panel in json.loads(text)["panels"] for target in panel["targets"]]
    return EXPRESSION.findall(text)


@pytest.fixture
async def shown(tmp_path: Path) -> AsyncIterator[set[str]]:
    """The names of all samples that a server can show. A server with a log of its own has one more, and a node has others."""
    given = [f"store.url=sqlite:{tmp_path / 'x.db'}", "live.source=none", "backup.every=24h"]
    async with open_app(load(None, given, {})) as app:
        asked = Request(method="GET", path="/metrics", headers={"host": "localhost"}, peer="127.0.0.1")
        text = (await app.core.dispatcher.serve(asked)).body.decode()
        ends = {"histogram": ("_bucket", "_count", "_sum")}
        kinds = dict(re.findall(r"^# TYPE (\w+) (\w+)$", text, re.MULTILINE))
        found = {f"{family}{end}" for family, kind in kinds.items() for end in ends.get(kind, ("",))}
        yield found | {"regserver_log_lines_lost_total"} | OF_POSTGRES


@pytest.mark.parametrize("name", ["dashboard.json", "alerts.yml"])
async def test_what_is_named_is_there(shown: set[str], name: str) -> None:
    found = expressions(name)
    assert len(found) > 10
    named = {match[1] for expression in found for match in NAMED.finditer(expression)}
    assert named - shown == set()


@pytest.mark.parametrize("name", ["dashboard.json", "alerts.yml"])
def test_the_outcomes_that_are_asked_for_can_come(name: str) -> None:
    for expression in expressions(name):
        for match in NAMED.finditer(expression):
            for outcome in re.findall(r'outcome=~?"([^"]*)"', match[2] or ""):
                assert set(outcome.split("|")) <= OUTCOMES[match[1]], expression


def test_every_alert_says_what_to_do() -> None:
    rules = (MONITORING / "alerts.yml").read_text("utf-8").split("- alert: ")[1:]
    assert len(rules) > 10
    for rule in rules:
        assert re.search(r"severity: (page|ticket)", rule)
        assert "summary: " in rule
        assert "action: " in rule


def test_the_panels_do_not_lie_upon_each_other() -> None:
    panels = json.loads((MONITORING / "dashboard.json").read_text("utf-8"))["panels"]
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}
    assert (len(places), len({panel["id"] for panel in panels})) == (len(panels), len(panels))
